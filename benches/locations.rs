//! Few large locations and many small ones, beside ten plain workers: how long renames take, in virtual time, on servers that
//! take writes side by side and on servers that refuse a second one.
//!
//! `cargo bench --bench locations`

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{Options, run};
use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, Priority, RetryPolicy};
use dectl::desired::RenameRequest;
use dectl::model::Setting;
use dectl::plan::model::ResourceKind;
use dectl::plan::{RequiredReads, Scope};
use dectl::reconcile::{CodeResolution, InputOptions, Inputs, prepare_plan, read_devices};
use dectl::resources::calls;
use dectl::runtime::{Clock, SeededRng, Shutdown};
use dectl::simulator::{
    ExclusiveWrites, FaultConfig, InProcessApi, Latency, Limit, LimitKind, SimulatedOrganization, SimulatedState,
};
use dectl::storage::Journal;

const LATENCY: Duration = Duration::from_millis(500);
/// What a plain script has.
const WORKERS: usize = 10;

struct Measured {
    seconds: f64,
    /// 423 responses.
    locked: u64,
}

fn faults() -> FaultConfig {
    FaultConfig { latency: Latency::Fixed(LATENCY), ..FaultConfig::default() }
}

/// Renames all networks of so many locations, with the list before and the one after.
fn renames(locations: usize, networks: usize, faults: FaultConfig, writes_per_location: Option<usize>) -> Measured {
    let request = RenameRequest {
        pattern: "(?<old>.*)".to_owned(),
        template: "{{ old }}x".to_owned(),
        settings: vec![Setting::Name],
        display_name: None,
    };
    let inputs = Inputs::from_rename(&request).expect("a rename");
    apply(&inputs, (locations, networks), faults, writes_per_location)
}

/// A chain of names, in which each network waits for the next one, beside independent renames of the same location.
fn chain_beside_renames(chain: usize, renames: usize) -> Measured {
    let mut file = "version: 1\nlocations:\n  - name: Hospital 001\n    networks:\n".to_owned();
    for number in 1..=chain + renames {
        let name = if number < chain { format!("H001 Ward {}", number + 1) } else { format!("Renamed {number}") };
        file.push_str(&format!("      - {{ renamedFrom: H001 Ward {number}, name: {name} }}\n"));
    }
    let options = InputOptions { strict: true, resolve: CodeResolution::SyntaxOnly };
    let inputs = Inputs::from_text("chain.yaml", file, options).expect("a file");
    apply(&inputs, (1, chain + renames), faults(), None)
}

fn apply(
    inputs: &Inputs,
    (locations, networks): (usize, usize),
    faults: FaultConfig,
    writes_per_location: Option<usize>,
) -> Measured {
    let clock = Clock::virtual_clock();
    let state = SimulatedState::generated(locations, networks);
    let simulated = Rc::new(RefCell::new(SimulatedOrganization::new(state, faults)));
    let api = Rc::new(InProcessApi::new(Rc::clone(&simulated), clock.clone()));
    let limiter = RateLimiter::new(None, None);
    let rng = SeededRng::from_seed(1);
    let client = ApiClient::new(api, clock.clone(), rng, limiter, RetryPolicy::default(), Shutdown::new());
    let prepared = clock.block_on(prepare_plan(inputs, &Scope::default(), &client)).expect("it ends");
    let prepared = prepared.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(prepared.checked.plan().steps.len(), locations * networks);
    let journal = Journal::in_memory();
    let options = Options { writes_per_location, ..Options::default() };
    let outcome = clock.block_on(run(&prepared.checked, &client, &journal, options, &|_| {})).expect("it ends");
    assert!(outcome.is_complete());
    let seconds = clock.now().duration_since(dectl::runtime::Instant::START).as_secs_f64();
    Measured { seconds, locked: client.statistics().writes - (locations * networks) as u64 }
}

/// The same by workers that take one update after the other, as a script does on a server that refuses nothing.
fn plain_workers(updates: usize) -> f64 {
    LATENCY.as_secs_f64() * (2 + updates.div_ceil(WORKERS)) as f64
}

/// Reads the handsets of so many networks of 0.3 s each, with the list before.
fn reads(networks: usize) -> f64 {
    let clock = Clock::virtual_clock();
    let latency = Latency::Fixed(Duration::from_millis(300));
    let state = SimulatedState::generated(networks / 4, 4);
    let organization = SimulatedOrganization::new(state, FaultConfig { latency, ..FaultConfig::default() });
    let api = Rc::new(InProcessApi::new(Rc::new(RefCell::new(organization)), clock.clone()));
    let (rng, limiter) = (SeededRng::from_seed(1), RateLimiter::new(None, None));
    let client = ApiClient::new(api, clock.clone(), rng, limiter, RetryPolicy::default(), Shutdown::new());
    let read = async {
        let mut live = client.read(&calls::list_networks(), Priority::Normal).await.expect("a list");
        let mut reads = RequiredReads::default();
        live.networks().for_each(|(at, _)| reads.add(ResourceKind::Handset, at));
        read_devices(&mut live, reads, &client).await.expect("handsets");
    };
    clock.block_on(read).expect("it ends");
    clock.now().duration_since(dectl::runtime::Instant::START).as_secs_f64()
}

fn main() {
    println!("updates of 0.5 s; ten plain workers in the same time: 1.00");
    for (locations, networks) in [(1, 120), (2, 60), (5, 24), (30, 4), (1, 500), (1, 20), (200, 10)] {
        let ours = renames(locations, networks, faults(), None);
        let one_by_one = renames(locations, networks, faults(), Some(1));
        let plain = plain_workers(locations * networks);
        println!(
            "  {locations} × {networks}: {:.1} s, {:.2} of the workers ({plain:.1} s); one write at a time in a location {:.1} s, {:.2}",
            ours.seconds,
            ours.seconds / plain,
            one_by_one.seconds,
            one_by_one.seconds / plain,
        );
    }
    for (chain, renames) in [(20, 200), (10, 40)] {
        let ours = chain_beside_renames(chain, renames).seconds;
        // Ideal workers begin with the chain.
        let ideal = plain_workers(chain + renames).max(LATENCY.as_secs_f64() * (2 + chain) as f64);
        println!(
            "  a chain of {chain} beside {renames} renames: {ours:.1} s, {:.2} of ideal workers ({ideal:.1} s)",
            ours / ideal
        );
    }
    let window = LimitKind::Window { count: 300, period: Duration::from_secs(60), phase: Duration::ZERO };
    let limited = renames(1, 120, FaultConfig { limits: vec![Limit::from(window)], ..faults() }, None);
    println!("  1 × 120 behind 300 in 60 s: {:.1} s, {:.2}", limited.seconds, limited.seconds / plain_workers(120));
    for networks in [40, 200, 2_000] {
        let workers = 0.3 * (1 + networks / WORKERS) as f64;
        let ours = reads(networks);
        println!(
            "  handsets of {networks} networks read: {ours:.1} s, {:.2} of the workers ({workers:.1} s)",
            ours / workers
        );
    }
    for (what, exclusive_writes) in [("location", ExclusiveWrites::Location), ("network", ExclusiveWrites::Network)] {
        println!("on a server that takes one write of a {what} at a time, beside --writes-per-location 1:");
        for (locations, networks) in [(1, 30), (12, 8), (1, 120)] {
            for lock_retry_after in [true, false] {
                let faults = || FaultConfig { exclusive_writes, lock_retry_after, ..faults() };
                let ours = renames(locations, networks, faults(), None);
                let one_by_one = renames(locations, networks, faults(), Some(1));
                println!(
                    "  {locations} × {networks}, {} Retry-After: {:.1} s, {} refused; one at a time {:.1} s",
                    if lock_retry_after { "with" } else { "without" },
                    ours.seconds,
                    ours.locked,
                    one_by_one.seconds,
                );
            }
        }
    }
}
