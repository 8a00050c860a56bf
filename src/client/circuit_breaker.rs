//! Circuit breaker: opens after many consecutive failures, over some time. Requests that are under way at once fail together when a
//! gateway restarts, and so do their next attempts.

use std::time::Duration;

use crate::runtime::Instant;

/// Number of consecutive failures, without a success in between, that open the breaker.
const FAILURE_THRESHOLD: u32 = 40;

/// Over so long a time at least: a restart takes some seconds.
const SHORTEST_OUTAGE: Duration = Duration::from_secs(10);

/// Counts consecutive failed attempts of all requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CircuitBreaker {
    consecutive_failures: u32,
    /// When the first of them was known.
    since: Option<Instant>,
}

impl CircuitBreaker {
    /// A response arrived that shows the API at work, even if it is a refusal.
    pub(super) const fn record_success(&mut self) {
        *self = Self { consecutive_failures: 0, since: None };
    }

    /// An attempt got no response or a 5xx; true when the breaker opens.
    pub(super) fn record_failure(&mut self, now: Instant) -> bool {
        self.consecutive_failures += 1;
        let since = *self.since.get_or_insert(now);
        self.consecutive_failures >= FAILURE_THRESHOLD && now >= since + SHORTEST_OUTAGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_many_failures_over_some_time() {
        let at = |seconds| Instant::START + Duration::from_secs(seconds);
        let mut breaker = CircuitBreaker::default();
        // However many are under way at once.
        for second in 0..10 {
            assert!((0..32).all(|_| !breaker.record_failure(at(second))), "second {second}");
        }
        assert!(breaker.record_failure(at(10)));
        breaker.record_success();
        // One at a time, after forty.
        assert_eq!((0..100).position(|failure| breaker.record_failure(at(failure))), Some(39));
    }
}
