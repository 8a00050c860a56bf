//! Token-bucket model: a copy of the server's bucket, whose rate and burst are estimated from all that was let in and
//! refused since the limit was last seen to change.

use std::time::Duration;

use super::availability::Availability;
use super::bucket_fit::{BucketFit, fit, level_at};
use super::request_log::{REQUESTS_PER_REFUSAL, RequestLog};
use super::short_window;
use crate::runtime::Instant;

/// While the rate is unknown: one more in flight after this many successes.
const RAMP_UP_INTERVAL: u32 = 4;

/// More consecutive successes than a slow bucket has after a pause: concurrency is then raised at once.
const FAST_BUCKET_SUCCESSES: u32 = 12;

/// Where the rate starts between the slowest possible and the best one.
const CAUTION: f64 = 0.6;

/// A rate that is known to a factor of this only is measured once more.
const MAX_RANGE: f64 = 20.0;

/// When a refusal is overdue, the rate grows by this share more with every further success.
const OVERDUE_GROWTH: f64 = 0.000_1;

/// By no more than this share with one success.
const MAX_OVERDUE_GROWTH: f64 = 0.05;

/// A bucket that takes longer to refill looks like a window.
const WINDOW_LIKE_SECONDS: f64 = 8.0;

/// Faster than any number of requests in flight.
const MAX_RATE: f64 = 1_000.0;

/// A doubt about the rate that is worth a refusal at any time.
const ROUGH: f64 = 0.08;

/// Contradictions of more requests than this mean that the limit has changed.
const CHANGED: f64 = 3.75;

/// Found empty after fewer successes with a misfit of more requests, it may be another limit; so often in a row, it is.
const MIN_SUCCESSES: usize = 30;
const MAX_MISFIT: f64 = 1.5;
const MAX_CONTRADICTIONS: u32 = 2;

/// Another explanation is possible if it contradicts by so many requests more at most.
const PLAUSIBLE: f64 = 1.0;

/// Older refusals are forgotten.
const MAX_EVENTS: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// Since when it has been the same, as far as known, and how much of the burst was used then.
    baseline: Instant,
    baseline_level: f64,
    /// Whether it was another one before: it may become that again.
    has_changed: bool,
    /// When it was found empty.
    empty: Vec<Instant>,
    /// How often in a row it was found empty soon after, although no rate explains it.
    contradictions: u32,
    state: BucketState,
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
    /// Requests per second.
    rate: f64,
    /// What is added to the rate with every success.
    growth: f64,
    /// Hardly anything is known yet.
    is_rough: bool,
    /// After this many successes a refusal is overdue: the limit may have become wider.
    due: usize,
    overdue_growth: f64,
    successes: usize,
    /// How much of the burst is used, and how much may be.
    level: f64,
    burst: f64,
    at: Instant,
}

impl Bucket {
    /// Empty for the first time; it was full, or what it had become then, `since` then: when the first request was sent.
    pub(super) fn on_empty(empty: Instant, since: Option<Instant>) -> Self {
        let state = BucketState::Measuring { concurrency_limit: 2, successes: 0 };
        Self {
            baseline: since.unwrap_or(empty),
            baseline_level: 0.0,
            has_changed: false,
            empty: vec![empty],
            contradictions: 0,
            state,
        }
    }

    pub(super) fn availability(&mut self, log: &RequestLog, now: Instant) -> Availability {
        match &mut self.state {
            BucketState::Measuring { concurrency_limit, .. } if log.in_flight() < *concurrency_limit => {
                Availability::Now
            }
            BucketState::Measuring { .. } => Availability::AfterNextResponse,
            BucketState::Calibrated(calibrated) => {
                calibrated.drain(now);
                let excess = calibrated.level + 1.0 - calibrated.burst;
                if excess <= 0.0 {
                    Availability::Now
                } else {
                    Availability::At(now + Duration::from_secs_f64(excess / calibrated.rate + 1e-6))
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

    /// Whether a bucket would have let in and refused the same.
    pub(super) fn explains(&self, log: &RequestLog) -> bool {
        fit(&log.history(self.baseline), self.baseline_level).contradiction < MAX_MISFIT
    }

    /// How often it was found empty.
    pub(super) const fn refusals(&self) -> usize {
        self.empty.len()
    }

    /// When it was found empty.
    pub(super) fn into_refusals(self) -> Vec<Instant> {
        self.empty
    }

    /// Whether it is no bucket.
    pub(super) const fn is_contradicted(&self) -> bool {
        self.contradictions >= MAX_CONTRADICTIONS
    }

    /// Empty again: fits the bucket to all that is known, and goes on with the new rate.
    pub(super) fn refused(&mut self, empty: Instant, longest_wait: Duration, log: &RequestLog, now: Instant) {
        let (history, mut found) = self.longest_consistent_fit(log);
        // What a window of a second or two would let in, if it may be one.
        if let Some(window) = short_window::fit(&history, longest_wait)
            && window.contradiction as f64 <= found.contradiction + PLAUSIBLE
        {
            found.fastest = found.fastest.max(window.rate());
        }
        self.empty.push(empty);
        if self.empty.len() > MAX_EVENTS {
            self.empty.remove(0);
            if self.empty[0] > self.baseline {
                (self.baseline, self.baseline_level) = (self.empty[0], found.burst);
            }
        }
        let refused = history.iter().filter(|(_, is_admitted)| !is_admitted).count();
        let refusal = Refusal {
            found,
            pause: now.duration_since(empty).as_secs_f64().max(0.5),
            before: match &self.state {
                BucketState::Calibrated(calibrated) => Some((calibrated.rate, calibrated.successes)),
                BucketState::Measuring { .. } => None,
            },
            refused,
            admitted: history.len() - refused,
            number: self.empty.len(),
            has_changed: self.has_changed,
        };
        if refusal.tells_nothing() {
            self.state = BucketState::Measuring { concurrency_limit: 2, successes: 0 };
            return;
        }
        let is_soon = refusal.before.is_none_or(|(_, successes)| successes < MIN_SUCCESSES);
        let is_misfit = found.contradiction > MAX_MISFIT;
        self.contradictions = if is_soon { self.contradictions + u32::from(is_misfit) } else { 0 };
        let Pace { rate, growth, is_rough, due, overdue_growth } = refusal.pace();
        let margin = (0.1 * found.burst).clamp(0.2, 2.0) + 0.5 * rate * log.jitter();
        self.state = BucketState::Calibrated(Calibrated {
            rate,
            growth,
            is_rough,
            due,
            overdue_growth,
            successes: 0,
            level: level_at(&history, rate, self.baseline_level, now.elapsed().as_secs_f64()),
            burst: (found.burst - margin).max(0.5),
            at: now,
        });
        tracing::trace!(?refusal, jitter = log.jitter(), state = ?self.state, "bucket fitted");
    }

    /// Fits the longest history that does not contradict itself: what was before a change tells nothing about now.
    fn longest_consistent_fit(&mut self, log: &RequestLog) -> (Vec<(f64, bool)>, BucketFit) {
        loop {
            let history = log.history(self.baseline);
            let found = fit(&history, self.baseline_level);
            let changed = CHANGED + 0.003 * history.len() as f64;
            let later = self.empty.iter().rev().skip(1).find(|empty| **empty > self.baseline).copied();
            match later {
                Some(later) if found.contradiction > changed => {
                    self.baseline = later;
                    self.baseline_level = found.burst;
                    self.has_changed = true;
                }
                _ => return (history, found),
            }
        }
    }
}

/// What is known when a bucket was found empty again.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    found: BucketFit,
    /// How long nothing is sent because of it, in seconds.
    pause: f64,
    /// The rate until then, if there was one, and how many requests it had let in.
    before: Option<(f64, usize)>,
    /// Requests since the limit was last seen to change.
    refused: usize,
    admitted: usize,
    /// How often it was found empty, this time included.
    number: usize,
    has_changed: bool,
}

/// How fast requests are sent from now on, and how the rate grows.
#[derive(Clone, Copy, Debug)]
struct Pace {
    rate: f64,
    growth: f64,
    is_rough: bool,
    due: usize,
    overdue_growth: f64,
}

impl Refusal {
    /// It came too soon to tell anything.
    fn tells_nothing(&self) -> bool {
        self.before.is_none() && self.number < 4 && self.found.fastest > MAX_RANGE * self.found.slowest
    }

    /// The rate starts between the slowest possible and the best one, not far from the one before. It grows towards the
    /// fastest possible one in as many requests as asking for more is worth.
    fn pace(&self) -> Pace {
        let Self { found, .. } = self;
        let rate = self.first_rate();
        let fastest = found.fastest.max(rate * 1.003);
        let lost = (rate * self.pause - found.burst).max(0.0);
        let doubt = (fastest - rate) / rate;
        // Asking for more pays when what it brings, half of the doubt on average, is more than what a refusal costs:
        // what overflows in the pause, and itself.
        let pays = (4.0 * lost + 8.0) / doubt;
        let budget = (REQUESTS_PER_REFUSAL * (self.refused as f64 + 1.0) - self.admitted as f64).max(0.0);
        let budget = if doubt < ROUGH { budget } else { 0.0 };
        let steps = budget.max(pays).max(self.admitted as f64 / 2.0).clamp(20.0, 5_000.0);
        let rate = match self.before {
            // Known well and refused long before it pays: requests arrive too unevenly for this rate.
            Some((before, successes)) if lost > 1.0 && self.number > 4 && (successes as f64) < 0.5 * pays => {
                rate.min(0.96 * before)
            }
            _ => rate,
        };
        let may_be_window = self.may_be_window(rate);
        Pace {
            rate,
            growth: (fastest - rate) / steps,
            is_rough: doubt > 0.65 || self.admitted < 10,
            due: self.due(rate, lost) as usize,
            overdue_growth: match (may_be_window, self.has_changed) {
                (true, _) => 50.0 * OVERDUE_GROWTH,
                (false, true) => 4.0 * OVERDUE_GROWTH,
                (false, false) => OVERDUE_GROWTH,
            },
        }
    }

    fn first_rate(&self) -> f64 {
        let Self { found, pause, .. } = self;
        let rate = found.slowest + CAUTION * (found.rate - found.slowest);
        // A request was let in per pause, or it would have had to be longer.
        self.before.map_or(rate, |(before, _)| rate.clamp(before / 3.0, before * 1.5)).max(0.5 / pause)
    }

    /// A large burst and hardly any rate may be a window whose reset is not known: soon asked, and then more rarely.
    fn may_be_window(&self, rate: f64) -> bool {
        self.found.burst > WINDOW_LIKE_SECONDS * rate && self.number < 6
    }

    /// After how many requests without a refusal the rate is far too low.
    fn due(&self, rate: f64, lost: f64) -> f64 {
        let due = if self.may_be_window(rate) {
            (7 << self.number) as f64
        } else {
            (12.0 * rate).max(120.0).max(50.0 * lost).max(self.admitted as f64 / 4.0)
        };
        if self.has_changed { due / 3.0 } else { due }
    }
}

impl Calibrated {
    /// Drains what has been refilled since the last time.
    fn drain(&mut self, now: Instant) {
        // Where the burst is hardly more than one, the margin is waited for beyond the instant when it is full.
        let least = (self.burst - 1.0).clamp(-0.5, 0.0);
        self.level = (self.level - self.rate * now.duration_since(self.at).as_secs_f64()).max(least);
        self.at = self.at.max(now);
    }

    /// The less certain the rate, the faster it grows; if nothing is refused for long, it is far too low.
    fn probe_up(&mut self) {
        self.successes += 1;
        self.rate += self.growth;
        if self.is_rough {
            self.rate *= 1.03;
        }
        if self.successes > self.due {
            self.rate *= 1.0 + ((self.successes - self.due) as f64 * self.overdue_growth).min(MAX_OVERDUE_GROWTH);
        }
        self.rate = self.rate.min(MAX_RATE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal after which `slowest`, `rate` and `fastest` are possible.
    fn refusal(slowest: f64, rate: f64, fastest: f64) -> Refusal {
        Refusal {
            found: BucketFit { rate, slowest, fastest, burst: 10.0, contradiction: 0.0 },
            pause: 1.0,
            before: None,
            refused: 2,
            admitted: 100,
            number: 2,
            has_changed: false,
        }
    }

    #[test]
    fn the_rate_follows_what_is_possible_and_what_was() {
        let rate_after = |before: f64, slowest: f64, rate: f64, fastest: f64| {
            Refusal { before: Some((before, 100)), ..refusal(slowest, rate, fastest) }.pace().rate
        };
        type Case = (f64, f64);
        #[rustfmt::skip]
        let cases: [Case; 6] = [
            // the rate, what is expected
            (refusal(8.0, 10.0, 11.0).pace().rate, 9.2),
            (rate_after(10.0, 8.0, 10.0, 11.0), 9.2),
            // By no more than half as much again, and by no more than to a third.
            (rate_after(4.0, 8.0, 10.0, 11.0), 6.0),
            (rate_after(60.0, 8.0, 10.0, 11.0), 20.0),
            // A request was let in per pause.
            (Refusal { pause: 1.0, ..refusal(0.1, 0.1, 0.1) }.pace().rate, 0.5),
            // Known well, and refused although it had hardly begun to ask for more.
            (Refusal { before: Some((10.0, 5)), number: 5, pause: 3.0, ..refusal(10.0, 10.0, 10.0) }.pace().rate, 9.6),
        ];
        for (at, (found, expected)) in cases.into_iter().enumerate() {
            assert!((found - expected).abs() < 1e-9, "case {at}: {found} instead of {expected}");
        }
    }

    #[test]
    fn asking_for_more_waits_until_it_pays() {
        // The better the rate is known, the slower it grows.
        let growth = |fastest: f64| refusal(9.9, 10.0, fastest).pace().growth;
        assert!(growth(10.2) < growth(12.0) && growth(12.0) < growth(20.0));
        // What a pause costs makes it rarer.
        let due = |pause: f64| Refusal { pause, ..refusal(10.0, 10.0, 10.5) }.pace().due;
        assert!(due(1.0) < due(30.0));
        // A limit that has changed once may change again.
        let changed = Refusal { has_changed: true, ..refusal(10.0, 10.0, 10.5) }.pace();
        assert!(changed.due < due(1.0) && changed.overdue_growth > OVERDUE_GROWTH);
    }

    #[test]
    fn a_first_refusal_may_tell_nothing() {
        assert!(refusal(0.1, 5.0, 50.0).tells_nothing());
        assert!(!refusal(5.0, 6.0, 50.0).tells_nothing());
        assert!(!Refusal { number: 4, ..refusal(0.1, 5.0, 50.0) }.tells_nothing());
        assert!(!Refusal { before: Some((5.0, 1)), ..refusal(0.1, 5.0, 50.0) }.tells_nothing());
    }
}
