//! Short waits: tokens that come in at a rate which is learned from one moment of emptiness to the next.
//!
//! At a refusal the bucket is empty. So between two refusals exactly as many tokens came in as requests were let in,
//! unless it overflowed; the longer the time between them, the better the rate is known. A copy of the bucket is kept
//! here: what came in during a pause may be spent at once after it, so that a refusal costs hardly any time.

use std::time::Duration;

use super::request_log::RequestLog;
use super::window::Availability;
use crate::runtime::Instant;

/// While the rate is unknown: one more in the air after so many successes.
const RAMP_UP_INTERVAL: u32 = 4;

/// How much of what it may hold is counted on.
const CAPACITY_MARGIN: f64 = 0.9;

/// So many successes in a row are more than a slow bucket has after a pause: the rest of the way is taken at once.
const FAST_BUCKET_SUCCESSES: u32 = 12;

/// So many requests between two moments of emptiness say something of the rate.
const MIN_SAMPLES: usize = 4;

#[derive(Debug)]
pub(super) struct Bucket {
    /// When it was last known to be empty.
    empty: Instant,
    /// Since when the rate has been the same, as far as we know: a moment when it was empty.
    baseline: Instant,
    state: BucketState,
    /// How many tokens it may hold.
    capacity: f64,
    /// Tokens that came in and were lost since it overflowed: since the baseline, and since it was last empty.
    overflow: f64,
    recent_overflow: f64,
}

#[derive(Debug)]
enum BucketState {
    /// Coming back slowly until it is empty again.
    Measuring { concurrency_limit: usize, successes: u32 },
    /// The rate is known.
    Calibrated(Calibrated),
}

#[derive(Debug)]
struct Calibrated {
    /// Tokens a second.
    rate: f64,
    tokens: f64,
    at: Instant,
    /// How many requests the rate was measured with.
    sample_count: usize,
    successes: usize,
}

impl Bucket {
    /// Found empty for the first time; it was full when `first` was sent.
    pub(super) fn on_empty(empty: Instant) -> Self {
        let state = BucketState::Measuring { concurrency_limit: 2, successes: 0 };
        Self { empty, baseline: empty, state, capacity: f64::INFINITY, overflow: 0.0, recent_overflow: 0.0 }
    }

    pub(super) fn room(&mut self, log: &RequestLog, now: Instant) -> Availability {
        match &mut self.state {
            BucketState::Measuring { concurrency_limit, .. } if log.in_flight() < *concurrency_limit => {
                Availability::Now
            }
            BucketState::Measuring { .. } => Availability::AfterNextResponse,
            BucketState::Calibrated(calibrated) => {
                calibrated.fill(now, CAPACITY_MARGIN * self.capacity);
                if calibrated.tokens >= 1.0 {
                    Availability::Now
                } else {
                    Availability::At(now + Duration::from_secs_f64((1.0 - calibrated.tokens) / calibrated.rate + 1e-6))
                }
            }
        }
    }

    /// A request goes.
    pub(super) fn take(&mut self, now: Instant) {
        if let BucketState::Calibrated(calibrated) = &mut self.state {
            calibrated.fill(now, CAPACITY_MARGIN * self.capacity);
            calibrated.tokens -= 1.0;
        }
    }

    /// A request was let in: the rate is a little higher, perhaps.
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

    /// Empty again.
    pub(super) fn refused(&mut self, empty: Instant, log: &RequestLog, now: Instant, saturated: usize) {
        let rate_since = |since: Instant, overflow: f64| {
            let requests = log.since(since).saturating_sub(log.since(empty));
            // Less than a token is left when it is empty, so this is up to one too many or too few: a few requests tell
            // little, and then too slow costs more than too fast, which is refused soon.
            let tokens = requests as f64 + overflow + if requests < MIN_SAMPLES { 0.5 } else { -0.3 };
            (requests, tokens.max(0.7) / empty.duration_since(since).as_secs_f64().max(0.05))
        };
        let (mut requests, mut rate) = rate_since(self.baseline, self.overflow);
        let (lately, rate_lately) = rate_since(self.empty, self.recent_overflow);
        // A rate that lately was quite another one has changed.
        let doubt = (2.0 / (lately as f64).max(1.0)).max(0.12);
        let changed = lately >= 4 && (rate_lately / rate - 1.0).abs() > doubt;
        // An overflow makes a rate look lower than it is, nothing makes it look higher.
        let was_too_low = lately >= 40 && rate_lately > rate;
        if changed || was_too_low {
            (self.baseline, self.overflow) = (self.empty, self.recent_overflow);
            (requests, rate) = (lately, rate_lately);
        }
        match &self.state {
            BucketState::Calibrated(calibrated) if calibrated.is_overdue() && calibrated.rate > 1.25 * rate => {
                // It had to grow for long until it was refused: what came before says little about now.
                (self.baseline, self.overflow) = (empty, 0.0);
                (requests, rate) = (30, 0.8 * calibrated.rate);
            }
            BucketState::Calibrated(calibrated) => rate = rate.max(calibrated.rate / 3.0),
            BucketState::Measuring { concurrency_limit, .. } => {
                if *concurrency_limit >= saturated {
                    // It overflowed while we came back slowly: it is faster than that.
                    requests = (requests / 4).max(5);
                }
                // It was full when the first request came, and its rate is known now.
                let first = log.first().unwrap_or(self.baseline);
                let before = log.since(first) - log.since(self.baseline);
                let held = before as f64 - rate * self.baseline.duration_since(first).as_secs_f64();
                self.capacity = held.max(2.0);
            }
        }
        self.empty = empty;
        // Requests that were let in after the refusal have used what came in since.
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
    fn fill(&mut self, now: Instant, capacity: f64) {
        self.tokens = (self.tokens + self.rate * now.duration_since(self.at).as_secs_f64()).min(capacity);
        self.at = self.at.max(now);
    }

    fn is_overdue(&self) -> bool {
        self.overdue() > 0.0
    }

    /// How many requests ago the next refusal should have come, if the rate were right.
    fn overdue(&self) -> f64 {
        (self.successes as f64 - (12.0 * self.rate).max(120.0)).max(0.0)
    }

    /// The less a rate is known, the faster it grows; and when nothing is refused for long, it is far too low.
    ///
    /// A token or two too many are asked for after about twice as many requests as it was measured with, so that each
    /// refusal tells twice as much as the one before.
    fn probe_up(&mut self) {
        self.successes += 1;
        let uncertainty = (1.25 / (self.sample_count as f64).max(1.0).powi(2)).clamp(0.000_01, 0.02);
        let overdue = self.overdue() * 0.000_2;
        self.rate *= 1.0 + uncertainty + overdue;
    }
}
