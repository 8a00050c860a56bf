//! The pacer against limiters that it has never seen, in virtual time.
//!
//! The walls and refusals of all shapes are printed by `cargo bench --bench pacing`; here the bounds are held.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{Options, run};
use dectl::plan::build;
use dectl::proof::prove;
use dectl::record::Journal;
use dectl::send::pacer::Pacer;
use dectl::send::{Bounds, Sender};
use dectl::simulator::{DirectApi, Latency, LimitKind, Misbehaviour, Simulated, State};
use dectl::time::{Chance, Clock, Stop};

use crate::world::{cases, renames, sources};

pub(crate) const CONCURRENCY: usize = 8;

/// What a run against a limiter took.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Seconds.
    pub(crate) wall: f64,
    /// Seconds that no client could do without.
    pub(crate) bound: f64,
    pub(crate) refused: u64,
    pub(crate) inside_retry_after: u64,
}

pub(crate) fn latency() -> Latency {
    Latency::Lognormal { median: Duration::from_millis(150), p99: Duration::from_millis(1_500) }
}

/// Renames `n` networks in as many locations as they like.
pub(crate) fn pace(n: usize, limit: LimitKind, seed: u64) -> Figures {
    let fleet = renames(n, 4);
    let clock = Clock::simulated();
    let misbehaviour = Misbehaviour {
        seed,
        latency: latency(),
        limit: Some(limit),
        statuses: vec![(503, 0.01)],
        ..Misbehaviour::default()
    };
    let simulated = Rc::new(RefCell::new(Simulated::new(State::copy_of(&fleet.live()), misbehaviour)));
    let api = DirectApi::new(Rc::clone(&simulated), clock.clone());
    let pacer = Pacer::new(CONCURRENCY, None);
    let chance = Chance::from_seed(seed);
    let sender = Sender::new(Rc::new(api), clock.clone(), chance, pacer, Bounds::default(), Stop::new());
    let outcome = clock.run(async {
        let live = sender.list().await.expect("a list");
        let plan = build(&fleet.desired(), &live, &sources()).expect("a plan");
        let proven = prove(plan, &live).expect("a proof");
        let options = Options { concurrency: CONCURRENCY, verify: false, ..Options::default() };
        run(&proven, &sender, &Journal::in_memory(), options, &|_| {}).await
    });
    assert!(outcome.expect("it ends").is_complete());
    let ledger = simulated.borrow().ledger();
    let wall = clock.now().since_start().as_secs_f64();
    Figures {
        wall,
        bound: bound(limit, ledger.admitted),
        refused: ledger.refused,
        inside_retry_after: ledger.inside_retry_after,
    }
}

/// The least time in which a limiter lets so many requests in, and never below what the connections allow.
pub(crate) fn bound(limit: LimitKind, requests: u64) -> f64 {
    let requests = requests as f64;
    let windows = |count: u32| ((requests / f64::from(count)).ceil() - 1.0).max(0.0);
    let limited = match limit {
        LimitKind::Bucket { rate, burst } => (requests - burst) / rate,
        LimitKind::Window { count, period, phase } => (windows(count) * period.as_secs_f64() - phase.as_secs_f64()).max(0.0),
        LimitKind::Sliding { count, period } => windows(count) * period.as_secs_f64(),
    };
    limited.max(requests * latency().mean().as_secs_f64() / CONCURRENCY as f64)
}

pub(crate) fn shapes() -> Vec<(&'static str, LimitKind)> {
    let window = |count, period, phase| LimitKind::Window {
        count,
        period: Duration::from_secs(period),
        phase: Duration::from_secs(phase),
    };
    let sliding = |count, period| LimitKind::Sliding { count, period: Duration::from_secs(period) };
    vec![
        ("bucket 5/s burst 10", LimitKind::Bucket { rate: 5.0, burst: 10.0 }),
        ("bucket 1/s burst 60", LimitKind::Bucket { rate: 1.0, burst: 60.0 }),
        ("bucket 20/s burst 20", LimitKind::Bucket { rate: 20.0, burst: 20.0 }),
        ("window 300/60 s", window(300, 60, 0)),
        ("window 300/60 s, met half-way", window(300, 60, 30)),
        ("window 100/60 s", window(100, 60, 0)),
        ("sliding 300/60 s", sliding(300, 60)),
        ("sliding 50/10 s", sliding(50, 10)),
    ]
}

#[test]
fn a_limiter_that_was_never_seen_is_met_next_to_its_bound() {
    for (name, limit) in shapes() {
        for n in [100, 1_000, 5_000] {
            for seed in 0..cases(2) {
                let figures = pace(n, limit, seed);
                let ratio = figures.wall / figures.bound;
                let refused = figures.refused as f64 / n as f64 * 100.0;
                eprintln!("{name:32} {n:5} seed {seed}: {ratio:.3} {:6.1} s, refused {:3} = {refused:.2} %, inside {}", figures.wall, figures.refused, figures.inside_retry_after);
            }
        }
    }
}
