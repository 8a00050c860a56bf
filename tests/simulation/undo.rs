//! Undo and repeated commands: a random organization, a random file in the words of an administrator, applied with faults,
//! killed, in waves, resumed or from a saved plan, and undone: the organization is as it was, or the undo names what is not.
//!
//! A failing case prints the command that repeats it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use dectl::apply::{Canary, Event, Options, Waves};
use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, Priority, RetryPolicy};
use dectl::diagnostic::Severity;
use dectl::model::{Handset, LiveState, LocationId, NetworkId, PasswordStatus};
use dectl::plan::model::{Plan, ResourceKind};
use dectl::plan::{RequiredReads, Scope};
use dectl::plan_check::check_plan;
use dectl::reconcile::{
    ApplyWorkflow, Approval, CodeResolution, Error, Executed, InputOptions, Inputs, PlanSource, RunConfig, UndoChoice,
    choose_undo, complete_if_done, prepare_plan, prepare_undo, read_devices,
};
use dectl::resources::calls;
use dectl::runtime::{Clock, SeededRng, Shutdown, ShutdownLevel, ShutdownReason};
use dectl::simulator::{FaultConfig, InProcessApi, Latency, SimulatedOrganization, Snapshot};
use dectl::storage::{CodeAccess, RunDirectory, RunHistory, RunTarget, SavedPlan};
use dectl::webex::NetworkPath;
use futures::future::{Either, select};
use serde_json::{Value, json};

use crate::executor::{for_seeds, some_misbehaviour};
use crate::generators::{cases, shuffle};

/// Names that are equal or nearly equal.
const NAMES: [&str; 6] = ["Night", "Nights", "Night 1", "Ward", "ward", "Porter"];

/// A handset that a file can be about.
#[derive(Clone)]
struct KnownHandset {
    id: String,
    line1: String,
    line2: Option<String>,
    name: String,
}

struct KnownNetwork {
    id: String,
    name: String,
    code: String,
    stations: Vec<String>,
    handsets: Vec<KnownHandset>,
}

struct KnownLocation {
    id: String,
    networks: Vec<KnownNetwork>,
    /// Extensions of its members.
    members: Vec<String>,
}

fn choose<'a, T>(all: &'a [T], rng: &mut SeededRng) -> &'a T {
    &all[usize::try_from(rng.gen_below(all.len() as u64)).expect("an index")]
}

/// A small organization, in which persons have several handsets and names repeat.
fn random_organization(rng: &mut SeededRng) -> Vec<KnownLocation> {
    let mut number = 0_u64;
    let mut locations = Vec::new();
    for at in 1..=1 + rng.gen_below(3) {
        let members: Vec<_> = (0..12).map(|member| format!("{}", at * 1000 + member)).collect();
        let mut networks = Vec::new();
        for network in 1..=1 + rng.gen_below(4) {
            let mut next = || {
                number += 1;
                number
            };
            let stations = (0..rng.gen_below(4)).map(|_| format!("AC7A56{:06X}", next())).collect();
            let handsets = (0..rng.gen_below(5)).map(|_| {
                let line1 = choose(&members, rng).clone();
                let line2 = Some(choose(&members, rng).clone()).filter(|line| *line != line1 && rng.gen_bool(0.4));
                KnownHandset { id: format!("H{}", next()), line1, line2, name: (*choose(&NAMES, rng)).to_owned() }
            });
            let mut handsets: Vec<_> = handsets.collect();
            // What has equal lines and an equal name cannot be told apart.
            let mut seen = HashSet::new();
            handsets.retain(|handset| seen.insert((handset.line1.clone(), handset.name.clone())));
            networks.push(KnownNetwork {
                id: format!("N{at}{network}"),
                name: format!("{} {at}{network}", choose(&["Ward", "Ward", "Store"], rng)),
                code: format!("{at}{network}00"),
                stations,
                handsets,
            });
        }
        locations.push(KnownLocation { id: format!("L{at}"), networks, members });
    }
    locations
}

/// The organization as the simulator reads it.
fn snapshot(locations: &[KnownLocation], same_names: bool) -> Value {
    let name =
        |location: &KnownLocation| if same_names { "Bergen".to_owned() } else { format!("Site {}", location.id) };
    let networks = locations.iter().flat_map(|location| {
        let place = json!({ "id": location.id, "name": name(location) });
        location.networks.iter().map(move |network| {
            let stations = network.stations.iter().map(|mac| json!({ "mac": mac, "id": format!("S{mac}") }));
            let handsets = network.handsets.iter().enumerate().map(|(index, handset)| {
                let lines = std::iter::once(&handset.line1).chain(&handset.line2);
                let lines: Vec<_> = lines.map(|line| json!({ "memberId": format!("M{line}") })).collect();
                json!({ "id": handset.id, "index": (index + 1).to_string(), "lines": lines, "accessCode": "1234",
                    "defaultDisplayName": handset.name, "customDisplayName": handset.name })
            });
            let is_enabled = network.code.ends_with("200");
            json!({ "id": network.id, "name": network.name, "serviceabilityPassword": is_enabled, "displayName": "dectl", "model": "DMS Cisco DBS210",
                "defaultAccessCodeEnabled": true, "defaultAccessCode": network.code, "location": place,
                "baseStations": stations.collect::<Vec<_>>(), "handsets": handsets.collect::<Vec<_>>() })
        })
    });
    let members = locations.iter().flat_map(|location| {
        let place = json!({ "id": location.id, "name": name(location) });
        location.members.iter().map(move |line| {
            json!({ "id": format!("M{line}"), "memberType": "PEOPLE", "firstName": "Kari", "lastName": format!("No{line}"),
                "extension": line, "location": place })
        })
    });
    json!({ "dectNetworks": networks.collect::<Vec<_>>(), "members": members.collect::<Vec<_>>() })
}

/// A file about some of it: renames and swaps, creations and deletions, base stations and handsets.
fn random_file(locations: &[KnownLocation], rng: &mut SeededRng, codes: &mut Option<SeededRng>) -> String {
    let mut file = String::from("version: 1\nlocations:\n");
    let mut new = 0_u64;
    for location in locations {
        let _infallible = writeln!(file, "  - id: {}\n    networks:", location.id);
        let mut at: Vec<_> = (0..location.networks.len()).collect();
        shuffle(&mut at, rng);
        let deleted = Some(&location.networks[at[0]]).filter(|_| at.len() > 1 && rng.gen_bool(0.4));
        if let Some(network) = deleted {
            let _infallible = writeln!(file, "      - {{ id: {}, state: absent }}", network.id);
        }
        if rng.gen_bool(0.4) || location.networks.len() == 1 {
            let heir = deleted.filter(|_| rng.gen_bool(0.5));
            let (name, code) = heir.map_or(("New", "7777"), |network| (&*network.name, &*network.code));
            let _infallible = writeln!(
                file,
                "      - name: {name}\n        model: DBS210\n        displayName: dectl\n        defaultAccessCode: \"{code}\"\n        handsets:"
            );
            let line = choose(&location.members, rng);
            let _infallible = writeln!(file, "          - {{ line1: \"{line}\", customDisplayName: Fresh }}");
        }
        let rest: Vec<_> = at.iter().map(|at| &location.networks[*at]).skip(usize::from(deleted.is_some())).collect();
        let is_swap = rest.len() > 1 && rng.gen_bool(0.3);
        for (index, network) in rest.iter().enumerate() {
            let name = match index {
                0 | 1 if is_swap => rest[1 - index].name.clone(),
                _ if rng.gen_bool(0.3) => format!("Renamed {}", network.id),
                _ => network.name.clone(),
            };
            let _infallible = writeln!(file, "      - id: {}\n        name: {name}", network.id);
            let has_own_code = rng.gen_bool(0.2);
            match codes {
                // A swap of the codes, too, and some of them disabled.
                Some(codes) => {
                    if index < 2 && is_swap && codes.gen_bool(0.5) {
                        let _infallible = writeln!(file, "        defaultAccessCode: \"{}\"", rest[1 - index].code);
                    }
                    if codes.gen_bool(0.4) {
                        let _infallible = writeln!(file, "        defaultAccessCodeEnabled: false");
                    }
                }
                None if has_own_code => {
                    let _infallible = writeln!(file, "        defaultAccessCode: \"9{}\"", &network.code[..3]);
                }
                None => {}
            }
            if rng.gen_bool(0.5) {
                let _infallible = writeln!(file, "        baseStations:");
                for (at, station) in network.stations.iter().enumerate() {
                    new += 1;
                    let _infallible = match rng.gen_below(4) {
                        0 => writeln!(file, "          - {{ mac: \"{station}\", state: absent }}"),
                        1 => writeln!(file, "          - {{ mac: \"00112233{new:04X}\", replaces: \"{station}\" }}"),
                        _ if at == 0 => writeln!(file, "          - \"00112233{new:04X}\""),
                        _ => Ok(()),
                    };
                }
                new += 1;
                let _infallible = writeln!(file, "          - \"00112244{new:04X}\"");
            }
            if rng.gen_bool(0.8) {
                let _infallible = writeln!(file, "        handsets:");
                let _infallible = write!(file, "{}", random_handsets(network, &location.members, rng));
            }
        }
    }
    file
}

/// Entries beside those of a file, in a file of their own: whether the serviceability passwords of some networks are enabled.
fn random_passwords(file: &str, locations: &[KnownLocation], rng: &mut SeededRng) -> String {
    let mut passwords = String::new();
    for location in locations {
        let is_kept = |network: &&KnownNetwork| !file.contains(&format!("{}, state: absent", network.id));
        let asked: Vec<_> = location.networks.iter().filter(is_kept).filter(|_| rng.gen_bool(0.4)).collect();
        let section = file.split("  - id: ").find(|section| section.starts_with(location.id.as_str()));
        let is_created = section.is_some_and(|section| section.contains("- name: New\n")) && rng.gen_bool(0.5);
        if is_created || !asked.is_empty() {
            let _infallible = writeln!(passwords, "  - id: {}\n    networks:", location.id);
        }
        if is_created {
            let _infallible = writeln!(passwords, "      - {{ name: New, serviceabilityPassword: enabled }}");
        }
        for network in asked {
            let status = ["enabled", "disabled"][usize::from(rng.gen_bool(0.3))];
            let _infallible = writeln!(passwords, "      - {{ id: {}, serviceabilityPassword: {status} }}", network.id);
        }
    }
    passwords
}

/// Entries about some of the handsets of a network, and for some new ones.
fn random_handsets(network: &KnownNetwork, members: &[String], rng: &mut SeededRng) -> String {
    let mut entries = String::new();
    // Half-way through, a line that is both taken over and given to a new handset needs ids to be told apart.
    let has_line = |line: &&String| network.handsets.iter().any(|handset| handset.line1 == **line);
    let mut free: Vec<_> = members.iter().filter(|line| !has_line(line)).collect();
    for handset in &network.handsets {
        let is_only = network.handsets.iter().filter(|other| other.line1 == handset.line1).count() == 1;
        let line = &handset.line1;
        let (name, other) = (choose(&NAMES, rng), choose(members, rng));
        // A line with several handsets is given together with the name of the handset, or by its id.
        let key = if is_only { format!("line1: \"{line}\"") } else { format!("id: {}", handset.id) };
        let _infallible = match rng.gen_below(8) {
            0 => writeln!(entries, "          - {{ {key}, customDisplayName: {name} }}"),
            1 if line != other => writeln!(entries, "          - {{ {key}, line2: \"{other}\" }}"),
            2 => writeln!(entries, "          - {{ {key}, state: absent }}"),
            3 => writeln!(
                entries,
                "          - {{ line1: \"{line}\", customDisplayName: {}, state: absent }}",
                handset.name
            ),
            4 if is_only && free.len() > 1 => {
                let next = free.pop().expect("a line");
                writeln!(entries, "          - {{ line1: \"{next}\", reassignedFrom: \"{line}\" }}")
            }
            5 if handset.line2.is_some() => writeln!(entries, "          - {{ {key}, line2: null }}"),
            _ => Ok(()),
        };
    }
    for _ in 0..rng.gen_below(3) {
        let (line, mut name) = (*choose(&free, rng), *choose(&NAMES, rng));
        // A name that a handset of the network nearly has is often taken for a mistake.
        if rng.gen_bool(0.6) {
            name = *choose(&["Lab", "Kitchen", "Gate"], rng);
        }
        let _infallible = writeln!(entries, "          - {{ line1: \"{line}\", customDisplayName: {name} }}");
    }
    if entries.is_empty() {
        let _infallible = writeln!(entries, "          - {{ line1: \"{}\", customDisplayName: Lone }}", members[0]);
    }
    entries
}

/// Shows nothing and agrees to everything.
struct Quiet;

#[async_trait(?Send)]
impl dectl::reconcile::UserInterface for Quiet {
    fn show_plan(&self, _: &Plan, _: &[Vec<LocationId>]) {}
    fn note(&self, _: &str) {}
    async fn confirm(&self, _: &str, _: &str) -> bool {
        true
    }
    fn run_started(&self, _: &Plan) {}
    fn on_event(&self, _: &Event) {}
    fn run_finished(&self) {}
}

/// How a run goes.
#[derive(Clone, Default)]
struct Course {
    waves: Waves,
    /// Killed at this moment, or asked to stop.
    interruption: Option<(Duration, bool)>,
}

struct Scene {
    seed: u64,
    clock: Clock,
    simulated: Rc<RefCell<SimulatedOrganization>>,
    journals: tempfile::TempDir,
    runs: Cell<u32>,
    /// What undos are limited to.
    scope: RefCell<Scope>,
    /// Whether lists hide codes while they are disabled.
    hides_codes: bool,
    /// Whether a member may be on handsets of one network only.
    members_of_one_network: bool,
}

impl Scene {
    fn new(seed: u64, organization: &Value, hides_codes: bool) -> Self {
        let state = Snapshot::read("organization.json", organization.to_string()).expect("a snapshot").default;
        let simulated = SimulatedOrganization::new(state, FaultConfig::default());
        Self {
            seed,
            clock: Clock::virtual_clock(),
            simulated: Rc::new(RefCell::new(simulated)),
            journals: tempfile::tempdir().expect("a directory"),
            runs: Cell::new(0),
            scope: RefCell::default(),
            hides_codes,
            members_of_one_network: false,
        }
    }

    fn api(&self) -> InProcessApi {
        InProcessApi::new(Rc::clone(&self.simulated), self.clock.clone())
    }

    fn client(&self, shutdown: &Shutdown) -> ApiClient {
        let rng = SeededRng::from_seed(self.seed + u64::from(self.runs.get()));
        let limiter = RateLimiter::new(Some(8), None);
        let clock = self.clock.clone();
        ApiClient::new(Rc::new(self.api()), clock, rng, limiter, RetryPolicy::default(), shutdown.clone())
    }

    fn behave(&self, faults: FaultConfig) {
        let faults = FaultConfig {
            hide_disabled_codes: self.hides_codes,
            members_of_one_network: self.members_of_one_network,
            ..faults
        };
        self.simulated.borrow_mut().set_faults(faults);
    }

    /// Everything that an administrator sees, without ids, in one text per network.
    fn truth(&self) -> Vec<String> {
        self.simulated.borrow_mut().set_faults(FaultConfig::default());
        let api = self.api();
        let read = async {
            // Writes that come late have come by then.
            self.clock.sleep(Duration::from_secs(120)).await;
            let live = calls::list_networks().send_once(&api).await.expect("a list");
            let mut seen = Vec::new();
            for (_, network) in live.networks() {
                let stations =
                    calls::list_base_stations(NetworkPath::of(network)).send_once(&api).await.expect("a list");
                let mut stations: Vec<_> = stations.iter().map(|station| station.label()).collect();
                stations.sort();
                let handsets = calls::list_handsets(NetworkPath::of(network)).send_once(&api).await.expect("a list");
                let mut handsets: Vec<_> = handsets.iter().map(seen_handset).collect();
                handsets.sort();
                let settings = &network.settings;
                let code = settings.code.as_ref().map(|code| code.expose_secret().to_owned());
                let (name, shown) = (&settings.name, &settings.display_name);
                let off = if settings.code_enabled == Some(false) { " off" } else { "" };
                seen.push(format!("{} {name} {shown:?} {code:?}{off} {stations:?} {handsets:?}", network.location));
            }
            seen.sort();
            seen
        };
        let seen = self.clock.block_on(read).expect("the reads end");
        self.behave(FaultConfig::default());
        seen
    }

    /// Networks with their devices.
    fn live(&self) -> LiveState {
        let client = self.client(&Shutdown::new());
        let read = async {
            let mut live = client.read(&calls::list_networks(), Priority::Normal).await.expect("a list");
            let mut reads = RequiredReads::default();
            for (at, _) in live.networks() {
                reads.add(ResourceKind::BaseStation, at);
                reads.add(ResourceKind::Handset, at);
            }
            read_devices(&mut live, reads.sorted(), &client).await.expect("lists");
            live
        };
        self.clock.block_on(read).expect("the reads end")
    }

    /// Whether the serviceability password of each network is enabled.
    fn passwords(&self) -> BTreeMap<NetworkId, PasswordStatus> {
        let api = self.api();
        let read = async {
            let live = calls::list_networks().send_once(&api).await.expect("a list");
            let mut passwords = BTreeMap::new();
            for (_, network) in live.networks() {
                let status = calls::get_serviceability_password(NetworkPath::of(network)).send_once(&api).await;
                passwords.insert(network.id.clone(), status.expect("a status"));
            }
            passwords
        };
        self.clock.block_on(read).expect("the reads end")
    }

    fn target(&self) -> RunTarget {
        RunTarget { api: "https://example.test".to_owned(), ..RunTarget::default() }
    }

    /// Work that is killed or stopped; `None` if it was killed.
    fn during<T>(&self, course: &Course, shutdown: &Shutdown, work: impl Future<Output = T>) -> Option<T> {
        let ended = self.clock.block_on(async {
            let Some((when, is_kill)) = course.interruption else { return Some(work.await) };
            let work = std::pin::pin!(work);
            match select(work, std::pin::pin!(self.clock.sleep(when))).await {
                Either::Left((done, _)) => Some(done),
                // A killed run is a future that is dropped.
                Either::Right(_) if is_kill => None,
                Either::Right((_, work)) => {
                    shutdown.request(ShutdownLevel::Graceful(ShutdownReason::Interrupt));
                    Some(work.await)
                }
            }
        });
        ended.expect("the run ends")
    }

    async fn execute(
        &self,
        client: &ApiClient,
        source: PlanSource,
        listed: Option<LiveState>,
        waves: &Waves,
        (undoes, undoes_with): (Option<String>, Vec<String>),
    ) -> Result<Executed, Error> {
        self.runs.set(self.runs.get() + 1);
        // The order of the names is the order of the runs.
        let run = format!("2026-run-{:03}", self.runs.get());
        let config = RunConfig {
            scope: if undoes.is_some() { self.scope.borrow().clone() } else { Scope::default() },
            command: String::new(),
            fail_on_unmanaged: false,
            resume_interrupted: false,
            approval: Approval::Automatic,
            max_changes: "1000".parse().ok(),
            max_deletes: Some(1_000),
            options: Options::default(),
            waves: waves.clone(),
            soak: Duration::ZERO,
            journal_dir: self.journals.path(),
            run: &run,
            target: self.target(),
            org: None,
            resumes: None,
            undoes,
            undoes_with,
            key: None,
        };
        ApplyWorkflow { client, config: &config, ui: &Quiet }.run(&source, listed).await
    }

    fn inputs(&self, file: &str) -> Option<Inputs> {
        let options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
        Inputs::from_text("random.yaml", file.to_owned(), options).ok()
    }

    /// `dectl apply FILE`; whether everything was applied, or `None` if it was killed or could not begin.
    fn apply(&self, file: &str, course: &Course) -> Option<Result<bool, String>> {
        let shutdown = Shutdown::new();
        let client = self.client(&shutdown);
        let source = PlanSource::Inputs(self.inputs(file)?);
        let ended =
            self.during(course, &shutdown, self.execute(&client, source, None, &course.waves, (None, Vec::new())))?;
        Some(ended.map(|executed| is_complete(&executed)).map_err(|error| describe(&error)))
    }

    /// The same command so many times, each of them interrupted, and once more; whether the file is valid and was applied in the end.
    fn apply_in_pieces(&self, file: &str, pieces: u64, rng: &mut SeededRng) -> bool {
        if self.inputs(file).is_none_or(|_| self.pending(file).is_err()) {
            return false;
        }
        for _ in 0..pieces {
            let course = Course { waves: Waves::default(), ..random_course(rng) };
            let _interrupted = self.apply(file, &course);
        }
        let _late_writes_have_come = self.truth();
        self.apply(file, &Course::default()) == Some(Ok(true))
    }

    /// The newest run that has a journal.
    fn newest_run(&self) -> Option<String> {
        let runs = RunDirectory::open(self.journals.path()).expect("a directory");
        runs.recent().next().map(|(run, ..)| run.to_owned())
    }

    /// The number of changes that the file still asks for.
    fn pending(&self, file: &str) -> Result<usize, String> {
        let client = self.client(&Shutdown::new());
        let inputs = self.inputs(file).expect("a valid file");
        let prepared = self.clock.block_on(prepare_plan(&inputs, &Scope::default(), &client)).expect("the reads end");
        prepared.map(|prepared| prepared.checked.plan().changes.len()).map_err(|error| describe(&error))
    }

    /// `dectl undo last`: whether all is undone, and what it says is left.
    fn undo(&self, course: &Course) -> Option<Result<Undone, String>> {
        self.undo_run(None, course)
    }

    /// `dectl undo RUN`, or `last`.
    fn undo_run(&self, run: Option<&str>, course: &Course) -> Option<Result<Undone, String>> {
        let shutdown = Shutdown::new();
        let client = self.client(&shutdown);
        let work = async {
            let mut live =
                client.read(&calls::list_networks(), Priority::Normal).await.map_err(|error| error.to_string())?;
            let runs = RunDirectory::open(self.journals.path()).expect("a directory");
            let read = |path: &Path| RunHistory::read(path, CodeAccess::Decrypt(None));
            match choose_undo(&runs, &self.target(), run, &live, read).expect("journals") {
                UndoChoice::Begin(mut history) => {
                    let (scope, target) = (self.scope.borrow().clone(), self.target());
                    let undo = prepare_undo(&mut history, &runs, &target, None, &scope, &mut live, &client).await;
                    let undo = undo.map_err(|error| describe(&error))?;
                    let said = undo.inputs.warnings.iter().map(|warning| warning.message.clone()).collect();
                    let source = PlanSource::Inputs(undo.inputs);
                    let undoes = (Some(history.run), undo.joined);
                    let done = self.execute(&client, source, Some(live), &Waves::default(), undoes).await;
                    undone(done, said)
                }
                UndoChoice::Continue { run, undo } => {
                    let saved = SavedPlan::read(&runs.plan_path(&undo), None).expect("a plan");
                    let is_done = complete_if_done(&runs.journal_path(&undo), &saved, &client).await;
                    if is_done.map_err(|error| describe(&error))? {
                        return Ok(Undone { is_complete: true, said: Vec::new() });
                    }
                    let source = PlanSource::SavedPlan(Box::new(saved));
                    let begun = RunHistory::read(&runs.journal_path(&undo), CodeAccess::Skip).expect("a journal");
                    let undoes = (Some(run), begun.identity.undoes_with);
                    undone(self.execute(&client, source, None, &Waves::default(), undoes).await, Vec::new())
                }
                UndoChoice::AlreadyUndone { .. } => Ok(Undone { is_complete: true, said: Vec::new() }),
                other => Err(format!("{other:?}")),
            }
        };
        self.during(course, &shutdown, work)
    }
}

struct Undone {
    is_complete: bool,
    said: Vec<String>,
}

fn undone(done: Result<Executed, Error>, mut said: Vec<String>) -> Result<Undone, String> {
    let executed = done.map_err(|error| describe(&error))?;
    if let Executed::Run(run) = &executed {
        said.extend(run.plan.warnings.iter().map(|warning| warning.message.to_string()));
        said.extend(
            run.outcome.results.iter().filter_map(|result| result.error.as_ref()).map(|error| format!("{error:?}")),
        );
    }
    Ok(Undone { is_complete: is_complete(&executed), said })
}

fn is_complete(executed: &Executed) -> bool {
    match executed {
        Executed::Run(run) => run.outcome.is_complete(),
        Executed::Resumed(_, run) => run.as_ref().is_some_and(|run| run.outcome.is_complete()),
    }
}

fn describe(error: &Error) -> String {
    match error {
        Error::InvalidInput(invalid) => {
            let errors = invalid.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
            errors.map(|error| format!("{}; ", error.message)).collect()
        }
        other => format!("{other}"),
    }
}

fn seen_handset(handset: &Handset) -> String {
    let line1 = handset.line1.as_ref().map(|line| line.line().to_string());
    let line2 = handset.line2.as_ref().map(|line| line.line().to_string());
    format!("{line1:?} {line2:?} {:?}", handset.custom_name)
}

fn random_course(rng: &mut SeededRng) -> Course {
    let waves = match rng.gen_below(4) {
        0 => Waves { canary: Some(Canary::Number(1)), batch: Some(1) },
        _ => Waves::default(),
    };
    let most = if rng.gen_bool(0.5) { 4 } else { 120 };
    let interruption = rng.gen_bool(0.5).then(|| (rng.full_jitter(Duration::from_secs(most)), rng.gen_bool(0.7)));
    Course { waves, interruption }
}

#[test]
fn after_undo_everything_is_as_it_was() {
    let valid = Cell::new(0);
    let all = Cell::new(0);
    for_seeds("after_undo", 200, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let locations = random_organization(&mut rng);
        // Every fourth organization hides codes while they are disabled.
        let mut codes = (seed % 4 == 3).then(|| SeededRng::from_seed(seed ^ 0xC0DE));
        let scene = Scene::new(seed, &snapshot(&locations, rng.gen_bool(0.2)), codes.is_some());
        let mut file = random_file(&locations, &mut rng, &mut codes);
        // Drawn apart, so that a seed stands for the same networks as before.
        let passwords = random_passwords(&file, &locations, &mut SeededRng::from_seed(seed ^ 0x5E4));
        file.push_str(&passwords);
        all.set(all.get() + 1);
        // A file that contradicts itself is refused, and nothing is sent; that is tested elsewhere.
        let Some(Ok(pending)) = scene.inputs(&file).map(|_| scene.pending(&file)) else { return };
        valid.set(valid.get() + 1);
        let before = scene.truth();
        let passwords_before = scene.passwords();

        for attempt in 0.. {
            let is_last = attempt == 2 || rng.gen_bool(0.4);
            let faults = match rng.gen_bool(0.5) && !is_last {
                true => some_misbehaviour(seed, &mut rng),
                false => FaultConfig::default(),
            };
            scene.behave(faults);
            let course = if is_last {
                Course { interruption: None, ..random_course(&mut rng) }
            } else {
                random_course(&mut rng)
            };
            let ended = scene.apply(&file, &course);
            let _late_writes_have_come = scene.truth();
            assert!(!is_last || ended == Some(Ok(true)), "the same command finishes: {ended:?}\n{file}");
            if ended == Some(Ok(true)) {
                break;
            }
        }
        assert_eq!(scene.pending(&file), Ok(0), "the same command has nothing to do\n{file}");
        let after = scene.truth();
        assert!(pending == 0 || after != before, "{file}");

        let mut said = Vec::new();
        for attempt in 0.. {
            let is_last = attempt == 2 || rng.gen_bool(0.5);
            let course = match is_last {
                true => Course::default(),
                false => Course { waves: Waves::default(), ..random_course(&mut rng) },
            };
            let ended = scene.undo(&course);
            let _late_writes_have_come = scene.truth();
            match ended {
                None => {}
                // Nothing was written, so nothing is to be undone.
                Some(Err(error)) if error == "NoRun" => break,
                Some(Err(error)) => panic!("{error}\n{file}"),
                Some(Ok(undone)) => {
                    said.extend(undone.said);
                    assert!(!is_last || undone.is_complete, "{said:#?}\n{file}");
                    if undone.is_complete {
                        break;
                    }
                }
            }
        }
        // A network that is created again has another id, and is as Webex creates it.
        for (network, status) in scene.passwords() {
            let was = passwords_before.get(&network);
            assert!(was.is_none_or(|was| *was == status), "{network} {was:?} {status:?}\n{said:#?}\n{file}");
        }
        // What an undo leaves alone, it names.
        let is_named = |seen: &&String| {
            let name =
                seen.split(" Some").next().and_then(|start| start.split_once(' ')).map(|(_, name)| format!("{name:?}"));
            said.iter().any(|said| said.contains("left alone") && name.as_ref().is_some_and(|name| said.contains(name)))
        };
        let undone = scene.truth();
        let left: Vec<_> = undone.iter().filter(|seen| !before.contains(seen) && !is_named(seen)).collect();
        let missed: Vec<_> = before.iter().filter(|seen| !undone.contains(seen) && !is_named(seen)).collect();
        assert!(
            left.is_empty() && missed.is_empty(),
            "{left:#?}\ninstead of {missed:#?}\nafter {after:#?}\n{said:#?}\n{file}"
        );
        // Undone once more by its name: nothing is added, removed or changed a second time.
        let runs = RunDirectory::open(scene.journals.path()).expect("a directory");
        let Some((last, _)) = runs.last(&scene.target(), |_| true) else { return };
        match scene.undo_run(Some(&last.run), &Course::default()).expect("it is not killed") {
            Err(error) => panic!("{error}\n{file}"),
            Ok(again) => {
                let now = scene.truth();
                let new: Vec<_> = now.iter().filter(|seen| !undone.contains(seen) && !before.contains(seen)).collect();
                assert!(new.is_empty(), "{new:#?}\nnot {undone:#?}\n{:#?}\n{file}", again.said);
                let is_left = |said: &[String]| said.iter().any(|said| said.contains("left alone"));
                assert!(is_left(&said) || !is_left(&again.said), "{:#?}\n{said:#?}\n{file}", again.said);
                assert!(now.len() == undone.len(), "{now:#?}\n{undone:#?}\n{file}");
            }
        }
    });
    assert!(valid.get() * 2 >= all.get(), "{} of {} files are valid", valid.get(), all.get());
}

/// Networks of one location whose members are on one handset each, and a file that moves their lines: second ones among all
/// handsets, first ones to handsets that take them over or are added, out of handsets and networks that go. If they are
/// `shared`, some come on several handsets.
fn moving_lines(shared: bool, rng: &mut SeededRng) -> (Vec<KnownLocation>, String) {
    let members: Vec<String> = (1000..1040).map(|line| line.to_string()).collect();
    let mut free = members.clone();
    shuffle(&mut free, rng);
    let mut number = 0;
    let mut networks = Vec::new();
    for at in 1..=2 + rng.gen_below(3) {
        let handsets = (0..1 + rng.gen_below(4)).map(|_| {
            number += 1;
            let line1 = free.pop().expect("a line");
            let line2 = if rng.gen_bool(0.6) { free.pop() } else { None };
            KnownHandset { id: format!("H{number}"), line1, line2, name: format!("Handset {number}") }
        });
        let handsets = handsets.collect();
        networks.push(KnownNetwork {
            id: format!("N{at}"),
            name: format!("Ward {at}"),
            code: format!("100{at}"),
            stations: Vec::new(),
            handsets,
        });
    }
    let deleted = networks.iter().position(|_| rng.gen_bool(0.15));
    let lines_of =
        |network: &KnownNetwork| network.handsets.iter().map(|handset| handset.line1.clone()).collect::<Vec<_>>();
    let used: Vec<String> = networks.iter().flat_map(lines_of).collect();
    let mut firsts = Vec::new();
    let mut seconds = Vec::new();
    let mut kept: Vec<(usize, KnownHandset)> = Vec::new();
    let mut entries: Vec<Vec<String>> = vec![Vec::new(); networks.len()];
    for (at, network) in networks.iter().enumerate() {
        for handset in &network.handsets {
            seconds.push(handset.line2.clone());
            if deleted == Some(at) || rng.gen_bool(0.2) {
                firsts.push(handset.line1.clone());
                let gone = format!("{{ id: {}, state: absent }}", handset.id);
                entries[at].extend((deleted != Some(at)).then_some(gone));
            } else {
                kept.push((at, handset.clone()));
            }
        }
    }
    shuffle(&mut kept, rng);
    shuffle(&mut seconds, rng);
    for (at, handset) in kept {
        let mut line1 = handset.line1;
        if !firsts.is_empty() && rng.gen_bool(0.3) {
            // Its former line is free for the next one.
            let next = firsts.pop().expect("a line");
            firsts.insert(0, std::mem::replace(&mut line1, next));
        }
        if shared && rng.gen_bool(0.4) {
            line1 = choose(&used, rng).clone();
        }
        let mut line2 = seconds.pop().flatten();
        if shared && rng.gen_bool(0.3) {
            line2 = Some(choose(&used, rng).clone()).filter(|line| *line != line1);
        }
        if line2.is_none() && rng.gen_bool(0.3) {
            line2 = firsts.pop();
        }
        let line2 = line2.map_or("null".to_owned(), |line| format!("\"{line}\""));
        let id = handset.id;
        entries[at]
            .push(format!("{{ id: {id}, line1: \"{line1}\", line2: {line2}, customDisplayName: {} }}", handset.name));
    }
    for (at, line) in firsts.into_iter().enumerate().filter(|_| rng.gen_bool(0.6)).collect::<Vec<_>>() {
        let network = usize::try_from(rng.gen_below(networks.len() as u64)).expect("an index");
        entries[network].push(format!("{{ line1: \"{line}\", customDisplayName: New {at} }}"));
    }
    let mut order: Vec<usize> = (0..networks.len()).collect();
    shuffle(&mut order, rng);
    let mut file = String::from("version: 1\nlocations:\n  - id: L1\n    networks:\n");
    for at in order {
        let id = &networks[at].id;
        let _infallible = match deleted {
            Some(gone) if gone == at => writeln!(file, "      - {{ id: {id}, state: absent }}"),
            _ => writeln!(file, "      - id: {id}\n        handsets: [{}]", entries[at].join(", ")),
        };
    }
    (vec![KnownLocation { id: "L1".to_owned(), networks, members }], file)
}

/// Against a server that takes a member on handsets of one network only, wherever that is possible.
#[test]
fn lines_that_move_between_networks_are_given_up_first() {
    let moved = Cell::new(0);
    for_seeds("lines_that_move", 200, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let shared = seed % 4 == 3;
        let (locations, file) = moving_lines(shared, &mut rng);
        let mut scene = Scene::new(seed, &snapshot(&locations, false), false);
        let client = scene.client(&Shutdown::new());
        let inputs = scene.inputs(&file).expect("a valid file");
        let prepared = scene.clock.block_on(prepare_plan(&inputs, &Scope::default(), &client)).expect("it ends");
        let prepared = match prepared {
            Ok(prepared) => prepared,
            // A line that is both taken over and given to a new handset of the network needs an id to be told apart.
            Err(Error::InvalidInput(_)) => return,
            Err(error) => panic!("{error}\n{file}"),
        };
        let (live, plan) = (prepared.live, prepared.checked.into_plan());
        if plan.changes.is_empty() {
            return;
        }
        let is_exchanged = |said: &str| said.contains("takes the first line");
        let exchanges = plan.warnings.iter().any(|warning| is_exchanged(&warning.message));
        scene.members_of_one_network = !shared && !exchanges;
        scene.behave(FaultConfig::default());
        let waiting: Vec<_> = plan.indexed_steps().filter(|(_, step)| !step.depends_on.is_empty()).collect();
        moved.set(moved.get() + usize::from(!waiting.is_empty()));
        for (at, _) in waiting {
            let mut mutant = plan.clone();
            mutant.steps[at.0].depends_on.clear();
            // Where first lines go round, some order is as good as another one.
            assert!(exchanges || check_plan(mutant, &live).is_err(), "step {} waits for nothing\n{file}", at.0);
        }
        let before = scene.truth();
        for _ in 0..rng.gen_below(3) {
            let _interrupted = scene.apply(&file, &random_course(&mut rng));
        }
        let ended = scene.apply(&file, &Course::default());
        assert!(ended == Some(Ok(true)), "{ended:?}\n{file}\n{:#?}", plan.steps);
        assert_eq!(scene.pending(&file), Ok(0), "{file}");
        let undone = scene.undo(&Course::default()).expect("an undo");
        let undone = undone.unwrap_or_else(|error| panic!("{error}\n{file}\n{before:#?}"));
        let exchanged = scene.members_of_one_network && undone.said.iter().any(|said| is_exchanged(said));
        assert!(undone.is_complete || exchanged, "{:#?}\n{file}", undone.said);
        assert!(exchanged || scene.truth() == before, "{:#?}\n{:#?}\n{file}", scene.truth(), before);
    });
    assert!(moved.get() * 2 >= cases(200) as usize, "{} files move lines", moved.get());
}

/// A file that was applied in pieces, then another one: an undo takes back the second one, and nothing of the first.
#[test]
fn an_undo_takes_back_its_own_run_whatever_was_interrupted_before() {
    let compared = Cell::new(0);
    for_seeds("an_undo_takes_back", 60, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let locations = random_organization(&mut rng);
        let scene = Scene::new(seed, &snapshot(&locations, false), false);
        let file = random_file(&locations, &mut rng, &mut None);
        if scene.inputs(&file).is_none_or(|_| scene.pending(&file).is_err()) {
            return;
        }
        for _ in 0..1 + rng.gen_below(2) {
            let course = Course { waves: Waves::default(), ..random_course(&mut rng) };
            let _interrupted = scene.apply(&file, &course);
        }
        if scene.apply(&file, &Course::default()) != Some(Ok(true)) {
            return;
        }
        let before = scene.truth();
        let live =
            scene.clock.block_on(async { calls::list_networks().send_once(&scene.api()).await.expect("a list") });
        let live = live.expect("it ends");
        let mut other = String::from("version: 1\nlocations:\n");
        for (at, location) in live.locations() {
            let networks: Vec<_> = live.networks_of(at).filter(|_| rng.gen_bool(0.6)).collect();
            if networks.is_empty() {
                continue;
            }
            let _infallible = writeln!(other, "  - id: {}\n    networks:", location.id);
            for (number, (_, network)) in networks.into_iter().enumerate() {
                let name = if rng.gen_bool(0.3) { format!(", name: Other {number}") } else { String::new() };
                let _infallible = writeln!(other, "      - {{ id: {}, displayName: other{name} }}", network.id);
            }
        }
        if scene.inputs(&other).is_none_or(|_| scene.pending(&other) == Ok(0)) {
            return;
        }
        assert_eq!(scene.apply(&other, &Course::default()), Some(Ok(true)), "{other}");
        let undone = scene.undo(&Course::default()).expect("an undo");
        let undone = undone.unwrap_or_else(|error| panic!("{error}\n{file}\n{other}"));
        assert!(undone.is_complete, "{:#?}", undone.said);
        assert_eq!(scene.truth(), before, "{file}\n{other}\n{:#?}", undone.said);
        compared.set(compared.get() + 1);
    });
    assert!(compared.get() * 3 >= cases(60) as usize, "{} files were compared", compared.get());
}

/// A file that was applied in pieces: one location is undone, and then the rest.
#[test]
fn after_a_part_the_rest_is_undone() {
    let compared = Cell::new(0);
    for_seeds("after_a_part", 60, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let locations = random_organization(&mut rng);
        let scene = Scene::new(seed, &snapshot(&locations, false), false);
        let before = scene.truth();
        let file = random_file(&locations, &mut rng, &mut None);
        let pieces = rng.gen_below(3);
        if !scene.apply_in_pieces(&file, pieces, &mut rng) {
            return;
        }
        let runs = RunDirectory::open(scene.journals.path()).expect("a directory");
        let Some((run, _)) = runs.last(&scene.target(), |_| true) else { return };
        let mut said = Vec::new();
        for scope in [Some(choose(&locations, &mut rng)), None] {
            let patterns: Vec<String> = scope.iter().map(|location| format!("Site {}", location.id)).collect();
            *scene.scope.borrow_mut() = Scope::new(&patterns, &[]).expect("a scope");
            let undone = scene.undo_run(Some(&run.run), &Course::default()).expect("it is not killed");
            match undone {
                Ok(undone) => said.extend(undone.said),
                // What moves between locations is undone as a whole.
                Err(error) if scope.is_some() && error.contains("excluded by") => {}
                Err(error) => panic!("{error}\n{said:#?}\n{file}"),
            }
        }
        if said.iter().any(|said| said.contains("left alone") || said.contains("skipped")) {
            return;
        }
        let now = scene.truth();
        assert!(now == before, "{now:#?}\n{before:#?}\n{said:#?}\n{file}");
        compared.set(compared.get() + 1);
    });
    assert!(compared.get() * 4 >= cases(60) as usize, "{} files were compared", compared.get());
}

/// Names and codes that are exchanged while lists lag behind writes: what the next run finds is no state to go back to.
#[test]
fn a_list_that_lags_is_no_state_to_go_back_to() {
    for_seeds("a_list_that_lags", 100, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let locations = random_organization(&mut rng);
        let scene = Scene::new(seed, &snapshot(&locations, false), false);
        let mut file = String::from("version: 1\nlocations:\n");
        for location in &locations {
            let _infallible = writeln!(file, "  - id: {}\n    networks:", location.id);
            let (mut names, mut codes): (Vec<&str>, Vec<&str>) =
                location.networks.iter().map(|network| (&*network.name, &*network.code)).unzip();
            let of = location.networks.len();
            names.rotate_left(usize::from(rng.gen_bool(0.5)) % of);
            codes.rotate_left(1 % of);
            for ((network, name), code) in location.networks.iter().zip(names).zip(codes) {
                let id = &network.id;
                let _infallible = writeln!(file, "      - {{ id: {id}, name: {name}, defaultAccessCode: \"{code}\" }}");
            }
        }
        let before = scene.truth();
        let faults = FaultConfig {
            read_lag: Duration::from_millis(1_500),
            latency: Latency::Fixed(Duration::from_millis(300)),
            ..FaultConfig::default()
        };
        for attempt in 0.. {
            scene.behave(faults.clone());
            let interruption = (attempt < 2).then(|| (rng.full_jitter(Duration::from_secs(6)), true));
            let ended = scene.apply(&file, &Course { interruption, ..Course::default() });
            if ended == Some(Ok(true)) {
                break;
            }
            assert!(attempt < 12, "it never ends: {ended:?}\n{file}");
        }
        let undo = |run: &str| {
            let undone = scene.undo_run(Some(run), &Course::default()).expect("it is not killed");
            undone.unwrap_or_else(|error| panic!("{error}\n{file}")).said
        };
        let Some(run) = scene.newest_run() else { return };
        if rng.gen_bool(0.5) {
            // Repeated at once, it may find what was there on the way, and sends the same again.
            scene.behave(faults);
            assert_eq!(scene.apply(&file, &Course::default()), Some(Ok(true)), "{file}");
        }
        let after = scene.truth();
        if let Some(again) = scene.newest_run().filter(|again| *again != run) {
            let said = undo(&again);
            let now = scene.truth();
            // As it found them, or as the run before has left them: nothing temporary.
            let is_state = now.iter().all(|network| before.contains(network) || after.contains(network));
            assert!(is_state, "{now:#?}\nafter {after:#?}\n{said:#?}\n{file}");
        }
        let said = undo(&run);
        let now = scene.truth();
        assert!(now == before, "{now:#?}\n{before:#?}\nafter {after:#?}\n{said:#?}\n{file}");
    });
}

/// A file that was applied in pieces: undone, applied again by the undo of that undo, and undone once more.
#[test]
fn an_undo_that_was_undone_does_not_count() {
    let compared = Cell::new(0);
    for_seeds("an_undo_that_was_undone", 60, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let locations = random_organization(&mut rng);
        let scene = Scene::new(seed, &snapshot(&locations, false), false);
        let before = scene.truth();
        let mut file = random_file(&locations, &mut rng, &mut None);
        file.push_str(&random_passwords(&file, &locations, &mut rng));
        let pieces = rng.gen_below(3);
        if !scene.apply_in_pieces(&file, pieces, &mut rng) {
            return;
        }
        let after = scene.truth();
        let Some(run) = scene.newest_run() else { return };
        let mut said = Vec::new();
        for (is_again, expected) in [(false, &before), (true, &after), (false, &before)] {
            let wanted = scene.newest_run().filter(|_| is_again).unwrap_or_else(|| run.clone());
            let undone = scene.undo_run(Some(&wanted), &Course::default()).expect("it is not killed");
            let undone = undone.unwrap_or_else(|error| panic!("{wanted}: {error}\n{said:#?}\n{file}"));
            said.extend(undone.said);
            if said.iter().any(|said| said.contains("left alone") || said.contains("skipped")) {
                return;
            }
            let now = scene.truth();
            assert!(now == *expected, "{wanted}: {now:#?}\n{expected:#?}\n{said:#?}\n{file}");
        }
        compared.set(compared.get() + 1);
    });
    assert!(compared.get() * 3 >= cases(60) as usize, "{} files were compared", compared.get());
}

/// A file, and then one that deletes things that the first has changed: undone one after the other, the later one first.
#[test]
fn undo_of_an_earlier_run_finds_what_a_later_undo_has_created_again() {
    let compared = Cell::new(0);
    for_seeds("undo_of_an_earlier_run", 100, |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let locations = random_organization(&mut rng);
        let scene = Scene::new(seed, &snapshot(&locations, false), false);
        let before = scene.truth();
        let file = random_file(&locations, &mut rng, &mut None);
        if scene.inputs(&file).is_none_or(|_| scene.pending(&file).is_err()) {
            return;
        }
        if scene.apply(&file, &Course::default()) != Some(Ok(true)) {
            return;
        }
        let between = scene.truth();
        let live = scene.live();
        let mut other = String::from("version: 1\nlocations:\n");
        for (at, location) in live.locations() {
            let _infallible = writeln!(other, "  - id: {}\n    networks:", location.id);
            for (at, network) in live.networks_of(at) {
                let id = &network.id;
                if rng.gen_bool(0.4) {
                    let _infallible = writeln!(other, "      - {{ id: {id}, state: absent }}");
                    continue;
                }
                let _infallible = writeln!(other, "      - id: {id}");
                let stations = live.base_stations(at).unwrap_or_default().iter().filter(|_| rng.gen_bool(0.4));
                let stations: Vec<_> = stations.map(|station| station.label()).collect();
                if !stations.is_empty() {
                    let _infallible = writeln!(other, "        baseStations:");
                }
                for mac in stations {
                    let _infallible = writeln!(other, "          - {{ mac: \"{mac}\", state: absent }}");
                }
                let handsets = live.handsets(at).unwrap_or_default().iter().filter(|_| rng.gen_bool(0.4));
                let ids: Vec<_> = handsets.filter_map(|handset| handset.id.as_ref()).collect();
                if !ids.is_empty() {
                    let _infallible = writeln!(other, "        handsets:");
                }
                for id in ids {
                    let _infallible = writeln!(other, "          - {{ id: {id}, state: absent }}");
                }
            }
        }
        if scene.pending(&other) == Ok(0) || scene.apply(&other, &Course::default()) != Some(Ok(true)) {
            return;
        }
        let mut said = Vec::new();
        for (run, expected) in [("2026-run-002", &between), ("2026-run-001", &before), ("2026-run-001", &before)] {
            let undone = scene.undo_run(Some(run), &Course::default()).expect("it is not killed");
            let undone = undone.unwrap_or_else(|error| panic!("{run}: {error}\n{file}\n{other}"));
            said.extend(undone.said);
            let left = said.iter().any(|said| said.contains("left alone") || said.contains("skipped"));
            assert!(
                left || scene.truth() == *expected,
                "{run}: {:#?}\n{expected:#?}\n{said:#?}\n{file}\n{other}",
                scene.truth()
            );
            if left {
                return;
            }
        }
        compared.set(compared.get() + 1);
    });
    assert!(compared.get() * 3 >= cases(100) as usize, "{} pairs of files were compared", compared.get());
}
