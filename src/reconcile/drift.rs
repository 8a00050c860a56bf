//! The differences of a drift report: what differs, why, and what of it is known.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{LocationId, NameKey, NetworkId, Settings, to_minute};
use crate::plan::model::{Change, Field, FieldKind, ResourceKind, ResourceState, changed_fields};
use crate::storage::journal::{ModifiedNetwork, RecordedItem};
use crate::storage::{CodeAccess, PlanKey, RunDirectory, RunHistory, RunTarget};

/// A difference between a file and the live state: of a field, or of a whole thing that is missing or still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftItem {
    pub network: String,
    /// `None` if the network does not exist.
    pub network_id: Option<NetworkId>,
    pub kind: ResourceKind,
    /// What identifies the device, if it is one.
    pub device: Option<String>,
    /// `None` if it is about the whole thing.
    pub field: Option<&'static str>,
    /// The live value; `None` if there is none, or if it is an access code.
    pub live: Option<String>,
    /// What the file asks for; `None` if it asks for nothing, or for an access code.
    pub asked: Option<String>,
    /// Why, as far as the journals tell.
    pub cause: Option<DriftCause>,
    /// Whether the whole thing does not exist, although a file names it.
    pub is_missing: bool,
    /// Whether the baseline has it.
    pub is_known: bool,
}

/// Why the live state differs from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriftCause {
    /// It was otherwise when a run had last written it.
    ChangedOutside { run: String, since: Timestamp },
    /// It is as a run has left it, so the file is newer.
    NotApplied,
    /// It is as this undo has left it.
    Undone { run: String },
}

impl DriftItem {
    /// Something that a file names and that does not exist.
    pub(super) fn missing(network: String, device: Option<String>, cause: Option<DriftCause>) -> Self {
        let kind = if device.is_some() { ResourceKind::Handset } else { ResourceKind::Network };
        Self {
            network,
            network_id: None,
            kind,
            device,
            field: None,
            live: None,
            asked: None,
            cause,
            is_missing: true,
            is_known: false,
        }
    }

    /// All differences of a change, each with its cause.
    pub(super) fn of(change: &Change, last: &LastStates) -> Vec<Self> {
        let (live, asked) = (change.before.as_ref(), change.after.as_ref());
        // Of a network that does not exist, which is said of the network.
        if live.is_some_and(ResourceState::is_unknown) {
            return Vec::new();
        }
        let left = last.left_by_a_run(change);
        let whole = Self {
            network: change.network_name.to_string(),
            network_id: change.network.id().cloned(),
            kind: change.kind(),
            device: (change.kind() != ResourceKind::Network).then(|| change.label()).filter(|label| !label.is_empty()),
            field: None,
            live: None,
            asked: None,
            cause: None,
            is_missing: live.is_none(),
            is_known: false,
        };
        if live.is_none() || asked.is_none() {
            let cause = left.map(|left| left.cause(left.state.is_some() == live.is_some()));
            return vec![Self { cause, ..whole }];
        }
        let value = |field: &Field, state| {
            field.of(state).filter(|_| field.kind != FieldKind::Code).map(|value| value.expose_secret())
        };
        let of_field = |field: &'static Field| Self {
            field: Some(field.name),
            live: value(field, live),
            asked: value(field, asked),
            cause: left.map(|left| left.cause(field.of(left.state.as_ref()) == field.of(live))),
            ..whole.clone()
        };
        changed_fields(live, asked).into_iter().map(of_field).collect()
    }

    /// Whether a baseline can have it. It holds no access code, and without one every later code would be known.
    pub fn can_be_accepted(&self) -> bool {
        self.field.is_none() || self.live.is_some() || self.asked.is_some()
    }

    /// Why, in words.
    pub fn cause_in_words(&self) -> Option<String> {
        self.cause.as_ref().map(|cause| match cause {
            DriftCause::ChangedOutside { run, since } => {
                format!("changed outside since {} (run {run})", to_minute(*since))
            }
            DriftCause::NotApplied => "not applied yet".to_owned(),
            DriftCause::Undone { run } => format!("undone by run {run}"),
        })
    }
}

/// A thing as the newest run that has written it left it.
struct Left {
    run: String,
    at: Timestamp,
    /// `None` if it was deleted.
    state: Option<ResourceState>,
    /// Whether that run was an undo.
    is_undo: bool,
}

impl Left {
    fn cause(&self, is_as_left: bool) -> DriftCause {
        match is_as_left {
            true if self.is_undo => DriftCause::Undone { run: self.run.clone() },
            true => DriftCause::NotApplied,
            false => DriftCause::ChangedOutside { run: self.run.clone(), since: self.at },
        }
    }
}

/// What the journals say about the things of an organization: their states after the newest run that has written them.
#[derive(Default)]
pub(super) struct LastStates {
    /// With their locations; `None` where the outcome is unknown.
    networks: HashMap<NetworkId, (LocationId, Option<Left>)>,
    /// By network and by what identifies a device: its kind with its id, or with what it is called.
    devices: HashMap<(NetworkId, ResourceKind, String), Left>,
}

impl LastStates {
    /// Reads the newest journals, until all of these changes are explained.
    pub(super) fn read(
        journal_dir: &Path,
        target: &RunTarget,
        key: Option<&PlanKey>,
        changes: &[Change],
        is_any_missing: bool,
    ) -> Self {
        let mut last = Self::default();
        let Ok(runs) = RunDirectory::open(journal_dir) else { return last };
        for (_, journal, _) in runs.recent() {
            let unexplained = changes.iter().filter(|change| !last.knows(change));
            let wanted: HashSet<&NetworkId> = unexplained.filter_map(|change| change.network.id()).collect();
            if !is_any_missing && wanted.is_empty() {
                break;
            }
            let Ok(mut history) = RunHistory::read(&journal, CodeAccess::Skip) else { continue };
            // Decrypting takes a while by design, so what says nothing new is left encrypted.
            let is_news = is_any_missing || networks_of(&history).any(|network| wanted.contains(&network));
            if !history.identity.target.is_same(target) || !is_news {
                continue;
            }
            if history.is_encrypted {
                let Ok(opened) = RunHistory::read(&journal, CodeAccess::Decrypt(key)) else { continue };
                history = opened;
            }
            last.add(&history);
        }
        last
    }

    fn add(&mut self, history: &RunHistory) {
        let is_undo = history.identity.undoes.is_some();
        let left =
            |state: Option<ResourceState>| Left { run: history.run.clone(), at: history.last_entry_at, state, is_undo };
        for modified in history.modified.iter().filter(|modified| modified.may_be_written) {
            let state = |settings: &Settings| ResourceState::Network { settings: settings.clone(), model: None };
            let ModifiedNetwork { network, final_states, .. } = modified;
            let is_sure = if let [only] = &final_states[..] { Some(left(Some(state(only)))) } else { None };
            self.networks.entry(network.clone()).or_insert((modified.location.clone(), is_sure));
        }
        // The newest one counts, also within a run.
        for item in history.items.iter().rev().filter(|item| item.may_be_applied() && !item.is_reverted) {
            for key in device_keys(item) {
                self.devices.entry(key).or_insert_with(|| left(item.after.clone()));
            }
            if item.key.operation.kind == ResourceKind::Network
                && let Some(network) = network_of(item)
            {
                let location = item.location.clone();
                self.networks.entry(network).or_insert_with(|| (location, Some(left(item.after.clone()))));
            }
        }
    }

    fn knows(&self, change: &Change) -> bool {
        let network = change.network.id();
        let is_network = change.kind() == ResourceKind::Network;
        match network {
            Some(network) if is_network => self.networks.contains_key(network),
            Some(_) => self.left_by_a_run(change).is_some(),
            // Nothing was written to what does not exist.
            None => true,
        }
    }

    fn left_by_a_run(&self, change: &Change) -> Option<&Left> {
        let network = change.network.id()?;
        if change.kind() == ResourceKind::Network {
            return self.networks.get(network)?.1.as_ref();
        }
        let states = change.before.iter().chain(&change.after);
        states.flat_map(identities).find_map(|identity| self.devices.get(&(network.clone(), change.kind(), identity)))
    }

    /// When the newest run that has written something left it as a file asks for.
    pub(super) fn in_sync_at(&self, change: &Change) -> Option<Timestamp> {
        let left = self.left_by_a_run(change)?;
        let is_as_asked = left.state.is_some() == change.after.is_some()
            && changed_fields(left.state.as_ref(), change.after.as_ref()).is_empty();
        is_as_asked.then_some(left.at)
    }

    /// Why a network of this name does not exist any more, if a run has written one in that location: the newest of them.
    pub(super) fn missing_network(&self, location: &LocationId, name: &str) -> Option<DriftCause> {
        let is_it = |left: &&Left| {
            let settings = left.state.as_ref().and_then(ResourceState::settings);
            settings.is_some_and(|settings| settings.name_key() == NameKey::of(name))
        };
        let of_location = self.networks.values().filter(|(at, _)| at == location);
        let newest = of_location.filter_map(|(_, left)| left.as_ref()).filter(is_it).max_by_key(|left| left.at);
        newest.map(|left| left.cause(false))
    }
}

/// The networks that a run may have written.
fn networks_of(history: &RunHistory) -> impl Iterator<Item = NetworkId> + '_ {
    let networks = history.modified.iter().map(|modified| modified.network.clone());
    networks.chain(history.items.iter().filter_map(network_of))
}

/// The network that an item is about; of one that was created its own id.
fn network_of(item: &RecordedItem) -> Option<NetworkId> {
    item.network.clone().or_else(|| item.id.as_deref().map(NetworkId::new))
}

/// What may identify a device: its id, and what it is called.
fn identities(state: &ResourceState) -> Vec<String> {
    state.id().map(str::to_owned).into_iter().chain([state.label()]).collect()
}

fn device_keys(item: &RecordedItem) -> Vec<(NetworkId, ResourceKind, String)> {
    let kind = item.key.operation.kind;
    let Some(network) = item.network.as_ref().filter(|_| kind != ResourceKind::Network) else { return Vec::new() };
    let states = item.before.iter().chain(&item.after).flat_map(identities);
    let all = states.chain(item.id.clone());
    all.map(|identity| (network.clone(), kind, identity)).collect()
}

/// Differences that were accepted: they are known, and are no news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    pub kind: BaselineKind,
    pub format_version: u32,
    pub differences: Vec<KnownDifference>,
}

/// What tells a baseline from other documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BaselineKind {
    Baseline,
}

/// The version of baselines that this version reads and writes.
pub(super) const BASELINE_VERSION: u32 = 1;

/// A difference that was accepted, with its values: another value is another difference. Access codes have none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KnownDifference {
    pub location: LocationId,
    /// The id of the network, or its name if it does not exist.
    pub network: String,
    /// Its name, for readers.
    pub name: String,
    pub kind: ResourceKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
}

impl KnownDifference {
    pub(super) fn of(location: &LocationId, item: &DriftItem) -> Self {
        Self {
            location: location.clone(),
            network: item.network_id.as_ref().map_or_else(|| item.network.clone(), ToString::to_string),
            name: item.network.clone(),
            kind: item.kind,
            device: item.device.clone(),
            field: item.field.map(str::to_owned),
            live: item.live.clone(),
            asked: item.asked.clone(),
        }
    }

    /// What makes it the same difference later on: a network may have another name by then.
    pub(super) fn unnamed(self) -> Self {
        Self { name: String::new(), ..self }
    }
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// Why it is none that this version reads.
    pub fn parse(text: &str) -> Result<Self, String> {
        let baseline: Self = serde_json::from_str(text).map_err(|error| format!("it is not a baseline: {error}"))?;
        match baseline.format_version {
            BASELINE_VERSION => Ok(baseline),
            other => Err(format!("it has the format version {other}, this version of dectl reads {BASELINE_VERSION}")),
        }
    }
}
