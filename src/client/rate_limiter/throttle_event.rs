//! An episode: one refusal and all others of requests that were in the air with it. One decision for all of them.

use std::time::Duration;

use crate::runtime::Instant;

/// Waits are given in whole seconds, rounded up, so the true one is up to a second shorter.
const RETRY_AFTER_RESOLUTION: Duration = Duration::from_secs(1);

/// From here on a wait is long: a window, not a bucket.
const WINDOW_WAIT_THRESHOLD: Duration = Duration::from_millis(2_500);

#[derive(Clone, Copy, Debug)]
pub(super) struct ThrottleEvent {
    /// When the first refusal was decided: there was no quota left then.
    pub(super) began: Instant,
    /// Between these two there is quota again, if the answers said so.
    pub(super) reset: Option<ResetEstimate>,
}

/// When there is quota again: after `earliest`, at `latest`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResetEstimate {
    pub(super) earliest: Instant,
    pub(super) latest: Instant,
}

impl ThrottleEvent {
    pub(super) const fn begin(decided: Instant) -> Self {
        Self { began: decided, reset: None }
    }

    /// Takes in one refusal of the episode. Each wait is rounded up, so together they are tighter than one.
    pub(super) fn refused(&mut self, decided: Instant, wait: Option<Duration>) {
        self.began = self.began.min(decided);
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

    /// The reset, if it was a long wait.
    pub(super) fn long(&self) -> Option<ResetEstimate> {
        self.reset.filter(|reset| reset.latest.duration_since(self.began) >= WINDOW_WAIT_THRESHOLD)
    }
}

impl ResetEstimate {
    /// The best guess.
    pub(super) fn middle(self) -> Instant {
        self.earliest + self.latest.duration_since(self.earliest) / 2
    }
}
