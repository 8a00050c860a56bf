//! Creations, deletions, base stations and handsets through the real executor against the simulated organization, in virtual time:
//! random files, faults of every kind, and kills at random moments.
//!
//! A failing case prints the command that repeats it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{ChangeStatus, Options, Outcome, run};
use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, RetryPolicy};
use dectl::model::{Handset, LiveState, LocationId, NetworkId, PasswordStatus};
use dectl::plan::Scope;
use dectl::plan::model::{Change, ChangeAction, Operation, Plan, ResourceKind, ResourceState, Step, StepIndex};
use dectl::plan_check::check_plan;
use dectl::reconcile::{CodeResolution, InputOptions, Inputs, prepare_plan};
use dectl::resources::calls;
use dectl::runtime::{Clock, SeededRng, Shutdown, ShutdownLevel, ShutdownReason};
use dectl::simulator::{FaultConfig, InProcessApi, SimulatedOrganization, SimulatedState};
use dectl::storage::Journal;
use dectl::webex::NetworkPath;
use futures::future::{Either, select};

use crate::executor::{for_seeds, some_misbehaviour};
use crate::generators::shuffle;

/// What is in the organization: every network with its settings and its devices.
#[derive(Debug)]
struct Truth {
    live: LiveState,
    stations: BTreeMap<NetworkId, Vec<String>>,
    handsets: BTreeMap<NetworkId, Vec<Handset>>,
    passwords: BTreeMap<NetworkId, PasswordStatus>,
}

struct Scene {
    clock: Clock,
    simulated: Rc<RefCell<SimulatedOrganization>>,
    file: String,
}

impl Scene {
    fn new(seed: u64, rng: &mut SeededRng) -> Self {
        let simulated = SimulatedOrganization::new(SimulatedState::generated(3, 6), FaultConfig::default());
        let simulated = Rc::new(RefCell::new(simulated));
        let mut scene = Self { clock: Clock::virtual_clock(), simulated, file: String::new() };
        scene.file = random_file(&scene.truth(), rng);
        assert!(!scene.file.is_empty(), "seed {seed}");
        scene
    }

    fn api(&self) -> InProcessApi {
        InProcessApi::new(Rc::clone(&self.simulated), self.clock.clone())
    }

    fn client(&self, seed: u64, shutdown: &Shutdown) -> ApiClient {
        let limiter = RateLimiter::new(Some(8), None);
        let rng = SeededRng::from_seed(seed);
        ApiClient::new(Rc::new(self.api()), self.clock.clone(), rng, limiter, RetryPolicy::default(), shutdown.clone())
    }

    /// The organization as it really is.
    fn truth(&self) -> Truth {
        self.simulated.borrow_mut().set_faults(FaultConfig::default());
        let api = self.api();
        let read = async {
            let live = calls::list_networks().send_once(&api).await.expect("a list");
            let (mut stations, mut handsets, mut passwords) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
            for (_, network) in live.networks() {
                let listed = calls::list_base_stations(NetworkPath::of(network)).send_once(&api).await.expect("a list");
                stations.insert(network.id.clone(), listed.iter().map(|station| station.label()).collect());
                let listed = calls::list_handsets(NetworkPath::of(network)).send_once(&api).await.expect("a list");
                handsets.insert(network.id.clone(), listed);
                let status = calls::get_serviceability_password(NetworkPath::of(network)).send_once(&api).await;
                passwords.insert(network.id.clone(), status.expect("a status"));
            }
            Truth { live, stations, handsets, passwords }
        };
        self.clock.block_on(read).expect("the reads end")
    }

    /// Plans and applies, as `dectl apply` does; `None` if the state could not be read.
    async fn apply(&self, client: &ApiClient) -> Option<(Plan, Outcome)> {
        let options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
        let inputs = Inputs::from_text("random.yaml", self.file.clone(), options);
        let inputs = inputs.unwrap_or_else(|invalid| panic!("{:#?}\n{}", invalid.diagnostics, self.file));
        let prepared = match prepare_plan(&inputs, &Scope::default(), client).await {
            Ok(prepared) => prepared,
            Err(dectl::reconcile::Error::InvalidInput(invalid)) => panic!("{:#?}\n{}", invalid.diagnostics, self.file),
            Err(dectl::reconcile::Error::PlanCheckFailed(violation)) => panic!("{violation}\n{}", self.file),
            Err(_) => return None,
        };
        let checked = prepared.checked;
        let outcome = run(&checked, client, &Journal::in_memory(), Options::default(), &|_| {}).await;
        Some((checked.into_plan(), outcome))
    }

    /// Another run of the same file, now that everything behaves, leaves nothing to do.
    fn converges(&self, seed: u64) {
        self.simulated.borrow_mut().set_faults(FaultConfig::default());
        // Writes that come late have come by then.
        self.clock.block_on(self.clock.sleep(Duration::from_secs(120)));
        let client = self.client(seed, &Shutdown::new());
        let (plan, outcome) = self.clock.block_on(self.apply(&client)).expect("the run ends").expect("a run");
        assert!(plan.changes.is_empty() || outcome.is_complete(), "{outcome:#?}");
        let (plan, _) = self.clock.block_on(self.apply(&client)).expect("the run ends").expect("a run");
        assert_eq!(plan.changes, [], "{}", self.file);
    }

    fn rules_are_kept(&self) {
        let violations = self.simulated.borrow().violations();
        let rules: Vec<_> =
            violations["violations"].as_array().expect("a list").iter().map(|one| &one["rule"]).collect();
        for rule in ["retryAfter", "collectionDeletion", "serializedWrites", "fullUpdate", "handsetInterval"] {
            assert!(
                !rules.iter().any(|one| *one == rule),
                "{rule} {violations:#} {:#}",
                self.simulated.borrow().requests()
            );
        }
    }
}

/// A file that creates, renames and deletes networks, and adds, replaces, moves and removes base stations.
fn random_file(truth: &Truth, rng: &mut SeededRng) -> String {
    // Drawn apart, so that a seed stands for the same networks and devices as before there were any.
    let mut passwords = SeededRng::from_seed(truth.live.len() as u64 ^ rng.clone().gen_below(u64::MAX));
    let mut password = |file: &mut String, is_new: bool| {
        // That of a new network is disabled, which would say nothing.
        let wanted = ["enabled", "disabled"][usize::from(!is_new && passwords.gen_bool(0.3))];
        if passwords.gen_bool(0.4) {
            let _infallible = writeln!(file, "        serviceabilityPassword: {wanted}");
        }
    };
    let mut file = String::from("version: 1\nlocations:\n");
    let mut next = 0x0011_2233_0000_u64;
    let mut mac = || {
        next += 1;
        format!("{next:012X}")
    };
    for (at, location) in truth.live.locations() {
        let _infallible = writeln!(file, "  - id: {}\n    networks:", location.id);
        let mut networks: Vec<_> = truth.live.networks_of(at).map(|(_, network)| network).collect();
        shuffle(&mut networks, rng);
        // One is deleted, and a new one may take its name and its code at once.
        let deleted = networks.pop().expect("a network");
        let _infallible = writeln!(file, "      - {{ id: {}, state: absent }}", deleted.id);
        let heir = rng.gen_bool(0.5);
        let name = if heir { deleted.settings.name.to_string() } else { format!("New {}", at.0) };
        let code = deleted.settings.code.as_ref().map(|code| code.expose_secret().to_owned()).expect("a code");
        let code = if rng.gen_bool(0.5) { code } else { "7777".to_owned() };
        let _infallible = write!(
            file,
            "      - model: DBS210\n        name: {name}\n        displayName: New\n        defaultAccessCode: \"{code}\"\n        baseStations:\n"
        );
        for _ in 0..1 + rng.gen_below(60) {
            let _infallible = writeln!(file, "          - \"{}\"", mac());
        }
        let moved = truth.stations[&deleted.id][0].clone();
        if rng.gen_bool(0.5) {
            let _infallible = writeln!(file, "          - \"{moved}\"");
        }
        // Handsets of people who have none, more than one request holds; and one of them has the line of another.
        let _infallible = writeln!(file, "        handsets:");
        for line in 0..1 + rng.gen_below(60) {
            handset(&mut file, 1541 + line % 50, &format!("New {line}"), (line % 3 == 0).then_some(1601));
        }
        password(&mut file, true);
        // Two swap their names, so that an interim step is part of it.
        let swapped = rng.gen_bool(0.5);
        if swapped {
            let (one, other) = (networks[0], networks[1]);
            let _infallible = writeln!(file, "      - {{ id: {}, name: {} }}", one.id, other.settings.name);
            let _infallible = writeln!(file, "      - {{ id: {}, name: {} }}", other.id, one.settings.name);
        }
        // The others change base stations: one is replaced, on large networks some are added and one is removed.
        for network in networks.iter().skip(2) {
            let stations = &truth.stations[&network.id];
            let _infallible = writeln!(file, "      - id: {}\n        baseStations:", network.id);
            let _infallible = writeln!(file, "          - {{ mac: \"{}\", replaces: \"{}\" }}", mac(), stations[0]);
            if stations.len() > 1 {
                let _infallible = writeln!(file, "          - {{ mac: \"{}\", state: absent }}", stations[1]);
                let _infallible = writeln!(file, "          - \"{}\"", mac());
            }
            change_handsets(&mut file, &truth.handsets[&network.id], rng);
            password(&mut file, false);
        }
    }
    file
}

fn handset(file: &mut String, line: u64, name: &str, second: Option<u64>) {
    let second = second.map(|line| format!(", line2: \"{line}\"")).unwrap_or_default();
    let _infallible = writeln!(file, "          - {{ line1: \"{line}\", customDisplayName: {name}{second} }}");
}

/// Names and lines change, some handsets are removed, some are added.
fn change_handsets(file: &mut String, listed: &[Handset], rng: &mut SeededRng) {
    let _infallible = writeln!(file, "        handsets:");
    for (at, one) in listed.iter().enumerate() {
        let line = one.line1.as_ref().expect("a line").line();
        let _infallible = match rng.gen_below(8) {
            0 => writeln!(file, "          - {{ line1: \"{line}\", customDisplayName: Named {at} }}"),
            1 => writeln!(file, "          - {{ line1: \"{line}\", line2: \"1602\" }}"),
            2 => writeln!(file, "          - {{ line1: \"{line}\", state: absent }}"),
            3 => writeln!(file, "          - {{ line1: \"{}\", reassignedFrom: \"{line}\" }}", 1550 + at),
            _ => Ok(()),
        };
    }
    for line in 0..1 + rng.gen_below(4) {
        handset(file, 1580 + line, &format!("More {line}"), rng.gen_bool(0.5).then_some(1603));
    }
}

/// What must hold after every run, however it went: what is said to be applied and verified is there, and what is said not
/// to be applied is not.
fn check(scene: &Scene, plan: &Plan, outcome: &Outcome, late_writes: bool) {
    scene.rules_are_kept();
    let truth = scene.truth();
    for ((at, change), result) in plan.indexed_changes().zip(&outcome.results) {
        assert_eq!(result.status == ChangeStatus::Skipped, result.blocked_by.is_some(), "{result:#?}");
        let is_claimed = result.status == ChangeStatus::Applied && result.verified == Some(true);
        let is_denied = match result.status {
            ChangeStatus::Failed | ChangeStatus::Skipped | ChangeStatus::NotStarted => true,
            ChangeStatus::Applied | ChangeStatus::Unknown => false,
        };
        let is_done = is_done(plan, change, &truth);
        let message = || format!("{at:?} {change:#?} {result:#?}");
        assert!(late_writes || !is_claimed || is_done, "not applied: {}", message());
        assert!(late_writes || !is_denied || !is_done || result.left_as.is_some(), "applied: {}", message());
    }
}

/// Whether a change is made.
fn is_done(plan: &Plan, change: &Change, truth: &Truth) -> bool {
    let in_location = |location: &LocationId| {
        let networks = truth.live.networks().map(|(_, network)| network);
        networks.filter(|network| network.location == *location).collect::<Vec<_>>()
    };
    let known = |id: &NetworkId| {
        plan.unchanged_networks.iter().any(|other| other.network == *id)
            || plan.changes.iter().any(|other| other.network.id() == Some(id))
    };
    let network = change.network.id().and_then(|id| truth.live.find(id)).map(|at| truth.live.network(at));
    match (change.kind(), change.action()) {
        (ResourceKind::Network, ChangeAction::Delete) => network.is_none(),
        (ResourceKind::Network, ChangeAction::Update) => {
            network.is_some_and(|network| Some(&network.settings) == change.settings_after())
        }
        (ResourceKind::Network, ChangeAction::Create) => {
            let after = change.settings_after().expect("settings");
            let created =
                in_location(&change.location.id).into_iter().filter(|network| !known(&network.id)).collect::<Vec<_>>();
            let count = created.iter().filter(|network| network.settings.name == after.name).count();
            assert!(count < 2, "created twice");
            count == 1
        }
        (ResourceKind::ServiceabilityPassword, _) => {
            let created = || in_location(&change.location.id).into_iter().find(|network| !known(&network.id));
            let owner = network.or_else(|| created().filter(|_| change.network.id().is_none()));
            let status = owner.map(|network| ResourceState::ServiceabilityPassword(truth.passwords[&network.id]));
            status == change.after
        }
        (ResourceKind::Handset, _) => {
            let created = || in_location(&change.location.id).into_iter().find(|network| !known(&network.id));
            let owner = network.or_else(|| created().filter(|_| change.network.id().is_none()));
            let listed = owner.map_or(&[][..], |network| &truth.handsets[&network.id][..]);
            is_handset_done(plan, change, listed)
        }
        (_, action) => {
            let owner = network.map(|network| &network.id).or_else(|| {
                let created = in_location(&change.location.id).into_iter().find(|network| !known(&network.id));
                created.map(|network| &network.id).filter(|_| change.network.id().is_none())
            });
            let stations = owner.and_then(|id| truth.stations.get(id));
            let is_there = stations.is_some_and(|stations| stations.contains(&change.label()));
            is_there == (action == ChangeAction::Create)
        }
    }
}

/// Whether a handset is as a change asks, and that it was not added twice.
fn is_handset_done(plan: &Plan, change: &Change, listed: &[Handset]) -> bool {
    let by_id = |id: &Option<_>| listed.iter().find(|handset| handset.id == *id);
    match (change.handset_before(), change.handset_after()) {
        (None, Some(after)) => {
            let before = plan.devices.iter().filter(|devices| change.network.id() == Some(&devices.network));
            let before: Vec<_> = before
                .flat_map(|devices| devices.devices.handsets.iter().flatten())
                .map(|handset| &handset.id)
                .collect();
            let added = listed.iter().filter(|handset| !before.contains(&&handset.id) && handset.has_same_name(after));
            let added: Vec<_> = added.filter(|handset| handset.line1 == after.line1).collect();
            assert!(added.len() < 2, "added twice: {change:#?} {added:#?}");
            added.iter().any(|handset| handset.is_equivalent(after))
        }
        (Some(before), Some(after)) => by_id(&before.id).is_some_and(|now| now.is_equivalent(after)),
        (Some(before), None) => by_id(&before.id).is_none(),
        (None, None) => false,
    }
}

#[test]
fn without_faults_everything_is_as_the_file_says_after_one_run() {
    for_seeds("devices", 60, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let scene = Scene::new(seed, &mut rng);
        let client = scene.client(seed, &Shutdown::new());
        let (plan, outcome) = scene.clock.block_on(scene.apply(&client)).expect("it ends").expect("a run");
        assert!(outcome.is_complete(), "{outcome:#?}");
        assert_eq!(client.statistics().writes, plan.steps.len() as u64);
        // What waits for handsets takes as long as the plan says, and not much longer.
        let least = plan.handset_time();
        assert!(outcome.elapsed >= least && outcome.elapsed < least + Duration::from_secs(60), "{:?}", outcome.elapsed);
        assert_eq!(scene.simulated.borrow().counters().conflicts, 0);
        check(&scene, &plan, &outcome, false);
        scene.converges(seed);
    });
}

#[test]
fn whatever_faults_there_are_nothing_is_made_twice_and_the_next_run_finishes() {
    for_seeds("devices", 300, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let scene = Scene::new(seed, &mut rng);
        let faults = some_misbehaviour(seed, &mut rng);
        let late_writes = faults.delayed_write > 0.0 || faults.async_update_delay.is_some();
        let faults =
            FaultConfig { refuse_second_line: rng.gen_bool(0.3), refuse_whole_requests: rng.gen_bool(0.3), ..faults };
        scene.simulated.borrow_mut().set_faults(faults);
        let client = scene.client(seed, &Shutdown::new());
        if let Some((plan, outcome)) = scene.clock.block_on(scene.apply(&client)).expect("the run ends") {
            check(&scene, &plan, &outcome, late_writes);
        }
        scene.converges(seed);
    });
}

#[test]
fn killed_or_stopped_at_any_moment_the_next_run_finishes() {
    for_seeds("devices", 300, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let scene = Scene::new(seed, &mut rng);
        let faults = some_misbehaviour(seed, &mut rng);
        let late_writes = faults.delayed_write > 0.0 || faults.async_update_delay.is_some();
        let faults =
            FaultConfig { refuse_second_line: rng.gen_bool(0.3), refuse_whole_requests: rng.gen_bool(0.3), ..faults };
        scene.simulated.borrow_mut().set_faults(faults);
        let shutdown = Shutdown::new();
        let client = scene.client(seed, &shutdown);
        let most = if rng.gen_bool(0.5) { 20 } else { 600 };
        let when = rng.full_jitter(Duration::from_secs(most));
        let is_kill = rng.gen_bool(0.5);
        let ended = scene.clock.block_on(async {
            let work = std::pin::pin!(scene.apply(&client));
            let moment = std::pin::pin!(scene.clock.sleep(when));
            match select(work, moment).await {
                Either::Left((done, _)) => done,
                // A killed run is a future that is dropped.
                Either::Right(_) if is_kill => None,
                Either::Right((_, work)) => {
                    shutdown.request(ShutdownLevel::Graceful(ShutdownReason::Interrupt));
                    work.await
                }
            }
        });
        if let Some((plan, outcome)) = ended.expect("the run ends") {
            check(&scene, &plan, &outcome, late_writes);
            // A replaced base station is not missed: its successor is there, or it is back, or the report names it.
            let truth = scene.truth();
            for (change, result) in plan.changes.iter().zip(&outcome.results) {
                let (Some(ResourceState::BaseStation(old)), Some(new)) = (&change.before, &change.replaced_by) else {
                    continue;
                };
                let there = &truth.stations[change.network.id().expect("a live network")];
                let of_both = [&old.address, new].into_iter().any(|mac| there.iter().any(|station| **station == **mac));
                let is_addition = |other: &Change| other.action() == ChangeAction::Create && other.label() == **new;
                let at = plan.changes.iter().position(is_addition).expect("its addition");
                let is_told = result.error.is_some() || outcome.results[at].error.is_some();
                assert!(late_writes || of_both || is_told, "{change:#?} {result:#?} {:#?}", outcome.results[at]);
            }
        }
        scene.converges(seed);
    });
}

/// A plan with other states of the first thing of a step, in the change and in the step alike.
fn with_state(plan: &Plan, at: StepIndex, edit: impl Fn(&mut ResourceState)) -> Plan {
    let mut mutant = plan.clone();
    let item = &mut mutant.steps[at.0].items[0];
    let change = &mut mutant.changes[item.change.0];
    for state in [&mut item.from, &mut item.to, &mut change.before, &mut change.after].into_iter().flatten() {
        edit(state);
    }
    mutant
}

/// What is wrong with a plan in every place where it can be, one at a time.
fn mutants(plan: &Plan, live: &LiveState) -> Vec<(String, Plan)> {
    let mut mutants = Vec::new();
    let known = live.networks().filter_map(|(at, _)| live.base_stations(at)).flatten();
    let taken = known.last().expect("a base station").label();
    for (at, step) in plan.indexed_steps() {
        // Without its dependencies a step may come before what it needs.
        if !step.depends_on.is_empty() {
            let mut mutant = plan.clone();
            mutant.steps[at.0].depends_on.clear();
            mutants.push((format!("{at:?} without dependencies"), mutant));
        }
        // A step that begins or ends elsewhere is not what its changes say.
        let mut mutant = plan.clone();
        mutant.steps[at.0].items[0].from = step.items[0].to.clone();
        mutants.push((format!("{at:?} begins with its end"), mutant));
        let mut mutant = plan.clone();
        mutant.steps[at.0].items[0].to = step.items[0].from.clone();
        mutants.push((format!("{at:?} ends with its beginning"), mutant));
        let operation = step.operation();
        if at.0 + 1 == plan.steps.len() {
            let mut mutant = plan.clone();
            mutant.steps.pop();
            mutants.push(("without its last step".to_owned(), mutant));
        }
        if operation == Operation::new(ResourceKind::BaseStation, ChangeAction::Create) {
            let mutant = with_state(plan, at, |state| {
                if let ResourceState::BaseStation(station) = state {
                    station.address = taken.as_str().into();
                }
            });
            // It may be free by then, if the plan removes it.
            let goes = |change: &Change| {
                change.label() == taken || change.contents.iter().any(|content| content.label() == taken)
            };
            if !plan.changes.iter().any(goes) {
                mutants.push((format!("{at:?} adds {taken}, which is elsewhere"), mutant));
            }
            let mut mutant = plan.clone();
            mutant.steps[at.0].items.push(step.items[0].clone());
            mutants.push((format!("{at:?} adds one twice"), mutant));
        }
        if operation == Operation::new(ResourceKind::Handset, ChangeAction::Create) {
            let mut mutant = plan.clone();
            mutant.steps[at.0].items.push(step.items[0].clone());
            mutants.push((format!("{at:?} adds a handset twice"), mutant));
            let mutant = with_state(plan, at, |state| {
                if let ResourceState::Handset(handset) = state {
                    handset.line1 = None;
                }
            });
            mutants.push((format!("{at:?} adds a handset without a line"), mutant));
            let mutant = with_state(plan, at, |state| {
                if let ResourceState::Handset(handset) = state {
                    handset.custom_name = Some("a name that is too long".into());
                }
            });
            mutants.push((format!("{at:?} adds a handset with a long name"), mutant));
        }
        if operation.kind == ResourceKind::Handset && operation.action != ChangeAction::Create {
            let mutant = with_state(plan, at, |state| {
                if let ResourceState::Handset(handset) = state {
                    handset.id = None;
                }
            });
            mutants.push((format!("{at:?} is about a handset without id"), mutant));
            let mutant = with_state(plan, at, |state| {
                if let ResourceState::Handset(handset) = state {
                    handset.custom_name = Some("other".into());
                }
            });
            mutants.push((format!("{at:?} starts from another handset"), mutant));
        }
        if operation.kind == ResourceKind::ServiceabilityPassword {
            let mutant = with_state(plan, at, |state| {
                if let ResourceState::ServiceabilityPassword(status) = state {
                    *status = match status {
                        PasswordStatus::Enabled => PasswordStatus::Disabled,
                        PasswordStatus::Disabled | PasswordStatus::Unknown => PasswordStatus::Enabled,
                    };
                }
            });
            mutants.push((format!("{at:?} starts from another serviceability password"), mutant));
            let network = &plan[step.change()].network;
            let of_it = |other: &Step| {
                plan[other.change()].network == *network && other.depends_on.is_empty() && step.depends_on.is_empty()
            };
            if let Some(earlier) = plan.steps[..at.0].iter().position(of_it) {
                let is_needed = |other: &Step| other.depends_on.iter().any(|need| need.step.0 == earlier);
                if !plan.steps.iter().any(is_needed) {
                    let mut mutant = plan.clone();
                    mutant.steps.swap(earlier, at.0);
                    mutants.push((format!("{at:?} comes before another step of its network"), mutant));
                }
            }
        }
        if operation == Operation::new(ResourceKind::BaseStation, ChangeAction::Delete) {
            let mutant = with_state(plan, at, |state| {
                if let ResourceState::BaseStation(station) = state {
                    station.address = "001122FFFFFF".into();
                }
            });
            mutants.push((format!("{at:?} removes what is not there"), mutant));
        }
    }
    mutants
}

#[test]
fn the_check_rejects_whatever_is_wrong_with_a_plan() {
    for_seeds("devices", 40, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let scene = Scene::new(seed, &mut rng);
        let client = scene.client(seed, &Shutdown::new());
        let options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
        let inputs = Inputs::from_text("random.yaml", scene.file.clone(), options).expect("a file");
        let scope = Scope::default();
        let prepared = scene.clock.block_on(prepare_plan(&inputs, &scope, &client)).expect("it ends").expect("a plan");
        let live = prepared.live;
        let plan = prepared.checked.into_plan();
        let mutants = mutants(&plan, &live);
        assert!(mutants.len() > plan.steps.len(), "every step can be wrong");
        for (what, mutant) in mutants {
            assert!(check_plan(mutant, &live).is_err(), "{what}: {plan:#?}");
        }
    });
}
