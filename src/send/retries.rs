//! How often and how long: the bounds of one call, and what to wait before the next attempt.

use std::time::Duration;

use crate::runtime::SeededRng;
use crate::webex::RetryAfter;

/// The bounds of every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How often a request is sent in all when it gets no answer or a 5xx.
    pub max_attempts: u32,
    /// How long a location may stay locked (423) before its step fails.
    pub lock_timeout: Duration,
    /// The longest pause after a 429 that is respected; a longer one ends the run cleanly.
    pub longest_pause: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { max_attempts: 5, lock_timeout: Duration::from_secs(600), longest_pause: Duration::from_secs(3_600) }
    }
}

/// The first pause where the server names none.
const FIRST: Duration = Duration::from_millis(500);

/// The longest pause where the server names none.
const LONGEST: Duration = Duration::from_secs(30);

/// What to wait after the `attempt`-th failure (from 1): what the server says, or exponentially longer with full jitter.
///
/// A quarter of the bound is certain, so that an unlucky draw does not knock again at once.
pub(super) fn pause(attempt: u32, retry_after: Option<RetryAfter>, rng: &mut SeededRng) -> Duration {
    if let Some(wait) = retry_after.and_then(RetryAfter::wait) {
        return wait;
    }
    let bound = FIRST.saturating_mul(1 << attempt.clamp(1, 16)).min(LONGEST);
    bound / 4 + rng.full_jitter(bound - bound / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_and_stays_bounded() {
        let mut rng = SeededRng::from_seed(3);
        for attempt in 1..40 {
            let pause = pause(attempt, None, &mut rng);
            assert!(pause >= Duration::from_millis(250) && pause <= LONGEST, "{attempt}: {pause:?}");
        }
        let said = RetryAfter::Wait(Duration::from_secs(3));
        assert_eq!(pause(1, Some(said), &mut rng), Duration::from_secs(3));
        assert!(pause(1, Some(RetryAfter::Unreadable), &mut rng) <= Duration::from_secs(1));
    }
}
