//! A bell: something has changed, look again.

use tokio::sync::Notify;

/// Wakes everybody who waits for a change. A ring that nobody heard is forgotten.
#[derive(Debug, Default)]
pub struct Wakeup(Notify);

impl Wakeup {
    pub fn notify_all(&self) {
        self.0.notify_waiters();
    }

    /// Waits for the next ring after this call, even if it comes before the first poll.
    pub fn notified(&self) -> impl Future<Output = ()> + '_ {
        self.0.notified()
    }
}
