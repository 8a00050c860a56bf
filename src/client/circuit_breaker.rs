//! Circuit breaker: opens after many consecutive failures, in several rounds. Those that are under way at once are one round:
//! ten of them fail together when a gateway restarts.

use crate::runtime::Instant;

/// Number of consecutive failures, without a success in between, that open the breaker.
const FAILURE_THRESHOLD: u32 = 40;

/// In so many rounds at least.
const ROUND_THRESHOLD: u32 = 8;

/// Counts consecutive failed attempts of all requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CircuitBreaker {
    consecutive_failures: u32,
    rounds: u32,
    /// When the failure arrived that began the last round.
    last_round: Option<Instant>,
}

impl CircuitBreaker {
    /// A response arrived that shows the API at work, even if it is a refusal.
    pub(super) const fn record_success(&mut self) {
        *self = Self { consecutive_failures: 0, rounds: 0, last_round: None };
    }

    /// An attempt got no response or a 5xx; true when the breaker opens.
    pub(super) fn record_failure(&mut self, sent: Instant, now: Instant) -> bool {
        self.consecutive_failures += 1;
        if self.last_round.is_none_or(|last| sent >= last) {
            self.rounds += 1;
            self.last_round = Some(now);
        }
        self.consecutive_failures >= FAILURE_THRESHOLD && self.rounds >= ROUND_THRESHOLD
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_under_way_at_once_fails_in_one_round() {
        let at = |seconds| Instant::START + Duration::from_secs(seconds);
        let mut breaker = CircuitBreaker::default();
        for round in 0..7 {
            assert!((0..10).all(|_| !breaker.record_failure(at(2 * round), at(2 * round + 1))), "round {round}");
        }
        assert!(breaker.record_failure(at(14), at(15)));
        breaker.record_success();
        // One at a time, each is a round.
        assert_eq!((0..100).position(|failure| breaker.record_failure(at(failure), at(failure))), Some(39));
    }
}
