//! Graceful-shutdown signal shared by signal handlers, the circuit breaker and the executor.

use tokio::sync::watch;

/// How urgently a run is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShutdownLevel {
    #[default]
    Running,
    /// Start no new steps, await in-flight requests, resolve temporary names.
    Graceful(ShutdownReason),
    Immediate,
}

/// Why a run shuts down gracefully. The first reason is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShutdownReason {
    Interrupt,
    /// SIGTERM: a pipeline or a service manager ends the job.
    Terminate,
    /// A step failed and `--fail-fast` is set.
    FailFast,
    CircuitBreakerOpen,
    WindowClosed,
    /// A wave failed, so the next one is not started.
    WaveFailed,
    /// The next wave was not confirmed.
    Declined,
    /// Credentials or permissions are insufficient: nothing else can succeed.
    Unauthorized,
    /// A network changed unexpectedly right before its update.
    UnexpectedChange,
    /// `Retry-After` exceeds the maximum that is respected.
    RetryAfterTooLong,
    /// 429s without a request let in for longer than `--rate-limit-timeout`.
    RateLimitTimeout,
    /// The journal can no longer be written.
    JournalWriteFailed,
}

/// A handle on the signal; clones share it.
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

    /// The first reason for a graceful shutdown, if one was requested; it is kept when the shutdown becomes immediate.
    pub fn reason(&self) -> Option<ShutdownReason> {
        self.reason.get()
    }

    pub fn is_requested(&self) -> bool {
        self.level() != ShutdownLevel::Running
    }

    /// Requests `level`. It can only become more urgent, and the first reason is kept.
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

    /// Waits until any shutdown is requested.
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
            // The sender is `self`, so it cannot be dropped.
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
    fn the_level_only_increases_and_keeps_its_first_reason() {
        let shutdown = Shutdown::new();
        shutdown.request(ShutdownLevel::Graceful(ShutdownReason::FailFast));
        shutdown.request(ShutdownLevel::Graceful(ShutdownReason::Interrupt));
        assert_eq!(shutdown.level(), ShutdownLevel::Graceful(ShutdownReason::FailFast));
        shutdown.request(ShutdownLevel::Immediate);
        shutdown.request(ShutdownLevel::Graceful(ShutdownReason::Interrupt));
        assert_eq!(shutdown.level(), ShutdownLevel::Immediate);
    }
}
