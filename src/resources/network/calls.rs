//! The requests about networks.

use jiff::Timestamp;

use super::settings::Settings;
use super::state::Network;
use super::{network_model::NetworkModel, wire};
use crate::model::{LiveState, LocationId, NetworkId};
use crate::webex::calls::{Call, Effect, NetworkPath, in_location, in_organization};
use crate::webex::response::{self, Subject};
use crate::webex::{ApiError, Method, ResponseHead, WriteAck};

/// Lists all networks of the organization ("Get the List of DECT Networks for an organization").
pub fn list_networks() -> Call<'static, LiveState> {
    networks(response::body_of(Subject::Networks, wire::list))
}

/// Lists the networks of a location: the same operation with a `locationId`. A token of a location administrator may read it
/// where it may not list the organization.
pub fn list_networks_of_location(location: &LocationId) -> Call<'static, LiveState> {
    networks(response::body_of(Subject::Networks, wire::list)).with_query(vec![("locationId", location.to_string())])
}

/// The same list exactly as received, once it has been checked to be one.
pub fn list_networks_raw() -> Call<'static, Vec<u8>> {
    networks(response::body_of(Subject::Networks, |body| wire::list(body).map(|_| body.to_vec())))
}

fn networks<T>(read: impl Fn(&ResponseHead, &[u8], Timestamp) -> Result<T, ApiError> + 'static) -> Call<'static, T> {
    let path = in_organization(&["telephony", "config", "dectNetworks"]);
    Call::new(Effect::Reads, "listing DECT networks", (Method::Get, path), read).with_items_in("dectNetworks")
}

/// Gets one network ("Get DECT Network Details").
pub fn get_network(network: NetworkPath<'_>) -> Call<'_, Network> {
    let read = response::body_of(Subject::Networks, |body| wire::network(body, network.location));
    Call::new(Effect::Reads, "reading a DECT network", (Method::Get, network.join(&[])), read)
}

/// Replaces the settings of one network ("Update DECT Network"). This is not a patch, so all four settings are sent.
pub fn update_network<'a>(network: NetworkPath<'a>, settings: &'a Settings) -> Call<'a, WriteAck> {
    let read = |head: &ResponseHead, body: &[u8], now| {
        response::acknowledgement_of(Subject::Networks)(head, body, now).map_err(|error| error.redact_code_of(settings))
    };
    Call::new(Effect::Replaces, "updating a DECT network", (Method::Put, network.join(&[])), read)
        .with_body(wire::update(settings))
}

/// Creates a network ("Create a DECT Network"); returns its id, if the response has one.
pub fn create_network<'a>(
    location: &'a LocationId,
    settings: &'a Settings,
    model: NetworkModel,
) -> Call<'a, Option<NetworkId>> {
    let read = |head: &ResponseHead, body: &[u8], now| {
        let read = response::body_of(Subject::Networks, |body| Ok(wire::created(body)));
        read(head, body, now).map_err(|error| error.redact_code_of(settings))
    };
    let path = in_location(location, &["dectNetworks"]);
    Call::new(Effect::Adds, "creating a DECT network", (Method::Post, path), read)
        .with_body(wire::create(settings, model))
}

/// Deletes a network with everything that belongs to it ("Delete DECT Network").
pub fn delete_network(network: NetworkPath<'_>) -> Call<'_, WriteAck> {
    Call::new(
        Effect::Replaces,
        "deleting a DECT network",
        (Method::Delete, network.join(&[])),
        response::acknowledgement_of(Subject::Networks),
    )
}
