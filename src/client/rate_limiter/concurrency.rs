//! How many requests may be in flight while no limit says so: ten at first and after a refusal, which hits all of them; more while
//! nothing is refused and responses do not take longer.

use super::ONE_MORE_AFTER;

/// Without a limit of the user: at first, and after a refusal. As usual clients have.
pub const DEFAULT_CONCURRENCY: usize = 10;
/// Without a limit of the user: when nothing is refused.
pub const MAX_CONCURRENCY: usize = 32;

/// Responses may take this much longer than with few in flight.
const MAX_SLOWDOWN: f64 = 1.5;

#[derive(Debug)]
pub(super) struct Concurrency {
    /// What is allowed at first, and at most.
    default: usize,
    most: usize,
    limit: usize,
    /// Responses without a refusal.
    successes: u32,
    /// Latency in seconds while few were in flight.
    unhurried: Option<f64>,
}

impl Concurrency {
    /// At most `most` in flight; the default and growth if there is none.
    pub(super) fn new(most: Option<usize>) -> Self {
        let most = most.unwrap_or(MAX_CONCURRENCY).max(1);
        let default = most.min(DEFAULT_CONCURRENCY);
        Self { default, most, limit: default, successes: 0, unhurried: None }
    }

    /// How many may be in flight.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    pub(super) const fn most(&self) -> usize {
        self.most
    }

    /// A pause begins.
    pub(super) fn refused(&mut self) {
        (self.limit, self.successes) = (self.default, 0);
    }

    /// A request was let in; a response takes `latency` seconds now.
    pub(super) fn admitted(&mut self, latency: f64) {
        self.successes += 1;
        if !self.successes.is_multiple_of(ONE_MORE_AFTER) {
            return;
        }
        let unhurried = *self.unhurried.get_or_insert(latency);
        if self.limit < self.most && latency <= MAX_SLOWDOWN * unhurried {
            self.limit += 1;
        }
    }
}
