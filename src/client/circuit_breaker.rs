//! The circuit breaker: when nothing but errors comes back, stop asking.

/// So many attempts in a row must have failed, without one success between.
const FAILURE_THRESHOLD: u32 = 40;

/// Counts attempts that failed in a row, whoever made them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CircuitBreaker {
    consecutive_failures: u32,
}

impl CircuitBreaker {
    /// An answer came that shows the API at work, be it a refusal.
    pub(super) const fn record_success(&mut self) {
        self.consecutive_failures = 0;
    }

    /// An attempt got no answer or a 5xx; true when it is time to stop asking.
    pub(super) const fn record_failure(&mut self) -> bool {
        self.consecutive_failures += 1;
        self.consecutive_failures >= FAILURE_THRESHOLD
    }
}
