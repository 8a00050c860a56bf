//! The JSON of the API. Reading accepts nulls, missing and unknown fields, and numbers in place of strings;
//! writing is strict.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::api::{ItemResult, Organization, TokenOwner};
use super::credentials::{Token, TokenResponse};
use crate::model::{
    BaseStation, BaseStationId, CodeText, Handset, HandsetId, LiveState, LocationId, Mac, Member, MemberId, MemberKind,
    Network, NetworkId, NetworkModel, PasswordStatus, ServiceabilityPassword, Settings,
};

#[derive(Deserialize)]
struct WireList {
    #[serde(rename = "dectNetworks")]
    networks: Option<WireNetworks>,
}

/// The networks of a list. Each is converted while it is parsed, so that the list is in memory only once.
struct WireNetworks(Result<Vec<(Arc<str>, Network)>, WireError>);

impl<'de> Deserialize<'de> for WireNetworks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(NetworkListVisitor::default())
    }
}

#[derive(Default)]
struct NetworkListVisitor {
    locations: HashMap<String, (LocationId, Arc<str>)>,
    /// Interned values: there are few distinct ones.
    models: HashSet<Arc<str>>,
    networks: Vec<(Arc<str>, Network)>,
}

impl<'de> Visitor<'de> for NetworkListVisitor {
    type Value = WireNetworks;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of networks")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<WireNetworks, A::Error> {
        let mut wrong = None;
        while let Some(network) = list.next_element::<Option<WireNetwork<'de>>>()? {
            // Errors are reported once the response is known to be complete.
            if let (Some(network), None) = (network, &wrong) {
                wrong = self.take(network).err();
            }
        }
        Ok(WireNetworks(wrong.map_or(Ok(self.networks), Err)))
    }
}

impl NetworkListVisitor {
    fn take(&mut self, mut network: WireNetwork<'_>) -> Result<(), WireError> {
        let lacks =
            |what: &str| WireError::Malformed(format!("network {} in the list has no {what}", self.networks.len() + 1));
        let location = network.location.as_ref().and_then(|location| Some((location.id.0.as_deref()?, location)));
        let (id, location) = location.ok_or_else(|| lacks("location id"))?;
        let (location, name) = match self.locations.get(id) {
            Some(known) => known.clone(),
            None => {
                let known = (LocationId::new(id), Arc::from(location.name.0.as_deref().unwrap_or_default()));
                self.locations.insert(id.to_owned(), known.clone());
                known
            }
        };
        let model = network.model.0.take().map(|model| match self.models.get(&*model) {
            Some(known) => Arc::clone(known),
            None => {
                let model = Arc::<str>::from(model);
                self.models.insert(Arc::clone(&model));
                model
            }
        });
        let network = network.read(location).ok_or_else(|| lacks("id"))?;
        self.networks.push((name, Network { model, ..network }));
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireNetwork<'a> {
    #[serde(borrow, default)]
    id: LenientString<'a>,
    #[serde(borrow, default)]
    name: LenientString<'a>,
    #[serde(borrow, default)]
    display_name: LenientString<'a>,
    #[serde(borrow, default)]
    model: LenientString<'a>,
    #[serde(borrow, default)]
    default_access_code_enabled: LenientString<'a>,
    #[serde(borrow, default)]
    default_access_code: LenientString<'a>,
    #[serde(borrow, default)]
    number_of_base_stations: LenientString<'a>,
    #[serde(borrow, default)]
    number_of_handsets_assigned: LenientString<'a>,
    #[serde(borrow, default)]
    number_of_lines: LenientString<'a>,
    #[serde(borrow, default)]
    location: Option<WireLocation<'a>>,
}

#[derive(Deserialize)]
struct WireLocation<'a> {
    #[serde(borrow, default)]
    id: LenientString<'a>,
    #[serde(borrow, default)]
    name: LenientString<'a>,
}

/// A string, number or boolean; null, lists and objects are treated as missing.
#[derive(Default)]
struct LenientString<'a>(Option<Cow<'a, str>>, JsonKind);

/// JSON type of a value.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum JsonKind {
    #[default]
    Other,
    Number,
}

impl<'de: 'a, 'a> Deserialize<'de> for LenientString<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientStringVisitor(PhantomData))
    }
}

struct LenientStringVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for LenientStringVisitor<'a> {
    type Value = LenientString<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Borrowed(text)), JsonKind::Other))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Owned(text.to_owned())), JsonKind::Other))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Borrowed(if value { "true" } else { "false" })), JsonKind::Other))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Owned(value.to_string())), JsonKind::Number))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Owned(value.to_string())), JsonKind::Number))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Owned(value.to_string())), JsonKind::Number))
    }

    fn visit_unit<E: de::Error>(self) -> Result<LenientString<'a>, E> {
        Ok(LenientString(None, JsonKind::Other))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<LenientString<'a>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LenientString(None, JsonKind::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LenientString<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(LenientString(None, JsonKind::Other))
    }
}

/// Why a body is not a list or a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    #[error("response truncated after {0} bytes")]
    Cut(usize),
    #[error("unexpected response: {0}")]
    Malformed(String),
}

impl WireError {
    fn of(error: &serde_json::Error, body: &[u8]) -> Self {
        if error.is_eof() {
            return Self::Cut(body.len());
        }
        // serde_json includes the unexpected value, which may be secret.
        let text = error.to_string();
        let kind = text.split_once(':').map_or(text.as_str(), |(kind, _)| kind);
        let kind = kind.split_once(" at line ").map_or(kind, |(kind, _)| kind);
        Self::Malformed(format!("{kind} at line {} column {}", error.line(), error.column()))
    }
}

#[derive(Deserialize)]
struct WireGranted<'a> {
    #[serde(borrow, default)]
    access_token: LenientString<'a>,
    #[serde(borrow, default)]
    refresh_token: LenientString<'a>,
    #[serde(default)]
    expires_in: Option<f64>,
}

/// Parses the response of a token endpoint.
pub(super) fn parse_token_response(body: &[u8], now: Timestamp) -> Result<TokenResponse, WireError> {
    let wire: WireGranted<'_> = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    let token = wire.access_token.0.as_deref().and_then(|token| Token::new(token).ok());
    let token = token.ok_or_else(|| WireError::Malformed("no `access_token`".to_owned()))?;
    let life = wire.expires_in.filter(|seconds| (0.0..1e10).contains(seconds)).map(Duration::from_secs_f64);
    Ok(TokenResponse {
        token,
        refresh_token: wire
            .refresh_token
            .0
            .filter(|text| !text.is_empty())
            .map(|text| SecretString::from(text.as_ref())),
        expires: life.and_then(|life| now.checked_add(life).ok()),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMe<'a> {
    #[serde(borrow, default)]
    display_name: LenientString<'a>,
    #[serde(borrow, default)]
    org_id: LenientString<'a>,
    #[serde(borrow, default)]
    emails: Option<Vec<LenientString<'a>>>,
}

pub(super) fn me(body: &[u8]) -> Result<TokenOwner, WireError> {
    let wire: WireMe<'_> = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    let text = |text: LenientString<'_>| text.0.map(Cow::into_owned);
    let email = wire.emails.into_iter().flatten().next().and_then(text);
    Ok(TokenOwner { name: text(wire.display_name), email, org: text(wire.org_id) })
}

pub(super) fn list(body: &[u8]) -> Result<LiveState, WireError> {
    let wire: WireList = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    let networks = wire.networks.ok_or_else(|| WireError::Malformed("no list `dectNetworks`".to_owned()))?;
    let networks = networks.0?;
    let count = networks.len();
    let organization = LiveState::new(networks);
    if organization.len() < count {
        return Err(WireError::Malformed("duplicate network in the list".to_owned()));
    }
    Ok(organization)
}

/// Parses one network. The response may omit the location, which is known from the request.
pub(super) fn network(body: &[u8], location: &LocationId) -> Result<Network, WireError> {
    let wire: WireNetwork<'_> = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    wire.read(location.clone()).ok_or_else(|| WireError::Malformed("no id".to_owned()))
}

impl WireNetwork<'_> {
    fn read(self, location: LocationId) -> Option<Network> {
        Some(Network {
            id: NetworkId::new(self.id.0.filter(|id| !id.is_empty())?),
            location,
            settings: Settings {
                name: self.name.0.unwrap_or_default().into(),
                display_name: self.display_name.0.map(Into::into),
                code_enabled: match self.default_access_code_enabled.0.as_deref() {
                    Some("true" | "1") => Some(true),
                    Some("false" | "0") => Some(false),
                    _ => None,
                },
                code: code(self.default_access_code),
            },
            model: self.model.0.map(Into::into),
            base_stations: self.number_of_base_stations.count(),
            handsets: self.number_of_handsets_assigned.count(),
            lines: self.number_of_lines.count(),
        })
    }
}

impl LenientString<'_> {
    fn count(&self) -> Option<u64> {
        self.0.as_deref()?.parse().ok()
    }
}

/// Restores the leading zeros of a code that was sent as a number: the API documentation shows a bare number.
fn code(text: LenientString<'_>) -> Option<CodeText> {
    let LenientString(value, kind) = text;
    let value = value.filter(|value| !value.is_empty())?;
    Some(CodeText::new(if kind == JsonKind::Number { format!("{value:0>4}") } else { value.into_owned() }))
}

/// A string, or a number in its place; null, empty strings, lists and objects are treated as missing.
fn lenient_text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The items of a short list, each read by `read`. Items that are null are skipped.
fn items<T>(body: &[u8], key: &str, read: impl Fn(&serde_json::Value) -> Option<T>) -> Result<Vec<T>, WireError> {
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    let list = value[key].as_array().ok_or_else(|| WireError::Malformed(format!("no list `{key}`")))?;
    let mut items = Vec::with_capacity(list.len());
    for (at, item) in list.iter().enumerate().filter(|(_, item)| !item.is_null()) {
        let lacks = || WireError::Malformed(format!("item {} of `{key}` has no key", at + 1));
        items.push(read(item).ok_or_else(lacks)?);
    }
    Ok(items)
}

pub(super) fn base_stations(body: &[u8]) -> Result<Vec<BaseStation>, WireError> {
    items(body, "baseStations", |item| {
        let address = lenient_text(&item["mac"])?;
        Some(BaseStation { id: lenient_text(&item["id"]).and_then(BaseStationId::non_empty), address: address.into() })
    })
}

pub(super) fn handsets(body: &[u8]) -> Result<Vec<Handset>, WireError> {
    items(body, "handsets", |item| Some(handset(item)))
}

pub(super) fn handsets_with_codes(body: &[u8]) -> Result<Vec<(Handset, Option<CodeText>)>, WireError> {
    items(body, "handsets", |item| {
        let code = lenient_text(&item["accessCode"]).filter(|code| !code.trim().is_empty());
        Some((handset(item), code.map(CodeText::new)))
    })
}

fn handset(item: &serde_json::Value) -> Handset {
    let text = |field: &str| lenient_text(&item[field]).map(Arc::from);
    let lines: Vec<&serde_json::Value> = item["lines"].as_array().into_iter().flatten().collect();
    let line = |at: usize| lines.get(at).filter(|line| line.is_object()).map(|line| member(line));
    let registered = lines.iter().filter_map(|line| lenient_text(&line["lastRegistrationTime"]));
    Handset {
        id: lenient_text(&item["id"]).and_then(HandsetId::non_empty),
        custom_name: text("customDisplayName"),
        default_name: text("defaultDisplayName"),
        line1: line(0),
        line2: line(1),
        last_registration: registered.max_by_key(|time| time.parse::<u64>().unwrap_or(0)).map(Into::into),
    }
}

/// A member: on a line of a handset, or in the list of available ones.
fn member(item: &serde_json::Value) -> Member {
    let text = |field: &str| lenient_text(&item[field]).map(Arc::from);
    let id = lenient_text(&item["memberId"]).or_else(|| lenient_text(&item["id"]));
    Member {
        id: id.and_then(MemberId::non_empty),
        kind: lenient_text(&item["memberType"]).map_or(MemberKind::Unknown, |kind| MemberKind::parse(&kind)),
        first_name: text("firstName"),
        last_name: text("lastName"),
        extension: text("extension"),
        number: text("external").or_else(|| text("phoneNumber")),
        location: lenient_text(&item["location"]["id"]).and_then(LocationId::non_empty),
        location_name: lenient_text(&item["location"]["name"]).map(Into::into),
    }
}

pub(super) fn members(body: &[u8]) -> Result<Vec<Member>, WireError> {
    items(body, "members", |item| Some(member(item)))
}

/// The handsets of a request, as documented: the second line only where there is one.
pub(super) fn add_handsets(handsets: &[&Handset]) -> Vec<u8> {
    let items: Vec<serde_json::Value> = handsets.iter().map(|handset| handset_body(handset, false)).collect();
    serde_json::json!({ "items": items }).to_string().into_bytes()
}

/// An update of a handset. A second line that is left out would be removed, and `null` says so.
pub(super) fn update_handset(handset: &Handset) -> Vec<u8> {
    handset_body(handset, true).to_string().into_bytes()
}

fn handset_body(handset: &Handset, with_null: bool) -> serde_json::Value {
    let id = |member: &Option<Member>| member.as_ref()?.id.as_ref().map(ToString::to_string);
    let mut body = serde_json::json!({
        "line1MemberId": id(&handset.line1),
        "customDisplayName": handset.custom_name.as_deref(),
    });
    let second = id(&handset.line2);
    if second.is_some() || with_null {
        body["line2MemberId"] = second.into();
    }
    body
}

pub(super) fn remove_handsets(ids: &[&HandsetId]) -> Vec<u8> {
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    serde_json::json!({ "handsetIds": ids }).to_string().into_bytes()
}

pub(super) fn locations(body: &[u8]) -> Result<Vec<(LocationId, Arc<str>)>, WireError> {
    items(body, "items", |item| {
        let id = LocationId::non_empty(lenient_text(&item["id"])?)?;
        Some((id, lenient_text(&item["name"]).unwrap_or_default().into()))
    })
}

pub(super) fn networks_of_member(body: &[u8]) -> Result<Vec<NetworkId>, WireError> {
    items(body, "dectNetworks", |item| NetworkId::non_empty(lenient_text(&item["id"])?))
}

pub(super) fn organizations(body: &[u8]) -> Result<Vec<Organization>, WireError> {
    items(body, "items", |item| {
        let id = lenient_text(&item["id"]).filter(|id| !id.trim().is_empty())?;
        Some(Organization { id, name: lenient_text(&item["displayName"]).unwrap_or_default() })
    })
}

/// The id of a created network.
pub(super) fn created(body: &[u8]) -> Option<NetworkId> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    NetworkId::non_empty(lenient_text(&value["dectNetworkId"])?)
}

/// A generated password.
pub(super) fn password(body: &[u8]) -> Option<ServiceabilityPassword> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    value["password"].as_str().filter(|text| !text.is_empty()).map(ServiceabilityPassword::new)
}

/// Whether a serviceability password is enabled: a Boolean in the schema, a text in the published example.
pub(super) fn read_password_status(body: &[u8]) -> Result<PasswordStatus, WireError> {
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    let enabled = &value["enabled"];
    let enabled = enabled.as_bool().or_else(|| enabled.as_str()?.to_ascii_lowercase().parse().ok());
    let unclear = || WireError::Malformed("`enabled` is neither true nor false".to_owned());
    enabled.map(PasswordStatus::of).ok_or_else(unclear)
}

/// The body that enables or disables a serviceability password.
pub(super) fn password_status(is_enabled: bool) -> Vec<u8> {
    serde_json::json!({ "enabled": is_enabled }).to_string().into_bytes()
}

/// The results of adding base stations. The description of the API knows a status and an id; refusals have been seen
/// elsewhere in the API with an `error`.
pub(super) fn base_station_results(body: &[u8]) -> Vec<ItemResult> {
    item_results(body, "baseStations", "mac")
}

/// The results of adding handsets, by their names. There are no ids in them.
pub(super) fn handset_results(body: &[u8]) -> Vec<ItemResult> {
    item_results(body, "items", "customDisplayName")
}

fn item_results(body: &[u8], list: &str, key: &str) -> Vec<ItemResult> {
    let result = |item: &serde_json::Value| {
        let result = &item["result"];
        let error = if result["error"].is_null() { &item["error"] } else { &result["error"] };
        let message = lenient_text(&error["message"]).or_else(|| lenient_text(error)).unwrap_or_default();
        // A number, or a text.
        let code = lenient_text(&error["errorCode"]).or_else(|| lenient_text(&error["code"]));
        let shown = code.as_ref().filter(|code| !message.contains(code.as_str()));
        Some(ItemResult {
            item: lenient_text(&item[key])?,
            status: lenient_text(&result["status"])?.parse().ok()?,
            id: lenient_text(&result["id"]),
            message: shown.map_or(message.clone(), |code| format!("{message} (code {code})").trim().to_owned()),
            code: code.and_then(|code| code.parse().ok()),
        })
    };
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    value[list].as_array().into_iter().flatten().filter_map(result).collect()
}

pub(super) fn add_base_stations(macs: &[Mac]) -> Vec<u8> {
    let macs: Vec<String> = macs.iter().map(ToString::to_string).collect();
    serde_json::json!({ "baseStationMacs": macs }).to_string().into_bytes()
}

/// Writes a creation. A checked plan carries every required setting.
pub(super) fn create(settings: &Settings, model: NetworkModel) -> Vec<u8> {
    // Strings and booleans always serialize.
    serde_json::to_vec(&WireUpdate { model: Some(model.api_name()), ..WireUpdate::of(settings) }).unwrap_or_default()
}

/// The body of an update as documented, or of a creation with its model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireUpdate<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_access_code_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_access_code: Option<&'a str>,
}

impl<'a> WireUpdate<'a> {
    fn of(settings: &'a Settings) -> Self {
        Self {
            name: &settings.name,
            display_name: settings.display_name.as_deref(),
            model: None,
            default_access_code_enabled: settings.code_enabled,
            default_access_code: settings.code.as_ref().map(|code| code.expose_secret()),
        }
    }
}

/// Writes an update. A checked plan carries every required setting.
pub(super) fn update(settings: &Settings) -> Vec<u8> {
    // Strings and booleans always serialize.
    serde_json::to_vec(&WireUpdate::of(settings)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_liberal() {
        let body = br#"{"dectNetworks":[
            {"id":"n1","name":"A","displayName":null,"defaultAccessCode":42,"defaultAccessCodeEnabled":"false",
             "numberOfLines":"3","new":{"a":[1]},"location":{"id":"l1","name":null,"x":1}},
            null,
            {"id":"n2","location":{"id":"l1"},"name":["?"],"defaultAccessCode":"42"}], "more": null}"#;
        let organization = list(body).expect("a list");
        let networks: Vec<_> = organization.networks().map(|(_, network)| network.clone()).collect();
        let first = networks.iter().find(|network| network.id.as_str() == "n1").expect("n1");
        assert_eq!(first.settings.code, Some(CodeText::new("0042")));
        assert_eq!(first.settings.code_enabled, Some(false));
        assert_eq!((first.lines, first.settings.display_name.clone()), (Some(3), None));
        let second = networks.iter().find(|network| network.id.as_str() == "n2").expect("n2");
        assert_eq!(second.settings.code, Some(CodeText::new("42")), "what is no code is kept as it is");
        assert_eq!(networks.len(), 2);
    }

    #[test]
    fn truncated_and_malformed_lists_have_different_errors() {
        assert_eq!(list(br#"{"dectNetworks":[{"id":"#), Err(WireError::Cut(23)));
        assert_eq!(list(b""), Err(WireError::Cut(0)));
        for body in [
            &b"{}"[..],
            b"[]",
            b"null",
            br#"{"dectNetworks":{}}"#,
            br#"{"dectNetworks":[{"id":"n"}]}"#,
            br#"{"dectNetworks":[{"id":"n","location":{"id":"l"}},{"id":"n","location":{"id":"l"}}]}"#,
        ] {
            assert!(matches!(list(body), Err(WireError::Malformed(_))), "{body:?}");
        }
    }

    #[test]
    fn sending_is_strict() {
        let settings = Settings {
            name: "A".into(),
            display_name: Some("a".into()),
            code_enabled: Some(true),
            code: Some(CodeText::new("0042")),
        };
        assert_eq!(
            String::from_utf8(update(&settings)).expect("text"),
            r#"{"name":"A","displayName":"a","defaultAccessCodeEnabled":true,"defaultAccessCode":"0042"}"#
        );
    }
}
