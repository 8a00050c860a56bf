//! A throttle event: one 429 and all others of requests in flight at the same time. One decision for all of them.

use std::time::Duration;

use super::request_log::Decided;
use crate::runtime::Instant;

/// `Retry-After` is in whole seconds, rounded up, so the true wait is up to a second shorter.
const RETRY_AFTER_RESOLUTION: Duration = Duration::from_secs(1);

/// From here on a wait is long: a window, not a bucket.
pub(super) const WINDOW_WAIT_THRESHOLD: Duration = Duration::from_millis(2_500);

#[derive(Clone, Debug)]
pub(super) struct ThrottleEvent {
    /// When the first refusal was decided: no quota was left then.
    pub(super) began: Instant,
    /// Range in which there is quota again, if the responses had a `Retry-After`.
    pub(super) reset: Option<ResetEstimate>,
    /// When the last refusal was decided.
    last_refusal: Instant,
    /// How many were in flight at most meanwhile.
    pub(super) peak: usize,
    /// Whether a `Retry-After` that can be right ends the pause. If not, single requests find out when there is quota
    /// again.
    pub(super) is_told: bool,
}

/// When there is quota again: after `earliest`, at `latest`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResetEstimate {
    pub(super) earliest: Instant,
    pub(super) latest: Instant,
}

impl ThrottleEvent {
    pub(super) const fn begin(decided: Decided, is_told: bool) -> Self {
        Self { began: decided.at, reset: None, last_refusal: decided.at, peak: 0, is_told }
    }

    /// This event is the same as `before`: nothing was let in between, so the pause was too short.
    pub(super) fn continues(&mut self, before: &Self) {
        self.began = before.began;
        self.peak = self.peak.max(before.peak);
        self.reset = None;
        self.is_told = false;
    }

    /// A single request was let in: there was quota again between the last refusal and then.
    pub(super) fn observed(&mut self, accounted_at: Instant) {
        self.reset = Some(ResetEstimate { earliest: self.last_refusal.min(accounted_at), latest: accounted_at });
    }

    /// Adds one refusal of the event. Each wait is rounded up, so together they are tighter than one.
    pub(super) fn refused(&mut self, Decided { at: decided, peak, .. }: Decided, wait: Option<Duration>) {
        self.peak = self.peak.max(peak);
        self.began = self.began.min(decided);
        self.last_refusal = self.last_refusal.max(decided);
        let Some(wait) = wait else { return };
        let (earliest, latest) = (decided + wait.saturating_sub(RETRY_AFTER_RESOLUTION), decided + wait);
        self.reset = Some(match self.reset {
            None => ResetEstimate { earliest, latest },
            Some(reset) => {
                let latest = reset.latest.min(latest);
                ResetEstimate { earliest: reset.earliest.max(earliest).min(latest), latest }
            }
        });
    }

    /// Whether it was a long wait.
    pub(super) fn is_long(&self) -> bool {
        self.reset.is_some_and(|reset| reset.latest.duration_since(self.began) >= WINDOW_WAIT_THRESHOLD)
    }
}
