//! The live state: locations with their networks as Webex lists them, in a stable order.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::code::CodeText;
use super::id::{LocationId, NetworkId};
use super::name_key::NaturalName;
use crate::resources::base_station::state::BaseStation;
use crate::resources::devices::{DeviceList, Devices};
use crate::resources::handset::member::Member;
use crate::resources::handset::state::Handset;
use crate::resources::network::state::Network;

/// Index of a location in a [`LiveState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocationIndex(pub u32);

/// Index of a network in a [`LiveState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkIndex(pub u32);

/// A location. Those without DECT networks are known only if they were looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub id: LocationId,
    /// Names are not guaranteed to be unique in an organization.
    pub name: Arc<str>,
    networks: std::ops::Range<u32>,
}

/// The current state of every DECT network.
///
/// Locations are sorted by name and id, networks by location, name and id, so that everything derived from it has a
/// stable order, whatever the order of the response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveState {
    locations: Vec<Location>,
    networks: Vec<Network>,
    location_of: Vec<LocationIndex>,
    by_id: HashMap<NetworkId, NetworkIndex>,
    location_by_id: HashMap<LocationId, LocationIndex>,
    /// The devices of networks that were asked for them.
    devices: HashMap<NetworkIndex, Devices>,
    /// The members of locations that were asked for those that a handset can have.
    members: HashMap<LocationId, Vec<Member>>,
    /// The locations that were listed, if not all were.
    listed: Option<HashSet<LocationId>>,
}

impl LiveState {
    /// Sorts and indexes the list: each network with the name of its location.
    ///
    /// Of a network that is listed twice, the last one counts.
    pub fn new(listed: impl IntoIterator<Item = (Arc<str>, Network)>) -> Self {
        Self::with_locations(listed, [])
    }

    /// Like [`Self::new`], with locations that may have no networks.
    pub fn with_locations(
        listed: impl IntoIterator<Item = (Arc<str>, Network)>,
        locations: impl IntoIterator<Item = (LocationId, Arc<str>)>,
    ) -> Self {
        let mut rows: Vec<(Arc<str>, Network)> = Vec::new();
        let mut names: HashMap<LocationId, Arc<str>> = HashMap::new();
        let mut by_id: HashMap<NetworkId, NetworkIndex> = HashMap::new();
        for (name, network) in listed {
            let name = names.entry(network.location.clone()).or_insert(name).clone();
            match by_id.entry(network.id.clone()) {
                Entry::Occupied(known) => rows[known.get().0 as usize] = (name, network),
                Entry::Vacant(new) => {
                    new.insert(NetworkIndex(rows.len() as u32));
                    rows.push((name, network));
                }
            }
        }
        let place_names: HashMap<Arc<str>, NaturalName> =
            names.values().map(|name| (name.clone(), NaturalName::of(name))).collect();
        rows.sort_by_cached_key(|(name, network)| {
            let network_name = NaturalName::of(&network.settings.name);
            (place_names[name].clone(), network.location.clone(), network_name, network.id.clone())
        });

        let mut organization = Self { by_id, ..Self::default() };
        for (at, (name, network)) in (0_u32..).zip(rows) {
            match organization.locations.last_mut() {
                Some(location) if location.id == network.location => location.networks.end = at + 1,
                _ => {
                    let place = LocationIndex(organization.locations.len() as u32);
                    organization.location_by_id.insert(network.location.clone(), place);
                    let id = network.location.clone();
                    organization.locations.push(Location { id, name, networks: at..at + 1 });
                }
            }
            organization.location_of.push(LocationIndex(organization.locations.len() as u32 - 1));
            // Its index has changed by sorting.
            organization.by_id.insert(network.id.clone(), NetworkIndex(at));
            organization.networks.push(network);
        }
        for (id, name) in locations {
            organization.insert_location(id, name);
        }
        organization
    }

    /// The same as a list of these locations alone: of others nothing is known.
    #[must_use]
    pub fn limited_to(mut self, locations: &[LocationId]) -> Self {
        self.listed = Some(locations.iter().cloned().collect());
        self
    }

    /// Whether some locations were not listed.
    pub const fn is_limited(&self) -> bool {
        self.listed.is_some()
    }

    /// Whether the networks of a location were listed.
    pub fn has_listed(&self, location: &LocationId) -> bool {
        self.listed.as_ref().is_none_or(|listed| listed.contains(location))
    }

    /// Adds a location without networks, unless it is known.
    fn insert_location(&mut self, id: LocationId, name: Arc<str>) {
        if let Entry::Vacant(new) = self.location_by_id.entry(id.clone()) {
            new.insert(LocationIndex(self.locations.len() as u32));
            self.locations.push(Location { id, name, networks: 0..0 });
        }
    }

    /// Adds locations without networks after the others, sorted by name and id.
    pub fn add_locations(&mut self, mut locations: Vec<(LocationId, Arc<str>)>) {
        locations.sort_by_cached_key(|(id, name)| (NaturalName::of(name), id.clone()));
        locations.into_iter().for_each(|(id, name)| self.insert_location(id, name));
    }

    /// Sets the code of a network that Webex hides, since it is disabled, to what is known of it.
    pub fn fill_hidden_code(&mut self, network: NetworkIndex, code: CodeText) {
        let settings = &mut self.networks[network.0 as usize].settings;
        if settings.code.is_none() && settings.code_enabled == Some(false) {
            settings.code = Some(code);
        }
    }

    /// Records what was read of a network.
    pub fn set_devices(&mut self, network: NetworkIndex, mut list: DeviceList) {
        if let DeviceList::Handsets(handsets) = &mut list {
            // A member is of the location of the network unless the list says otherwise.
            let home = self.location(self.location_of(network)).id.clone();
            for line in handsets.iter_mut().flat_map(|handset| handset.line1.iter_mut().chain(&mut handset.line2)) {
                line.location.get_or_insert_with(|| home.clone());
            }
        }
        self.devices.entry(network).or_default().set(list);
    }

    /// Records the members of a location that are available for handsets.
    pub fn set_members(&mut self, location: LocationId, mut members: Vec<Member>) {
        for member in &mut members {
            member.location.get_or_insert_with(|| location.clone());
        }
        self.members.insert(location, members);
    }

    /// The members of a location that are available for handsets, if they were read.
    pub fn members(&self, location: &LocationId) -> Option<&[Member]> {
        self.members.get(location).map(Vec::as_slice)
    }

    /// All members that are known: on the lines of handsets that were read, and those that are available.
    pub fn known_members(&self) -> impl Iterator<Item = &Member> {
        let handsets = self.devices.values().filter_map(|devices| devices.handsets.as_ref()).flatten();
        handsets.flat_map(Handset::lines).chain(self.members.values().flatten())
    }

    /// What belongs to a network, as far as it was read.
    pub fn devices(&self, network: NetworkIndex) -> &Devices {
        self.devices.get(&network).unwrap_or(&Devices::UNREAD)
    }

    /// The base stations of a network, if they were read.
    pub fn base_stations(&self, network: NetworkIndex) -> Option<&[BaseStation]> {
        self.devices(network).base_stations.as_deref()
    }

    /// The handsets of a network, if they were read.
    pub fn handsets(&self, network: NetworkIndex) -> Option<&[Handset]> {
        self.devices(network).handsets.as_deref()
    }

    pub fn locations(&self) -> impl ExactSizeIterator<Item = (LocationIndex, &Location)> {
        self.locations.iter().enumerate().map(|(at, location)| (LocationIndex(at as u32), location))
    }

    pub fn location(&self, location: LocationIndex) -> &Location {
        &self.locations[location.0 as usize]
    }

    pub fn networks_of(&self, location: LocationIndex) -> impl ExactSizeIterator<Item = (NetworkIndex, &Network)> {
        let range = self.location(location).networks.clone();
        range.map(|at| (NetworkIndex(at), &self.networks[at as usize]))
    }

    pub fn networks(&self) -> impl ExactSizeIterator<Item = (NetworkIndex, &Network)> {
        self.networks.iter().enumerate().map(|(at, network)| (NetworkIndex(at as u32), network))
    }

    pub fn network(&self, network: NetworkIndex) -> &Network {
        &self.networks[network.0 as usize]
    }

    pub fn location_of(&self, network: NetworkIndex) -> LocationIndex {
        self.location_of[network.0 as usize]
    }

    pub fn find(&self, id: &NetworkId) -> Option<NetworkIndex> {
        self.by_id.get(id).copied()
    }

    pub fn find_location(&self, id: &LocationId) -> Option<LocationIndex> {
        self.location_by_id.get(id).copied()
    }

    pub fn len(&self) -> usize {
        self.networks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }
}
