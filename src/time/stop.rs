//! The wish to stop, shared by everybody who may have it and everybody who must obey it.

use tokio::sync::watch;

/// How urgently a run is asked to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Nobody asked.
    #[default]
    None,
    /// Start nothing new, let flights land, bring home who stands on a temporary name.
    Graceful(StopReason),
    /// Drop everything.
    Now,
}

/// Why a run stops gracefully. The first reason stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopReason {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: a pipeline or a service manager ends the job.
    Terminate,
    /// A step failed and the user asked to stop at the first failure.
    FailFast,
    /// Nothing but errors came back.
    Breaker,
    /// The end of the maintenance window.
    Deadline,
    /// Not all went well with a wave, so the next one was not begun.
    WaveFailed,
    /// Somebody did not want the next wave to begin.
    Declined,
    /// Credentials or permissions were refused: nothing else can succeed.
    Refused,
    /// A network was not as the plan expects right before its write.
    Surprise,
    /// The API asks for a longer pause than is respected.
    TooLongAPause,
    /// The journal can no longer be written.
    Journal,
}

/// A handle on the wish to stop; clones share it.
#[derive(Clone, Debug)]
pub struct Stop {
    level: watch::Sender<StopLevel>,
    reason: std::rc::Rc<std::cell::Cell<Option<StopReason>>>,
}

impl Stop {
    /// Nobody asks to stop yet.
    pub fn new() -> Self {
        Self { level: watch::Sender::new(StopLevel::None), reason: std::rc::Rc::default() }
    }

    /// What is asked at this moment.
    pub fn level(&self) -> StopLevel {
        *self.level.borrow()
    }

    /// Why a graceful stop was asked for first, if one was; it stays known when the stop becomes urgent.
    pub fn reason(&self) -> Option<StopReason> {
        self.reason.get()
    }

    /// Whether anything at all is asked.
    pub fn is_asked(&self) -> bool {
        self.level() != StopLevel::None
    }

    /// Asks for `level`. It can only become more urgent, and the first reason stays.
    pub fn ask(&self, level: StopLevel) {
        if let (StopLevel::Graceful(reason), None) = (level, self.reason.get()) {
            self.reason.set(Some(reason));
        }
        self.level.send_if_modified(|current| {
            let stronger = match (*current, level) {
                (StopLevel::Graceful(_), StopLevel::Graceful(_)) => false,
                (current, wanted) => wanted > current,
            };
            if stronger {
                *current = level;
            }
            stronger
        });
    }

    /// Waits until a stop of any kind is asked for.
    pub async fn asked(&self) -> StopLevel {
        self.wait(|level| level != StopLevel::None).await
    }

    /// Waits until everything must be dropped.
    pub async fn now(&self) {
        self.wait(|level| level == StopLevel::Now).await;
    }

    async fn wait(&self, accept: impl Fn(StopLevel) -> bool) -> StopLevel {
        let mut receiver = self.level.subscribe();
        match receiver.wait_for(|level| accept(*level)).await {
            Ok(level) => *level,
            // The sender is `self`, so it cannot be gone.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_only_grows_and_keeps_its_first_reason() {
        let stop = Stop::new();
        stop.ask(StopLevel::Graceful(StopReason::FailFast));
        stop.ask(StopLevel::Graceful(StopReason::Interrupt));
        assert_eq!(stop.level(), StopLevel::Graceful(StopReason::FailFast));
        stop.ask(StopLevel::Now);
        stop.ask(StopLevel::Graceful(StopReason::Interrupt));
        assert_eq!(stop.level(), StopLevel::Now);
    }
}
