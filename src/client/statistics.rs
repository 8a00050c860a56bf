//! Request statistics.

use std::time::Duration;

/// Counters of one process; those of a run are the difference of two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Requests of every kind, retries included.
    pub requests: u64,
    /// Writes, retries included.
    pub writes: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// 429 responses.
    pub rate_limited: u64,
    /// Pauses of all requests after a 429.
    pub pauses: u64,
    /// Total duration of those pauses.
    pub paused: Duration,
}

impl Statistics {
    /// The difference to `earlier`.
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
