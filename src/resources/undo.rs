//! What an undo does about an item of a run, of each kind.

use crate::plan::model::ChangeAction::{Create, Delete, Update};
use crate::plan::model::ResourceKind as Kind;
use crate::reconcile::undo_builder::UndoBuilder;
use crate::storage::journal::RecordedItem;

impl<'a> UndoBuilder<'a> {
    /// Adds what takes an item back, or a warning that it is left alone. What was done with a network that the run has created goes
    /// with it.
    pub(crate) fn take_back(&mut self, item: &'a RecordedItem) {
        if item.network.as_ref().is_some_and(|network| self.has_created(network)) {
            return;
        }
        match (item.key.operation.kind, item.key.operation.action) {
            (Kind::Network, Create) => self.delete_created(item),
            (Kind::Network, Delete) => self.create_deleted(item),
            // Recorded with its settings; a base station has none.
            (Kind::Network | Kind::BaseStation, Update) => {}
            (Kind::BaseStation, Create) => self.remove_added(item),
            (Kind::BaseStation, Delete) => self.add_removed(item),
            (Kind::Handset, Create) => self.remove_added_handset(item),
            (Kind::Handset, Update) => self.restore_handset(item),
            (Kind::Handset, Delete) => self.add_removed_handset(item),
            (Kind::ServiceabilityPassword, _) => self.restore_password(item),
        }
    }
}
