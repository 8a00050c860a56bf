//! JSON types of the simulator, written against the API documentation, not against the client.

use serde::Serialize;
use serde_json::{Value, json};

use super::network::SimNetwork;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimulatedResponse {
    pub status: u16,
    /// The header `trackingid`.
    pub tracking_id: String,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// Offset of the next page, for the header `Link`.
    pub next: Option<usize>,
    pub body: Vec<u8>,
    /// The connection breaks in the middle of the body.
    pub is_cut: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiErrorResponse {
    pub(super) status: u16,
    pub(super) words: String,
    pub(super) code: u32,
}

impl ApiErrorResponse {
    pub(super) fn new(status: u16, code: u32, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), code }
    }
}

impl SimulatedResponse {
    pub(super) fn json(status: u16, tracking_id: String, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self { status, tracking_id, body, ..Self::default() }
    }

    pub(super) fn empty(status: u16, tracking_id: String) -> Self {
        Self { status, tracking_id, ..Self::default() }
    }

    /// An error in one of the two documented formats, depending on the status.
    pub(super) fn refused(error: &ApiErrorResponse, tracking_id: String) -> Self {
        let ApiErrorResponse { status, words, code } = error;
        let body = if matches!(status, 400 | 401 | 404 | 429) {
            json!({
                "message": words,
                "errors": [{ "description": words, "errorCode": code }],
                "trackingId": tracking_id,
            })
        } else {
            json!({
                "error": [{
                    "key": status.to_string(),
                    "message": [{ "description": words, "code": code.to_string() }],
                }],
                "trackingId": tracking_id,
            })
        };
        Self::json(*status, tracking_id, &body)
    }

    pub(super) fn page(status: u16, tracking_id: String) -> Self {
        let body =
            format!("<!DOCTYPE html><html><head><title>{status} from a proxy</title></head><body>No.</body></html>");
        Self { status, tracking_id, body: body.into_bytes(), ..Self::default() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NetworkJson<'a> {
    id: &'a str,
    name: &'a str,
    display_name: Option<&'a str>,
    chain_id: u64,
    model: &'a str,
    default_access_code_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_access_code: Option<&'a str>,
    number_of_base_stations: u64,
    number_of_handsets_assigned: u64,
    number_of_lines: u64,
    location: LocationRefJson<'a>,
}

#[derive(Serialize)]
pub(super) struct LocationRefJson<'a> {
    pub(super) id: std::borrow::Cow<'a, str>,
    pub(super) name: std::borrow::Cow<'a, str>,
}

impl<'a> NetworkJson<'a> {
    pub(super) fn of(network: &'a SimNetwork, location_name: &'a str) -> Self {
        Self {
            id: network.id.as_str(),
            name: &network.name,
            display_name: network.display_name.as_deref(),
            chain_id: network.chain_id,
            model: &network.model,
            default_access_code_enabled: network.code_enabled,
            default_access_code: network.code.as_deref(),
            number_of_base_stations: network.base_stations.len() as u64,
            number_of_handsets_assigned: network.handsets.len(),
            number_of_lines: network.lines,
            location: LocationRefJson { id: network.location.as_str().into(), name: location_name.into() },
        }
    }
}

/// A network with its devices, as a snapshot has it and a list of Webex has not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SnapshotNetworkJson<'a> {
    #[serde(flatten)]
    pub(super) network: NetworkJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) serviceability_password: Option<bool>,
    pub(super) base_stations: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) handsets: Option<Vec<Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NetworkListJson<N> {
    pub(super) dect_networks: Vec<N>,
    #[serde(rename = "createdBySimulator", skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<u64>,
    /// Locations without networks, which no list of Webex has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) locations: Vec<LocationRefJson<'static>>,
    /// The members of the organization, which no list of Webex has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) members: Vec<Value>,
}

pub(super) fn location(id: &str, name: &str, org: &str) -> Value {
    json!({ "id": id, "name": name, "orgId": org, "timeZone": "Europe/Oslo", "preferredLanguage": "en_us" })
}
