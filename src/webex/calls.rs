//! The requests of the API, each a value: what is sent, and how its response is read.
//!
//! Paths, bodies and statuses are those of Cisco's OpenAPI description of the Webex Calling DECT APIs
//! (webex/webex-openapi-specs).

use std::sync::Arc;

use jiff::Timestamp;

use super::api::{
    ApiRequest, DectApi, ItemResult, Method, Organization, RawResponse, ResponseHead, TokenOwner, WriteAck,
};
use super::error::{ApiError, ErrorClass, MaybeApplied};
use super::response;
use super::wire;
use crate::model::{
    BaseStation, BaseStationId, CodeText, DeviceList, Handset, HandsetId, LiveState, LocationId, Mac, Member, MemberId,
    MemberKind, Network, NetworkId, NetworkModel, PasswordStatus, ResourceKind, ServiceabilityPassword, Settings,
};

/// One request, which may be sent any number of times as far as its effect allows.
pub struct Call<'a, T> {
    /// What it does to the organization, and so whether it may be sent again.
    pub effect: Effect,
    /// The location that it is about: a write waits while this is locked.
    pub location: Option<&'a LocationId>,
    pub request: ApiRequest,
    read: Reader<'a, T>,
}

/// Reads a response; the time is the local one, for responses without a `Date`.
type Reader<'a, T> = Box<dyn Fn(&ResponseHead, &[u8], Timestamp) -> Result<T, ApiError> + 'a>;

/// What a request does to the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing. It may be abandoned and sent again at any time.
    Reads,
    /// Applying it twice is the same as once.
    Replaces,
    /// Applying it twice would create a second thing, or reboot a network twice. The caller must find out what became of the first
    /// attempt.
    Adds,
}

impl<'a, T> Call<'a, T> {
    fn new(
        effect: Effect,
        purpose: &'static str,
        (method, path): (Method, Path<'a>),
        read: impl Fn(&ResponseHead, &[u8], Timestamp) -> Result<T, ApiError> + 'a,
    ) -> Self {
        let request = ApiRequest { purpose, method, path: path.segments, query: Vec::new(), body: None, list: None };
        Self { effect, location: path.location, request, read: Box::new(read) }
    }

    fn with_body(self, body: Vec<u8>) -> Self {
        Self { request: ApiRequest { body: Some(body), ..self.request }, ..self }
    }

    /// The field with the items of a list, which may be returned in pages.
    fn with_items_in(self, list: &'static str) -> Self {
        Self { request: ApiRequest { list: Some(list), ..self.request }, ..self }
    }

    pub fn is_write(&self) -> bool {
        self.effect != Effect::Reads
    }

    /// The location whose locks it waits for.
    pub fn written_location(&self) -> Option<&'a LocationId> {
        self.location.filter(|_| self.is_write())
    }

    /// The same with its response as it is received, whatever its status: of a list the first page.
    pub fn raw(self) -> Call<'a, RawResponse> {
        let read = |head: &ResponseHead, body: &[u8], _: Timestamp| {
            Ok(RawResponse { status: head.status, header_names: head.header_names.clone(), body: body.to_vec() })
        };
        let request = ApiRequest { list: None, ..self.request };
        Call { effect: self.effect, location: self.location, request, read: Box::new(read) }
    }

    /// The same with what `map` makes of its response.
    pub fn map<U>(self, map: impl Fn(T) -> U + 'a) -> Call<'a, U>
    where
        T: 'a,
    {
        let Self { effect, location, request, read } = self;
        Call { effect, location, request, read: Box::new(move |head, body, now| read(head, body, now).map(&map)) }
    }

    /// Sends it once: no waiting, no retry.
    ///
    /// # Errors
    /// If the request fails, the status is not a success, or the response cannot be read.
    pub async fn send_once(&self, api: &dyn DectApi) -> Result<T, ApiError> {
        let mut value = None;
        let reader = |head: &ResponseHead, body: &[u8], now: Timestamp| {
            value = Some((self.read)(head, body, now)?);
            Ok(())
        };
        api.send(self.request.clone(), Box::new(reader)).await?;
        let unread =
            || ApiError::no_response(ErrorClass::Permanent, "the response was not read", MaybeApplied::Unknown);
        value.ok_or_else(unread)
    }
}

/// The path of a request, and the location that it is in.
struct Path<'a> {
    location: Option<&'a LocationId>,
    segments: Vec<String>,
}

/// A network, by its path.
#[derive(Clone, Copy, Debug)]
pub struct NetworkPath<'a> {
    pub location: &'a LocationId,
    pub network: &'a NetworkId,
}

impl<'a> NetworkPath<'a> {
    pub fn of(network: &'a Network) -> Self {
        Self { location: &network.location, network: &network.id }
    }

    /// The path of something that belongs to it.
    fn join(self, more: &[&str]) -> Path<'a> {
        let network = [&["dectNetworks", self.network.as_str()], more].concat();
        in_location(self.location, &network)
    }
}

fn in_location<'a>(location: &'a LocationId, more: &[&str]) -> Path<'a> {
    let segments = [&["telephony", "config", "locations", location.as_str()], more].concat();
    Path { location: Some(location), ..in_organization(&segments) }
}

fn in_organization(segments: &[&str]) -> Path<'static> {
    Path { location: None, segments: segments.iter().map(|segment| (*segment).to_owned()).collect() }
}

/// Lists all networks of the organization ("Get the List of DECT Networks for an organization").
pub fn list_networks() -> Call<'static, LiveState> {
    networks(response::list)
}

/// Lists the networks of a location: the same operation with a `locationId`. A token of a location administrator may read it
/// where it may not list the organization.
pub fn list_networks_of_location(location: &LocationId) -> Call<'static, LiveState> {
    let call = networks(response::list);
    Call { request: ApiRequest { query: vec![("locationId", location.to_string())], ..call.request }, ..call }
}

/// The same list exactly as received, once it has been checked to be one.
pub fn list_networks_raw() -> Call<'static, Vec<u8>> {
    networks(|head, body, now| response::list(head, body, now).map(|_| body.to_vec()))
}

fn networks<T>(read: impl Fn(&ResponseHead, &[u8], Timestamp) -> Result<T, ApiError> + 'static) -> Call<'static, T> {
    let path = in_organization(&["telephony", "config", "dectNetworks"]);
    Call::new(Effect::Reads, "listing DECT networks", (Method::Get, path), read).with_items_in("dectNetworks")
}

/// Lists the locations of the organization ("List Locations"), with or without DECT networks.
pub fn list_locations() -> Call<'static, Vec<(LocationId, Arc<str>)>> {
    let path = in_organization(&["locations"]);
    Call::new(Effect::Reads, "listing locations", (Method::Get, path), response::locations).with_items_in("items")
}

/// Lists the organizations that the token reaches ("List Organizations").
pub fn list_organizations() -> Call<'static, Vec<Organization>> {
    let path = in_organization(&["organizations"]);
    Call::new(Effect::Reads, "listing organizations", (Method::Get, path), response::organizations)
        .with_items_in("items")
}

/// Gets the owner of the token ("Get My Own Details"), for which it needs the scope `spark:people_read`.
pub fn get_token_owner() -> Call<'static, TokenOwner> {
    let path = in_organization(&["people", "me"]);
    Call::new(Effect::Reads, "reading the owner of the token", (Method::Get, path), response::me)
}

/// The number of members in a page ("Search Available Members": the default and, as far as known, the maximum).
const MEMBERS_PAGE: usize = 2_000;

/// Lists a page of the members of a location that are available for handsets ("Search Available Members"), from `start`.
pub fn list_members(location: &LocationId, start: usize) -> Call<'_, Vec<Member>> {
    let path = in_organization(&["telephony", "config", "devices", "availableMembers"]);
    let call = Call::new(Effect::Reads, "listing members", (Method::Get, path), response::members);
    let query =
        vec![("locationId", location.to_string()), ("start", start.to_string()), ("max", MEMBERS_PAGE.to_string())];
    Call { location: Some(location), request: ApiRequest { query, ..call.request }, ..call }
}

/// Lists the networks in which a person or a workspace has handsets ("GET List of DECT networks associated with a Person",
/// the same for a workspace).
pub fn list_networks_of_member(kind: MemberKind, id: &MemberId) -> Call<'static, Vec<NetworkId>> {
    let collection = if kind == MemberKind::Workspace { "workspaces" } else { "people" };
    let path = in_organization(&["telephony", "config", collection, id.as_str(), "dectNetworks"]);
    Call::new(Effect::Reads, "listing the networks of a member", (Method::Get, path), response::networks_of_member)
        .with_items_in("dectNetworks")
}

/// Gets one network ("Get DECT Network Details").
pub fn get_network(network: NetworkPath<'_>) -> Call<'_, Network> {
    let read = |head: &ResponseHead, body: &[u8], now| response::network(head, body, now, network.location);
    Call::new(Effect::Reads, "reading a DECT network", (Method::Get, network.join(&[])), read)
}

/// Replaces the settings of one network ("Update DECT Network"). This is not a patch, so all four settings are sent.
pub fn update_network<'a>(network: NetworkPath<'a>, settings: &'a Settings) -> Call<'a, WriteAck> {
    let read = |head: &ResponseHead, body: &[u8], now| {
        response::write(head, body, now).map_err(|error| error.redact_code_of(settings))
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
        response::created(head, body, now).map_err(|error| error.redact_code_of(settings))
    };
    let path = in_location(location, &["dectNetworks"]);
    Call::new(Effect::Adds, "creating a DECT network", (Method::Post, path), read)
        .with_body(wire::create(settings, model))
}

/// Deletes a network with everything that belongs to it ("Delete DECT Network").
pub fn delete_network(network: NetworkPath<'_>) -> Call<'_, WriteAck> {
    Call::new(Effect::Replaces, "deleting a DECT network", (Method::Delete, network.join(&[])), response::write)
}

/// Reads whether the serviceability password of a network is enabled ("Get DECT Serviceability Password status").
pub fn get_serviceability_password(network: NetworkPath<'_>) -> Call<'_, PasswordStatus> {
    let path = network.join(&["serviceabilityPassword"]);
    Call::new(Effect::Reads, "reading the serviceability password", (Method::Get, path), response::password_status)
}

/// Enables or disables the serviceability password of a network ("Update DECT Serviceability Password status"). Cisco warns that
/// this can reboot the entire network.
pub fn set_serviceability_password(network: NetworkPath<'_>, is_enabled: bool) -> Call<'_, WriteAck> {
    let path = network.join(&["serviceabilityPassword"]);
    Call::new(Effect::Adds, "setting the serviceability password", (Method::Put, path), response::write)
        .with_body(wire::password_status(is_enabled))
}

/// Generates and enables a new serviceability password of a network ("Generate and Enable DECT Serviceability Password").
/// Cisco warns that this can reboot the entire network. It is returned this once.
pub fn generate_password(network: NetworkPath<'_>) -> Call<'_, ServiceabilityPassword> {
    let path = network.join(&["serviceabilityPassword", "actions", "generate", "invoke"]);
    Call::new(Effect::Adds, "generating a password", (Method::Post, path), response::password)
}

/// Lists the base stations of a network ("Get a list of DECT Network Base Stations").
pub fn list_base_stations(network: NetworkPath<'_>) -> Call<'_, Vec<BaseStation>> {
    let path = network.join(&["baseStations"]);
    Call::new(Effect::Reads, "listing base stations", (Method::Get, path), response::base_stations)
        .with_items_in("baseStations")
}

/// Reads what a network has of one kind; `None` of networks themselves.
pub fn list_devices(kind: ResourceKind, network: NetworkPath<'_>) -> Option<Call<'_, DeviceList>> {
    match kind {
        ResourceKind::Network => None,
        ResourceKind::BaseStation => Some(list_base_stations(network).map(DeviceList::BaseStations)),
        ResourceKind::Handset => Some(list_handsets(network).map(DeviceList::Handsets)),
        ResourceKind::ServiceabilityPassword => {
            Some(get_serviceability_password(network).map(DeviceList::ServiceabilityPassword))
        }
    }
}

/// Adds base stations to a network ("Create Multiple Base Stations"); returns a result for each.
pub fn add_base_stations<'a>(network: NetworkPath<'a>, macs: &[Mac]) -> Call<'a, Vec<ItemResult>> {
    let path = network.join(&["baseStations"]);
    Call::new(Effect::Adds, "adding base stations", (Method::Post, path), response::base_station_results)
        .with_body(wire::add_base_stations(macs))
}

/// Removes one base station of a network ("Delete a specific DECT Network Base Station").
pub fn remove_base_station<'a>(network: NetworkPath<'a>, id: &BaseStationId) -> Call<'a, WriteAck> {
    let path = network.join(&["baseStations", id.as_str()]);
    Call::new(Effect::Replaces, "removing a base station", (Method::Delete, path), response::write)
}

/// Lists the handsets of a network ("Get List of Handsets for a DECT Network ID").
pub fn list_handsets(network: NetworkPath<'_>) -> Call<'_, Vec<Handset>> {
    let path = network.join(&["handsets"]);
    Call::new(Effect::Reads, "listing handsets", (Method::Get, path), response::handsets).with_items_in("handsets")
}

/// The same list, each handset with its access code, where it has one.
pub fn list_handsets_with_codes(network: NetworkPath<'_>) -> Call<'_, Vec<(Handset, Option<CodeText>)>> {
    let path = network.join(&["handsets"]);
    Call::new(Effect::Reads, "listing handsets", (Method::Get, path), response::handsets_with_codes)
        .with_items_in("handsets")
}

/// Adds handsets to a network ("Add a List of Handsets to a DECT Network"), 1 to 50; returns a result for each, without
/// ids.
pub fn add_handsets<'a>(network: NetworkPath<'a>, handsets: &[&Handset]) -> Call<'a, Vec<ItemResult>> {
    let path = network.join(&["handsets", "bulk"]);
    Call::new(Effect::Adds, "adding handsets", (Method::Post, path), response::handset_results)
        .with_body(wire::add_handsets(handsets))
}

/// Replaces the name and the lines of a handset ("Update DECT Network Handset"). This is not a patch: a second line that
/// is not sent is removed.
pub fn update_handset<'a>(network: NetworkPath<'a>, id: &HandsetId, handset: &Handset) -> Call<'a, WriteAck> {
    let path = network.join(&["handsets", id.as_str()]);
    Call::new(Effect::Replaces, "updating a handset", (Method::Put, path), response::handset_write)
        .with_body(wire::update_handset(handset))
}

/// Removes handsets of a network by their ids ("Delete multiple handsets"), 1 to 50. `deleteAll` is never sent.
pub fn remove_handsets<'a>(network: NetworkPath<'a>, ids: &[&HandsetId]) -> Call<'a, WriteAck> {
    let path = network.join(&["handsets"]);
    Call::new(Effect::Replaces, "removing handsets", (Method::Delete, path), response::handset_write)
        .with_body(wire::remove_handsets(ids))
}
