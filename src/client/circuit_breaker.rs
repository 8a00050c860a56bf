//! Circuit breaker: opens after 40 consecutive failures.

/// Number of consecutive failures, without a success in between, that open the breaker.
const FAILURE_THRESHOLD: u32 = 40;

/// Counts consecutive failed attempts of all requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CircuitBreaker {
    consecutive_failures: u32,
}

impl CircuitBreaker {
    /// A response arrived that shows the API at work, even if it is a refusal.
    pub(super) const fn record_success(&mut self) {
        self.consecutive_failures = 0;
    }

    /// An attempt got no response or a 5xx; true when the breaker opens.
    pub(super) const fn record_failure(&mut self) -> bool {
        self.consecutive_failures += 1;
        self.consecutive_failures >= FAILURE_THRESHOLD
    }
}
