//! Undoes changes of serviceability passwords.

use super::state::PasswordStatus;
use crate::desired::model::Spanned;
use crate::diagnostic::{Diagnostic, DiagnosticCode, plural};
use crate::plan::model::ResourceState;
use crate::reconcile::undo_builder::UndoBuilder;
use crate::storage::journal::RecordedItem;

/// A warning that networks are created again without the password that they may have had.
pub(crate) fn passwords_lost(networks: &[&str]) -> Diagnostic {
    let names = networks.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let networks = plural(networks.len(), "network");
    let message = format!(
        "{networks} created again: whether a serviceability password was enabled is not known, and one that was generated is \
         lost; `dectl password generate` makes a new one: {names}"
    );
    Diagnostic::warning(DiagnosticCode::PasswordMayNotExist, message)
}

impl<'a> UndoBuilder<'a> {
    /// A serviceability password that the run has enabled or disabled is what it was.
    pub(crate) fn restore_password(&mut self, item: &'a RecordedItem) {
        let status = |state: &Option<ResourceState>| state.as_ref().and_then(ResourceState::serviceability_password);
        let (Some(before), Some(after), Some(network)) = (status(&item.before), status(&item.after), &item.network)
        else {
            return;
        };
        let Some(at) = self.live.find(network).filter(|_| before != PasswordStatus::Unknown) else { return };
        // The change was not applied, or was taken back.
        if self.live.devices(at).serviceability_password != Some(after) {
            return;
        }
        let name = self.live.network(at).settings.name.to_string();
        if before == PasswordStatus::Enabled {
            let message = format!(
                "the serviceability password of {name:?} is enabled again, but whether one exists cannot be read; \
                 `dectl password generate` makes a new one"
            );
            self.warn(DiagnosticCode::PasswordMayNotExist, message);
        }
        let span = self.line(&item.location, "restore serviceability password of ", &name);
        self.devices(item, network, span).devices.serviceability_password = Some(Spanned { value: before, span });
    }
}
