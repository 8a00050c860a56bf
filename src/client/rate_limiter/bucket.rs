//! Token-bucket model: estimates the refill rate between two throttle events.
//!
//! At a 429 the bucket is empty. So between two of them exactly as many tokens were added as requests were let in,
//! unless the bucket overflowed; the longer the time between them, the better the estimate. A copy of the bucket is
//! kept here: tokens that were added during a pause may be used at once after it, so that a 429 costs hardly any time.

use std::time::Duration;

use super::request_log::RequestLog;
use super::window::Availability;
use crate::runtime::Instant;

/// While the rate is unknown: one more in flight after this many successes.
const RAMP_UP_INTERVAL: u32 = 4;

/// Share of the capacity that is relied on.
const CAPACITY_MARGIN: f64 = 0.9;

/// More consecutive successes than a slow bucket has after a pause: concurrency is then raised at once.
const FAST_BUCKET_SUCCESSES: u32 = 12;

/// Minimum number of requests between two throttle events for an estimate of the rate.
const MIN_SAMPLES: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// When it was last known to be empty.
    empty: Instant,
    /// Since when the rate has been the same, as far as known: an instant when it was empty.
    baseline: Instant,
    state: BucketState,
    /// Capacity in tokens.
    capacity: f64,
    /// Tokens lost to overflow: since the baseline, and since it was last empty.
    overflow: f64,
    recent_overflow: f64,
    /// Number of throttle events.
    events: u32,
}

#[derive(Clone, Debug)]
enum BucketState {
    /// Ramping up until it is empty again.
    Measuring { concurrency_limit: usize, successes: u32 },
    /// The rate is known.
    Calibrated(Calibrated),
}

#[derive(Clone, Debug)]
struct Calibrated {
    /// Tokens per second.
    rate: f64,
    tokens: f64,
    at: Instant,
    /// Number of requests that the rate was estimated from.
    sample_count: usize,
    successes: usize,
}

impl Bucket {
    /// Empty for the first time; it was full when the first request was sent.
    pub(super) fn on_empty(empty: Instant) -> Self {
        let state = BucketState::Measuring { concurrency_limit: 2, successes: 0 };
        Self { empty, baseline: empty, state, capacity: f64::INFINITY, overflow: 0.0, recent_overflow: 0.0, events: 1 }
    }

    pub(super) fn availability(&mut self, log: &RequestLog, now: Instant) -> Availability {
        match &mut self.state {
            BucketState::Measuring { concurrency_limit, .. } if log.in_flight() < *concurrency_limit => {
                Availability::Now
            }
            BucketState::Measuring { .. } => Availability::AfterNextResponse,
            BucketState::Calibrated(calibrated) => {
                let lost = calibrated.fill(now, self.capacity);
                self.overflow += lost;
                self.recent_overflow += lost;
                if calibrated.tokens >= 1.0 {
                    Availability::Now
                } else {
                    Availability::At(now + Duration::from_secs_f64((1.0 - calibrated.tokens) / calibrated.rate + 1e-6))
                }
            }
        }
    }

    /// A request is sent.
    pub(super) fn take(&mut self, now: Instant) {
        if let BucketState::Calibrated(calibrated) = &mut self.state {
            let lost = calibrated.fill(now, self.capacity);
            self.overflow += lost;
            self.recent_overflow += lost;
            calibrated.tokens -= 1.0;
        }
    }

    /// A request was let in: the rate may be slightly higher.
    pub(super) fn admitted(&mut self) {
        match &mut self.state {
            BucketState::Measuring { concurrency_limit, successes } => {
                *successes += 1;
                if *successes > FAST_BUCKET_SUCCESSES || successes.is_multiple_of(RAMP_UP_INTERVAL) {
                    *concurrency_limit += 1;
                }
            }
            BucketState::Calibrated(calibrated) => calibrated.probe_up(),
        }
    }

    pub(super) fn describe(&self) -> Option<String> {
        match &self.state {
            BucketState::Measuring { .. } => None,
            BucketState::Calibrated(Calibrated { rate, .. }) if *rate >= 10.0 => {
                Some(format!("about {rate:.0} requests/s"))
            }
            BucketState::Calibrated(Calibrated { rate, .. }) => Some(format!("about {rate:.1} requests/s")),
        }
    }

    /// Whether several throttle events agree on the rate, so that it is a limit of its own and not a window whose end
    /// happened to be near.
    pub(super) const fn is_established(&self) -> bool {
        self.events >= 3 && matches!(self.state, BucketState::Calibrated(_))
    }

    /// Empty again.
    pub(super) fn refused(&mut self, empty: Instant, log: &RequestLog, now: Instant, saturated: usize) {
        let rate_since = |since: Instant, overflow: f64| {
            let requests = log.since(since).saturating_sub(log.since(empty));
            // Less than a token is left when it is empty, so this is off by up to one. With few requests an estimate
            // that is too low costs more than one that is too high, which is corrected by the next 429.
            let tokens = requests as f64 + overflow + if requests < MIN_SAMPLES { 0.5 } else { -0.3 };
            (requests, tokens.max(0.7) / empty.duration_since(since).as_secs_f64().max(0.05))
        };
        let (mut requests, mut rate) = rate_since(self.baseline, self.overflow);
        let (lately, rate_lately) = rate_since(self.empty, self.recent_overflow);
        // A recent rate that differs much means that the limit has changed.
        let doubt = (2.0 / (lately as f64).max(1.0)).max(0.12);
        let changed = lately >= 4 && (rate_lately / rate - 1.0).abs() > doubt;
        // An overflow makes a rate look lower than it is; nothing makes it look higher.
        let was_too_low = lately >= 40 && rate_lately > rate;
        if changed || was_too_low {
            (self.baseline, self.overflow) = (self.empty, self.recent_overflow);
            (requests, rate) = (lately, rate_lately);
        }
        match &self.state {
            BucketState::Calibrated(calibrated) if calibrated.is_overdue() && calibrated.rate > 1.25 * rate => {
                // It had to grow for long until it was refused: earlier samples say little about now.
                (self.baseline, self.overflow) = (empty, 0.0);
                (requests, rate) = (30, 0.8 * calibrated.rate);
            }
            BucketState::Calibrated(calibrated) => rate = rate.max(calibrated.rate / 3.0),
            BucketState::Measuring { concurrency_limit, .. } => {
                if *concurrency_limit >= saturated {
                    // It overflowed during the ramp-up: it is faster than that.
                    requests = (requests / 4).max(5);
                }
                // It was full at the first request, and its rate is known now.
                let first = log.first().unwrap_or(self.baseline);
                let before = log.since(first) - log.since(self.baseline);
                let held = before as f64 - rate * self.baseline.duration_since(first).as_secs_f64();
                self.capacity = held.max(2.0);
            }
        }
        self.empty = empty;
        self.events += 1;
        // Requests that were let in after the 429 have used tokens that were added since.
        let tokens = rate * now.duration_since(empty).as_secs_f64() - log.since(empty) as f64 - 0.5;
        self.recent_overflow = (tokens - self.capacity).max(0.0);
        self.overflow += self.recent_overflow;
        let calibrated = Calibrated {
            rate,
            tokens: tokens.min(CAPACITY_MARGIN * self.capacity),
            at: now,
            sample_count: requests,
            successes: 0,
        };
        self.state = BucketState::Calibrated(calibrated);
    }
}

impl Calibrated {
    /// Adds the tokens since the last time; returns how many the real bucket has lost to overflow meanwhile, as when
    /// another limit is the tighter one.
    fn fill(&mut self, now: Instant, capacity: f64) -> f64 {
        let tokens = self.tokens + self.rate * now.duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = tokens.min(CAPACITY_MARGIN * capacity);
        (tokens - capacity).max(0.0)
    }

    fn is_overdue(&self) -> bool {
        self.overdue() > 0.0
    }

    /// How many requests ago the next 429 should have come if the rate were right.
    fn overdue(&self) -> f64 {
        (self.successes as f64 - (12.0 * self.rate).max(120.0)).max(0.0)
    }

    /// The less certain the rate, the faster it grows; if nothing is refused for long, it is far too low.
    ///
    /// One or two tokens too many are requested after about twice as many requests as the sample count, so that each
    /// 429 yields twice as much information as the one before.
    fn probe_up(&mut self) {
        self.successes += 1;
        let uncertainty = (1.25 / (self.sample_count as f64).max(1.0).powi(2)).clamp(0.000_01, 0.02);
        let overdue = self.overdue() * 0.000_2;
        self.rate *= 1.0 + uncertainty + overdue;
    }
}
