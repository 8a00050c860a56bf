//! What was sent.

use std::time::Duration;

/// Counts of one process; what a run used is the difference of two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Requests of every kind, retries included.
    pub requests: u64,
    /// Writes, retries included.
    pub writes: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Answers 429.
    pub rate_limited: u64,
    /// How often everybody was silent because of one.
    pub pauses: u64,
    /// How long those were in all.
    pub paused: Duration,
}

impl Statistics {
    /// What was added since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            writes: self.writes - earlier.writes,
            retries: self.retries - earlier.retries,
            rate_limited: self.rate_limited - earlier.rate_limited,
            pauses: self.pauses - earlier.pauses,
            paused: self.paused.saturating_sub(earlier.paused),
        }
    }
}
