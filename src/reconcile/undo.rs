//! Builds the undo of a run as a desired state.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::error::Error;
use super::read_devices::read_devices;
use crate::apply::matches_live;
use crate::client::ApiClient;
use crate::desired::{HandsetLine, StationLine, YamlWriter, writable_settings};
use crate::model::{
    Handset, HandsetId, HandsetName, LiveState, LocationId, NetworkId, NetworkIndex, NetworkModel, Setting, SettingSet,
    Settings, same_member,
};
use crate::plan::RequiredReads;
use crate::plan::model::{Operation, ResourceState};
use crate::storage::RunHistory;
use crate::storage::journal::{ModifiedNetwork, RecordedItem};

#[derive(Clone, Debug)]
pub struct Undo {
    /// A desired-state file with the previous state.
    pub yaml: String,
    /// Networks that were changed or deleted since the run, which are not touched.
    pub skipped: Vec<SkippedNetwork>,
    /// What the run has created or deleted and the undo cannot take back: its name, and why.
    pub left_alone: Vec<(String, String)>,
    /// Networks that are created again, with a new id.
    pub recreated: Vec<RecreatedNetwork>,
    /// Handsets that are added again and must be paired again: the name of the network, and theirs.
    pub readded_handsets: Vec<(String, Vec<String>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedNetwork {
    pub network: NetworkId,
    pub name: String,
    /// Its name now; `None` if it no longer exists.
    pub current_name: Option<String>,
}

/// A deleted network that is created again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecreatedNetwork {
    pub location: LocationId,
    pub name: String,
    pub former_id: NetworkId,
}

/// Reads what an undo must know beside the list: the devices of what the run has created or changed.
///
/// # Errors
/// If a request fails.
pub async fn read_for_undo(history: &RunHistory, live: &mut LiveState, client: &ApiClient) -> Result<(), Error> {
    let mut stations: BTreeSet<NetworkIndex> = BTreeSet::new();
    let mut handsets: BTreeSet<NetworkIndex> = BTreeSet::new();
    for item in history.items.iter().filter(|item| item.may_be_applied()) {
        let created = item.id.as_deref().filter(|_| item.operation == Operation::CreateNetwork).map(NetworkId::new);
        if let Some(network) = created.and_then(|id| live.find(&id)) {
            stations.insert(network);
            handsets.insert(network);
        }
        let network = item.network.as_ref().and_then(|id| live.find(id));
        let is_about_handsets = item.operation.is_about_handsets();
        if is_about_handsets { handsets.extend(network) } else { stations.extend(network) }
    }
    let reads =
        RequiredReads { base_stations: stations.into_iter().collect(), handsets: handsets.into_iter().collect() };
    read_devices(live, reads, client).await.map_err(Error::reading)
}

/// Builds the previous state of everything that is still as the run left it.
pub fn build_undo(history: &RunHistory, live: &LiveState) -> Undo {
    let recorded = history.items.iter().filter_map(|item| {
        let state = item.before.as_ref().or(item.after.as_ref())?;
        Some((item.operation, item.network.as_ref()?, state.label()))
    });
    let created = history.items.iter().filter(|item| item.operation == Operation::CreateNetwork);
    let mut builder = UndoBuilder {
        history,
        live,
        recorded: recorded.collect(),
        created: created.filter_map(|item| item.id.as_deref()).collect(),
        undo: Undo::empty(),
        locations: BTreeMap::new(),
        added_again: BTreeMap::new(),
    };
    for modified in &history.modified {
        builder.restore_settings(modified);
    }
    for item in history.items.iter().filter(|item| item.may_be_applied()) {
        match item.operation {
            Operation::CreateNetwork => builder.delete_created(item),
            Operation::DeleteNetwork => builder.create_deleted(item),
            Operation::AddBaseStations => builder.remove_added(item),
            Operation::RemoveBaseStation => builder.add_removed(item),
            // Recorded with its settings.
            Operation::UpdateNetwork => {}
            Operation::AddHandsets => builder.remove_added_handset(item),
            Operation::UpdateHandset => builder.restore_handset(item),
            Operation::RemoveHandsets => builder.add_removed_handset(item),
        }
    }
    builder.finish()
}

impl Undo {
    const fn empty() -> Self {
        Self {
            yaml: String::new(),
            skipped: Vec::new(),
            left_alone: Vec::new(),
            recreated: Vec::new(),
            readded_handsets: Vec::new(),
        }
    }
}

/// What is to be written about one location.
#[derive(Default)]
struct LocationUndo<'a> {
    /// The name that it had, for a location that has lost its last network.
    former_name: Option<&'a str>,
    modified: Vec<(&'a ModifiedNetwork, SettingSet)>,
    created: Vec<(NetworkModel, &'a Settings, Vec<String>, Vec<&'a Handset>)>,
    deleted: Vec<(NetworkId, String)>,
    /// Base stations by network: added ones to remove, removed ones to add, with what they replace.
    absent: BTreeMap<NetworkId, Vec<String>>,
    present: BTreeMap<NetworkId, Vec<(String, Option<String>)>>,
    /// Handsets by network.
    handsets: BTreeMap<NetworkId, Vec<HandsetLine<'a>>>,
}

struct UndoBuilder<'a> {
    history: &'a RunHistory,
    live: &'a LiveState,
    /// The devices that the run has recorded: what it did with them, in which network, and their labels.
    recorded: HashSet<(Operation, &'a NetworkId, String)>,
    /// The ids of the networks that the run has created.
    created: HashSet<&'a str>,
    undo: Undo,
    locations: BTreeMap<&'a LocationId, LocationUndo<'a>>,
    /// The handsets that are added to networks again.
    added_again: BTreeMap<NetworkId, Vec<&'a Handset>>,
}

/// Whether a handset can be added as it was: with a name that Webex accepts, and a first line.
fn can_be_added(handset: &Handset) -> bool {
    let has_name = handset.display_name().is_some_and(|name| HandsetName::new(name).is_ok());
    has_name && handset.line1.as_ref().is_some_and(|line| line.id.is_some())
}

/// Whether a handset is the one that was to be added, complete or before its second line was added.
fn is_as_added(handset: &Handset, added: &Handset) -> bool {
    handset.is_equivalent(added) || handset.is_equivalent(&added.first_line_only())
}

/// Whether an entry without id cannot tell two handsets apart.
fn is_twin(one: &Handset, other: &Handset) -> bool {
    one.has_same_name(other) && same_member(one.line1.as_ref(), other.line1.as_ref())
}

const NOT_ADDED_AGAIN: &str = "its line or its name is not known, so it cannot be added again";
const TWIN: &str = "another handset of its network has the same line and name; add it in Control Hub";

fn added_again(handset: &Handset) -> HandsetLine<'_> {
    HandsetLine {
        line1: handset.line1.as_ref(),
        line2: handset.line2.as_ref().map(Some),
        name: handset.display_name().map(|name| &**name),
        ..HandsetLine::default()
    }
}

impl<'a> UndoBuilder<'a> {
    fn restore_settings(&mut self, modified: &'a ModifiedNetwork) {
        let now = self.live.find(&modified.network).map(|at| &self.live.network(at).settings);
        let left_as = now.and_then(|now| modified.final_states.iter().find(|state| matches_live(now, state)));
        match left_as {
            Some(state) => {
                let changed = modified.before.diff(state);
                if !changed.is_empty() {
                    self.locations.entry(&modified.location).or_default().modified.push((modified, changed));
                }
            }
            None => self.undo.skipped.push(SkippedNetwork {
                network: modified.network.clone(),
                name: modified.before.name.to_string(),
                current_name: now.map(|now| now.name.to_string()),
            }),
        }
    }

    fn leave_alone(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.undo.left_alone.push((name.into(), why.into()));
    }

    /// A network that the run has created is deleted if its id is recorded and all that it holds is the run's.
    fn delete_created(&mut self, item: &'a RecordedItem) {
        let Some(after @ ResourceState::Network { settings, .. }) = &item.after else { return };
        let name = settings.name.to_string();
        let Some(id) = item.id.as_deref().and_then(NetworkId::non_empty) else {
            let is_there = self
                .live
                .networks()
                .any(|(_, network)| network.location == item.location && after.matches_created(network));
            if is_there {
                self.leave_alone(name, "its id was not recorded, so it may not be the run's");
            }
            return;
        };
        // It is gone already.
        let Some(at) = self.live.find(&id) else { return };
        if !after.matches_created(self.live.network(at)) {
            return self.leave_alone(name, "its settings changed since the run");
        }
        let stations = self.live.base_stations(at).unwrap_or_default().iter().map(|station| station.label());
        let foreign = stations
            .filter(|label| !self.recorded.contains(&(Operation::AddBaseStations, &id, label.clone())))
            .map(|label| format!("base station {label}"));
        let handsets = self.live.handsets(at).unwrap_or_default().iter();
        let is_foreign = |handset: &&Handset| !self.has_added(&id, handset);
        let foreign: Vec<String> =
            foreign.chain(handsets.filter(is_foreign).map(|handset| format!("handset {}", handset.label()))).collect();
        if foreign.is_empty() {
            self.locations.entry(&item.location).or_default().deleted.push((id, name));
        } else {
            self.leave_alone(name, format!("it holds what the run has not added: {}", foreign.join(", ")));
        }
    }

    /// A deleted network is created again with its base stations.
    fn create_deleted(&mut self, item: &'a RecordedItem) {
        let (Some(ResourceState::Network { settings, model }), Some(id)) = (&item.before, &item.network) else {
            return;
        };
        // The deletion was not applied.
        if self.live.find(id).is_some() {
            return;
        }
        let name = settings.name.to_string();
        let Some(model) = model.as_deref().and_then(NetworkModel::parse) else {
            return self.leave_alone(name, "its model is not known, so it cannot be created again");
        };
        if settings.code.is_none() {
            return self.leave_alone(name, "its access code is not known, so it cannot be created again");
        }
        let stations: Vec<String> = item
            .contents
            .iter()
            .filter(|content| matches!(content, ResourceState::BaseStation(_)))
            .map(ResourceState::label)
            .collect();
        let mut handsets: Vec<&Handset> = Vec::new();
        for handset in item.contents.iter().filter_map(ResourceState::handset) {
            let label = format!("handset {}", handset.label());
            if !can_be_added(handset) {
                self.leave_alone(label, NOT_ADDED_AGAIN);
            } else if handsets.iter().any(|other| is_twin(other, handset)) {
                self.leave_alone(label, TWIN);
            } else {
                handsets.push(handset);
            }
        }
        if !handsets.is_empty() {
            let labels = handsets.iter().map(|handset| handset.label()).collect();
            self.undo.readded_handsets.push((name.clone(), labels));
        }
        let location = item.location.clone();
        self.undo.recreated.push(RecreatedNetwork { location, name, former_id: id.clone() });
        let location = self.locations.entry(&item.location).or_default();
        location.former_name = Some(&item.location_name);
        location.created.push((model, settings, stations, handsets));
    }

    /// A base station that the run has added is removed if its id is the recorded one.
    fn remove_added(&mut self, item: &'a RecordedItem) {
        let (Some(ResourceState::BaseStation(station)), Some(network)) = (&item.after, &item.network) else { return };
        let label = station.label();
        // The run has put it back where it had removed it, so it was there before the run.
        if self.recorded.contains(&(Operation::RemoveBaseStation, network, label.clone())) {
            return;
        }
        let was_created = self.created.contains(network.as_str());
        let Some(at) = self.live.find(network).filter(|_| !was_created) else { return };
        let listed = self.live.base_stations(at).unwrap_or_default();
        let Some(listed) = listed.iter().find(|other| other.label() == label) else { return };
        let name = || format!("base station {label} of {:?}", self.live.network(at).settings.name);
        match (&item.id, &listed.id) {
            (Some(recorded), Some(id)) if recorded == id.as_str() => {
                let location = self.locations.entry(&item.location).or_default();
                location.absent.entry(network.clone()).or_default().push(label);
            }
            (Some(_), _) => self.leave_alone(name(), "it was removed and added again since the run"),
            (None, _) => self.leave_alone(name(), "its id was not recorded, so it may not be the run's"),
        }
    }

    fn add_removed(&mut self, item: &'a RecordedItem) {
        let (Some(ResourceState::BaseStation(station)), Some(network)) = (&item.before, &item.network) else { return };
        let label = station.label();
        let Some(at) = self.live.find(network) else {
            return self.leave_alone(format!("base station {label}"), "its network no longer exists");
        };
        let listed = self.live.base_stations(at).unwrap_or_default();
        // The removal was not applied, or was taken back.
        if listed.iter().any(|other| other.label() == label) {
            return;
        }
        let location = self.locations.entry(&item.location).or_default();
        location.present.entry(network.clone()).or_default().push((label, item.replaced_by.clone()));
    }

    /// Whether the run has added a handset to a network.
    fn has_added(&self, network: &NetworkId, handset: &Handset) -> bool {
        self.history.items.iter().any(|item| {
            let is_addition = item.operation == Operation::AddHandsets && item.network.as_ref() == Some(network);
            let added = item.after.as_ref().and_then(ResourceState::handset).filter(|_| is_addition);
            match (&item.id, &handset.id) {
                (Some(recorded), Some(id)) => added.is_some() && recorded == id.as_str(),
                _ => added.is_some_and(|added| added.is_equivalent(handset)),
            }
        })
    }

    fn handset_line(&mut self, item: &'a RecordedItem, line: HandsetLine<'a>) {
        let Some(network) = &item.network else { return };
        let location = self.locations.entry(&item.location).or_default();
        location.handsets.entry(network.clone()).or_default().push(line);
    }

    /// The network of a handset and its name now, unless it is gone or was created by the run.
    fn handset_network(&self, item: &RecordedItem) -> Option<(NetworkIndex, String)> {
        let network = item.network.as_ref().filter(|id| !self.created.contains(id.as_str()))?;
        let at = self.live.find(network)?;
        Some((at, self.live.network(at).settings.name.to_string()))
    }

    /// A handset that the run has added is removed if its id is the recorded one.
    fn remove_added_handset(&mut self, item: &'a RecordedItem) {
        let Some(after) = item.after.as_ref().and_then(ResourceState::handset) else { return };
        let Some((at, network)) = self.handset_network(item) else { return };
        let name = format!("handset {} of {network:?}", after.label());
        let listed = self.live.handsets(at).unwrap_or_default();
        let id = item.id.as_deref().and_then(HandsetId::non_empty);
        match id.and_then(|id| listed.iter().find(|handset| handset.id.as_ref() == Some(&id))) {
            Some(found) if is_as_added(found, after) => {
                let id = found.id.clone();
                self.handset_line(item, HandsetLine { id, is_absent: true, ..HandsetLine::default() });
            }
            Some(_) => self.leave_alone(name, "its name or its lines changed since the run"),
            None if item.id.is_none() && listed.iter().any(|handset| is_as_added(handset, after)) => {
                self.leave_alone(name, "its id was not recorded, so it may not be the run's");
            }
            // It is gone already.
            None => {}
        }
    }

    /// A handset that the run has updated gets its former name and lines.
    fn restore_handset(&mut self, item: &'a RecordedItem) {
        let state = |state: &'a Option<ResourceState>| state.as_ref().and_then(ResourceState::handset);
        // The second line of an added handset goes with it.
        let (Some(before), Some(after)) = (state(&item.before), state(&item.after)) else { return };
        let name = format!("handset {}", before.label());
        let listed = self.handset_network(item).and_then(|(at, _)| self.live.handsets(at)).unwrap_or_default();
        match listed.iter().find(|handset| handset.id == before.id) {
            None => self.leave_alone(name, "it no longer exists"),
            Some(now) if now.is_equivalent(before) => {}
            Some(now) if now.is_equivalent(after) && can_be_added(before) => {
                let line = HandsetLine {
                    id: before.id.clone(),
                    line1: before.line1.as_ref(),
                    line2: Some(before.line2.as_ref()),
                    name: before.display_name().map(|name| &**name),
                    ..HandsetLine::default()
                };
                self.handset_line(item, line);
            }
            Some(now) if now.is_equivalent(after) => {
                self.leave_alone(name, "its former line or name is not known");
            }
            Some(_) => self.leave_alone(name, "its name or its lines changed since the run"),
        }
    }

    /// A handset that the run has removed is added again.
    fn add_removed_handset(&mut self, item: &'a RecordedItem) {
        let Some(before) = item.before.as_ref().and_then(ResourceState::handset) else { return };
        let name = format!("handset {}", before.label());
        let Some((at, network)) = self.handset_network(item) else {
            return self.leave_alone(name, "its network no longer exists");
        };
        let listed = self.live.handsets(at).unwrap_or_default();
        // The removal was not applied.
        if listed.iter().any(|handset| handset.id == before.id) {
            return;
        }
        if !can_be_added(before) {
            return self.leave_alone(name, NOT_ADDED_AGAIN);
        }
        let others = self.added_again.entry(self.live.network(at).id.clone()).or_default();
        if others.iter().copied().chain(listed).any(|other| is_twin(other, before)) {
            return self.leave_alone(name, TWIN);
        }
        others.push(before);
        match self.undo.readded_handsets.iter_mut().find(|(known, _)| *known == network) {
            Some((_, labels)) => labels.push(before.label()),
            None => self.undo.readded_handsets.push((network, vec![before.label()])),
        }
        self.handset_line(item, added_again(before));
    }

    fn finish(mut self) -> Undo {
        let mut file = YamlWriter::new(&format!("Undo of run {}.", self.history.run));
        for (location, undo) in &mut self.locations {
            let name = self.live.find_location(location).map(|at| self.live.location(at).name.to_string());
            file.location(location, &name.unwrap_or_else(|| undo.former_name.unwrap_or_default().to_owned()));
            for (modified, changed) in &undo.modified {
                let writable = writable_settings(&modified.before, *changed);
                file.network(&modified.network, &modified.before, writable, None);
            }
            for (id, name) in &undo.deleted {
                file.absent_network(id, name);
            }
            for (model, settings, stations, handsets) in &undo.created {
                let writable = writable_settings(settings, Setting::ALL.into_iter().collect());
                file.created_network(*model, settings, writable, None);
                file.base_stations(stations.iter().map(|mac| StationLine::Present(mac)));
                file.handsets(location, handsets.iter().map(|handset| added_again(handset)));
            }
            let networks = undo.absent.keys().chain(undo.present.keys()).chain(undo.handsets.keys());
            let networks: BTreeSet<NetworkId> = networks.cloned().collect();
            for network in networks {
                let added = undo.absent.remove(&network).unwrap_or_default();
                let removed = undo.present.remove(&network).unwrap_or_default();
                file.network_devices(&network, None);
                let replaced = |mac: &String| removed.iter().any(|(_, new)| new.as_ref() == Some(mac));
                let absent = added.iter().filter(|mac| !replaced(mac)).map(|mac| StationLine::Absent(mac));
                let present = removed.iter().map(|(mac, new)| match new.as_ref().filter(|new| added.contains(new)) {
                    Some(new) => StationLine::Replacing { mac, old: new },
                    None => StationLine::Present(mac),
                });
                file.base_stations(absent.chain(present));
                file.handsets(location, undo.handsets.remove(&network).unwrap_or_default());
            }
        }
        self.undo.yaml = file.finish();
        self.undo
    }
}
