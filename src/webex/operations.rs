//! The operations of the API, each a request and the reader of its response.
//!
//! Paths, bodies and statuses are those of Cisco's OpenAPI description of the Webex Calling DECT APIs
//! (webex/webex-openapi-specs).

use std::sync::Arc;

use jiff::Timestamp;

use super::api::{ApiRequest, DectApi, ItemResult, Method, TokenOwner, WriteAck};
use super::error::{ApiError, ErrorClass, MaybeApplied};
use super::response::{self, ResponseHead};
use super::wire;
use crate::model::{
    BaseStation, BaseStationId, Handset, HandsetId, LiveState, LocationId, Mac, Member, Network, NetworkId,
    NetworkModel, Settings,
};

/// Sends a request and returns what `read` makes of the response.
async fn call<T>(
    api: &dyn DectApi,
    request: ApiRequest,
    read: impl FnOnce(&ResponseHead, &[u8], Timestamp) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let mut value = None;
    let reader = |head: &ResponseHead, body: &[u8], now: Timestamp| {
        value = Some(read(head, body, now)?);
        Ok(())
    };
    api.send(request, Box::new(reader)).await?;
    value
        .ok_or_else(|| ApiError::no_response(ErrorClass::Permanent, "the response was not read", MaybeApplied::Unknown))
}

fn path(segments: &[&str]) -> Vec<String> {
    segments.iter().map(|segment| (*segment).to_owned()).collect()
}

fn network_path(location: &LocationId, network: &NetworkId) -> Vec<String> {
    path(&["telephony", "config", "locations", location.as_str(), "dectNetworks", network.as_str()])
}

fn below_network(location: &LocationId, network: &NetworkId, more: &[&str]) -> Vec<String> {
    let mut segments = network_path(location, network);
    segments.extend(path(more));
    segments
}

const fn request(purpose: &'static str, method: Method, path: Vec<String>) -> ApiRequest {
    ApiRequest { purpose, method, path, query: Vec::new(), body: None, list: None }
}

fn networks_request() -> ApiRequest {
    let path = path(&["telephony", "config", "dectNetworks"]);
    ApiRequest { list: Some("dectNetworks"), ..request("listing DECT networks", Method::Get, path) }
}

/// Lists all networks of the organization ("Get the List of DECT Networks for an organization").
///
/// # Errors
/// If the request fails or the response is not such a list.
pub async fn list_networks(api: &dyn DectApi) -> Result<LiveState, ApiError> {
    call(api, networks_request(), response::list).await
}

/// Returns the list exactly as received, once it has been checked to be a list.
///
/// # Errors
/// As [`list_networks`].
pub async fn list_networks_raw(api: &dyn DectApi) -> Result<Vec<u8>, ApiError> {
    call(api, networks_request(), |head, body, now| response::list(head, body, now).map(|_| body.to_vec())).await
}

/// Gets one network ("Get DECT Network Details").
///
/// # Errors
/// If the request fails or the response is not a network.
pub async fn get_network(api: &dyn DectApi, location: &LocationId, network: &NetworkId) -> Result<Network, ApiError> {
    let request = request("reading a DECT network", Method::Get, network_path(location, network));
    call(api, request, |head, body, now| response::network(head, body, now, location)).await
}

/// Replaces the settings of one network ("Update DECT Network"). This is not a patch, so all four settings are sent.
///
/// # Errors
/// If the request is not acknowledged.
pub async fn update_network(
    api: &dyn DectApi,
    location: &LocationId,
    network: &NetworkId,
    settings: &Settings,
) -> Result<WriteAck, ApiError> {
    let request = ApiRequest {
        body: Some(wire::update(settings)),
        ..request("updating a DECT network", Method::Put, network_path(location, network))
    };
    let read = |head: &ResponseHead, body: &[u8], now: Timestamp| {
        response::write(head, body, now).map_err(|error| error.redact_code_of(settings))
    };
    call(api, request, read).await
}

/// Creates a network ("Create a DECT Network"); returns its id, if the response has one.
///
/// # Errors
/// If the request is not acknowledged.
pub async fn create_network(
    api: &dyn DectApi,
    location: &LocationId,
    settings: &Settings,
    model: NetworkModel,
) -> Result<Option<NetworkId>, ApiError> {
    let path = path(&["telephony", "config", "locations", location.as_str(), "dectNetworks"]);
    let request = ApiRequest {
        body: Some(wire::create(settings, model)),
        ..request("creating a DECT network", Method::Post, path)
    };
    let read = |head: &ResponseHead, body: &[u8], now: Timestamp| {
        response::created(head, body, now).map_err(|error| error.redact_code_of(settings))
    };
    call(api, request, read).await
}

/// Deletes a network with everything that belongs to it ("Delete DECT Network").
///
/// # Errors
/// If the request is not acknowledged.
pub async fn delete_network(
    api: &dyn DectApi,
    location: &LocationId,
    network: &NetworkId,
) -> Result<WriteAck, ApiError> {
    let request = request("deleting a DECT network", Method::Delete, network_path(location, network));
    call(api, request, response::write).await
}

/// Lists the base stations of a network ("Get a list of DECT Network Base Stations").
///
/// # Errors
/// If the request fails or the response is not such a list.
pub async fn list_base_stations(
    api: &dyn DectApi,
    location: &LocationId,
    network: &NetworkId,
) -> Result<Vec<BaseStation>, ApiError> {
    let path = below_network(location, network, &["baseStations"]);
    let request = ApiRequest { list: Some("baseStations"), ..request("listing base stations", Method::Get, path) };
    call(api, request, response::base_stations).await
}

/// Adds base stations to a network ("Create Multiple Base Stations"); returns a result for each.
///
/// # Errors
/// If the request as a whole is not acknowledged.
pub async fn add_base_stations(
    api: &dyn DectApi,
    location: &LocationId,
    network: &NetworkId,
    macs: &[Mac],
) -> Result<Vec<ItemResult>, ApiError> {
    let request = ApiRequest {
        body: Some(wire::add_base_stations(macs)),
        ..request("adding base stations", Method::Post, below_network(location, network, &["baseStations"]))
    };
    call(api, request, response::base_station_results).await
}

/// Removes one base station of a network ("Delete a specific DECT Network Base Station").
///
/// # Errors
/// If the request is not acknowledged.
pub async fn remove_base_station(
    api: &dyn DectApi,
    location: &LocationId,
    network: &NetworkId,
    base_station: &BaseStationId,
) -> Result<WriteAck, ApiError> {
    let path = below_network(location, network, &["baseStations", base_station.as_str()]);
    call(api, request("removing a base station", Method::Delete, path), response::write).await
}

/// Lists the handsets of a network ("Get List of Handsets for a DECT Network ID").
///
/// # Errors
/// If the request fails or the response is not such a list.
pub async fn list_handsets(
    api: &dyn DectApi,
    location: &LocationId,
    network: &NetworkId,
) -> Result<Vec<Handset>, ApiError> {
    let path = below_network(location, network, &["handsets"]);
    let request = ApiRequest { list: Some("handsets"), ..request("listing handsets", Method::Get, path) };
    call(api, request, response::handsets).await
}

/// Adds handsets to a network ("Add a List of Handsets to a DECT Network"), 1 to 50; returns a result for each, without
/// ids.
///
/// # Errors
/// If the request as a whole is not acknowledged.
pub async fn add_handsets(
    api: &dyn DectApi,
    location: &LocationId,
    network: &NetworkId,
    handsets: &[&Handset],
) -> Result<Vec<ItemResult>, ApiError> {
    let request = ApiRequest {
        body: Some(wire::add_handsets(handsets)),
        ..request("adding handsets", Method::Post, below_network(location, network, &["handsets", "bulk"]))
    };
    call(api, request, response::handset_results).await
}

/// Replaces the name and the lines of a handset ("Update DECT Network Handset"). This is not a patch: a second line that
/// is not sent is removed.
///
/// # Errors
/// If the request is not acknowledged.
pub async fn update_handset(
    api: &dyn DectApi,
    location: &LocationId,
    network: &NetworkId,
    id: &HandsetId,
    handset: &Handset,
) -> Result<WriteAck, ApiError> {
    let request = ApiRequest {
        body: Some(wire::update_handset(handset)),
        ..request("updating a handset", Method::Put, below_network(location, network, &["handsets", id.as_str()]))
    };
    call(api, request, response::handset_write).await
}

/// Removes handsets of a network by their ids ("Delete multiple handsets"), 1 to 50. `deleteAll` is never sent.
///
/// # Errors
/// If the request is not acknowledged.
pub async fn remove_handsets(
    api: &dyn DectApi,
    location: &LocationId,
    network: &NetworkId,
    ids: &[&HandsetId],
) -> Result<WriteAck, ApiError> {
    let request = ApiRequest {
        body: Some(wire::remove_handsets(ids)),
        ..request("removing handsets", Method::Delete, below_network(location, network, &["handsets"]))
    };
    call(api, request, response::handset_write).await
}

/// The number of members in a page ("Search Available Members": the default and, as far as known, the maximum).
pub const MEMBERS_PAGE: usize = 2_000;

/// Lists a page of the members of a location that are available for handsets ("Search Available Members"), from `start`.
///
/// # Errors
/// If the request fails or the response is not such a list.
pub async fn list_members(api: &dyn DectApi, location: &LocationId, start: usize) -> Result<Vec<Member>, ApiError> {
    let path = path(&["telephony", "config", "devices", "availableMembers"]);
    let query =
        vec![("locationId", location.to_string()), ("start", start.to_string()), ("max", MEMBERS_PAGE.to_string())];
    let request = ApiRequest { query, ..request("listing members", Method::Get, path) };
    call(api, request, response::members).await
}

/// Lists the locations of the organization ("List Locations"), with or without DECT networks.
///
/// # Errors
/// If the request fails or the response is not such a list.
pub async fn list_locations(api: &dyn DectApi) -> Result<Vec<(LocationId, Arc<str>)>, ApiError> {
    let request = ApiRequest { list: Some("items"), ..request("listing locations", Method::Get, path(&["locations"])) };
    call(api, request, response::locations).await
}

/// Returns the owner of the token ("Get My Own Details").
///
/// # Errors
/// If the request fails, e.g. without the scope `spark:people_read`.
pub async fn token_owner(api: &dyn DectApi) -> Result<TokenOwner, ApiError> {
    call(api, request("reading the owner of the token", Method::Get, path(&["people", "me"])), response::me).await
}
