//! A request of the API is a value: what is sent, and how its response is read. Those of a kind are in
//! `resources/<kind>/calls`, the others here.
//!
//! Paths, bodies and statuses are those of Cisco's OpenAPI description of the Webex Calling DECT APIs
//! (webex/webex-openapi-specs).

use std::sync::Arc;

use jiff::Timestamp;

use super::api::{ApiRequest, DectApi, Method, Organization, RawResponse, ResponseHead, TokenOwner};
use super::error::{ApiError, ErrorClass, MaybeApplied};
use super::response::{self, Subject};
use super::wire;
use crate::model::{LocationId, Network, NetworkId};

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
    pub(crate) fn new(
        effect: Effect,
        purpose: &'static str,
        (method, path): (Method, Path<'a>),
        read: impl Fn(&ResponseHead, &[u8], Timestamp) -> Result<T, ApiError> + 'a,
    ) -> Self {
        let request = ApiRequest { purpose, method, path: path.segments, query: Vec::new(), body: None, list: None };
        Self { effect, location: path.location, request, read: Box::new(read) }
    }

    pub(crate) fn with_body(self, body: Vec<u8>) -> Self {
        Self { request: ApiRequest { body: Some(body), ..self.request }, ..self }
    }

    pub(crate) fn with_query(self, query: Vec<(&'static str, String)>) -> Self {
        Self { request: ApiRequest { query, ..self.request }, ..self }
    }

    /// The field with the items of a list, which may be returned in pages.
    pub(crate) fn with_items_in(self, list: &'static str) -> Self {
        Self { request: ApiRequest { list: Some(list), ..self.request }, ..self }
    }

    /// The location that it is about, which its path does not have.
    pub(crate) fn about(self, location: &'a LocationId) -> Self {
        Self { location: Some(location), ..self }
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

    /// Reads a response; `now` is the local time, for responses without a `Date`.
    ///
    /// # Errors
    /// If the status is not a success, or the body is not what it should be.
    pub fn read_response(&self, head: &ResponseHead, body: &[u8], now: Timestamp) -> Result<T, ApiError> {
        (self.read)(head, body, now)
    }

    /// Sends it once: no waiting, no retry.
    ///
    /// # Errors
    /// If the request fails, the status is not a success, or the response cannot be read.
    pub async fn send_once(&self, api: &dyn DectApi) -> Result<T, ApiError> {
        let mut value = None;
        let reader = |head: &ResponseHead, body: &[u8], now: Timestamp| {
            value = Some(self.read_response(head, body, now)?);
            Ok(())
        };
        api.send(self.request.clone(), Box::new(reader)).await?;
        let unread =
            || ApiError::no_response(ErrorClass::Permanent, "the response was not read", MaybeApplied::Unknown);
        value.ok_or_else(unread)
    }
}

/// The path of a request, and the location that it is in.
pub(crate) struct Path<'a> {
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
    pub(crate) fn join(self, more: &[&str]) -> Path<'a> {
        let network = [&["dectNetworks", self.network.as_str()], more].concat();
        in_location(self.location, &network)
    }
}

pub(crate) fn in_location<'a>(location: &'a LocationId, more: &[&str]) -> Path<'a> {
    let segments = [&["telephony", "config", "locations", location.as_str()], more].concat();
    Path { location: Some(location), ..in_organization(&segments) }
}

pub(crate) fn in_organization(segments: &[&str]) -> Path<'static> {
    Path { location: None, segments: segments.iter().map(|segment| (*segment).to_owned()).collect() }
}

/// Lists the locations of the organization ("List Locations"), with or without DECT networks.
pub fn list_locations() -> Call<'static, Vec<(LocationId, Arc<str>)>> {
    let path = in_organization(&["locations"]);
    Call::new(
        Effect::Reads,
        "listing locations",
        (Method::Get, path),
        response::body_of(Subject::Networks, wire::locations),
    )
    .with_items_in("items")
}

/// Lists the organizations that the token reaches ("List Organizations").
pub fn list_organizations() -> Call<'static, Vec<Organization>> {
    let path = in_organization(&["organizations"]);
    Call::new(
        Effect::Reads,
        "listing organizations",
        (Method::Get, path),
        response::body_of(Subject::Networks, wire::organizations),
    )
    .with_items_in("items")
}

/// Gets the owner of the token ("Get My Own Details"), for which it needs the scope `spark:people_read`.
pub fn get_token_owner() -> Call<'static, TokenOwner> {
    let path = in_organization(&["people", "me"]);
    Call::new(
        Effect::Reads,
        "reading the owner of the token",
        (Method::Get, path),
        response::body_of(Subject::Networks, wire::me),
    )
}
