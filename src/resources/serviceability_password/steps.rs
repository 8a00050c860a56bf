//! The requests about serviceability passwords: behind everything else that is sent about their networks, which they may reboot.

use crate::diagnostic::{Diagnostics, Span};
use crate::model::PasswordStatus;
use crate::plan::location_planner::{DeviceChange, DeviceChanges, LocationPlanner};
use crate::plan::model::{ChangeIndex, ResourceKind, ResourceState};
use crate::plan::owner::Owner;

/// A serviceability password that is enabled or disabled.
#[derive(Debug)]
pub(crate) struct PasswordChange {
    pub(crate) owner: Owner,
    pub(crate) before: PasswordStatus,
    pub(crate) after: PasswordStatus,
    /// The entry that asks for it.
    pub(crate) span: Span,
}

/// The changes of a location.
pub(crate) struct PasswordChanges(pub(crate) Vec<PasswordChange>);

impl DeviceChanges for PasswordChanges {
    fn kind(&self) -> ResourceKind {
        ResourceKind::ServiceabilityPassword
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn changes(&self) -> Vec<DeviceChange> {
        let changes = self.0.iter().map(|change| {
            let [before, after] = [change.before, change.after].map(ResourceState::ServiceabilityPassword).map(Some);
            DeviceChange { owner: change.owner, before, after, span: change.span, replaced_by: None }
        });
        changes.collect()
    }

    fn add_steps(&self, first: ChangeIndex, planner: &mut LocationPlanner<'_, '_>, _: &mut Diagnostics) {
        for (at, change) in self.0.iter().enumerate() {
            let item = ChangeIndex(first.0 + at);
            let creation = planner.needs_owner(item, change.owner);
            planner.push_step(vec![planner.whole(item)], creation.into_iter().collect());
        }
    }
}
