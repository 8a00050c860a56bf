//! What is reviewed: one thing with its state before and after.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LocationRef, NetworkRef, Operation, ResourceKind, ResourceState};
use crate::model::{BaseStation, Devices, Handset, LiveState, Network, NetworkId, SettingSet, Settings};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChangeAction {
    Create,
    Update,
    Delete,
}

impl ChangeAction {
    /// From what a thing is before and after; `None` where it is not there.
    pub(crate) const fn between<T>(before: Option<&T>, after: Option<&T>) -> Self {
        match (before, after) {
            (None, _) => Self::Create,
            (Some(_), Some(_)) => Self::Update,
            (Some(_), None) => Self::Delete,
        }
    }
}

/// One thing that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub location: LocationRef,
    pub network: NetworkRef,
    /// The name of that network, before the change if it exists.
    pub network_name: Arc<str>,
    /// `None` if it is created.
    pub before: Option<ResourceState>,
    /// `None` if it is deleted.
    pub after: Option<ResourceState>,
    /// What a deleted network holds, and what goes with it.
    pub contents: Vec<ResourceState>,
    /// The address of the base station that takes the place of this one, which is removed.
    pub replaced_by: Option<Arc<str>>,
    pub source: ChangeSource,
}

impl Change {
    /// An update of the settings of a network.
    pub fn update(
        location: LocationRef,
        network: NetworkId,
        before: Settings,
        after: Settings,
        source: ChangeSource,
    ) -> Self {
        Self {
            location,
            network: NetworkRef::Live(network),
            network_name: before.name.clone(),
            before: Some(ResourceState::Network { settings: before, model: None }),
            after: Some(ResourceState::Network { settings: after, model: None }),
            contents: Vec::new(),
            replaced_by: None,
            source,
        }
    }

    /// The settings of an updated network that change.
    pub fn changed_settings(&self) -> SettingSet {
        match (self.settings_before(), self.settings_after()) {
            (Some(before), Some(after)) => before.changed_in(after),
            _ => SettingSet::NONE,
        }
    }

    pub const fn action(&self) -> ChangeAction {
        ChangeAction::between(self.before.as_ref(), self.after.as_ref())
    }

    pub fn kind(&self) -> ResourceKind {
        self.state().map_or(ResourceKind::Network, ResourceState::kind)
    }

    pub fn is_network_creation(&self) -> bool {
        self.kind() == ResourceKind::Network && self.action() == ChangeAction::Create
    }

    /// The settings of a network before; `None` if it is created, or if it is not about a network.
    pub fn settings_before(&self) -> Option<&Settings> {
        self.before.as_ref()?.settings()
    }

    /// The settings of a network after; `None` if it is deleted, or if it is not about a network.
    pub fn settings_after(&self) -> Option<&Settings> {
        self.after.as_ref()?.settings()
    }

    /// The networks of its location that none of the plan has recorded: what a creation has made is one of them.
    pub fn candidates<'l>(&self, known: &HashSet<&NetworkId>, live: &'l LiveState) -> Vec<&'l Network> {
        let location = live.find_location(&self.location.id);
        let networks = location.into_iter().flat_map(|at| live.networks_of(at)).map(|(_, network)| network);
        networks.filter(|network| !known.contains(&network.id)).collect()
    }

    /// What identifies the thing to a reader.
    pub fn label(&self) -> String {
        self.state().map(ResourceState::label).unwrap_or_default()
    }

    /// The base station, if it is about one.
    pub fn base_station(&self) -> Option<&BaseStation> {
        self.state()?.base_station()
    }

    /// The handset before; `None` if it is added, or if it is not about a handset.
    pub fn handset_before(&self) -> Option<&Handset> {
        self.before.as_ref()?.handset()
    }

    /// The handset after; `None` if it is removed, or if it is not about a handset.
    pub fn handset_after(&self) -> Option<&Handset> {
        self.after.as_ref()?.handset()
    }

    /// The handset, if it is about one: as it is, or as it will be if it is added.
    pub fn handset(&self) -> Option<&Handset> {
        self.state()?.handset()
    }

    /// What tells it from all other changes of a plan, also when the plan was resumed or split.
    pub fn key(&self) -> ChangeKey {
        let (kind, action) = (self.kind(), self.action());
        let id = self.handset().and_then(|handset| handset.id.as_ref()).map(ToString::to_string);
        ChangeKey {
            operation: Operation { kind, action },
            location: self.location.id.to_string(),
            network: match self.network.id().filter(|_| kind == ResourceKind::Network) {
                Some(id) => id.to_string(),
                None => self.network_name.to_string(),
            },
            device: (kind != ResourceKind::Network).then(|| id.unwrap_or_else(|| self.label())),
        }
    }

    /// What a network that is to be deleted holds and the plan does not list, or not so, in words.
    pub fn new_contents(&self, devices: &Devices) -> Vec<String> {
        let is_known = |thing: &ResourceState| {
            self.contents.iter().any(|known| match (known, thing) {
                (ResourceState::Handset(known), ResourceState::Handset(handset)) => {
                    known.id == handset.id && known.is_equivalent(handset)
                }
                _ => known.is_same_thing(thing),
            })
        };
        let things = ResourceState::all(devices).into_iter();
        things.filter(|thing| !is_known(thing)).map(|thing| thing.describe()).collect()
    }

    /// Whether it can reboot the entire network.
    pub fn can_reboot(&self) -> bool {
        self.kind().can_reboot()
    }

    /// What it is about, in the words of a progress line.
    pub fn subject(&self) -> String {
        match self.kind() {
            ResourceKind::Network => self.network_name.to_string(),
            kind => format!("{}: {}", self.network_name, kind.describe(&self.label())),
        }
    }

    /// What it is about: as it is, or as it will be if it is created.
    pub fn state(&self) -> Option<&ResourceState> {
        self.before.as_ref().or(self.after.as_ref())
    }
}

/// What tells a change from all others of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeKey {
    #[serde(flatten)]
    pub operation: Operation,
    /// The id of the location.
    pub location: String,
    /// The id of the network, or its name if it is created or holds the device.
    pub network: String,
    /// The id of the device, or what it is called if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ChangeSource {
    File {
        file: Arc<str>,
        /// The line of the entry, 1-based.
        line: u32,
    },
    Rule {
        /// The rule: its position in a file, or the command.
        rule: Arc<str>,
    },
}

impl ChangeSource {
    /// The file and the line of the entry, if it is one.
    pub const fn place(&self) -> (Option<&Arc<str>>, Option<u32>) {
        match self {
            Self::File { file, line } => (Some(file), Some(*line)),
            Self::Rule { .. } => (None, None),
        }
    }
}

impl fmt::Display for ChangeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Rule { rule } => write!(f, "rule {rule}"),
        }
    }
}
