//! The requests about base stations.

use super::mac::Mac;
use super::state::BaseStation;
use super::wire;
use crate::model::BaseStationId;
use crate::webex::calls::{Call, Effect, NetworkPath};
use crate::webex::response::{self, Subject};
use crate::webex::{ItemResult, Method, WriteAck};

/// Lists the base stations of a network ("Get a list of DECT Network Base Stations").
pub fn list_base_stations(network: NetworkPath<'_>) -> Call<'_, Vec<BaseStation>> {
    let path = network.join(&["baseStations"]);
    Call::new(
        Effect::Reads,
        "listing base stations",
        (Method::Get, path),
        response::body_of(Subject::Networks, wire::base_stations),
    )
    .with_items_in("baseStations")
}

/// Adds base stations to a network ("Create Multiple Base Stations"); returns a result for each.
pub fn add_base_stations<'a>(network: NetworkPath<'a>, macs: &[Mac]) -> Call<'a, Vec<ItemResult>> {
    let path = network.join(&["baseStations"]);
    Call::new(
        Effect::Adds,
        "adding base stations",
        (Method::Post, path),
        response::results_of(Subject::Networks, wire::results),
    )
    .with_body(wire::addition(macs))
}

/// Removes one base station of a network ("Delete a specific DECT Network Base Station").
pub fn remove_base_station<'a>(network: NetworkPath<'a>, id: &BaseStationId) -> Call<'a, WriteAck> {
    let path = network.join(&["baseStations", id.as_str()]);
    Call::new(
        Effect::Replaces,
        "removing a base station",
        (Method::Delete, path),
        response::acknowledgement_of(Subject::Networks),
    )
}
