//! Operations of the simulated organization, and parsing them from HTTP requests.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::responses::ApiErrorResponse;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `GET /telephony/config/dectNetworks`
    List { location: Option<String>, name: Option<String> },
    /// `GET /telephony/config/locations/{location}/dectNetworks/{network}`
    Get { location: String, network: String },
    /// `PUT` on the same path.
    Update { location: String, network: String, body: Vec<u8> },
    /// `POST /telephony/config/locations/{location}/dectNetworks`
    Create { location: String, body: Vec<u8> },
    /// `DELETE` on a network.
    Delete { location: String, network: String },
    /// `GET` below a network: its base stations.
    ListBaseStations { location: String, network: String },
    /// `POST` on the same path.
    AddBaseStations { location: String, network: String, body: Vec<u8> },
    /// `DELETE` on one base station.
    RemoveBaseStation { location: String, network: String, station: String },
    /// `DELETE` on the collection, which removes all of them.
    RemoveAllBaseStations { location: String, network: String },
    /// `GET` on one base station.
    GetBaseStation { location: String, network: String, station: String },
    /// `GET` below a network: its handsets, or those with a line of a member or at a base station.
    ListHandsets { location: String, network: String, member: Option<String>, station: Option<String> },
    /// `GET` on one handset.
    GetHandset { location: String, network: String, handset: String },
    /// `POST` on the handsets: one.
    AddHandset { location: String, network: String, body: Vec<u8> },
    /// `POST …/handsets/bulk`: up to 50.
    AddHandsets { location: String, network: String, body: Vec<u8> },
    /// `PUT` on one handset.
    UpdateHandset { location: String, network: String, handset: String, body: Vec<u8> },
    /// `DELETE` on one handset.
    RemoveHandset { location: String, network: String, handset: String },
    /// `DELETE` on the handsets with their ids, or with `deleteAll`.
    RemoveHandsets { location: String, network: String, body: Vec<u8> },
    /// `GET …/serviceabilityPassword`
    GetPassword { location: String, network: String },
    /// `PUT` on the same path.
    SetPassword { location: String, network: String, body: Vec<u8> },
    /// `POST …/serviceabilityPassword/actions/generate/invoke`
    GeneratePassword { location: String, network: String },
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

impl Operation {
    /// What recorded shapes call a read.
    pub(super) const fn shape_name(&self) -> Option<&'static str> {
        Some(match self {
            Self::List { .. } => "networks",
            Self::Get { .. } => "network",
            Self::ListBaseStations { .. } => "baseStations",
            Self::ListHandsets { .. } => "handsets",
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
        match (method, parts) {
            ("GET" | "HEAD", ["telephony", "config", "dectNetworks"]) => {
                Self::List { location: query.get("locationId"), name: query.get("name") }
            }
            ("POST", ["telephony", "config", "locations", location, "dectNetworks"]) => {
                Self::Create { location: (*location).to_owned(), body }
            }
            (_, ["telephony", "config", "locations", location, "dectNetworks", network]) => {
                let (location, network) = ((*location).to_owned(), (*network).to_owned());
                match method {
                    "GET" | "HEAD" => Self::Get { location, network },
                    "PUT" => Self::Update { location, network, body },
                    "DELETE" => Self::Delete { location, network },
                    _ => Self::Unknown(405),
                }
            }
            (_, ["telephony", "config", "locations", location, "dectNetworks", network, devices @ ..]) => {
                let (location, network) = ((*location).to_owned(), (*network).to_owned());
                match (method, devices) {
                    ("GET" | "HEAD", ["baseStations"]) => Self::ListBaseStations { location, network },
                    ("POST", ["baseStations"]) => Self::AddBaseStations { location, network, body },
                    ("DELETE", ["baseStations"] | ["baseStations", ""]) => {
                        Self::RemoveAllBaseStations { location, network }
                    }
                    ("GET" | "HEAD", ["baseStations", station]) if !station.is_empty() => {
                        Self::GetBaseStation { location, network, station: (*station).to_owned() }
                    }
                    ("DELETE", ["baseStations", station]) => {
                        Self::RemoveBaseStation { location, network, station: (*station).to_owned() }
                    }
                    ("GET" | "HEAD", ["handsets"]) => Self::ListHandsets {
                        location,
                        network,
                        member: query.get("memberId"),
                        station: query.get("basestationId"),
                    },
                    ("GET" | "HEAD", ["serviceabilityPassword"]) => Self::GetPassword { location, network },
                    ("PUT", ["serviceabilityPassword"]) => Self::SetPassword { location, network, body },
                    ("POST", ["serviceabilityPassword", "actions", "generate", "invoke"]) => {
                        Self::GeneratePassword { location, network }
                    }
                    ("POST", ["handsets"]) => Self::AddHandset { location, network, body },
                    ("POST", ["handsets", "bulk"]) => Self::AddHandsets { location, network, body },
                    ("DELETE", ["handsets"] | ["handsets", ""]) => Self::RemoveHandsets { location, network, body },
                    (_, ["handsets", handset]) if !handset.is_empty() => {
                        let handset = (*handset).to_owned();
                        match method {
                            "GET" | "HEAD" => Self::GetHandset { location, network, handset },
                            "PUT" => Self::UpdateHandset { location, network, handset, body },
                            "DELETE" => Self::RemoveHandset { location, network, handset },
                            _ => Self::Unknown(405),
                        }
                    }
                    (_, ["baseStations" | "handsets" | "serviceabilityPassword", ..]) => Self::Unknown(405),
                    _ => Self::Unknown(404),
                }
            }
            ("GET" | "HEAD", ["telephony", "config", "devices", "availableMembers"]) => {
                Self::AvailableMembers(MemberQuery::of(query))
            }
            ("GET" | "HEAD", ["telephony", "config", "devices", "availableMembers", "count"]) => {
                Self::CountMembers(MemberQuery::of(query))
            }
            ("GET" | "HEAD", ["telephony", "config", "devices", "dectNetworks", "supportedDevices"]) => {
                Self::SupportedDevices
            }
            ("GET" | "HEAD", ["telephony", "config", "people", member, "dectNetworks"]) => {
                Self::NetworksOfMember(MemberKind::Person, (*member).to_owned())
            }
            ("GET" | "HEAD", ["telephony", "config", "workspaces", member, "dectNetworks"]) => {
                Self::NetworksOfMember(MemberKind::Workspace, (*member).to_owned())
            }
            ("GET" | "HEAD", ["telephony", "config", "virtualLines", member, "dectNetworks"]) => {
                Self::NetworksOfMember(MemberKind::VirtualLine, (*member).to_owned())
            }
            ("GET" | "HEAD", ["people"]) => Self::Members(MemberKind::Person, Page::of(query)),
            ("GET" | "HEAD", ["workspaces"]) => Self::Members(MemberKind::Workspace, Page::of(query)),
            ("GET" | "HEAD", ["telephony", "config", "virtualLines"]) => {
                Self::Members(MemberKind::VirtualLine, Page::of(query))
            }
            ("GET" | "HEAD", ["locations"]) => {
                Self::Locations { name: query.get("name"), max: query.get("max"), start: query.get("start") }
            }
            ("GET" | "HEAD", ["organizations"]) => Self::Organizations,
            ("GET" | "HEAD", ["people", "me"]) => Self::Me,
            ("POST", ["access_token"]) => Self::AccessToken { form: body },
            (
                _,
                ["telephony", "config", "dectNetworks"]
                | ["telephony", "config", "devices", "availableMembers"]
                | ["telephony", "config", "devices", "availableMembers", "count"]
                | ["telephony", "config", "devices", "dectNetworks", "supportedDevices"]
                | ["telephony", "config", "locations", _, "dectNetworks"]
                | ["telephony", "config", "virtualLines"]
                | ["locations" | "organizations" | "people" | "workspaces"]
                | ["people", "me"]
                | ["access_token"],
            ) => Self::Unknown(405),
            _ => Self::Unknown(404),
        }
    }

    pub fn is_write(&self) -> bool {
        self.written_location().is_some()
    }

    fn raw(&self) -> (&'static str, String) {
        let networks = |location: &str| format!("/telephony/config/locations/{location}/dectNetworks");
        let stations = |location: &str, network: &str| format!("{}/{network}/baseStations", networks(location));
        let handsets = |location: &str, network: &str| format!("{}/{network}/handsets", networks(location));
        let password =
            |location: &str, network: &str| format!("{}/{network}/serviceabilityPassword", networks(location));
        match self {
            Self::List { .. } => ("GET", "/telephony/config/dectNetworks".to_owned()),
            Self::Get { location, network } => ("GET", format!("{}/{network}", networks(location))),
            Self::Update { location, network, .. } => ("PUT", format!("{}/{network}", networks(location))),
            Self::Create { location, .. } => ("POST", networks(location)),
            Self::Delete { location, network } => ("DELETE", format!("{}/{network}", networks(location))),
            Self::ListBaseStations { location, network } => ("GET", stations(location, network)),
            Self::AddBaseStations { location, network, .. } => ("POST", stations(location, network)),
            Self::RemoveBaseStation { location, network, station } => {
                ("DELETE", format!("{}/{station}", stations(location, network)))
            }
            Self::RemoveAllBaseStations { location, network } => ("DELETE", stations(location, network)),
            Self::GetBaseStation { location, network, station } => {
                ("GET", format!("{}/{station}", stations(location, network)))
            }
            Self::ListHandsets { location, network, .. } => ("GET", handsets(location, network)),
            Self::GetHandset { location, network, handset } => {
                ("GET", format!("{}/{handset}", handsets(location, network)))
            }
            Self::AddHandset { location, network, .. } => ("POST", handsets(location, network)),
            Self::AddHandsets { location, network, .. } => ("POST", format!("{}/bulk", handsets(location, network))),
            Self::UpdateHandset { location, network, handset, .. } => {
                ("PUT", format!("{}/{handset}", handsets(location, network)))
            }
            Self::RemoveHandset { location, network, handset } => {
                ("DELETE", format!("{}/{handset}", handsets(location, network)))
            }
            Self::RemoveHandsets { location, network, .. } => ("DELETE", handsets(location, network)),
            Self::GetPassword { location, network } => ("GET", password(location, network)),
            Self::SetPassword { location, network, .. } => ("PUT", password(location, network)),
            Self::GeneratePassword { location, network } => {
                ("POST", format!("{}/actions/generate/invoke", password(location, network)))
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
    pub(super) fn written(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Create { location, .. } => Some((location, None)),
            Self::Update { location, network, .. }
            | Self::Delete { location, network, .. }
            | Self::AddBaseStations { location, network, .. }
            | Self::RemoveBaseStation { location, network, .. }
            | Self::RemoveAllBaseStations { location, network, .. }
            | Self::AddHandset { location, network, .. }
            | Self::AddHandsets { location, network, .. }
            | Self::UpdateHandset { location, network, .. }
            | Self::RemoveHandset { location, network, .. }
            | Self::RemoveHandsets { location, network, .. }
            | Self::SetPassword { location, network, .. }
            | Self::GeneratePassword { location, network } => Some((location, Some(network))),
            _ => None,
        }
    }

    pub(super) fn written_location(&self) -> Option<&str> {
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
        assert_eq!(parse("GET", path), Operation::Get { location: "L/1=".to_owned(), network: "N++".to_owned() });
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
