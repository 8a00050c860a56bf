//! What all lanes of a run share.

use std::cell::{Cell, RefCell};

use super::event::Event;
use super::options::Options;
use super::outcome::{Failure, NetworkResult};
use crate::client::ApiClient;
use crate::plan::plan::Plan;
use crate::record::{Entry, Journal};
use crate::runtime::{ShutdownLevel, ShutdownReason, Wakeup};

/// What all lanes share.
pub(super) struct Shared<'a> {
    pub(super) plan: &'a Plan,
    pub(super) client: &'a ApiClient,
    pub(super) journal: &'a Journal,
    pub(super) options: Options,
    pub(super) tell: &'a dyn Fn(&Event),
    pub(super) results: RefCell<Vec<Option<NetworkResult>>>,
    /// Lanes that wait for a lock and leave their place to others meanwhile.
    pub(super) locked: Cell<usize>,
    pub(super) places: Wakeup,
    /// No further write can succeed, whatever the run was stopped for in the first place.
    pub(super) barred: Cell<bool>,
}

impl Shared<'_> {
    /// Puts a line into the journal; if that fails, nothing more is begun.
    pub(super) async fn record(&self, entry: Entry) -> Result<(), Failure> {
        let clock = self.client.clock();
        let time = clock.to_timestamp(clock.now());
        self.journal.append(entry, time).await.map_err(|error| {
            self.bar(ShutdownReason::JournalWriteFailed);
            Failure::of(error.to_string())
        })
    }

    /// Stops the run, the way home included.
    pub(super) fn bar(&self, reason: ShutdownReason) {
        self.barred.set(true);
        self.client.shutdown().request(ShutdownLevel::Graceful(reason));
    }
}
