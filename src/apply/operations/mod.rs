//! The kinds of operation, one file each: how it is sent, and what must be looked
//! at right before it is sent. Nothing else in this module asks which kind a step is of.

mod add_base_stations;
mod add_handsets;
mod create_network;
mod delete_network;
mod remove_base_station;
mod remove_handsets;
mod set_password;
mod spec;
mod update_handset;
mod update_network;

pub(super) use spec::{OperationRequest, OperationSpec, Refusal, Response};

use crate::plan::model::{ChangeAction, Operation, ResourceKind};

/// The description of an operation.
pub(super) fn spec(operation: Operation) -> &'static dyn OperationSpec {
    match (operation.kind, operation.action) {
        (ResourceKind::Network, ChangeAction::Create) => &create_network::CreateNetwork,
        (ResourceKind::Network, ChangeAction::Update) => &update_network::UpdateNetwork,
        (ResourceKind::Network, ChangeAction::Delete) => &delete_network::DeleteNetwork,
        // A base station has nothing that a request could update, and no plan that was checked asks for it.
        (ResourceKind::BaseStation, ChangeAction::Create | ChangeAction::Update) => &add_base_stations::AddBaseStations,
        (ResourceKind::BaseStation, ChangeAction::Delete) => &remove_base_station::RemoveBaseStation,
        (ResourceKind::Handset, ChangeAction::Create) => &add_handsets::AddHandsets,
        (ResourceKind::Handset, ChangeAction::Update) => &update_handset::UpdateHandset,
        (ResourceKind::Handset, ChangeAction::Delete) => &remove_handsets::RemoveHandsets,
        (ResourceKind::ServiceabilityPassword, _) => &set_password::SetServiceabilityPassword,
    }
}
