//! Records what an API answers, without any value: what a first contact with an organization shows.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{
    ApiShapes, LocationId, MemberId, MemberKind, NetworkId, OperationShape, SHAPES_VERSION, ShapesKind,
};
use crate::resources::calls;
use crate::runtime::Clock;
use crate::webex::calls::{Call, get_token_owner, list_locations, list_organizations};
use crate::webex::{DectApi, NetworkPath};

/// So many networks are looked into.
const NETWORKS: usize = 3;

/// Records the shapes of what an organization answers to about fifteen reads. Nothing is written to it.
pub async fn probe(api: &dyn DectApi, clock: &Clock) -> ApiShapes {
    let mut probe = Probe { api, clock, operations: BTreeMap::new() };
    probe.ask("me", "GET /people/me", get_token_owner()).await;
    probe.ask("organizations", "GET /organizations", list_organizations()).await;
    probe.ask("locations", "GET /locations", list_locations()).await;
    let list = probe.ask("networks", "GET /telephony/config/dectNetworks", calls::list_networks()).await;
    let networks = networks(&list);
    for disabled in networks.iter().filter(|network| network["defaultAccessCodeEnabled"] == Value::Bool(false)) {
        probe.operation("networksWithDisabledCodes", "networks of the list whose code is disabled").shape.add(disabled);
    }
    for network in chosen(&networks) {
        let Some((location, id)) = path(network) else { continue };
        let at = NetworkPath { location: &location, network: &id };
        const NETWORK: &str = "GET /telephony/config/locations/{location}/dectNetworks/{network}";
        probe.ask("network", NETWORK, calls::get_network(at)).await;
        probe.ask("baseStations", &format!("{NETWORK}/baseStations"), calls::list_base_stations(at)).await;
        let handsets = probe.ask("handsets", &format!("{NETWORK}/handsets"), calls::list_handsets(at)).await;
        let members = "GET /telephony/config/devices/availableMembers";
        probe.ask("members", members, calls::list_members(&location, 0)).await;
        if let Some((kind, member)) = first_member(&handsets) {
            let request = "GET /telephony/config/{people|workspaces}/{member}/dectNetworks";
            probe.ask("networksOfMember", request, calls::list_networks_of_member(kind, &member)).await;
        }
        // What an error looks like.
        let mut missing = id.to_string();
        missing.pop();
        let missing = NetworkId::new(missing + "x");
        let at = NetworkPath { location: &location, network: &missing };
        probe.ask("missingNetwork", NETWORK, calls::get_network(at)).await;
    }
    let generator = concat!("dectl ", env!("CARGO_PKG_VERSION")).to_owned();
    let operations = probe.operations.into_values().collect();
    ApiShapes { kind: ShapesKind::Shapes, format_version: SHAPES_VERSION, generator, operations }
}

struct Probe<'a> {
    api: &'a dyn DectApi,
    clock: &'a Clock,
    operations: BTreeMap<String, OperationShape>,
}

impl Probe<'_> {
    fn operation(&mut self, name: &str, request: &str) -> &mut OperationShape {
        self.operations.entry(name.to_owned()).or_insert_with(|| OperationShape {
            name: name.to_owned(),
            request: request.to_owned(),
            ..OperationShape::default()
        })
    }

    /// Sends a read once and records its answer, which it returns.
    async fn ask<T>(&mut self, name: &str, request: &str, call: Call<'_, T>) -> Value {
        let start = self.clock.now();
        let answer = call.raw().send_once(self.api).await;
        let took = self.clock.now().duration_since(start).as_millis() as u64;
        let operation = self.operation(name, request);
        operation.latencies_ms.push(took);
        operation.latencies_ms.sort_unstable();
        let Ok(answer) = answer else {
            *operation.statuses.entry(0).or_default() += 1;
            return Value::Null;
        };
        *operation.statuses.entry(answer.status).or_default() += 1;
        operation.headers.extend(answer.header_names.into_iter().map(header_name));
        operation.bytes = operation.bytes.max(answer.body.len());
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let list = value.as_object().and_then(|object| object.values().find_map(Value::as_array));
        if let Some(items) = list {
            operation.items = operation.items.max(Some(items.len()));
        }
        if answer.status < 400 || name == "missingNetwork" {
            operation.shape.add(&value);
        }
        value
    }
}

fn networks(list: &Value) -> Vec<Value> {
    list["dectNetworks"].as_array().cloned().unwrap_or_default()
}

/// A few networks: those with the most handsets, of each model first.
fn chosen(networks: &[Value]) -> Vec<&Value> {
    let handsets = |network: &&Value| std::cmp::Reverse(network["numberOfHandsetsAssigned"].as_u64().unwrap_or(0));
    let mut sorted: Vec<&Value> = networks.iter().collect();
    sorted.sort_by_key(handsets);
    let mut models: Vec<&Value> = Vec::new();
    let (first, rest): (Vec<&Value>, Vec<&Value>) = sorted.into_iter().partition(|network| {
        let is_new = !models.contains(&&network["model"]);
        models.extend(is_new.then_some(&network["model"]));
        is_new
    });
    first.into_iter().chain(rest).take(NETWORKS).collect()
}

fn path(network: &Value) -> Option<(LocationId, NetworkId)> {
    let location = LocationId::non_empty(network["location"]["id"].as_str()?)?;
    Some((location, NetworkId::non_empty(network["id"].as_str()?)?))
}

fn first_member(handsets: &Value) -> Option<(MemberKind, MemberId)> {
    let lines = handsets["handsets"].as_array()?.iter().filter_map(|handset| handset["lines"].as_array()).flatten();
    lines.into_iter().find_map(|line| {
        let kind = MemberKind::parse(line["memberType"].as_str()?);
        let is_known = matches!(kind, MemberKind::Person | MemberKind::Workspace);
        Some((kind, MemberId::non_empty(line["memberId"].as_str()?)?)).filter(|_| is_known)
    })
}

/// Headers that say nothing about an organization: of HTTP, of Webex, and of what stands in between.
const KNOWN_HEADERS: [&str; 34] = [
    "accept-ranges",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "age",
    "alt-svc",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "link",
    "pragma",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "trackingid",
    "transfer-encoding",
    "vary",
    "via",
    "x-content-type-options",
    "x-envoy-upstream-service-time",
    "x-frame-options",
    "x-request-id",
];

/// The name of a header. Others may be those of a gateway, with a name in them.
fn header_name(name: String) -> String {
    let is_known = KNOWN_HEADERS.contains(&name.as_str()) || name.starts_with("x-ratelimit-");
    if is_known { name } else { "(another header)".to_owned() }
}
