//! SIGINT and SIGTERM become a wish to stop: the first gracefully, the second at once.

use dectl::time::{Stop, StopLevel, StopReason};

/// Listens for signals as long as the future is polled.
pub(crate) async fn listen(stop: Stop) {
    let Some(mut signals) = Signals::new() else { return std::future::pending().await };
    let reason = signals.next().await;
    stop.ask(StopLevel::Graceful(reason));
    signals.next().await;
    stop.ask(StopLevel::Now);
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

    async fn next(&mut self) -> StopReason {
        tokio::select! {
            _ = self.interrupt.recv() => StopReason::Interrupt,
            _ = self.terminate.recv() => StopReason::Terminate,
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

    async fn next(&mut self) -> StopReason {
        match tokio::signal::ctrl_c().await {
            Ok(()) => StopReason::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
