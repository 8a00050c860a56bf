//! Edge-triggered notification for all current waiters (wraps `tokio::sync::Notify`).

use tokio::sync::Notify;

/// Wakes all current waiters. A notification without waiters is lost.
#[derive(Debug, Default)]
pub struct Wakeup(Notify);

impl Wakeup {
    pub fn notify_all(&self) {
        self.0.notify_waiters();
    }

    /// Waits for the next notification after this call, even if it comes before the first poll.
    pub fn notified(&self) -> impl Future<Output = ()> + '_ {
        self.0.notified()
    }
}
