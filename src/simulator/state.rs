//! The networks of the simulated organization, and the formats to load them from.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::member::SimMember;
use super::network::{SimBaseStation, SimHandset, SimHandsets, SimNetwork, parse_mac};
use super::responses::{LocationRefJson, NetworkJson, NetworkListJson, SnapshotNetworkJson};
use crate::desired::model::{HandsetEntry, LineRef, NetworkEntry};
use crate::desired::{self, Input, ProcessEnvironment, SourceFormat};
use crate::diagnostic::{Diagnostics, Severity, Sources};
use crate::model::{Handset, LiveState, LocationId, Member, NameKey, NetworkId, PasswordStatus};

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Not a list as returned by Webex.
    #[error("the state is not a list of DECT networks as returned by Webex: {0}")]
    NotAList(String),
    #[error("the state is not a desired-state file: {0}")]
    NotAFile(String),
    #[error(
        "a size is LOCATIONSxNETWORKS with at most {MAX_NETWORKS_IN_LOCATION} networks in a location, and {MAX_NETWORKS} in all"
    )]
    TooLarge,
}

/// The largest organization that makes sense; the names and codes of a location are numbered.
const MAX_NETWORKS_IN_LOCATION: usize = 9_000;
const MAX_NETWORKS: usize = 1_000_000;

#[derive(Clone, Debug, Default)]
pub struct SimulatedState {
    pub(super) locations: BTreeMap<LocationId, Arc<str>>,
    pub(super) networks: BTreeMap<NetworkId, SimNetwork>,
    /// Networks by name and by code; more than one if the initial state has duplicates.
    names: HashMap<(LocationId, NameKey), Vec<NetworkId>>,
    codes: HashMap<(LocationId, String), Vec<NetworkId>>,
    /// How many networks have a base station of this address: one, unless the initial state is wrong.
    macs: HashMap<u64, u32>,
    /// The members of every location that is populated, and where each of them is.
    pub(super) members: BTreeMap<LocationId, Vec<SimMember>>,
    pub(super) member_places: HashMap<String, (LocationId, usize)>,
    /// The networks whose serviceability password was ever enabled or disabled, and which of both.
    pub(super) passwords: BTreeMap<NetworkId, bool>,
    next_chain: u64,
    /// Number of networks and devices created; ids are never reused.
    created: u64,
    /// Number of base stations that were made up.
    stations: u64,
}

/// The first half of made-up addresses.
const MADE_UP_ADDRESSES: u64 = 0xAC7A_5600_0000;

/// The same for the copy of a live organization, whose real addresses are not all known: locally administered ones.
const UNKNOWN_ADDRESSES: u64 = 0x0200_0000_0000;

/// The built-in organization that matches `examples/networks.yaml`.
const BUILT_IN: &str = include_str!("built_in.json");

/// An id that is always the same for the same text.
fn made_up_id(kind: &str, of: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(of).into();
    let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    STANDARD_NO_PAD.encode(format!("ciscospark://us/{kind}/{hex}"))
}

impl SimulatedState {
    /// The built-in organization that matches `examples/networks.yaml`.
    pub fn built_in() -> Self {
        // The file is compiled in; a test parses it.
        Self::from_list(BUILT_IN).unwrap_or_default()
    }

    /// Generates an organization: locations `Hospital 001` and so on with networks `H001 Ward 1` and so on.
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
                let base_stations = state.make_up(MADE_UP_ADDRESSES, if large { 5 } else { 1 });
                state.insert(SimNetwork {
                    id: NetworkId::new(id("DECT_DEV_NET", number)),
                    location: place.clone(),
                    name: format!("H{location:03} Ward {network}"),
                    display_name: Some(format!("Ward {network}")),
                    code_enabled: true,
                    code: Some(format!("{:04}", (1_000 + network) % 10_000)),
                    model: if large { "DMS Cisco DBS210" } else { "DMS Cisco DBS110" }.to_owned(),
                    chain_id: number as u64,
                    base_stations,
                    handsets: SimHandsets::Counted(10 + (number % 7) as u64),
                    lines: 10 + (number % 7) as u64,
                });
            }
        }
        state
    }

    /// Parses a size such as `500x4`: locations x networks per location. `None` if it is none.
    ///
    /// # Errors
    /// If it is larger than makes sense.
    pub fn from_size(text: &str) -> Option<Result<Self, StateError>> {
        let (locations, networks) = text.split_once(['x', 'X'])?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(locations) || !is_number(networks) {
            return None;
        }
        let number = |text: &str| text.parse().unwrap_or(usize::MAX);
        let (locations, networks) = (number(locations), number(networks));
        if networks > MAX_NETWORKS_IN_LOCATION || locations.saturating_mul(networks) > MAX_NETWORKS {
            return Some(Err(StateError::TooLarge));
        }
        Some(Ok(Self::generated(locations, networks)))
    }

    /// Parses a list as returned by Webex, tolerating quirks.
    ///
    /// # Errors
    /// If it is something else, or contains a duplicate network or one without an id.
    pub fn from_list(text: &str) -> Result<Self, StateError> {
        Self::from_value(&parse_json(text)?)
    }

    pub(super) fn from_value(value: &Value) -> Result<Self, StateError> {
        let networks = value["dectNetworks"]
            .as_array()
            .ok_or_else(|| StateError::NotAList("no list `dectNetworks`".to_owned()))?;
        let mut state = Self { created: value["createdBySimulator"].as_u64().unwrap_or(0), ..Self::default() };
        for location in value["locations"].as_array().into_iter().flatten() {
            if let (Some(id), Some(name)) = (location["id"].as_str(), location["name"].as_str()) {
                state.locations.insert(LocationId::new(id), name.into());
            }
        }
        for (at, network) in networks.iter().enumerate() {
            state.read_network(at, network)?;
        }
        for member in value["members"].as_array().into_iter().flatten() {
            let member = SimMember::read(member).ok_or_else(|| StateError::NotAList("invalid `members`".to_owned()))?;
            state.insert_members(member.location.clone(), vec![member]);
        }
        Ok(state)
    }

    /// Reads one network of a list; `at` is its place there.
    fn read_network(&mut self, at: usize, network: &Value) -> Result<(), StateError> {
        let wrong = |words: String| StateError::NotAList(format!("network {} in the list {words}", at + 1));
        let needed = |value: &Value, name: &str| {
            value[name].as_str().map(str::to_owned).ok_or_else(|| wrong(format!("has no `{name}`")))
        };
        let text = |name: &str| lenient_text(&network[name]);
        let count = |name: &str, default| text(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        let location = LocationId::new(needed(&network["location"], "id")?);
        let id = NetworkId::new(needed(network, "id")?);
        if self.networks.contains_key(&id) {
            return Err(wrong("is a duplicate".to_owned()));
        }
        self.locations.insert(location.clone(), needed(&network["location"], "name")?.into());
        if let Some(enabled) = network["serviceabilityPassword"].as_bool() {
            self.passwords.insert(id.clone(), enabled);
        }
        let model = text("model").unwrap_or_else(|| "DMS Cisco DBS210".to_owned());
        let base_stations = match network["baseStations"].as_array() {
            Some(listed) => listed
                .iter()
                .map(|station| {
                    let mac = station["mac"].as_str().and_then(parse_mac);
                    let id = station["id"].as_str().filter(|id| !id.is_empty());
                    let (mac, id) = mac.zip(id).ok_or_else(|| wrong("has an invalid base station".to_owned()))?;
                    Ok(SimBaseStation::with_id(mac, id))
                })
                .collect::<Result<_, StateError>>()?,
            None => self.make_up(MADE_UP_ADDRESSES, count("numberOfBaseStations", 1)),
        };
        let handsets = match network["handsets"].as_array() {
            Some(listed) => {
                let read = listed.iter().map(SimHandset::read).collect::<Option<Vec<_>>>();
                SimHandsets::Listed(read.ok_or_else(|| wrong("has an invalid handset".to_owned()))?)
            }
            None => SimHandsets::Counted(count("numberOfHandsetsAssigned", 0)),
        };
        self.insert(SimNetwork {
            id,
            location,
            name: text("name").unwrap_or_default(),
            display_name: text("displayName"),
            code_enabled: text("defaultAccessCodeEnabled").as_deref() != Some("false"),
            code: text("defaultAccessCode").filter(|code| !code.is_empty()).map(|code| {
                // A number, as in the API documentation, has lost its leading zeros.
                if network["defaultAccessCode"].is_number() { format!("{code:0>4}") } else { code }
            }),
            model,
            chain_id: count("chainId", 0),
            base_stations,
            handsets,
            lines: count("numberOfLines", 0),
        });
        Ok(())
    }

    /// Parses a desired-state file as written by `dectl export`.
    ///
    /// Missing values are generated: ids from names; in each location, unused codes from 1000 upwards
    /// in file order; display names from names; a DBS210 with one base station and no handsets.
    /// External codes are resolved; unavailable ones are generated as well.
    ///
    /// # Errors
    /// If it is invalid, or contains no network.
    pub(super) fn from_file(name: &str, text: String) -> Result<Self, StateError> {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let format = SourceFormat::of(name);
        let base_dir = Path::new(name).parent().unwrap_or(Path::new("")).to_path_buf();
        let input = Input { name: name.to_owned(), text, format, base_dir };
        let mut desired = desired::read(vec![input], &mut sources, &mut diagnostics);
        if let Some(error) = diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error) {
            let line = error.span.map(|span| format!("line {}: ", sources.resolve(span).line)).unwrap_or_default();
            return Err(StateError::NotAFile(format!("{line}{}", error.message)));
        }
        if desired.locations.iter().all(|location| location.entries.is_empty()) {
            return Err(StateError::NotAFile("it contains no network".to_owned()));
        }
        desired::resolve_codes(&mut desired, &ProcessEnvironment, &mut Diagnostics::new());
        let mut state = Self::default();
        let code_of =
            |entry: &NetworkEntry| entry.desired.code.map(|code| code.to_code_text().expose_secret().to_owned());
        for location in &desired.locations {
            let label = location.label().to_owned();
            let id = location.id.as_ref().map(|id| id.value.clone());
            let id = id.unwrap_or_else(|| LocationId::new(made_up_id("LOCATION", &label)));
            state.locations.insert(id.clone(), label.as_str().into());
            let given: HashSet<String> = location.entries.iter().filter_map(code_of).collect();
            let mut free = (1_000..10_000).map(|code: u32| code.to_string()).filter(|code| !given.contains(code));
            for entry in location.entries.iter().filter(|entry| entry.absent.is_none()) {
                let code = code_of(entry).or_else(|| free.next());
                state.add_network_of_file(&id, entry, code);
            }
        }
        Ok(state)
    }

    fn add_network_of_file(&mut self, location: &LocationId, entry: &NetworkEntry, code: Option<String>) {
        let desired = &entry.desired;
        let name = desired.name.as_ref().map_or_else(|| format!("Network {}", self.len() + 1), ToString::to_string);
        let made_up = || NetworkId::new(made_up_id("DECT_DEV_NET", &format!("{}\0{name}", location.as_str())));
        let id = entry.id.as_ref().map_or_else(made_up, |id| id.value.clone());
        let base_stations = match &entry.devices.base_stations {
            Some(stations) => {
                let listed = stations.iter().filter(|station| !station.is_absent);
                let macs: Vec<u64> = listed.filter_map(|station| parse_mac(&station.mac.value.to_string())).collect();
                macs.into_iter().map(|mac| SimBaseStation::numbered(mac, self.unused_number())).collect()
            }
            None => self.make_up(MADE_UP_ADDRESSES, 1),
        };
        let handsets = match &entry.devices.handsets {
            Some(handsets) => SimHandsets::Listed(self.handsets_of_file(&id, location, handsets)),
            None => SimHandsets::Counted(0),
        };
        let display_name = desired.display_name.as_ref().map(ToString::to_string);
        let network = id.clone();
        self.insert(SimNetwork {
            id,
            location: location.clone(),
            display_name: display_name.or_else(|| Some(name.chars().take(11).collect())),
            name,
            code_enabled: desired.code_enabled.unwrap_or(true),
            code,
            model: entry.model.as_ref().map_or("DMS Cisco DBS210", |model| model.value.api_name()).to_owned(),
            chain_id: 0,
            base_stations,
            lines: handsets.listed().iter().map(|handset| 1 + u64::from(handset.line2.is_some())).sum(),
            handsets,
        });
        if let Some(password) = &entry.devices.serviceability_password {
            self.passwords.insert(network, password.value == PasswordStatus::Enabled);
        }
    }

    /// The handsets of a file, with members that are made up for their extensions.
    fn handsets_of_file(
        &mut self,
        network: &NetworkId,
        location: &LocationId,
        entries: &[HandsetEntry],
    ) -> Vec<SimHandset> {
        let mut handsets = Vec::new();
        for (at, entry) in entries.iter().filter(|entry| !entry.is_absent).enumerate() {
            let mut member = |line: &LineRef| match line {
                LineRef::Extension { extension, .. } => self.member_with_extension(location, extension),
                LineRef::Number(digits) => {
                    self.member_with_extension(location, &digits[digits.len().saturating_sub(4)..])
                }
                LineRef::Member(id) => id.to_string(),
            };
            let Some(line1) = entry.line1.as_ref().map(|line| member(&line.value)) else { continue };
            let line2 = entry.line2.as_ref().and_then(|line| line.value.as_ref()).map(member);
            let Some(owner) = self.member(&line1).cloned() else { continue };
            let handset = SimHandset::made_up(network, at as u64 + 1, &owner);
            let name = entry.name.as_ref().map(|name| name.value.as_str().to_owned());
            let id = entry.id.as_ref().map(|id| id.value.to_string());
            handsets.push(SimHandset {
                id: id.unwrap_or(handset.id),
                custom_name: name.or(handset.custom_name),
                line2,
                ..handset
            });
        }
        handsets
    }

    /// The state in the format of a Webex list, with the counters needed to resume.
    pub(super) fn to_list(&self) -> NetworkListJson<SnapshotNetworkJson<'_>> {
        let networks = self.networks.values().map(|network| SnapshotNetworkJson {
            network: NetworkJson::of(network, &self.locations[&network.location]),
            serviceability_password: self.passwords.get(&network.id).copied(),
            base_stations: network
                .base_stations
                .iter()
                .map(|station| serde_json::json!({ "id": station.id(), "mac": station.address() }))
                .collect(),
            handsets: match &network.handsets {
                SimHandsets::Counted(_) => None,
                SimHandsets::Listed(handsets) => Some(handsets.iter().map(handset_json).collect()),
            },
        });
        let used: HashSet<&LocationId> = self.networks.values().map(|network| &network.location).collect();
        let unused = self.locations.iter().filter(|(id, _)| !used.contains(id));
        NetworkListJson {
            dect_networks: networks.collect(),
            created: Some(self.created).filter(|created| *created > 0),
            members: self
                .members
                .iter()
                .flat_map(|(location, members)| members.iter().map(|member| member.json(&self.locations[location])))
                .collect(),
            locations: unused
                .map(|(id, name)| LocationRefJson { id: id.to_string().into(), name: name.to_string().into() })
                .collect(),
        }
    }

    /// A copy of a live state.
    pub fn from_live(organization: &LiveState) -> Self {
        // Ids that the copied organization is not likely to have.
        let mut state = Self { created: 1 << 40, ..Self::default() };
        for (at, location) in organization.locations() {
            state.locations.insert(location.id.clone(), location.name.clone());
            for (index, network) in organization.networks_of(at) {
                let settings = &network.settings;
                let base_stations = match organization.base_stations(index) {
                    Some(listed) => listed
                        .iter()
                        .filter_map(|station| Some((parse_mac(&station.address)?, station.id.as_ref()?)))
                        .map(|(mac, id)| SimBaseStation::with_id(mac, id.as_str()))
                        .collect(),
                    None => state.make_up(UNKNOWN_ADDRESSES, network.base_stations.unwrap_or(1)),
                };
                let handsets = match organization.handsets(index) {
                    Some(listed) => SimHandsets::Listed(listed.iter().filter_map(handset_of).collect()),
                    None => SimHandsets::Counted(network.handsets.unwrap_or(0)),
                };
                state.insert(SimNetwork {
                    id: network.id.clone(),
                    location: location.id.clone(),
                    name: settings.name.to_string(),
                    display_name: settings.display_name.as_deref().map(str::to_owned),
                    code_enabled: settings.code_enabled.unwrap_or(true),
                    code: settings.code.as_ref().map(|code| code.expose_secret().to_owned()),
                    model: network.model.as_deref().unwrap_or("DMS Cisco DBS210").to_owned(),
                    chain_id: 0,
                    base_stations,
                    handsets,
                    lines: network.lines.unwrap_or(0),
                });
                if let Some(status) = organization.devices(index).serviceability_password {
                    state.passwords.insert(network.id.clone(), status == PasswordStatus::Enabled);
                }
            }
        }
        for member in organization.known_members() {
            let (Some(id), Some(location)) = (&member.id, &member.location) else { continue };
            let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or_default().to_owned();
            let member = SimMember {
                id: id.to_string(),
                kind: member.kind.api_name().to_owned(),
                first_name: text(&member.first_name),
                last_name: text(&member.last_name),
                extension: member.extension.as_deref().map(str::to_owned),
                number: member.number.as_deref().map(str::to_owned),
                location: location.clone(),
            };
            state.locations.entry(location.clone()).or_insert_with(|| "".into());
            state.insert_members(location.clone(), vec![member]);
        }
        state
    }

    pub fn len(&self) -> usize {
        self.networks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    pub(super) fn insert(&mut self, mut network: SimNetwork) {
        self.next_chain = self.next_chain.max(network.chain_id).saturating_add(1);
        if network.chain_id == 0 {
            network.chain_id = self.next_chain;
        }
        let id = network.id.clone();
        let password = self.passwords.get(&id).copied();
        self.remove(&id);
        // What replaces a network of this id is the same one.
        self.passwords.extend(password.map(|is_enabled| (id.clone(), is_enabled)));
        self.names.entry(Self::name_place(&network)).or_default().push(id.clone());
        if let Some(place) = Self::code_place(&network) {
            self.codes.entry(place).or_default().push(id.clone());
        }
        for station in &network.base_stations {
            *self.macs.entry(station.mac).or_default() += 1;
        }
        self.networks.insert(id, network);
    }

    pub(super) fn remove(&mut self, id: &NetworkId) -> Option<SimNetwork> {
        self.passwords.remove(id);
        let network = self.networks.remove(id)?;
        remove_holder(&mut self.names, Self::name_place(&network), id);
        if let Some(place) = Self::code_place(&network) {
            remove_holder(&mut self.codes, place, id);
        }
        for station in &network.base_stations {
            if let Some(count) = self.macs.get_mut(&station.mac) {
                *count -= 1;
            }
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

    pub(super) fn holds_mac(&self, mac: u64) -> bool {
        self.macs.get(&mac).is_some_and(|count| *count > 0)
    }

    /// A number for the id of a base station that is created.
    pub(super) fn unused_number(&mut self) -> u64 {
        self.created += 1;
        // Made-up ones are numbered from 1.
        (1 << 31) + self.created
    }

    /// An unused id of a handset.
    pub(super) fn unused_handset_id(&mut self) -> String {
        self.created += 1;
        let uuid = format!("00000000-0000-4000-9000-{:012x}", self.created);
        STANDARD_NO_PAD.encode(format!("ciscospark://us/DECT_DEV_HANDSET/{uuid}"))
    }

    /// Makes up so many base stations.
    fn make_up(&mut self, addresses: u64, count: u64) -> Vec<SimBaseStation> {
        let station = |_| {
            self.stations += 1;
            SimBaseStation::numbered(addresses + self.stations, self.stations)
        };
        (0..count.min(254)).map(station).collect()
    }

    /// Generates an unused id.
    pub(super) fn unused_id(&mut self) -> NetworkId {
        loop {
            self.created += 1;
            let uuid = format!("00000000-0000-4000-8000-{:012x}", self.created);
            let id = NetworkId::new(STANDARD_NO_PAD.encode(format!("ciscospark://us/DECT_DEV_NET/{uuid}")));
            if !self.networks.contains_key(&id) {
                return id;
            }
        }
    }

    fn name_place(network: &SimNetwork) -> (LocationId, NameKey) {
        (network.location.clone(), NameKey::of(&network.name))
    }

    fn code_place(network: &SimNetwork) -> Option<(LocationId, String)> {
        Some((network.location.clone(), network.code.clone()?))
    }
}

/// A live handset, if it can be addressed.
fn handset_of(handset: &Handset) -> Option<SimHandset> {
    let id_of = |member: &Option<Member>| Some(member.as_ref()?.id.as_ref()?.to_string());
    Some(SimHandset {
        id: handset.id.as_ref()?.to_string(),
        index: 0,
        default_name: handset.default_name.as_deref().unwrap_or_default().to_owned(),
        custom_name: handset.custom_name.as_deref().map(str::to_owned),
        access_code: String::new(),
        line1: id_of(&handset.line1)?,
        line2: id_of(&handset.line2),
        registered: None,
    })
}

fn handset_json(handset: &SimHandset) -> Value {
    let line = |id: &String| {
        let time = handset.registered.map(|time| time.to_string());
        serde_json::json!({ "memberId": id, "lastRegistrationTime": time })
    };
    handset.json(line)
}

pub(super) fn parse_json(text: &str) -> Result<Value, StateError> {
    serde_json::from_str(text).map_err(|error| StateError::NotAList(error.to_string()))
}

/// A string, or a number or boolean in its place.
fn lenient_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A value that no network holds any more is forgotten: thousands of renames must not fill the memory.
fn remove_holder<K: Eq + std::hash::Hash>(holders: &mut HashMap<K, Vec<NetworkId>>, place: K, id: &NetworkId) {
    if let std::collections::hash_map::Entry::Occupied(mut known) = holders.entry(place) {
        known.get_mut().retain(|holder| holder != id);
        if known.get().is_empty() {
            known.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::Snapshot;
    use super::*;

    #[test]
    fn an_odd_list_is_read_as_what_it_means() {
        let odd = r#"{"dectNetworks":[{"id":"n","name":"A","displayName":null,"defaultAccessCode":42,
            "defaultAccessCodeEnabled":"false","chainId":"7","numberOfLines":"3","new":1,"location":{"id":"l","name":"L"}}]}"#;
        let state = Snapshot::read("list.json", format!("\u{feff}{odd}")).expect("a list").default;
        let network = state.networks.values().next().expect("a network");
        assert_eq!((network.code.as_deref(), network.code_enabled), (Some("0042"), false));
        assert_eq!((network.chain_id, network.lines, network.display_name.as_deref()), (7, 3, None));
        let twice = odd.replace("[{", "[{\"id\":\"n\",\"location\":{\"id\":\"l\",\"name\":\"L\"}},{");
        let largest = SimulatedState::from_list(&odd.replace("\"7\"", "18446744073709551615")).expect("a list");
        assert_eq!(largest.networks.values().next().map(|network| network.chain_id), Some(u64::MAX));
        assert!(SimulatedState::from_list(&twice).is_err_and(|error| error.to_string().contains("network 2")));
    }

    #[test]
    fn generated_codes_are_unused() {
        let file = "version: 1\nlocations: [{ name: L, networks: [{ name: a }, { name: b, defaultAccessCode: '1000' }, { name: c }] }]\n";
        let state = Snapshot::read("x.yaml", file.to_owned()).expect("a file").default;
        let mut codes: Vec<_> = state.networks.values().filter_map(|network| network.code.clone()).collect();
        codes.sort();
        assert_eq!(codes, ["1000", "1001", "1002"]);
    }

    #[test]
    fn the_built_in_organization_can_be_read() {
        assert_eq!(SimulatedState::from_list(BUILT_IN).map(|state| state.len()).ok(), Some(13));
    }
}
