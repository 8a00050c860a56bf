//! Window model: at most so many requests in a period.
//!
//! One model with two numbers serves fixed and sliding windows alike, keeps the phase by itself and needs no prediction
//! of resets: a request is sent when the one that came so many before it was counted a period ago.

use std::time::Duration;

use super::request_log::{NthLast, RequestLog};
use super::throttle_event::ResetEstimate;
use crate::runtime::Instant;

/// Periods that are commonly chosen, in seconds. A measured period next to one of them is snapped to it.
const COMMON_PERIODS: [u64; 17] = [1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60, 90, 120, 300, 600, 900, 3_600];

/// Delay beyond the period, for clock differences and jitter.
const MARGIN: Duration = Duration::from_millis(30);

/// The margin grows with every refusal that came only slightly early, up to this.
const MAX_MARGIN: Duration = Duration::from_millis(400);

/// Minimum interval between probes, in time and in requests: one refusal in a hundred is cheap, and by then the budget
/// is used up, so that it costs no time.
const PROBE_INTERVAL: Duration = Duration::from_secs(45);
const PROBE_MIN_REQUESTS: usize = 90;

#[derive(Clone, Debug)]
pub(super) struct Window {
    budget: usize,
    period: Duration,
    margin: Duration,
    /// The last reset that was observed.
    reset: ResetEstimate,
    last_probe: Instant,
    probing: Option<usize>,
}

/// What a model allows a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Availability {
    Now,
    At(Instant),
    AfterNextResponse,
}

impl Window {
    /// The first window that is observed: it began with our first request, as far as known.
    pub(super) fn from_first(reset: ResetEstimate, log: &RequestLog, now: Instant) -> Self {
        let first = log.first().unwrap_or(now);
        Self::new(snap_to_common_period(reset, first, first), log.since(first), reset, first)
    }

    /// A window between two resets.
    pub(super) fn between(before: ResetEstimate, reset: ResetEstimate, log: &RequestLog) -> Self {
        let period = snap_to_common_period(reset, before.earliest, before.latest);
        Self::new(period, log.since(before.earliest), reset, before.latest)
    }

    fn new(period: Duration, budget: usize, reset: ResetEstimate, last_probe: Instant) -> Self {
        Self { budget: budget.max(1), period, margin: MARGIN, reset, last_probe, probing: None }
    }

    pub(super) fn availability(&mut self, log: &RequestLog, now: Instant) -> Availability {
        let free_at = match log.nth_last(self.budget) {
            NthLast::None => return Availability::Now,
            NthLast::InFlight => None,
            NthLast::At(accounted_at) => Some(accounted_at + self.period + self.margin),
        };
        if free_at.is_some_and(|free_at| free_at <= now) {
            self.probing = None;
            return Availability::Now;
        }
        if let Some(concurrency_limit) = self.probing {
            return if log.in_flight() < concurrency_limit {
                Availability::Now
            } else {
                Availability::AfterNextResponse
            };
        }
        match free_at {
            Some(_) if self.may_probe(log, now) => {
                self.probing = Some(1);
                self.last_probe = now;
                Availability::Now
            }
            Some(free_at) => Availability::At(free_at),
            None => Availability::AfterNextResponse,
        }
    }

    fn may_probe(&self, log: &RequestLog, now: Instant) -> bool {
        log.in_flight() == 0
            && now.duration_since(self.last_probe) >= PROBE_INTERVAL.max(self.period.mul_f64(0.7))
            && log.since(self.last_probe) >= PROBE_MIN_REQUESTS
    }

    pub(super) fn describe(&self) -> String {
        format!("{} requests per {} s", self.budget, self.period.as_secs().max(1))
    }

    /// Whether most of the budget was used in the period before `now`.
    pub(super) fn is_nearly_used(&self, now: Instant, log: &RequestLog) -> bool {
        log.since(now - self.period) * 10 >= self.budget * 9
    }

    /// A request beyond the budget was let in: the budget is larger.
    pub(super) fn admitted(&mut self, log: &RequestLog) {
        if let Some(concurrency_limit) = &mut self.probing {
            *concurrency_limit += 1;
            self.budget = self.budget.max(log.since(self.window_start(log)));
        }
    }

    fn window_start(&self, log: &RequestLog) -> Instant {
        // Everything that used up the budget lies within one period.
        match log.nth_last(self.budget) {
            NthLast::At(accounted_at) => accounted_at,
            _ => self.reset.earliest,
        }
    }

    /// Learns from a refusal; false if this is not a window after all.
    pub(super) fn refused(&mut self, began: Instant, reset: ResetEstimate, log: &RequestLog) -> bool {
        let climbed = self.probing.take().is_some();
        let distance = reset.middle().duration_since(self.reset.middle());
        let between = snap_to_common_period(reset, self.reset.earliest, self.reset.latest);
        let in_period = |period: Duration| {
            let (most, least) = (log.since(reset.earliest - period), log.since(reset.latest - period));
            (least, most)
        };
        let (least, most) = in_period(self.period);
        let fits = least <= self.budget + 1 && self.budget <= most + 1;
        let since_reset = log.since(self.reset.earliest);
        // A window met in its middle looked shorter than it is: the distance of two resets is the true period.
        let longer = between > self.period + Duration::from_secs(1) && distance < self.period * 4;
        if !fits && longer && is_near(since_reset, self.budget) && !is_near(most, self.budget) {
            self.period = between;
            self.budget = since_reset.max(1);
        } else if fits && !climbed {
            // It came only slightly early.
            if reset.latest.duration_since(began) < Duration::from_millis(2_500) {
                self.margin = (self.margin + Duration::from_millis(50)).min(MAX_MARGIN);
            }
        } else if self.budget > most {
            if most * 8 < self.budget && reset.latest.duration_since(began) < Duration::from_millis(2_500) {
                return false;
            }
            self.budget = most.max(1);
        } else if self.budget < least {
            self.budget = least;
        }
        self.reset = reset;
        true
    }

    pub(super) const fn reset(&self) -> ResetEstimate {
        self.reset
    }
}

fn is_near(one: usize, other: usize) -> bool {
    one.abs_diff(other) * 5 <= one.max(other)
}

/// The period that ends at `reset` and began between the two others: a common one if it fits, else the longest.
fn snap_to_common_period(reset: ResetEstimate, earliest: Instant, latest: Instant) -> Duration {
    const SLACK: Duration = Duration::from_millis(250);
    let shortest = reset.earliest.duration_since(latest).saturating_sub(SLACK);
    let longest = reset.latest.duration_since(earliest);
    COMMON_PERIODS
        .iter()
        .rev()
        .map(|seconds| Duration::from_secs(*seconds))
        .find(|usual| (shortest..=longest + SLACK).contains(usual))
        .unwrap_or(longest)
}
