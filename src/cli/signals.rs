//! Turns SIGINT and SIGTERM into a shutdown request: the first is graceful, the second immediate.

use dectl::runtime::{Shutdown, ShutdownLevel, ShutdownReason};

/// Handles signals while the future is polled.
pub(crate) async fn listen(shutdown: Shutdown) {
    let Some(mut signals) = Signals::new() else { return std::future::pending().await };
    let reason = signals.next().await;
    shutdown.request(ShutdownLevel::Graceful(reason));
    signals.next().await;
    shutdown.request(ShutdownLevel::Immediate);
    std::future::pending().await
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
        })
    }

    async fn next(&mut self) -> ShutdownReason {
        tokio::select! {
            _ = self.interrupt.recv() => ShutdownReason::Interrupt,
            _ = self.terminate.recv() => ShutdownReason::Terminate,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) -> ShutdownReason {
        match tokio::signal::ctrl_c().await {
            Ok(()) => ShutdownReason::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
