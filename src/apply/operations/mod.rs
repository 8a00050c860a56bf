//! The kinds of operation, one file each: how it is sent, how a read shows whether it was applied, and what must be looked
//! at right before it is sent. Nothing else in this module asks which kind a step is of.

mod add_base_stations;
mod add_handsets;
mod create_network;
mod delete_network;
mod remove_base_station;
mod remove_handsets;
mod spec;
mod update_handset;
mod update_network;

pub(super) use spec::{Observation, OperationRequest, OperationSpec, Refusal, Response};

use crate::plan::model::Operation;

/// The description of an operation.
pub(super) fn spec(operation: Operation) -> &'static dyn OperationSpec {
    match operation {
        Operation::CreateNetwork => &create_network::CreateNetwork,
        Operation::UpdateNetwork => &update_network::UpdateNetwork,
        Operation::DeleteNetwork => &delete_network::DeleteNetwork,
        Operation::AddBaseStations => &add_base_stations::AddBaseStations,
        Operation::RemoveBaseStation => &remove_base_station::RemoveBaseStation,
        Operation::AddHandsets => &add_handsets::AddHandsets,
        Operation::UpdateHandset => &update_handset::UpdateHandset,
        Operation::RemoveHandsets => &remove_handsets::RemoveHandsets,
    }
}
