//! Retry policy: whether and when a failed attempt is repeated. Decisions only; `api_client` carries them out.

use std::time::Duration;

use super::request::AttemptState;
use crate::model::HANDSET_INTERVAL;
use crate::runtime::{Instant, SeededRng};
use crate::webex::calls::Effect;
use crate::webex::{ApiError, ErrorClass, MaybeApplied, RetryAfter};

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

impl RetryPolicy {
    /// How long is waited for the next attempt after so many; `None` if these were all.
    pub(super) fn wait_after(
        &self,
        attempts: u32,
        retry_after: Option<RetryAfter>,
        rng: &mut SeededRng,
    ) -> Option<Duration> {
        (attempts < self.max_attempts).then(|| backoff_delay(attempts, retry_after, rng))
    }
}

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

/// The delay after the `attempt`-th failure (from 1): exponential with full jitter, and not less than `Retry-After`.
///
/// Half of the bound is fixed: the attempts of a request are not used up by an outage of some seconds, whatever it says.
pub(super) fn backoff_delay(attempt: u32, retry_after: Option<RetryAfter>, rng: &mut SeededRng) -> Duration {
    let bound = INITIAL_BACKOFF.saturating_mul(1 << attempt.clamp(1, 16)).min(MAX_BACKOFF);
    let own = bound / 2 + rng.full_jitter(bound / 2);
    retry_after.and_then(RetryAfter::wait).map_or(own, |wait| wait.max(own))
}

/// Minimum wait before a locked location is retried.
const MIN_LOCK_WAIT: Duration = Duration::from_millis(250);

/// A wait may end later than a timeout by this part of it: what a server names is often a divisor of the timeout, and each request
/// takes a moment.
const TOLERANCE: u32 = 20;

/// At most this much of the time between two 423 responses counts as lock time; the rest is attributed to rate limits
/// or outages.
const MAX_LOCK_INTERVAL: Duration = Duration::from_secs(30);

/// A failed attempt, and what the rate limiter knows by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailedAttempt<'a> {
    pub(super) error: &'a ApiError,
    pub(super) now: Instant,
    pub(super) effect: Effect,
    /// Until when no request is let in.
    pub(super) paused_until: Option<Instant>,
    /// When the first of the 429s arrived that no request has got through since.
    pub(super) rate_limited_since: Option<Instant>,
}

/// How to go on after a failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// As soon as the rate limiter lets it in.
    Retry,
    /// After a wait.
    RetryAt(Instant),
    /// With another token.
    RefreshToken,
    /// The location is locked until then; the reason if that is not waited for.
    Locked { until: Instant, give_up: Option<String> },
    /// Not at all, for this reason if it is not the error itself.
    Fail(Option<String>),
    /// Nor does any other request of the run: the rate limit lets none in.
    RateLimitTimeout(String),
}

impl AttemptState {
    /// Counts a failed attempt.
    pub(super) fn record_failure(&mut self, class: ErrorClass, now: Instant) {
        match class {
            ErrorClass::Locked => {
                if let Some((met, waited)) = self.lock {
                    self.locked_for += now.duration_since(met).min(waited.max(MAX_LOCK_INTERVAL));
                }
                self.locks += 1;
            }
            ErrorClass::Transient => self.failed += 1,
            ErrorClass::RateLimited
            | ErrorClass::Unauthorized
            | ErrorClass::NotFound
            | ErrorClass::Conflict
            | ErrorClass::Permanent => {}
        }
    }
}

impl RetryPolicy {
    /// Whether and when an attempt is repeated; `state` counts it already.
    pub(super) fn decide(
        &self,
        attempt: FailedAttempt<'_>,
        state: &AttemptState,
        rng: &mut SeededRng,
    ) -> RetryDecision {
        let FailedAttempt { error, now, .. } = attempt;
        match error.class {
            ErrorClass::RateLimited => self.after_rate_limit(attempt),
            ErrorClass::Locked => self.after_lock(error.retry_after, now, state, rng),
            ErrorClass::Unauthorized if error.status == Some(401) => RetryDecision::RefreshToken,
            ErrorClass::Transient => self.after_failure(attempt, state, rng),
            ErrorClass::Unauthorized | ErrorClass::NotFound | ErrorClass::Conflict | ErrorClass::Permanent => {
                RetryDecision::Fail(None)
            }
        }
    }

    fn after_rate_limit(&self, attempt: FailedAttempt<'_>) -> RetryDecision {
        let now = attempt.now;
        let wait = attempt.paused_until.map_or(Duration::ZERO, |until| until.duration_since(now));
        let waited = attempt.rate_limited_since.map_or(Duration::ZERO, |since| now.duration_since(since));
        let limit = self.rate_limit_timeout;
        if wait > self.max_retry_after {
            tracing::warn!(wait_s = wait.as_secs(), "Retry-After exceeds the maximum");
            RetryDecision::Fail(None)
        } else if waited + wait > limit + limit / TOLERANCE {
            let seconds = |time: Duration| time.as_secs_f64().ceil();
            let waited = match waited {
                Duration::ZERO => String::new(),
                waited => format!("rate limited for {} s, and ", seconds(waited)),
            };
            let wait = seconds(wait);
            RetryDecision::RateLimitTimeout(format!(
                "{waited}the server asks to wait for {wait} s: longer than --rate-limit-timeout ({limit:?})"
            ))
        } else {
            RetryDecision::Retry
        }
    }

    fn after_lock(
        &self,
        retry_after: Option<RetryAfter>,
        now: Instant,
        state: &AttemptState,
        rng: &mut SeededRng,
    ) -> RetryDecision {
        // Zero says nothing, like a missing header.
        let named = retry_after.and_then(RetryAfter::wait).filter(|wait| !wait.is_zero());
        let named = named.map(|wait| wait.max(MIN_LOCK_WAIT));
        let own = backoff_delay(state.locks, None, rng).max(MIN_LOCK_WAIT);
        let left = self.lock_timeout.saturating_sub(state.locked_for);
        // Our own backoff is no reason to give up early.
        let wait = named.unwrap_or(own.min(left.max(MIN_LOCK_WAIT)));
        let most = left + self.lock_timeout / TOLERANCE;
        let is_over = left.is_zero() || named.is_some_and(|named| named > most.min(self.lock_timeout));
        RetryDecision::Locked { until: now + wait, give_up: is_over.then(|| self.lock_timeout_message(named)) }
    }

    /// How long a location is locked at least after a 423.
    pub(super) fn shortest_lock(&self, retry_after: Option<RetryAfter>) -> Duration {
        let named = retry_after.and_then(RetryAfter::wait).map_or(MIN_LOCK_WAIT, |wait| wait.max(MIN_LOCK_WAIT));
        named.min(self.lock_timeout)
    }

    /// Why a lock is not waited for any longer; `named` is the `Retry-After` of the response.
    pub(super) fn lock_timeout_message(&self, named: Option<Duration>) -> String {
        let most = self.lock_timeout;
        match named.filter(|named| *named > most) {
            Some(named) => format!("Retry-After of {named:.1?} exceeds --lock-timeout ({most:?})"),
            None => format!("still locked after --lock-timeout ({most:?})"),
        }
    }

    fn after_failure(&self, attempt: FailedAttempt<'_>, state: &AttemptState, rng: &mut SeededRng) -> RetryDecision {
        let FailedAttempt { error, now, effect, .. } = attempt;
        let is_unsafe = error.applied == MaybeApplied::Unknown && effect == Effect::Adds;
        let wait = self.wait_after(state.failed, error.retry_after, rng).filter(|_| !is_unsafe);
        let Some(wait) = wait else { return RetryDecision::Fail(None) };
        if wait > self.max_retry_after {
            let reason = format!("the server asks to wait {} s, which is not waited for", wait.as_secs());
            return RetryDecision::Fail(Some(reason));
        }
        RetryDecision::RetryAt(now + wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::START;

    fn decide(error: &ApiError, state: &AttemptState, effect: Effect) -> RetryDecision {
        let attempt = FailedAttempt { error, now: NOW, effect, paused_until: None, rate_limited_since: None };
        RetryPolicy::default().decide(attempt, state, &mut SeededRng::from_seed(1))
    }

    fn error(class: ErrorClass, applied: MaybeApplied) -> ApiError {
        ApiError::no_response(class, "lost", applied)
    }

    #[test]
    fn a_failed_attempt_is_repeated_unless_it_may_have_created_something() {
        let lost = error(ErrorClass::Transient, MaybeApplied::Unknown);
        let state = AttemptState { failed: 1, ..AttemptState::default() };
        assert!(matches!(decide(&lost, &state, Effect::Replaces), RetryDecision::RetryAt(at) if at > NOW));
        assert_eq!(decide(&lost, &state, Effect::Adds), RetryDecision::Fail(None));
        let refused = error(ErrorClass::Transient, MaybeApplied::No);
        assert!(matches!(decide(&refused, &state, Effect::Adds), RetryDecision::RetryAt(_)));
        let often = AttemptState { failed: RetryPolicy::default().max_attempts, ..AttemptState::default() };
        assert_eq!(decide(&refused, &often, Effect::Replaces), RetryDecision::Fail(None));
    }

    #[test]
    fn a_lock_is_waited_for_until_its_timeout() {
        let mut locked = error(ErrorClass::Locked, MaybeApplied::No);
        let mut state = AttemptState::default();
        state.record_failure(ErrorClass::Locked, NOW);
        assert!(matches!(decide(&locked, &state, Effect::Replaces), RetryDecision::Locked { give_up: None, .. }));
        locked.retry_after = Some(RetryAfter::Wait(Duration::from_secs(601)));
        let RetryDecision::Locked { until, give_up: Some(reason) } = decide(&locked, &state, Effect::Replaces) else {
            panic!("it is longer than the timeout")
        };
        assert_eq!(until, NOW + Duration::from_secs(601));
        assert!(reason.contains("exceeds --lock-timeout"), "{reason}");
        // Twice 301 s end a moment after 600 s.
        locked.retry_after = Some(RetryAfter::Wait(Duration::from_secs(301)));
        let waited = AttemptState { locked_for: Duration::from_secs(301), locks: 1, ..AttemptState::default() };
        assert!(matches!(decide(&locked, &waited, Effect::Replaces), RetryDecision::Locked { give_up: None, .. }));
        let waited = AttemptState { locked_for: Duration::from_secs(500), locks: 1, ..AttemptState::default() };
        assert!(matches!(decide(&locked, &waited, Effect::Replaces), RetryDecision::Locked { give_up: Some(_), .. }));
        state.lock = Some((NOW, Duration::from_secs(600)));
        state.record_failure(ErrorClass::Locked, NOW + Duration::from_secs(600));
        locked.retry_after = None;
        assert!(matches!(decide(&locked, &state, Effect::Replaces), RetryDecision::Locked { give_up: Some(_), .. }));
    }

    #[test]
    fn a_rate_limit_ends_the_run_after_its_timeout() {
        let limited = error(ErrorClass::RateLimited, MaybeApplied::No);
        let attempt = |since: u64, pause: u64| FailedAttempt {
            error: &limited,
            now: NOW + Duration::from_secs(1_000),
            effect: Effect::Replaces,
            paused_until: Some(NOW + Duration::from_secs(1_000 + pause)),
            rate_limited_since: Some(NOW + Duration::from_secs(1_000 - since)),
        };
        let decide =
            |attempt| RetryPolicy::default().decide(attempt, &AttemptState::default(), &mut SeededRng::from_seed(1));
        assert_eq!(decide(attempt(800, 100)), RetryDecision::Retry);
        assert_eq!(decide(attempt(800, 145)), RetryDecision::Retry);
        assert!(matches!(decide(attempt(800, 146)), RetryDecision::RateLimitTimeout(_)));
        assert_eq!(decide(attempt(0, 3_601)), RetryDecision::Fail(None));
    }

    #[test]
    fn only_a_rejected_token_is_replaced() {
        let mut rejected = error(ErrorClass::Unauthorized, MaybeApplied::No);
        assert_eq!(decide(&rejected, &AttemptState::default(), Effect::Replaces), RetryDecision::Fail(None));
        rejected.status = Some(401);
        assert_eq!(decide(&rejected, &AttemptState::default(), Effect::Replaces), RetryDecision::RefreshToken);
    }

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
