//! The networks of the simulated organization, and where they come from.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::answers::{Shown, ShownList};
use crate::desired::{self, Input, Notation};
use crate::diagnostic::{Diagnostics, Severity, Sources};
use crate::model::{LocationId, NameKey, NetworkId, Organization};

/// Why a text is no state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is not the list as Webex sends it.
    #[error("the state is not a list of DECT networks as Webex sends it: {0}")]
    NotAList(String),
    /// It is no desired-state file either.
    #[error("the state is not a desired-state file: {0}")]
    NotAFile(String),
}

/// A network of the simulated organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SimNetwork {
    pub(super) id: NetworkId,
    pub(super) location: LocationId,
    pub(super) name: String,
    pub(super) display_name: Option<String>,
    pub(super) code_enabled: bool,
    pub(super) code: Option<String>,
    pub(super) model: String,
    pub(super) chain_id: u64,
    pub(super) base_stations: u64,
    pub(super) handsets: u64,
    pub(super) lines: u64,
}

/// Locations and networks.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(super) locations: BTreeMap<LocationId, Arc<str>>,
    pub(super) networks: BTreeMap<NetworkId, SimNetwork>,
    /// Who holds which name and which code: several, where they were shared from the beginning.
    names: HashMap<(LocationId, NameKey), Vec<NetworkId>>,
    codes: HashMap<(LocationId, String), Vec<NetworkId>>,
    next_chain: u64,
}

/// The organization that fits `examples/networks.yaml`.
const BUILT_IN: &str = include_str!("built_in.json");

impl State {
    /// The built-in organization that fits `examples/networks.yaml`.
    pub fn built_in() -> Self {
        // The file is part of the program; a test reads it.
        Self::from_list(BUILT_IN).unwrap_or_default()
    }

    /// An organization of so many locations with so many networks each: `Hospital 001` with `H001 Ward 1` and so on.
    pub fn generated(locations: usize, networks: usize) -> Self {
        let id = |kind: &str, number: usize| {
            let uuid = format!("{number:08x}-0000-4000-8000-000000000000");
            STANDARD_NO_PAD.encode(format!("ciscospark://us/{kind}/{uuid}"))
        };
        let mut state = Self::default();
        for location in 1..=locations {
            let place = LocationId::new(id("LOCATION", location));
            state.locations.insert(place.clone(), format!("Hospital {location:03}").into());
            for network in 1..=networks {
                let number = (location - 1) * networks + network;
                let large = number.is_multiple_of(3);
                state.insert(SimNetwork {
                    id: NetworkId::new(id("DECT_DEV_NET", number)),
                    location: place.clone(),
                    name: format!("H{location:03} Ward {network}"),
                    display_name: Some(format!("Ward {network}")),
                    code_enabled: true,
                    code: Some(format!("{:04}", (1_000 + network) % 10_000)),
                    model: if large { "DMS Cisco DBS210" } else { "DMS Cisco DBS110" }.to_owned(),
                    chain_id: number as u64,
                    base_stations: if large { 5 } else { 1 },
                    handsets: 10 + (number % 7) as u64,
                    lines: 10 + (number % 7) as u64,
                });
            }
        }
        state
    }

    /// Reads a size such as `500x4`: locations, and networks in each.
    pub fn of_size(text: &str) -> Option<Self> {
        let (locations, networks) = text.split_once('x')?;
        let (locations, networks): (usize, usize) = (locations.parse().ok()?, networks.parse().ok()?);
        let sensible = networks <= 9_000 && locations.saturating_mul(networks) <= 1_000_000;
        sensible.then(|| Self::generated(locations, networks))
    }

    /// Reads the list answer as Webex sends it.
    ///
    /// # Errors
    /// If it is something else.
    pub fn from_list(text: &str) -> Result<Self, StateError> {
        let value: Value = serde_json::from_str(text).map_err(|error| StateError::NotAList(error.to_string()))?;
        let networks = value["dectNetworks"]
            .as_array()
            .ok_or_else(|| StateError::NotAList("it has no list `dectNetworks`".to_owned()))?;
        let mut state = Self::default();
        for (at, network) in networks.iter().enumerate() {
            let needed = |value: &Value, name: &str| {
                value[name]
                    .as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| StateError::NotAList(format!("network {} of the list has no `{name}`", at + 1)))
            };
            let location = LocationId::new(needed(&network["location"], "id")?);
            let count = |name: &str, default| network[name].as_u64().unwrap_or(default);
            state.locations.insert(location.clone(), needed(&network["location"], "name")?.into());
            state.insert(SimNetwork {
                id: NetworkId::new(needed(network, "id")?),
                location,
                name: network["name"].as_str().unwrap_or_default().to_owned(),
                display_name: network["displayName"].as_str().map(str::to_owned),
                code_enabled: network["defaultAccessCodeEnabled"].as_bool().unwrap_or(true),
                code: match &network["defaultAccessCode"] {
                    Value::String(code) => Some(code.clone()).filter(|code| !code.is_empty()),
                    // Such a list is published with a bare number, which has lost the zeros at its front.
                    Value::Number(code) => Some(format!("{:0>4}", code.to_string())),
                    _ => None,
                },
                model: network["model"].as_str().unwrap_or("DMS Cisco DBS210").to_owned(),
                chain_id: count("chainId", 0),
                base_stations: count("numberOfBaseStations", 1),
                handsets: count("numberOfHandsetsAssigned", 0),
                lines: count("numberOfLines", 0),
            });
        }
        Ok(state)
    }

    /// Reads a list as Webex sends it, or a desired-state file such as `dectl export` writes.
    ///
    /// What such a file does not say is made up: ids from names; codes from 1000 upwards, in the order of the file;
    /// display names from names; a DBS210 with one base station and no handsets.
    ///
    /// # Errors
    /// If it is neither.
    pub fn read(name: &str, text: String) -> Result<Self, StateError> {
        if text.trim_start().starts_with(['{', '[']) { Self::from_list(&text) } else { Self::from_file(name, text) }
    }

    fn from_file(name: &str, text: String) -> Result<Self, StateError> {
        let (mut sources, mut findings) = (Sources::new(), Diagnostics::new());
        let notation = Notation::of(name);
        let input = Input { name: name.to_owned(), text, notation, base: PathBuf::from(".") };
        let desired = desired::read(vec![input], &mut sources, &mut findings);
        if let Some(error) = findings.iter().find(|finding| finding.severity == Severity::Error) {
            let line = error.spot.map(|spot| format!("line {}: ", sources.place(spot).line)).unwrap_or_default();
            return Err(StateError::NotAFile(format!("{line}{}", error.message)));
        }
        let made_up = |kind: &str, of: &str| {
            let digest: [u8; 32] = Sha256::digest(of).into();
            let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
            STANDARD_NO_PAD.encode(format!("ciscospark://us/{kind}/{hex}"))
        };
        let mut state = Self::default();
        let mut next_code = 1_000;
        for location in &desired.locations {
            let label = location.label().to_owned();
            let id = location.id.as_ref().map(|id| id.value.clone());
            let id = id.unwrap_or_else(|| LocationId::new(made_up("LOCATION", &label)));
            state.locations.insert(id.clone(), label.as_str().into());
            for entry in &location.entries {
                let wanted = &entry.wanted;
                let name =
                    wanted.name.as_ref().map_or_else(|| format!("Network {}", state.len() + 1), ToString::to_string);
                let network = entry.id.as_ref().map(|id| id.value.clone());
                let network = network
                    .unwrap_or_else(|| NetworkId::new(made_up("DECT_DEV_NET", &format!("{}\0{name}", id.as_str()))));
                let code = wanted.code.map(|code| code.text().reveal().to_owned()).unwrap_or_else(|| {
                    next_code += 1;
                    format!("{:04}", next_code % 10_000)
                });
                let display_name = wanted.display_name.as_ref().map(ToString::to_string);
                state.insert(SimNetwork {
                    id: network,
                    location: id.clone(),
                    display_name: display_name.or_else(|| Some(name.chars().take(11).collect())),
                    name,
                    code_enabled: wanted.code_enabled.unwrap_or(true),
                    code: Some(code),
                    model: "DMS Cisco DBS210".to_owned(),
                    chain_id: 0,
                    base_stations: 1,
                    handsets: 0,
                    lines: 0,
                });
            }
        }
        Ok(state)
    }

    /// The list as Webex would send it: what can be read again.
    pub fn to_list(&self) -> String {
        let networks = self.networks.values().map(|network| Shown::of(network, &self.locations[&network.location]));
        // Texts and numbers always serialize.
        serde_json::to_string_pretty(&ShownList { dect_networks: networks.collect() }).unwrap_or_default()
    }

    /// A copy of an organization as it was read.
    pub fn copy_of(organization: &Organization) -> Self {
        let mut state = Self::default();
        for (at, location) in organization.locations() {
            state.locations.insert(location.id.clone(), location.name.clone());
            for (_, network) in organization.networks_of(at) {
                let settings = &network.settings;
                state.insert(SimNetwork {
                    id: network.id.clone(),
                    location: location.id.clone(),
                    name: settings.name.to_string(),
                    display_name: settings.display_name.as_deref().map(str::to_owned),
                    code_enabled: settings.code_enabled.unwrap_or(true),
                    code: settings.code.as_ref().map(|code| code.reveal().to_owned()),
                    model: network.model.as_deref().unwrap_or("DMS Cisco DBS210").to_owned(),
                    chain_id: 0,
                    base_stations: network.base_stations.unwrap_or(1),
                    handsets: network.handsets.unwrap_or(0),
                    lines: network.lines.unwrap_or(0),
                });
            }
        }
        state
    }

    /// How many networks there are.
    pub fn len(&self) -> usize {
        self.networks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    pub(super) fn insert(&mut self, mut network: SimNetwork) {
        self.next_chain = self.next_chain.max(network.chain_id) + 1;
        if network.chain_id == 0 {
            network.chain_id = self.next_chain;
        }
        let id = network.id.clone();
        self.remove(&id);
        self.names.entry(Self::name_place(&network)).or_default().push(id.clone());
        if let Some(place) = Self::code_place(&network) {
            self.codes.entry(place).or_default().push(id.clone());
        }
        self.networks.insert(id, network);
    }

    pub(super) fn remove(&mut self, id: &NetworkId) -> Option<SimNetwork> {
        let network = self.networks.remove(id)?;
        if let Some(holders) = self.names.get_mut(&Self::name_place(&network)) {
            holders.retain(|holder| holder != id);
        }
        if let Some(holders) = Self::code_place(&network).and_then(|place| self.codes.get_mut(&place)) {
            holders.retain(|holder| holder != id);
        }
        Some(network)
    }

    pub(super) fn holds_name(&self, location: &LocationId, name: &str, except: Option<&NetworkId>) -> bool {
        let holders = self.names.get(&(location.clone(), NameKey::of(name)));
        holders.is_some_and(|holders| holders.iter().any(|holder| Some(holder) != except))
    }

    pub(super) fn holds_code(&self, location: &LocationId, code: &str, except: Option<&NetworkId>) -> bool {
        let holders = self.codes.get(&(location.clone(), code.to_owned()));
        holders.is_some_and(|holders| holders.iter().any(|holder| Some(holder) != except))
    }

    pub(super) fn next_id(&self) -> NetworkId {
        let uuid = format!("00000000-0000-4000-8000-{:012x}", self.next_chain + 1);
        NetworkId::new(STANDARD_NO_PAD.encode(format!("ciscospark://us/DECT_DEV_NET/{uuid}")))
    }

    fn name_place(network: &SimNetwork) -> (LocationId, NameKey) {
        (network.location.clone(), NameKey::of(&network.name))
    }

    fn code_place(network: &SimNetwork) -> Option<(LocationId, String)> {
        Some((network.location.clone(), network.code.clone()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_organization_can_be_read() {
        assert_eq!(State::from_list(BUILT_IN).map(|state| state.len()).ok(), Some(13));
    }
}
