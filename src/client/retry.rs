//! Retry policy and backoff.

use std::time::Duration;

use crate::model::HANDSET_INTERVAL;
use crate::runtime::SeededRng;
use crate::webex::RetryAfter;

/// The retry policy of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all on 5xx and on missing responses.
    pub max_attempts: u32,
    /// How long a location may stay locked (423) before its step fails.
    pub lock_timeout: Duration,
    /// Longest `Retry-After` of a 429 that is respected; a longer one ends the run cleanly.
    pub max_retry_after: Duration,
    /// How long 429s may follow each other without another response before the run ends.
    pub rate_limit_timeout: Duration,
    /// The time from the end of a change of the handsets of a network to the next one.
    pub handset_interval: Duration,
}

/// How long after its failure a request is still expected to be executed.
pub const LATE_WRITE_WINDOW: Duration = Duration::from_secs(25);

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            lock_timeout: Duration::from_secs(600),
            max_retry_after: Duration::from_secs(3_600),
            rate_limit_timeout: Duration::from_secs(900),
            handset_interval: HANDSET_INTERVAL,
        }
    }
}

/// First backoff without `Retry-After`.
const INITIAL_BACKOFF: Duration = Duration::from_millis(500);

/// Longest backoff without `Retry-After`.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The delay after the `attempt`-th failure (from 1): `Retry-After`, or exponential with full jitter.
///
/// A quarter of the bound is fixed, so that the next attempt never follows at once.
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
