//! The adaptive rate limiter against unknown limiters, in virtual time.
//!
//! `cargo bench --bench pacing` prints the figures of all families; here the bounds are held.

use std::time::Duration;

use dectl::client::rate_limiter::{MAX_CONCURRENCY, RateLimiter};
use dectl::runtime::SeededRng;
use dectl::simulator::{Latency, LimitKind, RetryAfterHeader};

use crate::generators::cases;
use crate::shapes::{Change, FAMILIES, Pace, PacingEnv, Shape};

fn latency() -> Latency {
    Latency::Lognormal { median: Duration::from_millis(150), p99: Duration::from_millis(1_500) }
}

fn shape(limits: &[LimitKind]) -> Shape {
    let limits = limits.iter().map(|kind| (*kind).into()).collect();
    let (header, change) = (RetryAfterHeader::Exact, Change::None);
    Shape { limits, header, status: 429, penalty: None, share: 1.0, change, latency: latency() }
}

/// Renames `n` networks with at most ten requests in flight.
fn pace(n: usize, shape: &Shape, seed: u64) -> Pace {
    let pace = PacingEnv::new(n, shape, seed).apply(RateLimiter::new(Some(10), None)).expect("it ends");
    assert_eq!(pace.inside_retry_after, 0, "a request was sent inside a Retry-After: {shape:?}");
    pace
}

/// The least time in which a limit lets so many requests in, and never below what ten in flight allow.
fn bound(limit: LimitKind, requests: f64) -> f64 {
    let windows = |count: u32| ((requests / f64::from(count)).ceil() - 1.0).max(0.0);
    let limited = match limit {
        LimitKind::Bucket { rate, burst } => (requests - burst) / rate,
        LimitKind::Window { count, period, phase } => {
            (windows(count) * period.as_secs_f64() - phase.as_secs_f64()).max(0.0)
        }
        LimitKind::Sliding { count, period } | LimitKind::Counter { count, period } => {
            windows(count) * period.as_secs_f64()
        }
        LimitKind::InFlight(most) => requests * latency().mean().as_secs_f64() / most as f64,
    };
    limited.max(requests * latency().mean().as_secs_f64() / 10.0)
}

fn known_shapes() -> Vec<(&'static str, LimitKind)> {
    let seconds = Duration::from_secs;
    let window = |count, period, phase| LimitKind::Window { count, period: seconds(period), phase: seconds(phase) };
    let sliding = |count, period| LimitKind::Sliding { count, period: seconds(period) };
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
fn average(n: usize, bound: impl Fn(f64) -> f64, shape: &Shape) -> (f64, f64) {
    let seeds = cases(8);
    let (mut ratio, mut refused) = (0.0, 0.0);
    for seed in 0..seeds {
        let pace = pace(n, shape, seed);
        ratio += pace.wall / bound(pace.admitted as f64) / seeds as f64;
        refused += pace.refused as f64 / n as f64 * 100.0 / seeds as f64;
    }
    (ratio, refused)
}

#[test]
fn an_unknown_limit_costs_little_time_and_few_refusals() {
    for (name, limit) in known_shapes() {
        let (ratio, refused) = average(1_000, |admitted| bound(limit, admitted), &shape(&[limit]));
        eprintln!("{name:32} 1000: {ratio:.3}, refused {refused:.2} %");
        // A bucket of 20/s overflows in every pause of a second; a sliding window of fifty is met more often.
        let (slowest, most) = match limit {
            LimitKind::Bucket { rate: 20.0, .. } => (1.10, 2.4),
            LimitKind::Sliding { count: 50, .. } => (1.06, 2.4),
            // One of them is the try that tells a window from a server that always names a minute.
            LimitKind::Window { count: 100, .. } => (1.06, 2.3),
            // Ten at once, and a hundredth.
            _ => (1.06, 2.6),
        };
        assert!(ratio <= slowest && refused <= most, "{name}: {ratio:.3}, refused {refused:.2} %");
    }
}

#[test]
fn a_small_job_is_refused_about_once_for_each_request_in_flight() {
    for (name, limit) in known_shapes() {
        let (ratio, refused) = average(100, |admitted| bound(limit, admitted), &shape(&[limit]));
        eprintln!("{name:32}  100: {ratio:.3}, refused {refused:.2} %");
        assert!(refused <= 15.0, "{name}: {refused}");
    }
}

#[test]
fn a_limit_that_changes_half_way_is_found_again() {
    let window = LimitKind::Window { count: 300, period: Duration::from_secs(60), phase: Duration::ZERO };
    let bucket = LimitKind::Bucket { rate: 5.0, burst: 10.0 };
    for (name, limit, factor, bound) in [
        ("bucket 5/s, halved", bucket, 0.5, 490.0 / 5.0 + 500.0 / 2.5),
        ("bucket 5/s, doubled", bucket, 2.0, 490.0 / 5.0 + 500.0 / 10.0),
        ("window 300/60 s, halved", window, 0.5, 60.0 + 60.0 * 4.0),
        ("window 300/60 s, doubled", window, 2.0, 60.0 + 60.0),
    ] {
        let (ratio, refused) = average(1_000, |_| bound, &Shape { change: Change::Scaled(factor), ..shape(&[limit]) });
        eprintln!("{name:32} 1000: {ratio:.3}, refused {refused:.2} %");
        assert!(ratio <= 1.15 && refused <= 4.0, "{name}: {ratio:.3}, refused {refused:.2} %");
    }
}

#[test]
fn another_client_using_half_of_the_limit_is_accommodated() {
    let limit = LimitKind::Bucket { rate: 10.0, burst: 10.0 };
    // 30 seconds at half the rate cost 15 seconds.
    let bound = bound(limit, 1_010.0) + 15.0;
    let (ratio, refused) = average(1_000, |_| bound, &Shape { change: Change::OtherClient, ..shape(&[limit]) });
    eprintln!("another client: {ratio:.3}, refused {refused:.2} %");
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
    let headers = [
        RetryAfterHeader::Missing,
        RetryAfterHeader::Fixed(0),
        RetryAfterHeader::Fixed(1),
        RetryAfterHeader::Half,
        RetryAfterHeader::Fraction,
    ];
    for limit in limits {
        for header in headers {
            for seed in 0..3 {
                let pace = pace(500, &Shape { header, ..shape(&[limit]) }, seed);
                let ratio = pace.wall / bound(limit, pace.admitted as f64);
                println!("{limit:?} {header:?} {seed}: {ratio:.2}, {} refused", pace.refused);
                // Half of the wait of a sliding window looks like a slow bucket for a while.
                let most = if header == RetryAfterHeader::Half { 4.0 } else { 1.3 };
                assert!(ratio < most, "{limit:?} {header:?} {seed}: {ratio:.2}");
                assert!(pace.refused < 120, "{limit:?} {header:?} {seed}: {} refused", pace.refused);
            }
        }
    }
}

#[test]
fn two_limits_at_once_are_kept_side_by_side() {
    let seconds = Duration::from_secs;
    let window = |count, period| LimitKind::Window { count, period: seconds(period), phase: Duration::ZERO };
    let tiers = [
        [LimitKind::Bucket { rate: 10.0, burst: 10.0 }, window(300, 60)],
        [LimitKind::Bucket { rate: 10.0, burst: 20.0 }, LimitKind::Sliding { count: 300, period: seconds(60) }],
        [LimitKind::Bucket { rate: 5.0, burst: 5.0 }, window(100, 30)],
        [window(20, 2), window(300, 60)],
    ];
    for both in tiers {
        for seed in 0..3 {
            let pace = pace(1_000, &shape(&both), seed);
            let ratio = pace.wall / both.iter().map(|limit| bound(*limit, pace.admitted as f64)).fold(0.0, f64::max);
            println!("{both:?} {seed}: {ratio:.2}, {} refused", pace.refused);
            assert!(ratio < 1.3, "{both:?} {seed}: {ratio:.2}");
        }
    }
}

#[test]
fn a_limit_in_flight_is_recognized_and_kept() {
    for most in [2, 4, 7] {
        let limit = LimitKind::InFlight(most);
        let (ratio, refused) = average(2_000, |admitted| bound(limit, admitted), &shape(&[limit]));
        eprintln!("{most} in flight 2000: {ratio:.3}, refused {refused:.2} %");
        assert!(ratio <= 1.2 && refused <= 2.0, "{most}: {ratio:.3}, refused {refused:.2} %");
    }
}

/// Random shapes of all families: it always ends, nothing is sent inside a `Retry-After`, and never more are in flight
/// than allowed.
#[test]
fn the_invariants_hold_on_random_shapes() {
    for seed in 0..cases(8) {
        for family in 0..FAMILIES.len() {
            let mut rng = SeededRng::from_seed(seed * 1_000 + family as u64);
            let shape = Shape::draw(family, &mut rng);
            let ceiling = rng.gen_bool(0.5).then(|| 1 + rng.gen_below(16) as usize);
            let pace = PacingEnv::new(150, &shape, seed).apply(RateLimiter::new(ceiling, None));
            let pace = pace.unwrap_or_else(|| panic!("it never ends: {shape:?}"));
            let allowed = ceiling.unwrap_or(MAX_CONCURRENCY) as u64;
            // The first 503 is about its request only, until another one shows that the server is overloaded.
            let unheard = if shape.status == 503 { 2 * allowed } else { 0 };
            assert!(pace.inside_retry_after <= unheard, "{pace:?} {shape:?}");
            assert!(pace.max_in_flight <= allowed, "{} of {allowed} in flight: {shape:?}", pace.max_in_flight);
        }
    }
}

/// What no name or header gives away is told by what is let in and refused.
#[test]
fn limits_in_disguise_are_found() {
    let seconds = Duration::from_secs;
    let bucket = LimitKind::Bucket { rate: 5.0, burst: 20.0 };
    let sliding = LimitKind::Sliding { count: 10, period: seconds(1) };
    let fixed = LimitKind::Window { count: 12, period: seconds(2), phase: Duration::from_millis(700) };
    let counter = LimitKind::Counter { count: 60, period: seconds(10) };
    let always_a_minute = RetryAfterHeader::Fixed(60);
    for (name, limit, shape, slowest, most) in [
        // Arrivals that vary by a second and a half are refused here and there by a window of a second.
        ("10 in a second", sliding, shape(&[sliding]), 1.6, 5.0),
        ("12 in two seconds", fixed, shape(&[fixed]), 1.4, 5.0),
        ("counter of 60 in 10 s", counter, shape(&[counter]), 1.5, 8.0),
        ("503", bucket, Shape { status: 503, ..shape(&[bucket]) }, 1.1, 4.0),
        ("always a minute", bucket, Shape { header: always_a_minute, ..shape(&[bucket]) }, 5.0, 6.0),
        ("a penalty of 10 s", bucket, Shape { penalty: Some(seconds(10)), ..shape(&[bucket]) }, 2.6, 10.0),
    ] {
        let mut average = (0.0, 0.0);
        for seed in 0..4 {
            let pace = PacingEnv::new(500, &shape, seed).apply(RateLimiter::new(Some(10), None)).expect("it ends");
            average.0 += pace.wall / bound(limit, pace.admitted as f64) / 4.0;
            average.1 += pace.refused as f64 / 500.0 * 25.0;
        }
        let (ratio, refused) = average;
        eprintln!("{name:32} 500: {ratio:.3}, refused {refused:.2} %");
        assert!(ratio <= slowest && refused <= most, "{name}: {ratio:.3}, refused {refused:.2} %");
    }
}

/// Whatever a limit is, and whatever its header says, no update is lost because the server calls it an overload.
#[test]
fn limits_of_every_family_behind_503_lose_no_update() {
    for seed in 0..cases(2) {
        for (family, name) in FAMILIES.iter().enumerate() {
            let drawn = Shape::draw(family, &mut SeededRng::from_seed(seed * 101 + family as u64));
            for header in [drawn.header, RetryAfterHeader::Missing] {
                let shape = Shape { status: 503, header, ..drawn.clone() };
                // It asserts that all are applied.
                let pace = PacingEnv::new(150, &shape, seed).apply(RateLimiter::new(None, None));
                assert!(pace.is_some(), "{name}: it never ends: {shape:?}");
            }
        }
    }
}

#[test]
fn a_ceiling_above_the_default_is_reached_by_growth_only() {
    let limit = shape(&[LimitKind::InFlight(8)]);
    let paces = [None, Some(31), Some(64)]
        .map(|ceiling| PacingEnv::new(500, &limit, 1).apply(RateLimiter::new(ceiling, None)).expect("it ends"));
    assert!(paces.iter().all(|pace| pace.refused <= 10 && pace.max_in_flight <= 10), "{paces:?}");
}

/// More than ten are in flight only where nothing is refused and nothing becomes slower.
#[test]
fn concurrency_grows_without_a_limit_up_to_the_one_of_the_user() {
    let unlimited = shape(&[]);
    let free = PacingEnv::new(2_000, &unlimited, 1).apply(RateLimiter::new(None, None)).expect("it ends");
    assert!((20..=32).contains(&free.max_in_flight), "{free:?}");
    let bounded = PacingEnv::new(2_000, &unlimited, 1).apply(RateLimiter::new(Some(10), None)).expect("it ends");
    assert_eq!(bounded.max_in_flight, 10);
    assert!(free.wall < 0.7 * bounded.wall, "{free:?} {bounded:?}");
}
