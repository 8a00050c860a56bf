//! The plan as data, independent of how it was computed.
//!
//! A [`Change`] is what is reviewed: one thing with its state before and after. A [`Step`] is what is sent: one request
//! for one or more changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::ops::Index;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::{DiagnosticCode, plural};
use crate::model::{
    BaseStation, Devices, HandsetId, LiveState, LocationId, NetworkId, NetworkIndex, SettingSet, Settings,
};
pub use crate::model::{PerKind, ResourceKind};
pub use crate::resources::field::{Field, FieldKind, FieldValue};
pub use crate::resources::fields::changed_fields;
pub use crate::resources::resource::ResourceState;

mod change;
mod protection;
mod standing;

pub use change::{Change, ChangeAction, ChangeKey, ChangeSource};
pub use protection::{ProtectedNetwork, Protection, Protections};
pub use standing::{Found, Listed, Standing, States};

/// Index of a change in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ChangeIndex(pub usize);

/// Index of a step in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct StepIndex(pub usize);

/// A plan, and everything that is needed to check it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The organization that it is for, if the files name it.
    pub organization: Option<OrganizationRef>,
    /// What changes, grouped by location.
    pub changes: Vec<Change>,
    /// The requests in a safe order, grouped by location.
    pub steps: Vec<Step>,
    /// Networks of the affected locations whose settings do not change.
    pub unchanged_networks: Vec<UnchangedNetwork>,
    /// The devices of every network that the plan adds some to or removes some from.
    pub devices: Vec<NetworkDevices>,
    pub counts: Counts,
    /// Whether the number of steps is proven minimal.
    pub is_minimal: bool,
    /// What it changes although files protect it.
    pub protections: Protections,
    /// Warnings that do not prevent the apply.
    pub warnings: Vec<Warning>,
    /// The time between two changes of the handsets of a network, for estimates.
    pub handset_interval: Duration,
    /// How long the handsets of networks must be left alone because of earlier runs, for estimates.
    pub handset_waits: HashMap<NetworkId, Duration>,
}

impl Plan {
    pub fn interim(&self) -> usize {
        self.steps.iter().filter(|step| self.step_kind(step) == StepKind::Interim).count()
    }

    /// Whether an item leaves its thing as its change says.
    pub fn is_final(&self, item: &StepItem) -> bool {
        item.to == self[item.change].after
    }

    pub fn step_kind(&self, step: &Step) -> StepKind {
        if step.items.iter().all(|item| self.is_final(item)) { StepKind::Final } else { StepKind::Interim }
    }

    /// Whether it has a warning of this kind.
    pub fn has_warning(&self, code: DiagnosticCode) -> bool {
        self.warnings.iter().any(|warning| *warning.code == *code.as_str())
    }

    /// A plan without changes, with the counts and warnings of this one.
    pub fn without_content(&self) -> Self {
        Self {
            organization: self.organization.clone(),
            counts: self.counts,
            is_minimal: self.is_minimal,
            protections: self.protections.clone(),
            warnings: self.warnings.clone(),
            handset_interval: self.handset_interval,
            handset_waits: self.handset_waits.clone(),
            ..Self::default()
        }
    }

    /// The changes with their indexes.
    pub fn indexed_changes(&self) -> impl DoubleEndedIterator<Item = (ChangeIndex, &Change)> {
        self.changes.iter().enumerate().map(|(at, change)| (ChangeIndex(at), change))
    }

    /// The steps with their indexes.
    pub fn indexed_steps(&self) -> impl DoubleEndedIterator<Item = (StepIndex, &Step)> {
        self.steps.iter().enumerate().map(|(at, step)| (StepIndex(at), step))
    }

    /// What its readers are warned of before it is applied: its warnings, and each network that it can reboot.
    pub fn said(&self) -> Vec<Warning> {
        self.warnings.iter().cloned().chain(self.changes.iter().filter_map(reboot)).collect()
    }

    /// How many networks it can reboot.
    pub fn reboots(&self) -> usize {
        self.changes.iter().filter(|change| change.can_reboot()).count()
    }

    /// The number of changes of a kind with an action.
    pub fn count(&self, kind: ResourceKind, action: ChangeAction) -> usize {
        self.changes.iter().filter(|change| change.kind() == kind && change.action() == action).count()
    }

    /// What is deleted for good: networks with everything that goes with them, and devices. A replaced or moved base station
    /// does not count.
    pub fn deleted(&self) -> Vec<&ResourceState> {
        let moved = self.added_base_stations();
        let deletions = self.changes.iter().filter(|change| change.action() == ChangeAction::Delete);
        deletions
            .filter(|change| change.replaced_by.is_none())
            .flat_map(|change| change.before.iter().chain(&change.contents))
            .filter(|state| !state.is_moved(&moved))
            .collect()
    }

    /// The labels of the base stations that are added: one of them that is removed elsewhere is moved.
    pub fn added_base_stations(&self) -> HashSet<String> {
        let added = self.changes.iter().filter(|change| change.action() == ChangeAction::Create);
        added.filter_map(Change::base_station).map(BaseStation::label).collect()
    }

    /// How long it takes at least because of the interval between changes of the handsets of a network, what is left of one
    /// from an earlier run included.
    pub fn handset_time(&self) -> Duration {
        let mut changes: HashMap<&NetworkRef, u32> = HashMap::new();
        for step in self.steps.iter().filter(|step| is_spaced(&step.items)) {
            *changes.entry(&self[step.change()].network).or_default() += 1;
        }
        let times = changes.into_iter().map(|(network, count)| {
            let wait = network.id().and_then(|id| self.handset_waits.get(id)).copied().unwrap_or_default();
            wait + self.handset_interval * (count - 1)
        });
        times.max().unwrap_or_default()
    }

    /// The plan for a Webex that refuses two lines at once: handsets are added with their first line, and each second one by
    /// an update that follows. The steps keep their places; the updates are behind all of them. `None` if no handset is added
    /// with two lines.
    pub fn with_single_lines(&self) -> Option<Self> {
        let has_two = |item: &StepItem| {
            item.from.is_none()
                && item.to.as_ref().and_then(ResourceState::handset).is_some_and(|it| it.line2.is_some())
        };
        if !self.steps.iter().flat_map(|step| &step.items).any(has_two) {
            return None;
        }
        let mut split = self.clone();
        let mut second_lines = Vec::new();
        for (at, step) in split.steps.iter_mut().enumerate() {
            for item in step.items.iter_mut().filter(|item| has_two(item)) {
                let Some(whole) = item.to.as_ref().and_then(ResourceState::handset) else { continue };
                let half = Some(ResourceState::from(whole.first_line_only()));
                let to = std::mem::replace(&mut item.to, half.clone());
                let change = item.change;
                let depends_on = vec![Dependency { item: change, step: StepIndex(at), change }];
                second_lines.push(Step { items: vec![StepItem { change, from: half, to }], depends_on });
            }
        }
        split.steps.extend(second_lines);
        Some(split)
    }

    /// The handsets of a network that were there when the plan was made.
    pub fn listed_handsets(&self, network: &NetworkId) -> HashSet<HandsetId> {
        let devices = self.devices.iter().filter(|devices| devices.network == *network);
        let handsets = devices.flat_map(|devices| devices.devices.handsets.iter().flatten());
        handsets.filter_map(|handset| handset.id.clone()).collect()
    }

    /// The networks that the plan has recorded.
    pub fn known_networks(&self) -> HashSet<&NetworkId> {
        let changed = self.changes.iter().filter_map(|change| change.network.id());
        changed.chain(self.unchanged_networks.iter().map(|unchanged| &unchanged.network)).collect()
    }
}

impl Index<ChangeIndex> for Plan {
    type Output = Change;

    fn index(&self, at: ChangeIndex) -> &Change {
        &self.changes[at.0]
    }
}

impl Index<StepIndex> for Plan {
    type Output = Step;

    fn index(&self, at: StepIndex) -> &Step {
        &self.steps[at.0]
    }
}

/// What was listed, and what of it is not changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub locations: usize,
    /// Managed networks that are already in sync.
    pub unchanged: usize,
    /// Networks out of scope that would change, or that are not compared: of whose devices files speak, or that rules manage.
    pub out_of_scope: usize,
    /// Networks, and the devices of those that were asked for them.
    pub listed: PerKind<usize>,
    /// Those of them that no file names.
    pub unmanaged: PerKind<usize>,
}

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct OrganizationRef {
    pub id: Arc<str>,
    /// Absent if the token may not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
}

impl OrganizationRef {
    /// Its name, or its id.
    pub fn label(&self) -> &str {
        self.name.as_ref().unwrap_or(&self.id)
    }
}

impl fmt::Display for OrganizationRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({})", self.id),
            None => f.write_str(&self.id),
        }
    }
}

/// Reference to a location.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct LocationRef {
    pub id: LocationId,
    pub name: Arc<str>,
}

/// Reference to the network that a change is about, or that its device belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum NetworkRef {
    Live(NetworkId),
    /// The network that this change creates.
    Created(ChangeIndex),
}

impl NetworkRef {
    /// The id, if the network exists.
    pub const fn id(&self) -> Option<&NetworkId> {
        match self {
            Self::Live(id) => Some(id),
            Self::Created(_) => None,
        }
    }
}

/// What a request does, and to things of which kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Operation {
    pub kind: ResourceKind,
    pub action: ChangeAction,
}

impl Operation {
    pub const fn new(kind: ResourceKind, action: ChangeAction) -> Self {
        Self { kind, action }
    }

    /// Whether it takes something away that another step may wait for.
    pub fn makes_place(self) -> bool {
        self.action == ChangeAction::Delete && self.kind != ResourceKind::Handset
    }
}

/// Whether a request changes handsets or lines of a network, so that the next one must wait.
pub fn is_spaced(items: &[StepItem]) -> bool {
    items.iter().any(StepItem::changes_lines)
}

/// Changes counted as networks and devices: `1 network, 2 devices`.
pub fn count_changes<'a>(changes: impl IntoIterator<Item = &'a Change>) -> String {
    let counted: Vec<&str> = changes.into_iter().map(|change| change.kind().counted_as()).collect();
    let mut nouns: Vec<&str> = ResourceKind::ALL.into_iter().map(ResourceKind::counted_as).collect();
    nouns.dedup();
    let count = |noun: &str| counted.iter().filter(|counted| **counted == noun).count();
    let parts = nouns.into_iter().filter(|noun| count(noun) > 0).map(|noun| plural(count(noun), noun));
    parts.collect::<Vec<_>>().join(", ")
}

/// How many networks changes can reboot, to follow what is said of them; nothing for none.
pub fn can_reboot<'a>(changes: impl IntoIterator<Item = &'a Change>) -> String {
    match changes.into_iter().filter(|change| change.can_reboot()).count() {
        0 => String::new(),
        networks => format!(", which can reboot {}", plural(networks, "network")),
    }
}

/// Says what a change does to those who carry the handsets.
fn reboot(change: &Change) -> Option<Warning> {
    let (file, line) = change.source.place();
    let (name, location) = (&change.network_name, &change.location.name);
    let message =
        format!("{name:?} in {location:?} can reboot entirely: changing its {} does that", change.kind().noun());
    change.can_reboot().then(|| Warning {
        code: DiagnosticCode::NetworkReboots.as_str().into(),
        message: message.into(),
        file: file.cloned(),
        line,
    })
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does to each thing: one, or a batch of one operation in one network.
    pub items: Vec<StepItem>,
    /// What must be acknowledged first.
    pub depends_on: Vec<Dependency>,
}

impl Step {
    /// The first change, which is the only one unless it is a batch.
    pub fn change(&self) -> ChangeIndex {
        self.items[0].change
    }

    /// The changes that it makes, or takes a part of the way.
    pub fn changes(&self) -> impl Iterator<Item = ChangeIndex> {
        self.items.iter().map(|item| item.change)
    }

    pub fn operation(&self) -> Operation {
        self.items[0].operation()
    }

    /// All four settings as they are sent, if it creates or updates a network.
    pub fn settings(&self) -> Option<&Settings> {
        self.items[0].settings()
    }
}

/// What a request does to one thing: it takes it from a state to a state. It is final if that is the state after its
/// change, else interim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepItem {
    pub change: ChangeIndex,
    /// `None` if it does not exist before.
    pub from: Option<ResourceState>,
    /// `None` if it does not exist afterwards.
    pub to: Option<ResourceState>,
}

impl StepItem {
    /// The whole of a change.
    pub fn whole(at: ChangeIndex, change: &Change) -> Self {
        Self { change: at, from: change.before.clone(), to: change.after.clone() }
    }

    pub fn operation(&self) -> Operation {
        let kind = self.state().map_or(ResourceKind::Network, ResourceState::kind);
        Operation { kind, action: ChangeAction::between(self.from.as_ref(), self.to.as_ref()) }
    }

    /// What it is about: as it will be, or as it is if it is deleted.
    pub fn state(&self) -> Option<&ResourceState> {
        self.to.as_ref().or(self.from.as_ref())
    }

    /// The settings afterwards, if it is about a network.
    pub fn settings(&self) -> Option<&Settings> {
        self.to.as_ref()?.settings()
    }

    /// The settings of a network that it changes.
    pub fn changed_settings(&self) -> SettingSet {
        match (self.from.as_ref().and_then(ResourceState::settings), self.settings()) {
            (Some(from), Some(to)) => from.changed_in(to),
            _ => SettingSet::NONE,
        }
    }

    /// Whether it changes lines of a handset, after which base stations need time. A new name alone does not.
    pub fn changes_lines(&self) -> bool {
        match (self.from.as_ref().and_then(ResourceState::handset), self.to.as_ref().and_then(ResourceState::handset)) {
            (Some(from), Some(to)) => !from.has_same_lines(to),
            (from, to) => from.is_some() || to.is_some(),
        }
    }
}

/// A dependency of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Dependency {
    /// The change of the dependent step that needs it. The other ones of the batch do not.
    pub item: ChangeIndex,
    /// The step that must be acknowledged first.
    pub step: StepIndex,
    /// The change of that step that must have succeeded.
    pub change: ChangeIndex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StepKind {
    /// Sets the final state.
    Final,
    /// A temporary rename that releases a name or code for another network.
    Interim,
}

/// A network of an affected location whose settings do not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnchangedNetwork {
    pub location: LocationId,
    pub network: NetworkId,
    pub settings: Settings,
}

/// The devices of a network, as listed when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkDevices {
    pub network: NetworkId,
    /// In the spelling of Webex.
    pub model: Option<Arc<str>>,
    #[serde(flatten)]
    pub devices: Devices,
}

impl NetworkDevices {
    /// What was read of these networks, each once.
    pub fn of(networks: impl IntoIterator<Item = NetworkIndex>, live: &LiveState) -> Vec<Self> {
        let networks: BTreeSet<NetworkIndex> = networks.into_iter().collect();
        let devices = networks.into_iter().map(|at| Self {
            network: live.network(at).id.clone(),
            model: live.network(at).model.clone(),
            devices: live.devices(at).clone(),
        });
        devices.collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Explained in docs/errors.md.
    pub code: Arc<str>,
    pub message: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Arc<str>>,
    /// 1-based.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}
