//! How often and how long: the bounds of one call, and what to wait before the next attempt.

use std::time::Duration;

use crate::runtime::SeededRng;
use crate::webex::RetryAfter;

/// The bounds of every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request is sent in all when it gets no answer or a 5xx.
    pub max_attempts: u32,
    /// How long a location may stay locked (423) before its step fails.
    pub lock_timeout: Duration,
    /// The longest pause after a 429 that is respected; a longer one ends the run cleanly.
    pub max_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 5, lock_timeout: Duration::from_secs(600), max_retry_after: Duration::from_secs(3_600) }
    }
}

/// The first pause where the server names none.
const INITIAL_BACKOFF: Duration = Duration::from_millis(500);

/// The longest pause where the server names none.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// What to wait after the `attempt`-th failure (from 1): what the server says, or exponentially longer with full jitter.
///
/// A quarter of the bound is certain, so that an unlucky draw does not knock again at once.
pub(super) fn backoff_delay(attempt: u32, retry_after: Option<RetryAfter>, rng: &mut SeededRng) -> Duration {
    if let Some(wait) = retry_after.and_then(RetryAfter::wait) {
        return wait;
    }
    let bound = INITIAL_BACKOFF.saturating_mul(1 << attempt.clamp(1, 16)).min(MAX_BACKOFF);
    bound / 4 + rng.full_jitter(bound - bound / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_and_stays_bounded() {
        let mut rng = SeededRng::from_seed(3);
        for attempt in 1..40 {
            let backoff_delay = backoff_delay(attempt, None, &mut rng);
            assert!(
                backoff_delay >= Duration::from_millis(250) && backoff_delay <= MAX_BACKOFF,
                "{attempt}: {backoff_delay:?}"
            );
        }
        let header = RetryAfter::Wait(Duration::from_secs(3));
        assert_eq!(backoff_delay(1, Some(header), &mut rng), Duration::from_secs(3));
        assert!(backoff_delay(1, Some(RetryAfter::Unreadable), &mut rng) <= Duration::from_secs(1));
    }
}
