//! Sites with base stations and handsets: how long planning them takes, and how long they take to be rolled out against a
//! limit.
//!
//! `cargo bench --bench sites`

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{Options, run};
use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, Priority, RetryPolicy};
use dectl::desired::RenameRequest;
use dectl::plan::model::ResourceKind;
use dectl::plan::{RequiredReads, Scope};
use dectl::plan_check::check_plan;
use dectl::reconcile::{
    CodeResolution, InputOptions, Inputs, PreparedPlan, plan_from_live, prepare_plan, read_devices,
};
use dectl::resources::calls;
use dectl::runtime::{Clock, Instant, SeededRng, Shutdown};
use dectl::simulator::{FaultConfig, InProcessApi, Latency, Limit, LimitKind, SimulatedOrganization, SimulatedState};
use dectl::storage::Journal;

/// Requests a minute in the rollout.
const REQUESTS_A_MINUTE: u32 = 300;

fn main() {
    planning(200, 5, 10);
    rollout(200, 4, 8);
    handsets(40, 60);
    handset_names(25, 4, 20);
}

/// Locations without networks.
fn empty_locations(locations: usize) -> SimulatedState {
    let listed: Vec<String> =
        (0..locations).map(|at| format!(r#"{{"id": "location-{at}", "name": "Site {at}"}}"#)).collect();
    let list = format!(r#"{{"dectNetworks": [], "locations": [{}]}}"#, listed.join(", "));
    SimulatedState::from_list(&list).expect("a list")
}

/// A file that creates so many networks with so many base stations each.
fn file(locations: usize, networks: usize, stations: usize) -> String {
    let mut text = "version: 1\nlocations:\n".to_owned();
    let mut address = 0;
    for location in 0..locations {
        let _infallible = writeln!(text, "  - id: location-{location}\n    name: Site {location}\n    networks:");
        for network in 0..networks {
            let _infallible = writeln!(
                text,
                "      - name: Ward {network}\n        model: DBS210\n        defaultAccessCode: \"{network:04}\"\n        \
                 baseStations:"
            );
            for _ in 0..stations {
                address += 1;
                let _infallible = writeln!(text, "          - \"AC7A{address:08X}\"");
            }
        }
    }
    text
}

fn inputs(text: String) -> Inputs {
    let options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
    Inputs::from_text("sites.yaml", text, options).expect("a file")
}

struct Scene {
    clock: Clock,
    simulated: Rc<RefCell<SimulatedOrganization>>,
    client: ApiClient,
}

impl Scene {
    fn new(locations: usize, faults: FaultConfig) -> Self {
        let clock = Clock::virtual_clock();
        let simulated = SimulatedOrganization::new(empty_locations(locations), faults);
        let simulated = Rc::new(RefCell::new(simulated));
        let api = Rc::new(InProcessApi::new(Rc::clone(&simulated), clock.clone()));
        let limiter = RateLimiter::new(None, None);
        let rng = SeededRng::from_seed(1);
        let client = ApiClient::new(api, clock.clone(), rng, limiter, RetryPolicy::default(), Shutdown::new());
        Self { clock, simulated, client }
    }

    fn prepare(&self, text: String) -> PreparedPlan {
        let inputs = inputs(text);
        let prepared = self.clock.block_on(prepare_plan(&inputs, &Scope::default(), &self.client));
        prepared.expect("it ends").unwrap_or_else(|error| panic!("{error}"))
    }

    fn apply(&self, prepared: &PreparedPlan) {
        let journal = Journal::in_memory();
        let outcome = run(&prepared.checked, &self.client, &journal, Options::default(), &|_| {});
        assert!(self.clock.block_on(outcome).expect("it ends").is_complete());
    }
}

/// The shortest of five times, in milliseconds.
fn best_of_five(mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let begun = std::time::Instant::now();
        work();
        begun.elapsed().as_secs_f64() * 1_000.0
    };
    (0..5).map(once).fold(f64::INFINITY, f64::min)
}

/// Planning the sites on an organization without networks, planning them again when they are there, and the check.
fn planning(locations: usize, networks: usize, stations: usize) {
    let text = file(locations, networks, stations);
    let scene = Scene::new(locations, FaultConfig::default());
    let creating = scene.prepare(text.clone());
    let read = inputs(text.clone());
    let plan_on = |prepared: &PreparedPlan| {
        best_of_five(|| {
            let planned = plan_from_live(&read, &Scope::default(), prepared.live.clone(), Instant::START);
            assert!(planned.is_ok());
        })
    };
    let create = plan_on(&creating);
    let plan = creating.checked.plan().clone();
    let check = best_of_five(|| assert!(check_plan(plan.clone(), &creating.live).is_ok()));
    scene.apply(&creating);
    let there = scene.prepare(text);
    assert_eq!(there.checked.plan().changes.len(), 0);
    let unchanged = plan_on(&there);
    println!(
        "{} networks with {stations} base stations each ({} changes, {} writes): planned and checked in {create:.1} ms, of that \
         the check {check:.1} ms; planned when all of it is there {unchanged:.1} ms",
        locations * networks,
        plan.changes.len(),
        plan.steps.len(),
    );
}

/// Rolls the sites out against a fixed window, in virtual time.
fn rollout(locations: usize, networks: usize, stations: usize) {
    let kind = LimitKind::Window { count: REQUESTS_A_MINUTE, period: Duration::from_secs(60), phase: Duration::ZERO };
    let limits = vec![Limit::from(kind)];
    let latency = Latency::Fixed(Duration::from_millis(150));
    let scene = Scene::new(locations, FaultConfig { limits, latency, ..FaultConfig::default() });
    let begun = scene.clock.now();
    let prepared = scene.prepare(file(locations, networks, stations));
    let planned = scene.clock.now().duration_since(begun);
    scene.apply(&prepared);
    let elapsed = scene.clock.now().duration_since(begun);
    let counters = scene.simulated.borrow().counters();
    let requests = counters.requests - counters.refused;
    // All windows but the last one are full.
    let bound = Duration::from_secs(60) * (requests as u32).div_ceil(REQUESTS_A_MINUTE).saturating_sub(1);
    println!(
        "{locations} sites of {networks} networks with {stations} base stations: {} writes, {requests} requests let in, {} refused; \
         {:.0} s ({:.0} s of it to plan), the bound is {:.0} s: {:.3}",
        counters.writes,
        counters.refused,
        elapsed.as_secs_f64(),
        planned.as_secs_f64(),
        bound.as_secs_f64(),
        elapsed.as_secs_f64() / bound.as_secs_f64(),
    );
}

/// The file with handsets for every network: an extension of the location each.
fn with_handsets(locations: usize, networks: usize, handsets: usize) -> String {
    let mut text = "version: 1\nlocations:\n".to_owned();
    for location in 0..locations {
        let _infallible = writeln!(text, "  - id: location-{location}\n    networks:");
        for network in 0..networks {
            let _infallible = writeln!(text, "      - name: Ward {network}\n        handsets:");
            for handset in 0..handsets {
                let line = 1_541 + (network * handsets + handset) % 60;
                let _infallible =
                    writeln!(text, "          - {{ line1: \"{line}\", customDisplayName: W{network} {handset} }}");
            }
        }
    }
    text
}

/// Adds handsets to networks that are there, at least 90 seconds apart in each, in virtual time.
fn handsets(networks: usize, handsets: usize) {
    let scene = Scene::new(networks, FaultConfig::default());
    scene.apply(&scene.prepare(file(networks, 1, 1)));
    let writes = scene.simulated.borrow().counters().writes;
    let prepared = scene.prepare(with_handsets(networks, 1, handsets));
    let begun = scene.clock.now();
    scene.apply(&prepared);
    let elapsed = scene.clock.now().duration_since(begun).as_secs_f64();
    let writes = scene.simulated.borrow().counters().writes - writes;
    println!(
        "{networks} networks with {handsets} handsets each: {writes} requests to add them, {elapsed:.1} s with an interval of 90 s; \
         one by one it would be {} requests and {} min",
        networks * handsets,
        (handsets - 1) * 90 / 60,
    );
}

/// Renames the handsets of a fleet by a template, against a fixed window, in virtual time.
fn handset_names(locations: usize, networks: usize, handsets: usize) {
    let scene = Scene::new(locations, FaultConfig::default());
    scene.apply(&scene.prepare(file(locations, networks, 1)));
    scene.apply(&scene.prepare(with_handsets(locations, networks, handsets)));
    let kind = LimitKind::Window { count: REQUESTS_A_MINUTE, period: Duration::from_secs(60), phase: Duration::ZERO };
    let latency = Latency::Fixed(Duration::from_millis(150));
    let faults = FaultConfig { limits: vec![Limit::from(kind)], latency, ..FaultConfig::default() };
    scene.simulated.borrow_mut().set_faults(faults);
    let before = scene.simulated.borrow().counters();
    let begun = scene.clock.now();
    let request = RenameRequest {
        settings: Vec::new(),
        pattern: ".*".to_owned(),
        template: "{{ line1.extension }} {{ line1.lastName|truncate(11) }}".to_owned(),
        display_name: None,
    };
    let prepared = scene.clock.block_on(async {
        let mut live = scene.client.read(&calls::list_networks(), Priority::Normal).await.expect("a list");
        let mut reads = RequiredReads::default();
        live.networks().for_each(|(at, _)| reads.add(ResourceKind::Handset, at));
        read_devices(&mut live, reads, &scene.client).await.expect("handsets");
        let inputs = Inputs::from_handset_rename(&request, &live, &Scope::default()).expect("valid names");
        plan_from_live(&inputs, &Scope::default(), live, scene.clock.now()).expect("a plan")
    });
    let prepared = prepared.expect("it ends");
    scene.apply(&prepared);
    let elapsed = scene.clock.now().duration_since(begun);
    let after = scene.simulated.borrow().counters();
    let refused = after.refused - before.refused;
    let requests = after.requests - before.requests - refused;
    let bound = Duration::from_secs(60) * (requests as u32).div_ceil(REQUESTS_A_MINUTE).saturating_sub(1);
    println!(
        "{} handsets in {} networks renamed: {} writes, {requests} requests let in, {refused} refused; {:.0} s, the bound is {:.0} s: \
         {:.3}",
        prepared.checked.plan().changes.len(),
        locations * networks,
        after.writes - before.writes,
        elapsed.as_secs_f64(),
        bound.as_secs_f64(),
        elapsed.as_secs_f64() / bound.as_secs_f64(),
    );
}
