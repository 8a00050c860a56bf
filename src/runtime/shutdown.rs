//! The wish to stop, shared by everybody who may have it and everybody who must obey it.

use tokio::sync::watch;

/// How urgently a run is asked to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShutdownLevel {
    #[default]
    Running,
    /// Start nothing new, let flights land, bring home who stands on a temporary name.
    Graceful(ShutdownReason),
    Immediate,
}

/// Why a run stops gracefully. The first reason stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShutdownReason {
    Interrupt,
    /// SIGTERM: a pipeline or a service manager ends the job.
    Terminate,
    /// A step failed and the user asked to stop at the first failure.
    FailFast,
    CircuitBreakerOpen,
    WindowClosed,
    /// Not all went well with a wave, so the next one was not begun.
    WaveFailed,
    /// Somebody did not want the next wave to begin.
    Declined,
    /// Credentials or permissions were refused: nothing else can succeed.
    Unauthorized,
    /// A network was not as the plan expects right before its write.
    UnexpectedChange,
    /// The API asks for a longer pause than is respected.
    RetryAfterTooLong,
    /// The journal can no longer be written.
    JournalWriteFailed,
}

/// A handle on the wish to stop; clones share it.
#[derive(Clone, Debug)]
pub struct Shutdown {
    level: watch::Sender<ShutdownLevel>,
    reason: std::rc::Rc<std::cell::Cell<Option<ShutdownReason>>>,
}

impl Shutdown {
    pub fn new() -> Self {
        Self { level: watch::Sender::new(ShutdownLevel::Running), reason: std::rc::Rc::default() }
    }

    pub fn level(&self) -> ShutdownLevel {
        *self.level.borrow()
    }

    /// Why a graceful stop was asked for first, if one was; it stays known when the stop becomes urgent.
    pub fn reason(&self) -> Option<ShutdownReason> {
        self.reason.get()
    }

    pub fn is_requested(&self) -> bool {
        self.level() != ShutdownLevel::Running
    }

    /// Asks for `level`. It can only become more urgent, and the first reason stays.
    pub fn request(&self, level: ShutdownLevel) {
        if let (ShutdownLevel::Graceful(reason), None) = (level, self.reason.get()) {
            self.reason.set(Some(reason));
        }
        self.level.send_if_modified(|current| {
            let stronger = match (*current, level) {
                (ShutdownLevel::Graceful(_), ShutdownLevel::Graceful(_)) => false,
                (current, wanted) => wanted > current,
            };
            if stronger {
                *current = level;
            }
            stronger
        });
    }

    /// Waits until a stop of any kind is asked for.
    pub async fn requested(&self) -> ShutdownLevel {
        self.wait(|level| level != ShutdownLevel::Running).await
    }

    pub async fn wait_immediate(&self) {
        self.wait(|level| level == ShutdownLevel::Immediate).await;
    }

    async fn wait(&self, accept: impl Fn(ShutdownLevel) -> bool) -> ShutdownLevel {
        let mut receiver = self.level.subscribe();
        match receiver.wait_for(|level| accept(*level)).await {
            Ok(level) => *level,
            // The sender is `self`, so it cannot be gone.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_only_grows_and_keeps_its_first_reason() {
        let shutdown = Shutdown::new();
        shutdown.request(ShutdownLevel::Graceful(ShutdownReason::FailFast));
        shutdown.request(ShutdownLevel::Graceful(ShutdownReason::Interrupt));
        assert_eq!(shutdown.level(), ShutdownLevel::Graceful(ShutdownReason::FailFast));
        shutdown.request(ShutdownLevel::Immediate);
        shutdown.request(ShutdownLevel::Graceful(ShutdownReason::Interrupt));
        assert_eq!(shutdown.level(), ShutdownLevel::Immediate);
    }
}
