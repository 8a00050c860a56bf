//! Token-bucket model: a copy of the server's bucket, whose rate and burst are estimated from all that was let in and
//! refused since the limit was last seen to change.

use std::time::Duration;

use super::availability::Availability;
use super::bucket_fit::{BucketFit, TOLERANCE, fit, level_at};
use super::request_log::RequestLog;
use super::{MEMORY, RATES, short_window};
use crate::runtime::Instant;

/// So many in flight at first while the rate is unknown.
const MEASURING: usize = 2;

/// A rate that is known to a factor of this only is measured once more.
const MAX_RANGE: f64 = 20.0;

/// Where the rate starts between the slowest possible and the best one.
const CAUTION: f64 = 0.6;

/// What a refusal costs beside what overflows in its pause, in requests; and how many times that must be won by asking for more.
const REFUSAL: f64 = 2.0;
const WORTH: f64 = 4.0;

/// When a refusal is overdue, the rate grows by this share more with every further success.
const OVERDUE_GROWTH: f64 = 0.000_2;

/// A refusal is overdue after so many successes for each request that overflows in its pause, and at least after those of so many
/// seconds, within bounds: where a rate is slow, that it has become faster is worth more than a refusal.
const DUE: f64 = 50.0;
const DUE_SECONDS: f64 = 20.0;
const MIN_DUE: (f64, f64) = (40.0, 80.0);

/// Contradictions of more requests than this mean that the limit has changed, or that it is no bucket.
pub(super) const CHANGED: f64 = 4.0;

/// So much of the burst is left unused: this share of a request and of those of the time that arrivals vary by.
const MARGIN: f64 = 0.5;

/// Of a bucket for one request nothing can be left. Each then keeps a distance to the one before: so many times what arrivals vary by
/// more than at the even pace, up to half a request more.
const DISTANCE: f64 = 3.0;
const MAX_DISTANCE: f64 = 0.5;

/// With a smaller burst two requests may not arrive at once.
const TWO_AT_ONCE: f64 = 2.0;

#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// Since when it has been the same, as far as known, and how much of the burst was used then.
    baseline: Instant,
    baseline_level: f64,
    /// When it was found empty.
    empty: Vec<Instant>,
    state: BucketState,
}

#[derive(Clone, Debug)]
enum BucketState {
    /// More and more in flight until it is empty again.
    Measuring { concurrency_limit: usize },
    /// The rate is known.
    Calibrated(Calibrated),
}

#[derive(Clone, Debug)]
struct Calibrated {
    /// Requests per second.
    rate: f64,
    /// What is added to the rate with every success, until it is the fastest possible one.
    growth: f64,
    fastest: f64,
    /// After this many successes a refusal is overdue: the limit may have become wider.
    due: usize,
    successes: usize,
    /// How much of the burst is used, and how much may be.
    level: f64,
    burst: f64,
    at: Instant,
}

impl Bucket {
    /// Empty for the first time; it was full, or what it had become then, `since` then: when the first request was sent.
    pub(super) fn on_empty(empty: Instant, since: Option<Instant>) -> Self {
        let state = BucketState::Measuring { concurrency_limit: MEASURING };
        Self { baseline: since.unwrap_or(empty), baseline_level: 0.0, empty: vec![empty], state }
    }

    pub(super) fn availability(&mut self, log: &RequestLog, now: Instant) -> Availability {
        match &mut self.state {
            BucketState::Measuring { concurrency_limit } if log.in_flight() < *concurrency_limit => Availability::Now,
            BucketState::Measuring { .. } => Availability::AfterNextResponse,
            BucketState::Calibrated(calibrated) => {
                calibrated.drain(now);
                match calibrated.level - calibrated.free_level() {
                    excess if excess <= 0.0 => Availability::Now,
                    excess => Availability::At(now + Duration::from_secs_f64(excess / calibrated.rate + 1e-6)),
                }
            }
        }
    }

    /// A request is sent.
    pub(super) fn take(&mut self, now: Instant) {
        if let BucketState::Calibrated(calibrated) = &mut self.state {
            calibrated.drain(now);
            calibrated.level = calibrated.level.max(0.0) + 1.0;
        }
    }

    /// A request was let in: the rate may be slightly higher.
    pub(super) fn admitted(&mut self) {
        match &mut self.state {
            BucketState::Measuring { concurrency_limit } => *concurrency_limit += 1,
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

    /// Whether its rate is known.
    pub(super) const fn is_calibrated(&self) -> bool {
        matches!(self.state, BucketState::Calibrated(_))
    }

    /// Whether several throttle events agree on the rate, so that it is a limit of its own and not a window whose end
    /// happened to be near.
    pub(super) const fn is_established(&self) -> bool {
        self.empty.len() >= 3 && self.is_calibrated()
    }

    /// Since when it has been the same, as far as known.
    pub(super) const fn baseline(&self) -> Instant {
        self.baseline
    }

    /// Its rate, if that is known and no two requests may arrive at once.
    pub(super) fn rate_without_burst(&self) -> Option<f64> {
        match &self.state {
            BucketState::Calibrated(calibrated) if calibrated.burst < TWO_AT_ONCE => Some(calibrated.rate),
            _ => None,
        }
    }

    /// Empty again: fits the bucket to all that is known, and goes on with the new rate.
    pub(super) fn refused(&mut self, empty: Instant, longest_wait: Duration, log: &RequestLog, now: Instant) {
        let (history, mut found) = self.longest_consistent_fit(log);
        // What a window of a second or two would let in, if it may be one.
        if let Some(window) = short_window::fit(&history, longest_wait)
            && window.contradiction as f64 <= found.contradiction + TOLERANCE
        {
            found.fastest = found.fastest.max(window.rate());
        }
        self.empty.push(empty);
        if self.empty.len() > MEMORY {
            self.empty.remove(0);
            if self.empty[0] > self.baseline {
                (self.baseline, self.baseline_level) = (self.empty[0], found.burst);
            }
        }
        let refusal = Refusal {
            found,
            pause: now.duration_since(empty).as_secs_f64().max(0.5),
            number: self.empty.len(),
            admitted: history.iter().filter(|(_, is_admitted)| *is_admitted).count(),
        };
        if refusal.tells_nothing() {
            self.state = BucketState::Measuring { concurrency_limit: MEASURING };
            return;
        }
        let (rate, growth) = refusal.pace();
        let due = refusal.due(rate);
        self.state = BucketState::Calibrated(Calibrated {
            rate,
            fastest: found.fastest,
            growth,
            due,
            successes: 0,
            level: level_at(&history, rate, self.baseline_level, now.elapsed().as_secs_f64()),
            burst: usable_burst(found.burst, rate * log.jitter()),
            at: now,
        });
        tracing::trace!(?refusal, jitter = log.jitter(), state = ?self.state, "bucket fitted");
    }

    /// Fits the longest history that does not contradict itself: what was before a change tells nothing about now.
    fn longest_consistent_fit(&mut self, log: &RequestLog) -> (Vec<(f64, bool)>, BucketFit) {
        loop {
            let history = log.history(self.baseline);
            let found = fit(&history, self.baseline_level);
            let later = self.empty.iter().rev().skip(1).find(|empty| **empty > self.baseline).copied();
            match later {
                Some(later) if found.contradiction > CHANGED => {
                    self.baseline = later;
                    self.baseline_level = found.burst;
                }
                _ => return (history, found),
            }
        }
    }
}

/// How much of a burst is used, if arrivals vary by so many requests.
fn usable_burst(burst: f64, jitter: f64) -> f64 {
    (burst - MARGIN * (1.0 + jitter)).max(1.0 - (DISTANCE * jitter).min(MAX_DISTANCE))
}

/// What is known when a bucket was found empty again.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    found: BucketFit,
    /// How long nothing is sent because of it, in seconds.
    pause: f64,
    /// Requests since the limit was last seen to change.
    admitted: usize,
    /// How often it was found empty, this time included.
    number: usize,
}

impl Refusal {
    /// It came too soon after the first one to tell anything.
    fn tells_nothing(&self) -> bool {
        self.number == 2 && self.found.fastest > MAX_RANGE * self.found.slowest
    }

    /// How fast requests are sent from now on, and what is added with every success. The rate starts between the slowest possible and
    /// the best one, and grows towards the fastest possible one in as many requests as asking for more is worth: what it brings, half
    /// of the doubt on average, is then more than what a refusal costs.
    fn pace(&self) -> (f64, f64) {
        let Self { found, .. } = self;
        // A request was let in per pause, or it would have had to be longer.
        let rate = (found.slowest + CAUTION * (found.rate - found.slowest)).max(0.5 / self.pause);
        let doubt = (found.fastest / rate - 1.0).max(0.0);
        let pays = WORTH * (self.lost(rate) + REFUSAL) / doubt;
        let steps = pays.max(self.admitted as f64 / 2.0);
        (rate, rate * doubt / steps)
    }

    /// What overflows at a rate while nothing is sent.
    fn lost(&self, rate: f64) -> f64 {
        (rate * self.pause - self.found.burst).max(0.0)
    }

    /// After how many requests without a refusal the rate is far too low: what a pause costs makes it later.
    fn due(&self, rate: f64) -> usize {
        (DUE * self.lost(rate)).max((rate * DUE_SECONDS).clamp(MIN_DUE.0, MIN_DUE.1)) as usize
    }
}

impl Calibrated {
    /// One more request fits at this level. It is negative where less than one is left of the burst: the rest is waited for beyond
    /// the instant when the bucket is full.
    fn free_level(&self) -> f64 {
        self.burst - 1.0
    }

    /// Drains what has been refilled since the last time.
    fn drain(&mut self, now: Instant) {
        let least = self.free_level().min(0.0);
        self.level = (self.level - self.rate * now.duration_since(self.at).as_secs_f64()).max(least);
        self.at = self.at.max(now);
    }

    /// The less certain the rate, the faster it grows; if nothing is refused for long, it is far too low.
    fn probe_up(&mut self) {
        self.successes += 1;
        if self.rate < self.fastest {
            self.rate = (self.rate + self.growth).min(self.fastest);
        }
        let overdue = self.successes.saturating_sub(self.due) as f64;
        self.rate *= 1.0 + overdue * OVERDUE_GROWTH;
        self.rate = self.rate.min(RATES.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal after which `slowest`, `rate` and `fastest` are possible.
    fn refusal(slowest: f64, rate: f64, fastest: f64) -> Refusal {
        let found = BucketFit { rate, slowest, fastest, burst: 10.0, contradiction: 0.0 };
        Refusal { found, pause: 1.0, admitted: 100, number: 2 }
    }

    #[test]
    fn the_rate_begins_between_the_slowest_and_the_best_one() {
        let rate = |refusal: Refusal| refusal.pace().0;
        let cases = [
            // the rate, what is expected
            (rate(refusal(8.0, 10.0, 11.0)), 9.2),
            (rate(refusal(10.0, 10.0, 10.0)), 10.0),
            // A request was let in per pause.
            (rate(refusal(0.1, 0.1, 0.1)), 0.5),
            (rate(Refusal { pause: 5.0, ..refusal(0.01, 0.01, 0.01) }), 0.1),
        ];
        for (at, (found, expected)) in cases.into_iter().enumerate() {
            assert!((found - expected).abs() < 1e-9, "case {at}: {found} instead of {expected}");
        }
    }

    #[test]
    fn asking_for_more_waits_until_it_pays() {
        // The better the rate is known, the slower it grows.
        let growth = |fastest: f64| refusal(9.9, 10.0, fastest).pace().1;
        assert!(growth(10.2) < growth(12.0) && growth(12.0) < growth(20.0));
        assert!(refusal(0.1, 5.0, 50.0).tells_nothing() && !refusal(5.0, 6.0, 50.0).tells_nothing());
        // What a pause costs makes it rarer.
        let due = |pause: f64| Refusal { pause, ..refusal(10.0, 10.0, 10.5) }.due(10.0);
        assert!(due(1.0) < due(30.0));
    }
}
