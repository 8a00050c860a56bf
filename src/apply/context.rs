//! What all lanes of a run share.

use std::cell::{Cell, RefCell};

use super::event::Event;
use super::options::Options;
use super::outcome::{Failure, NetworkResult};
use crate::client::ApiClient;
use crate::plan::model::Plan;
use crate::runtime::{ShutdownLevel, ShutdownReason, Wakeup};
use crate::storage::{Journal, JournalEntry};

pub(super) struct RunContext<'a> {
    pub(super) plan: &'a Plan,
    pub(super) client: &'a ApiClient,
    pub(super) journal: &'a Journal,
    pub(super) options: Options,
    pub(super) on_event: &'a dyn Fn(&Event),
    pub(super) results: RefCell<Vec<Option<NetworkResult>>>,
    /// Lanes that wait for a lock and leave their place to others meanwhile.
    pub(super) locked: Cell<usize>,
    pub(super) slots_changed: Wakeup,
    /// No further write can succeed, whatever the run was stopped for in the first place.
    pub(super) aborted: Cell<bool>,
}

impl RunContext<'_> {
    /// Puts a line into the journal; if that fails, nothing more is begun.
    pub(super) async fn record(&self, entry: JournalEntry) -> Result<(), Failure> {
        let clock = self.client.clock();
        let time = clock.to_timestamp(clock.now());
        self.journal.append(entry, time).await.map_err(|error| {
            self.abort(ShutdownReason::JournalWriteFailed);
            Failure::new(error.to_string())
        })
    }

    /// Stops the run, the way home included.
    pub(super) fn abort(&self, reason: ShutdownReason) {
        self.aborted.set(true);
        self.client.shutdown().request(ShutdownLevel::Graceful(reason));
    }
}
