//! An even pace beside a window, for short waits that the window does not explain, as of counters that lag.
//!
//! It follows what was delivered: from one refusal to the next, that is the rate at which requests were let in, pauses
//! included. The pace grows by little with every request that is let in, and with a refusal it falls to the middle of itself and
//! what was delivered before, but not much below the best that was delivered lately.

use std::time::Duration;

use super::availability::Availability;
use super::request_log::RequestLog;
use super::{LEAST_SHARE, MEMORY, RATES};
use crate::runtime::Instant;

/// Growth with every request that is let in: by a sixteenth in sixty requests; until the first refusal by three in a hundred each,
/// since what was delivered before may be far too slow, as after an outage.
const GROWTH: f64 = 0.001;
const ROUGH_GROWTH: f64 = 0.03;

/// What was delivered counts as this share of the pace at least: a refusal right after another one says little.
const LEAST_DELIVERED: f64 = 0.125;

#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// Requests per second.
    rate: f64,
    /// Part of the next request that has been waited for.
    filled: f64,
    at: Instant,
    is_rough: bool,
    refusals: Vec<Instant>,
}

impl Pace {
    /// Begins with the rate that a window lets in, at its first short refusal.
    pub(super) fn beside_window(rate: f64, refused: Instant, now: Instant) -> Self {
        Self { rate: rate.max(RATES.0), filled: 0.0, at: now, is_rough: true, refusals: vec![refused] }
    }

    pub(super) fn availability(&mut self, now: Instant) -> Availability {
        self.fill(now);
        match 1.0 - self.filled {
            missing if missing <= 0.0 => Availability::Now,
            missing => Availability::At(now + Duration::from_secs_f64(missing / self.rate + 1e-6)),
        }
    }

    fn fill(&mut self, now: Instant) {
        self.filled = (self.filled + self.rate * now.duration_since(self.at).as_secs_f64()).min(1.0);
        self.at = self.at.max(now);
    }

    /// A request is sent.
    pub(super) fn take(&mut self, now: Instant) {
        self.fill(now);
        self.filled -= 1.0;
    }

    /// A request was let in.
    pub(super) const fn admitted(&mut self) {
        let growth = if self.is_rough { ROUGH_GROWTH } else { GROWTH };
        self.rate = (self.rate * (1.0 + growth)).min(RATES.1);
    }

    /// Refused for a short time.
    pub(super) fn refused(&mut self, began: Instant, log: &RequestLog, now: Instant) {
        if self.refusals.len() == MEMORY {
            self.refusals.remove(0);
        }
        self.refusals.push(began);
        let last = delivered(&self.refusals[self.refusals.len().saturating_sub(2)..], log);
        let middle = (self.rate * last.max(LEAST_DELIVERED * self.rate)).sqrt();
        self.rate = middle.min(self.rate).max(LEAST_SHARE * delivered(&self.refusals, log)).max(RATES.0);
        (self.filled, self.at, self.is_rough) = (self.filled.min(0.0), now, false);
    }

    /// Requests per second.
    pub(super) const fn rate(&self) -> f64 {
        self.rate
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        format!("about {:.1} requests/s", self.rate)
    }
}

/// The fastest rate from one refusal to the next, in requests per second.
fn delivered(refusals: &[Instant], log: &RequestLog) -> f64 {
    let rates = refusals.windows(2).map(|pair| {
        let seconds = pair[1].duration_since(pair[0]).as_secs_f64().max(1.0);
        (log.since(pair[0]) - log.since(pair[1])) as f64 / seconds
    });
    rates.fold(0.0, f64::max)
}
