//! The adaptive rate limiter against unknown limiters, in virtual time.
//!
//! The walls and refusals of all shapes are printed by `cargo bench --bench pacing`; here the bounds are held.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{Options, run};
use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, RetryPolicy};
use dectl::plan::build;
use dectl::plan_check::check_plan;
use dectl::runtime::{Clock, SeededRng, Shutdown};
use dectl::simulator::{
    FaultConfig, InProcessApi, Latency, LimitKind, RetryAfterHeader, SimulatedOrganization, SimulatedState,
};
use dectl::storage::Journal;
use futures::future::{Either, select};

use crate::generators::{cases, renames, sources};

const CONCURRENCY: usize = 8;

/// What a run against a limiter took.
#[derive(Debug)]
struct Figures {
    /// Seconds.
    wall: f64,
    /// Seconds that no client could do without.
    bound: f64,
    refused: u64,
    inside_retry_after: u64,
}

fn latency() -> Latency {
    Latency::Lognormal { median: Duration::from_millis(150), p99: Duration::from_millis(1_500) }
}

/// Renames `n` networks, each in a location of its own.
fn pace(n: usize, limit: LimitKind, seed: u64) -> Figures {
    pace_while(n, limit, seed, async |_, _| {})
}

/// The same, while the limiter is changed.
fn pace_while(
    n: usize,
    limit: LimitKind,
    seed: u64,
    meddle: impl AsyncFn(&RefCell<SimulatedOrganization>, &Clock),
) -> Figures {
    pace_with(n, (limit, None), RetryAfterHeader::Exact, seed, meddle)
}

/// The same, with what a 429 says in its `Retry-After`.
fn pace_with(
    n: usize,
    (limit, second_limit): (LimitKind, Option<LimitKind>),
    limit_retry_after: RetryAfterHeader,
    seed: u64,
    meddle: impl AsyncFn(&RefCell<SimulatedOrganization>, &Clock),
) -> Figures {
    let fleet = renames(n, 1);
    let clock = Clock::virtual_clock();
    let faults = FaultConfig {
        seed,
        latency: latency(),
        limit: Some(limit),
        second_limit,
        limit_retry_after,
        statuses: vec![(503, 0.01)],
        ..FaultConfig::default()
    };
    let simulated = Rc::new(RefCell::new(SimulatedOrganization::new(SimulatedState::from_live(&fleet.live()), faults)));
    let api = InProcessApi::new(Rc::clone(&simulated), clock.clone());
    let rate_limiter = RateLimiter::new(CONCURRENCY, None);
    let rng = SeededRng::from_seed(seed);
    let client =
        ApiClient::new(Rc::new(api), clock.clone(), rng, rate_limiter, RetryPolicy::default(), Shutdown::new());
    let carried_out = async {
        let live = client.list(dectl::client::Priority::Normal).await.expect("a list");
        let plan = build(&fleet.desired(), &live, &sources()).expect("a plan");
        let checked = check_plan(plan, &live).expect("a checked plan");
        let options = Options { concurrency: CONCURRENCY, verify: false, ..Options::default() };
        let outcome = run(&checked, &client, &Journal::in_memory(), options, &|_| {}).await;
        (outcome, clock.now().elapsed().as_secs_f64())
    };
    let meddling = async {
        meddle(&simulated, &clock).await;
        std::future::pending::<()>().await;
    };
    let (outcome, wall) = clock
        .block_on(async {
            match select(pin!(carried_out), pin!(meddling)).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => unreachable!("meddling never ends"),
            }
        })
        .expect("it ends");
    assert!(outcome.is_complete());
    let counters = simulated.borrow().counters();
    Figures {
        wall,
        bound: second_limit.map_or(0.0, |second| bound(second, counters.admitted)).max(bound(limit, counters.admitted)),
        refused: counters.refused,
        inside_retry_after: counters.inside_retry_after,
    }
}

/// The least time in which a limiter lets so many requests in, and never below what the connections allow.
fn bound(limit: LimitKind, requests: u64) -> f64 {
    let requests = requests as f64;
    let windows = |count: u32| ((requests / f64::from(count)).ceil() - 1.0).max(0.0);
    let limited = match limit {
        LimitKind::Bucket { rate, burst } => (requests - burst) / rate,
        LimitKind::Window { count, period, phase } => {
            (windows(count) * period.as_secs_f64() - phase.as_secs_f64()).max(0.0)
        }
        LimitKind::Sliding { count, period } => windows(count) * period.as_secs_f64(),
    };
    limited.max(requests * latency().mean().as_secs_f64() / CONCURRENCY as f64)
}

fn shapes() -> Vec<(&'static str, LimitKind)> {
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

/// What several seeds take on average: wall over bound, and refusals in per cent.
fn average(n: usize, case: impl Fn(u64) -> Figures) -> (f64, f64) {
    let seeds = cases(8);
    let (mut ratio, mut refused) = (0.0, 0.0);
    for seed in 0..seeds {
        let figures = case(seed);
        assert_eq!(figures.inside_retry_after, 0, "a request was sent inside a Retry-After");
        ratio += figures.wall / figures.bound / seeds as f64;
        refused += figures.refused as f64 / n as f64 * 100.0 / seeds as f64;
    }
    (ratio, refused)
}

#[test]
fn a_limiter_that_was_never_seen_is_met_next_to_its_bound_and_hardly_ever_again() {
    for (name, limit) in shapes() {
        let (ratio, refused) = average(1_000, |seed| pace(1_000, limit, seed));
        eprintln!("{name:32} 1000: {ratio:.3}, refused {refused:.2} %");
        assert!(ratio <= 1.06 && refused <= 2.0, "{name}: {ratio:.3}, refused {refused:.2} %");
    }
}

#[test]
fn a_small_job_meets_a_slow_limiter_about_once_for_each_request_in_the_air() {
    for (name, limit) in shapes() {
        let (ratio, refused) = average(100, |seed| pace(100, limit, seed));
        eprintln!("{name:32}  100: {ratio:.3}, refused {refused:.2} %");
        assert!(refused <= CONCURRENCY as f64 + 3.0, "{name}: {refused}");
    }
}

/// Waits until so many requests were let in.
async fn until_admitted(simulated: &RefCell<SimulatedOrganization>, clock: &Clock, requests: u64) {
    while simulated.borrow().counters().admitted < requests {
        clock.sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn a_limit_that_changes_half_way_is_found_again() {
    let window = |count| LimitKind::Window { count, period: Duration::from_secs(60), phase: Duration::ZERO };
    let bucket = |rate| LimitKind::Bucket { rate, burst: 10.0 };
    let n = 1_000;
    for (name, first, second, bound) in [
        ("bucket 5/s, halved", bucket(5.0), bucket(2.5), 490.0 / 5.0 + 500.0 / 2.5),
        ("bucket 5/s, doubled", bucket(5.0), bucket(10.0), 490.0 / 5.0 + 500.0 / 10.0),
        ("window 300/60 s, halved", window(300), window(150), 60.0 + 60.0 * 4.0),
        ("window 300/60 s, doubled", window(300), window(600), 60.0 + 60.0),
    ] {
        let (ratio, refused) = average(n, |seed| {
            let figures = pace_while(n, first, seed, async |simulated, clock| {
                until_admitted(simulated, clock, 500).await;
                simulated.borrow_mut().change_limit(second);
            });
            Figures { bound, ..figures }
        });
        eprintln!("{name:32} {n}: {ratio:.3}, refused {refused:.2} %");
        assert!(ratio <= 1.15 && refused <= 4.0, "{name}: {ratio:.3}, refused {refused:.2} %");
    }
}

#[test]
fn another_client_using_half_of_the_limit_is_accommodated() {
    let n = 1_000;
    let limit = LimitKind::Bucket { rate: 10.0, burst: 10.0 };
    let (ratio, refused) = average(n, |seed| {
        let figures = pace_while(n, limit, seed, async |simulated, clock| {
            until_admitted(simulated, clock, 250).await;
            for _ in 0..150 {
                clock.sleep(Duration::from_millis(200)).await;
                let now = clock.now();
                simulated.borrow_mut().external_request(now);
            }
        });
        // 30 seconds at half the rate cost 15 seconds.
        Figures { bound: bound(limit, 1_010) + 15.0, ..figures }
    });
    eprintln!("eaten from: {ratio:.3}, refused {refused:.2} %");
    assert!(ratio <= 1.15 && refused <= 4.0, "{ratio:.3}, refused {refused:.2} %");
}

/// Headers that are missing, zero or too short are found out; a pause is then ended by single requests that ask.
#[test]
fn missing_and_wrong_headers_cost_little() {
    let seconds = Duration::from_secs;
    let limits = [
        LimitKind::Bucket { rate: 10.0, burst: 10.0 },
        LimitKind::Bucket { rate: 3.0, burst: 20.0 },
        LimitKind::Window { count: 100, period: seconds(60), phase: Duration::ZERO },
        LimitKind::Window { count: 60, period: seconds(10), phase: seconds(4) },
        LimitKind::Sliding { count: 40, period: seconds(10) },
    ];
    for limit in limits {
        for header in [RetryAfterHeader::Missing, RetryAfterHeader::Fixed(0), RetryAfterHeader::Fixed(1)] {
            for seed in 0..3 {
                let figures = pace_with(500, (limit, None), header, seed, async |_, _| {});
                let ratio = figures.wall / figures.bound;
                println!("{limit:?} {header:?} {seed}: {ratio:.2}, {} refused", figures.refused);
                assert!(ratio < 1.6, "{limit:?} {header:?} {seed}: {ratio:.2}");
                assert!(figures.refused < 600, "{limit:?} {header:?} {seed}: {} refused", figures.refused);
                assert_eq!(figures.inside_retry_after, 0, "{limit:?} {header:?} {seed}");
            }
        }
    }
}

/// A bucket and a window, or two buckets' worth of a window, at the same time.
#[test]
fn two_limits_at_once_are_kept_side_by_side() {
    let seconds = Duration::from_secs;
    let window = |count, period| LimitKind::Window { count, period: seconds(period), phase: Duration::ZERO };
    let tiers = [
        (LimitKind::Bucket { rate: 10.0, burst: 10.0 }, window(300, 60)),
        (LimitKind::Bucket { rate: 10.0, burst: 20.0 }, LimitKind::Sliding { count: 300, period: seconds(60) }),
        (LimitKind::Bucket { rate: 5.0, burst: 5.0 }, window(100, 30)),
        (window(20, 2), window(300, 60)),
    ];
    for (first, second) in tiers {
        for seed in 0..3 {
            let figures = pace_with(1_000, (first, Some(second)), RetryAfterHeader::Exact, seed, async |_, _| {});
            let ratio = figures.wall / figures.bound;
            println!("{first:?} and {second:?} {seed}: {ratio:.2}, {} refused", figures.refused);
            assert!(ratio < 1.3, "{first:?} and {second:?} {seed}: {ratio:.2}");
            assert_eq!(figures.inside_retry_after, 0);
        }
    }
}
