//! The operations of each kind.

use crate::apply::operation::OperationSpec;
use crate::plan::model::{ChangeAction, Operation, ResourceKind};

/// The description of an operation.
pub(crate) fn spec(operation: Operation) -> &'static dyn OperationSpec {
    match (operation.kind, operation.action) {
        (ResourceKind::Network, ChangeAction::Create) => &super::network::operations::CreateNetwork,
        (ResourceKind::Network, ChangeAction::Update) => &super::network::operations::UpdateNetwork,
        (ResourceKind::Network, ChangeAction::Delete) => &super::network::operations::DeleteNetwork,
        // A base station has nothing that a request could update, and no plan that was checked asks for it.
        (ResourceKind::BaseStation, ChangeAction::Create | ChangeAction::Update) => {
            &super::base_station::operations::AddBaseStations
        }
        (ResourceKind::BaseStation, ChangeAction::Delete) => &super::base_station::operations::RemoveBaseStation,
        (ResourceKind::Handset, ChangeAction::Create) => &super::handset::operations::AddHandsets,
        (ResourceKind::Handset, ChangeAction::Update) => &super::handset::operations::UpdateHandset,
        (ResourceKind::Handset, ChangeAction::Delete) => &super::handset::operations::RemoveHandsets,
        (ResourceKind::ServiceabilityPassword, _) => {
            &super::serviceability_password::operations::SetServiceabilityPassword
        }
    }
}
