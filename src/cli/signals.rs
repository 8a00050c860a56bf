//! Turns SIGINT, SIGTERM and SIGHUP into a shutdown request: the first is graceful, the second immediate.

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
    /// `None` if it was ignored at start, as by `nohup`.
    hangup: Option<tokio::signal::unix::Signal>,
    /// Heard so that it does not kill: the write that has met the limit for the size of files fails, as on a full disk.
    _file_too_large: Option<tokio::signal::unix::Signal>,
}

/// The number of the signal of a write beyond the limit for the size of files, on Linux, the BSDs and macOS.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
            hangup: if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup()).ok()?) },
            _file_too_large: signal(SignalKind::from_raw(SIGXFSZ)).ok(),
        })
    }

    async fn next(&mut self) -> ShutdownReason {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => ShutdownReason::Interrupt,
            _ = self.terminate.recv() => ShutdownReason::Terminate,
            _ = hangup => ShutdownReason::Terminate,
        }
    }
}

/// Whether SIGHUP was ignored when the process started. The kernel reports the mask of ignored signals; where there is no
/// such report, `nohup` cannot be recognized.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 != 0)
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
