//! The JSON of networks.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::network_model::NetworkModel;
use super::settings::Settings;
use super::state::Network;
use crate::model::{CodeText, LiveState, LocationId, NetworkId};
use crate::webex::wire::{JsonKind, LenientString, WireError, lenient_text};

pub(crate) fn list(body: &[u8]) -> Result<LiveState, WireError> {
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
pub(crate) fn network(body: &[u8], location: &LocationId) -> Result<Network, WireError> {
    let wire: WireNetwork<'_> = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    wire.read(location.clone()).ok_or_else(|| WireError::Malformed("no id".to_owned()))
}

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
            if wrong.is_none() {
                wrong = match network {
                    Some(network) => self.take(network).err(),
                    None => {
                        Some(WireError::Malformed(format!("network {} in the list is null", self.networks.len() + 1)))
                    }
                };
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
            base_stations: count(&self.number_of_base_stations),
            handsets: count(&self.number_of_handsets_assigned),
            lines: count(&self.number_of_lines),
        })
    }
}

fn count(text: &LenientString<'_>) -> Option<u64> {
    text.0.as_deref()?.parse().ok()
}

/// Restores the leading zeros of a code that was sent as a number: the API documentation shows a bare number.
fn code(text: LenientString<'_>) -> Option<CodeText> {
    let LenientString(value, kind) = text;
    let value = value.filter(|value| !value.is_empty())?;
    Some(CodeText::new(if kind == JsonKind::Number { format!("{value:0>4}") } else { value.into_owned() }))
}

/// The id of a created network.
pub(crate) fn created(body: &[u8]) -> Option<NetworkId> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    NetworkId::non_empty(lenient_text(&value["dectNetworkId"])?)
}

/// Writes a creation. A checked plan carries every required setting.
pub(crate) fn create(settings: &Settings, model: NetworkModel) -> Vec<u8> {
    // Strings and booleans always serialize.
    serde_json::to_vec(&WireUpdate { model: Some(model.api_name()), ..WireUpdate::of(settings) }).unwrap_or_default()
}

/// Writes an update. A checked plan carries every required setting.
pub(crate) fn update(settings: &Settings) -> Vec<u8> {
    // Strings and booleans always serialize.
    serde_json::to_vec(&WireUpdate::of(settings)).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_liberal() {
        let body = br#"{"dectNetworks":[
            {"id":"n1","name":"A","displayName":null,"defaultAccessCode":42,"defaultAccessCodeEnabled":"false",
             "numberOfLines":"3","new":{"a":[1]},"location":{"id":"l1","name":null,"x":1}},
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
            br#"{"dectNetworks":[null]}"#,
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
