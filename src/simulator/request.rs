//! Operations of the simulated organization, and parsing them from HTTP requests.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::responses::ApiErrorResponse;
use crate::model::{LocationId, NetworkId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `GET /telephony/config/dectNetworks`
    List { location: Option<String>, name: Option<String> },
    /// `POST /telephony/config/locations/{location}/dectNetworks`
    Create { location: LocationId, body: Vec<u8> },
    /// Anything on `/telephony/config/locations/{location}/dectNetworks/{network}`, or below it.
    OfNetwork(Place, NetworkOperation),
    /// `GET /telephony/config/devices/availableMembers`
    AvailableMembers(MemberQuery),
    /// `GET /telephony/config/devices/availableMembers/count`
    CountMembers(MemberQuery),
    /// `GET /telephony/config/devices/dectNetworks/supportedDevices`
    SupportedDevices,
    /// `GET /people`, `/workspaces` or `/telephony/config/virtualLines`
    Members(MemberKind, Page),
    /// `GET /telephony/config/{people, workspaces or virtualLines}/{member}/dectNetworks`
    NetworksOfMember(MemberKind, String),
    /// `GET /locations`
    Locations {
        name: Option<String>,
        /// Page size, unparsed.
        max: Option<String>,
        /// Offset of the page, unparsed.
        start: Option<String>,
    },
    /// `GET /organizations`
    Organizations,
    /// `GET /people/me`
    Me,
    /// `POST /access_token`
    AccessToken { form: Vec<u8> },
    /// An unknown path or method, with its status.
    Unknown(u16),
}

/// A network in its location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub location: LocationId,
    pub network: NetworkId,
}

/// What is asked of a network, with the path below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkOperation {
    /// `GET`
    Get,
    /// `PUT`
    Update(Vec<u8>),
    /// `DELETE`
    Delete,
    /// `GET …/baseStations`
    ListBaseStations,
    /// `POST …/baseStations`
    AddBaseStations(Vec<u8>),
    /// `GET …/baseStations/{id}`
    GetBaseStation(String),
    /// `DELETE …/baseStations/{id}`
    RemoveBaseStation(String),
    /// `DELETE …/baseStations`, which removes all of them.
    RemoveAllBaseStations,
    /// `GET …/handsets`, or of those with a line of a member or at a base station.
    ListHandsets { member: Option<String>, station: Option<String> },
    /// `GET …/handsets/{id}`
    GetHandset(String),
    /// `POST …/handsets`: one.
    AddHandset(Vec<u8>),
    /// `POST …/handsets/bulk`: up to 50.
    AddHandsets(Vec<u8>),
    /// `PUT …/handsets/{id}`
    UpdateHandset(String, Vec<u8>),
    /// `DELETE …/handsets/{id}`
    RemoveHandset(String),
    /// `DELETE …/handsets` with their ids, or with `deleteAll`.
    RemoveHandsets(Vec<u8>),
    /// `GET …/serviceabilityPassword`
    GetPassword,
    /// `PUT …/serviceabilityPassword`
    SetPassword(Vec<u8>),
    /// `POST …/serviceabilityPassword/actions/generate/invoke`
    GeneratePassword,
}

impl NetworkOperation {
    /// The operation of a method and a decoded path below a network.
    fn of(method: &str, parts: &[&str], query: &Query, body: Vec<u8>) -> Result<Self, u16> {
        let method = if method == "HEAD" { "GET" } else { method };
        Ok(match (method, parts) {
            ("GET", []) => Self::Get,
            ("PUT", []) => Self::Update(body),
            ("DELETE", []) => Self::Delete,
            ("GET", ["baseStations"]) => Self::ListBaseStations,
            ("POST", ["baseStations"]) => Self::AddBaseStations(body),
            ("DELETE", ["baseStations"] | ["baseStations", ""]) => Self::RemoveAllBaseStations,
            ("GET", ["baseStations", id]) if !id.is_empty() => Self::GetBaseStation((*id).to_owned()),
            ("DELETE", ["baseStations", id]) => Self::RemoveBaseStation((*id).to_owned()),
            ("GET", ["handsets"]) => {
                Self::ListHandsets { member: query.get("memberId"), station: query.get("basestationId") }
            }
            ("POST", ["handsets"]) => Self::AddHandset(body),
            ("POST", ["handsets", "bulk"]) => Self::AddHandsets(body),
            ("DELETE", ["handsets"] | ["handsets", ""]) => Self::RemoveHandsets(body),
            ("GET", ["handsets", id]) if !id.is_empty() => Self::GetHandset((*id).to_owned()),
            ("PUT", ["handsets", id]) if !id.is_empty() => Self::UpdateHandset((*id).to_owned(), body),
            ("DELETE", ["handsets", id]) => Self::RemoveHandset((*id).to_owned()),
            ("GET", ["serviceabilityPassword"]) => Self::GetPassword,
            ("PUT", ["serviceabilityPassword"]) => Self::SetPassword(body),
            ("POST", ["serviceabilityPassword", "actions", "generate", "invoke"]) => Self::GeneratePassword,
            (_, [] | ["baseStations" | "handsets" | "serviceabilityPassword", ..]) => return Err(405),
            _ => return Err(404),
        })
    }

    /// Its method, and its path below the network.
    fn raw(&self) -> (&'static str, String) {
        let path = |path: &str| path.to_owned();
        match self {
            Self::Get => ("GET", path("")),
            Self::Update(_) => ("PUT", path("")),
            Self::Delete => ("DELETE", path("")),
            Self::ListBaseStations => ("GET", path("/baseStations")),
            Self::AddBaseStations(_) => ("POST", path("/baseStations")),
            Self::RemoveAllBaseStations => ("DELETE", path("/baseStations")),
            Self::GetBaseStation(id) => ("GET", format!("/baseStations/{id}")),
            Self::RemoveBaseStation(id) => ("DELETE", format!("/baseStations/{id}")),
            Self::ListHandsets { .. } => ("GET", path("/handsets")),
            Self::AddHandset(_) => ("POST", path("/handsets")),
            Self::AddHandsets(_) => ("POST", path("/handsets/bulk")),
            Self::RemoveHandsets(_) => ("DELETE", path("/handsets")),
            Self::GetHandset(id) => ("GET", format!("/handsets/{id}")),
            Self::UpdateHandset(id, _) => ("PUT", format!("/handsets/{id}")),
            Self::RemoveHandset(id) => ("DELETE", format!("/handsets/{id}")),
            Self::GetPassword => ("GET", path("/serviceabilityPassword")),
            Self::SetPassword(_) => ("PUT", path("/serviceabilityPassword")),
            Self::GeneratePassword => ("POST", path("/serviceabilityPassword/actions/generate/invoke")),
        }
    }

    /// What recorded shapes call a read.
    const fn shape_name(&self) -> Option<&'static str> {
        match self {
            Self::Get => Some("network"),
            Self::ListBaseStations => Some("baseStations"),
            Self::ListHandsets { .. } => Some("handsets"),
            _ => None,
        }
    }

    pub(super) fn is_write(&self) -> bool {
        self.raw().0 != "GET"
    }
}

impl Operation {
    /// What recorded shapes call a read.
    pub(super) const fn shape_name(&self) -> Option<&'static str> {
        Some(match self {
            Self::List { .. } => "networks",
            Self::OfNetwork(_, operation) => return operation.shape_name(),
            Self::AvailableMembers(_) => "members",
            Self::NetworksOfMember(..) => "networksOfMember",
            Self::Locations { .. } => "locations",
            Self::Organizations => "organizations",
            Self::Me => "me",
            _ => return None,
        })
    }

    /// Parses a request; `path` is the full path, still percent-encoded.
    pub fn parse(method: &str, path: &str, query: &Query, body: Vec<u8>) -> Self {
        let decoded: Result<Vec<Cow<'_, str>>, _> =
            path.split('/').map(|part| percent_decode_str(part).decode_utf8()).collect();
        let Ok(parts) = decoded else { return Self::Unknown(400) };
        let parts: Vec<&str> = parts.iter().map(|part| &**part).collect();
        let ["", "v1", parts @ ..] = &parts[..] else { return Self::Unknown(404) };
        Self::of(method, parts, query, body)
    }

    /// The operation of a method and a decoded path below the version.
    pub fn of(method: &str, parts: &[&str], query: &Query, body: Vec<u8>) -> Self {
        match parts {
            ["telephony", "config", "locations", location, "dectNetworks", network, below @ ..] => {
                let place = Place { location: LocationId::new(*location), network: NetworkId::new(*network) };
                match NetworkOperation::of(method, below, query, body) {
                    Ok(operation) => Self::OfNetwork(place, operation),
                    Err(status) => Self::Unknown(status),
                }
            }
            ["telephony", "config", "locations", location, "dectNetworks"] => match method {
                "POST" => Self::Create { location: LocationId::new(*location), body },
                _ => Self::Unknown(405),
            },
            ["access_token"] => match method {
                "POST" => Self::AccessToken { form: body },
                _ => Self::Unknown(405),
            },
            _ => match Self::read(parts, query) {
                Some(read) if matches!(method, "GET" | "HEAD") => read,
                Some(_) => Self::Unknown(405),
                None => Self::Unknown(404),
            },
        }
    }

    /// The operation that reads a path.
    fn read(parts: &[&str], query: &Query) -> Option<Self> {
        Some(match parts {
            ["locations"] => {
                Self::Locations { name: query.get("name"), max: query.get("max"), start: query.get("start") }
            }
            ["organizations"] => Self::Organizations,
            ["people", "me"] => Self::Me,
            ["people"] => Self::Members(MemberKind::Person, Page::of(query)),
            ["workspaces"] => Self::Members(MemberKind::Workspace, Page::of(query)),
            ["telephony", "config", below @ ..] => match below {
                ["dectNetworks"] => Self::List { location: query.get("locationId"), name: query.get("name") },
                ["devices", "availableMembers"] => Self::AvailableMembers(MemberQuery::of(query)),
                ["devices", "availableMembers", "count"] => Self::CountMembers(MemberQuery::of(query)),
                ["devices", "dectNetworks", "supportedDevices"] => Self::SupportedDevices,
                ["virtualLines"] => Self::Members(MemberKind::VirtualLine, Page::of(query)),
                [list, member, "dectNetworks"] => {
                    Self::NetworksOfMember(MemberKind::of_list(list)?, (*member).to_owned())
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    pub fn is_write(&self) -> bool {
        self.written_location().is_some()
    }

    fn raw(&self) -> (&'static str, String) {
        let networks = |location: &LocationId| format!("/telephony/config/locations/{location}/dectNetworks");
        match self {
            Self::List { .. } => ("GET", "/telephony/config/dectNetworks".to_owned()),
            Self::Create { location, .. } => ("POST", networks(location)),
            Self::OfNetwork(Place { location, network }, operation) => {
                let (method, path) = operation.raw();
                (method, format!("{}/{network}{path}", networks(location)))
            }
            Self::AvailableMembers(_) => ("GET", "/telephony/config/devices/availableMembers".to_owned()),
            Self::CountMembers(_) => ("GET", "/telephony/config/devices/availableMembers/count".to_owned()),
            Self::SupportedDevices => ("GET", "/telephony/config/devices/dectNetworks/supportedDevices".to_owned()),
            Self::Members(kind, _) => match kind {
                MemberKind::VirtualLine => ("GET", "/telephony/config/virtualLines".to_owned()),
                MemberKind::Person | MemberKind::Workspace => ("GET", format!("/{}", kind.list())),
            },
            Self::NetworksOfMember(kind, id) => ("GET", format!("/telephony/config/{}/{id}/dectNetworks", kind.list())),
            Self::Locations { .. } => ("GET", "/locations".to_owned()),
            Self::Organizations => ("GET", "/organizations".to_owned()),
            Self::Me => ("GET", "/people/me".to_owned()),
            Self::AccessToken { .. } => ("POST", "/access_token".to_owned()),
            Self::Unknown(_) => ("GET", "/".to_owned()),
        }
    }

    /// The location that a write is about, and the network unless it creates one.
    pub(super) fn written(&self) -> Option<(&LocationId, Option<&NetworkId>)> {
        match self {
            Self::Create { location, .. } => Some((location, None)),
            Self::OfNetwork(place, operation) if operation.is_write() => Some((&place.location, Some(&place.network))),
            _ => None,
        }
    }

    pub(super) fn written_location(&self) -> Option<&LocationId> {
        self.written().map(|(location, _)| location)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub operation: Operation,
    pub token: Option<String>,
    pub tracking_id: Option<String>,
    pub method: Cow<'static, str>,
    /// The raw path with its query.
    pub target: String,
}

impl Request {
    pub fn new(operation: Operation, token: Option<String>) -> Self {
        let (method, target) = operation.raw();
        Self { operation, token, tracking_id: None, method: method.into(), target }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Parses a query string (form encoding).
    pub fn of(text: &str) -> Self {
        let parsed = reqwest::Url::parse(&format!("form:?{text}"));
        Self(parsed.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default())
    }

    /// The query of these pairs.
    pub fn from_pairs(pairs: &[(&'static str, String)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    pub fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// Returns the query with one value replaced.
    pub fn with(&self, name: &str, value: &str) -> String {
        let others = self.0.iter().filter(|(key, _)| key != name);
        let Ok(mut url) = reqwest::Url::parse("form:") else { return String::new() };
        url.query_pairs_mut().extend_pairs(others).append_pair(name, value);
        url.query().unwrap_or_default().to_owned()
    }
}

/// What `availableMembers` is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberQuery {
    pub location: Option<String>,
    pub member_name: Option<String>,
    pub phone_number: Option<String>,
    pub extension: Option<String>,
    pub exclude_virtual_line: Option<String>,
    /// Page size and offset, unparsed.
    pub max: Option<String>,
    pub start: Option<String>,
}

impl MemberQuery {
    fn of(query: &Query) -> Self {
        Self {
            location: query.get("locationId"),
            member_name: query.get("memberName"),
            phone_number: query.get("phoneNumber"),
            extension: query.get("extension"),
            exclude_virtual_line: query.get("excludeVirtualLine"),
            max: query.get("max"),
            start: query.get("start"),
        }
    }
}

/// Of which kind members are, each with a list of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    Person,
    Workspace,
    VirtualLine,
}

impl MemberKind {
    fn of_list(list: &str) -> Option<Self> {
        [Self::Person, Self::Workspace, Self::VirtualLine].into_iter().find(|kind| kind.list() == list)
    }

    const fn list(self) -> &'static str {
        match self {
            Self::Person => "people",
            Self::Workspace => "workspaces",
            Self::VirtualLine => "virtualLines",
        }
    }

    /// Its name in lists of members.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "PEOPLE",
            Self::Workspace => "PLACE",
            Self::VirtualLine => "VIRTUAL_LINE",
        }
    }
}

/// Which page of a list is asked for, unparsed, and of which location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub location: Option<String>,
    pub max: Option<String>,
    pub start: Option<String>,
}

impl Page {
    fn of(query: &Query) -> Self {
        Self { location: query.get("locationId"), max: query.get("max"), start: query.get("start") }
    }

    /// The number of items, at most `most`.
    pub(super) fn size(&self, most: usize) -> Result<usize, ApiErrorResponse> {
        number("max", self.max.as_deref(), most, 1).map(|size| size.min(most))
    }

    /// The number of items before it.
    pub(super) fn start(&self) -> Result<usize, ApiErrorResponse> {
        number("start", self.start.as_deref(), 0, 0)
    }
}

/// A number of a query, from `least` upwards.
pub(super) fn number(what: &str, text: Option<&str>, default: usize, least: usize) -> Result<usize, ApiErrorResponse> {
    match text.map(str::parse) {
        None => Ok(default),
        Some(Ok(number)) if number >= least => Ok(number),
        Some(_) => Err(ApiErrorResponse::new(400, 400, format!("{what} is not a number from {least} upwards"))),
    }
}

/// The ids of a request to remove several handsets; `None` if it asks for all of them.
pub(super) fn handset_ids(body: &[u8]) -> Option<Vec<String>> {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    // wxc_sdk sends `false` with the ids of those that are to go, and its tests expect the others to stay.
    if value["deleteAll"].as_bool() == Some(true) {
        return None;
    }
    let ids = value["handsetIds"].as_array()?;
    Some(ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: &str, path: &str) -> Operation {
        Operation::parse(method, path, &Query::of("name=a%20b&max=x"), b"{}".to_vec())
    }

    #[test]
    fn paths_are_decoded_piece_by_piece() {
        let path = "/v1/telephony/config/locations/L%2F1%3D/dectNetworks/N+%2B";
        let place = Place { location: LocationId::new("L/1="), network: NetworkId::new("N++") };
        assert_eq!(parse("GET", path), Operation::OfNetwork(place, NetworkOperation::Get));
        let list = Operation::List { location: None, name: Some("a b".to_owned()) };
        assert_eq!(parse("HEAD", "/v1/telephony/config/dectNetworks"), list);
    }

    #[test]
    fn unknown_paths_and_methods_have_different_statuses() {
        for (method, path, status) in [
            ("PATCH", "/v1/telephony/config/dectNetworks", 405),
            ("POST", "/v1/people/me", 405),
            ("PATCH", "/v1/telephony/config/locations/l/dectNetworks/n", 405),
            ("GET", "/v1/telephony/config/locations/l/dectNetworks", 405),
            ("GET", "/v1/telephony/config", 404),
            ("GET", "/people/me", 404),
            ("GET", "/v1/telephony/config/locations/%FF/dectNetworks/n", 400),
        ] {
            assert_eq!(parse(method, path), Operation::Unknown(status), "{method} {path}");
        }
    }

    #[test]
    fn a_query_keeps_what_is_not_replaced() {
        let query = Query::of("orgId=a%2Bb&start=0&name=x+y");
        assert_eq!(query.with("start", "2"), "orgId=a%2Bb&name=x+y&start=2");
        assert_eq!(Query::of("").get("start"), None);
    }
}
