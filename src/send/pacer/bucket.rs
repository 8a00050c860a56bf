//! Short waits: tokens that come in at a rate which is learned from one moment of emptiness to the next.
//!
//! At a refusal the bucket is empty. So between two refusals exactly as many tokens came in as requests were let in,
//! unless it overflowed; the longer the time between them, the better the rate is known. A copy of the bucket is kept
//! here: what came in during a pause may be spent at once after it, so that a refusal costs hardly any time.

use std::time::Duration;

use super::sends::Sends;
use super::window::Room;
use crate::runtime::Instant;

/// While the rate is unknown: one more in the air after so many successes.
const SUCCESSES_FOR_ONE_MORE: u32 = 4;

/// How much of what it may hold is counted on.
const SAFE_SHARE: f64 = 0.9;

/// So many successes in a row are more than a slow bucket has after a pause: the rest of the way is taken at once.
const SURELY_NOT_SLOW: u32 = 12;

/// So many requests between two moments of emptiness say something of the rate.
const A_FEW: usize = 4;

#[derive(Debug)]
pub(super) struct Bucket {
    /// When it was last known to be empty.
    empty: Instant,
    /// Since when the rate has been the same, as far as we know: a moment when it was empty.
    baseline: Instant,
    state: State,
    /// How many tokens it may hold.
    holds: f64,
    /// Tokens that came in and were lost since it overflowed: since the baseline, and since it was last empty.
    lost: f64,
    lost_lately: f64,
}

#[derive(Debug)]
enum State {
    /// Coming back slowly until it is empty again.
    Measuring { width: usize, successes: u32 },
    /// The rate is known.
    Known(Known),
}

#[derive(Debug)]
struct Known {
    /// Tokens a second.
    rate: f64,
    tokens: f64,
    at: Instant,
    /// How many requests the rate was measured with.
    measured_with: usize,
    successes: usize,
}

impl Bucket {
    /// Found empty for the first time; it was full when `first` was sent.
    pub(super) fn found_empty(empty: Instant) -> Self {
        let state = State::Measuring { width: 2, successes: 0 };
        Self { empty, baseline: empty, state, holds: f64::INFINITY, lost: 0.0, lost_lately: 0.0 }
    }

    pub(super) fn room(&mut self, sends: &Sends, now: Instant) -> Room {
        match &mut self.state {
            State::Measuring { width, .. } if sends.in_the_air() < *width => Room::Now,
            State::Measuring { .. } => Room::AfterAnAnswer,
            State::Known(known) => {
                known.fill(now, SAFE_SHARE * self.holds);
                if known.tokens >= 1.0 {
                    Room::Now
                } else {
                    Room::At(now + Duration::from_secs_f64((1.0 - known.tokens) / known.rate + 1e-6))
                }
            }
        }
    }

    /// A request goes.
    pub(super) fn spend(&mut self, now: Instant) {
        if let State::Known(known) = &mut self.state {
            known.fill(now, SAFE_SHARE * self.holds);
            known.tokens -= 1.0;
        }
    }

    /// A request was let in: the rate is a little higher, perhaps.
    pub(super) fn admitted(&mut self) {
        match &mut self.state {
            State::Measuring { width, successes } => {
                *successes += 1;
                if *successes > SURELY_NOT_SLOW || successes.is_multiple_of(SUCCESSES_FOR_ONE_MORE) {
                    *width += 1;
                }
            }
            State::Known(known) => known.grow(),
        }
    }

    /// Empty again.
    pub(super) fn refused(&mut self, empty: Instant, sends: &Sends, now: Instant, saturated: usize) {
        let rate_since = |since: Instant, lost: f64| {
            let requests = sends.since(since).saturating_sub(sends.since(empty));
            // Less than a token is left when it is empty, so this is up to one too many or too few: a few requests tell
            // little, and then too slow costs more than too fast, which is refused soon.
            let tokens = requests as f64 + lost + if requests < A_FEW { 0.5 } else { -0.3 };
            (requests, tokens.max(0.7) / empty.duration_since(since).as_secs_f64().max(0.05))
        };
        let (mut requests, mut rate) = rate_since(self.baseline, self.lost);
        let (lately, rate_lately) = rate_since(self.empty, self.lost_lately);
        // A rate that lately was quite another one has changed.
        let doubt = (2.0 / (lately as f64).max(1.0)).max(0.12);
        let changed = lately >= 4 && (rate_lately / rate - 1.0).abs() > doubt;
        // An overflow makes a rate look lower than it is, nothing makes it look higher.
        let was_too_low = lately >= 40 && rate_lately > rate;
        if changed || was_too_low {
            (self.baseline, self.lost) = (self.empty, self.lost_lately);
            (requests, rate) = (lately, rate_lately);
        }
        match &self.state {
            State::Known(known) if known.is_overdue() && known.rate > 1.25 * rate => {
                // It had to grow for long until it was refused: what came before says little about now.
                (self.baseline, self.lost) = (empty, 0.0);
                (requests, rate) = (30, 0.8 * known.rate);
            }
            State::Known(known) => rate = rate.max(known.rate / 3.0),
            State::Measuring { width, .. } => {
                if *width >= saturated {
                    // It overflowed while we came back slowly: it is faster than that.
                    requests = (requests / 4).max(5);
                }
                // It was full when the first request came, and its rate is known now.
                let first = sends.first().unwrap_or(self.baseline);
                let before = sends.since(first) - sends.since(self.baseline);
                let held = before as f64 - rate * self.baseline.duration_since(first).as_secs_f64();
                self.holds = held.max(2.0);
            }
        }
        self.empty = empty;
        // Requests that were let in after the refusal have used what came in since.
        let tokens = rate * now.duration_since(empty).as_secs_f64() - sends.since(empty) as f64 - 0.5;
        self.lost_lately = (tokens - self.holds).max(0.0);
        self.lost += self.lost_lately;
        let known =
            Known { rate, tokens: tokens.min(SAFE_SHARE * self.holds), at: now, measured_with: requests, successes: 0 };
        self.state = State::Known(known);
    }
}

impl Known {
    fn fill(&mut self, now: Instant, holds: f64) {
        self.tokens = (self.tokens + self.rate * now.duration_since(self.at).as_secs_f64()).min(holds);
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
    fn grow(&mut self) {
        self.successes += 1;
        let uncertainty = (1.25 / (self.measured_with as f64).max(1.0).powi(2)).clamp(0.000_01, 0.02);
        let overdue = self.overdue() * 0.000_2;
        self.rate *= 1.0 + uncertainty + overdue;
    }
}
