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
    BaseStation, Handset, HandsetId, LiveState, LocationId, Network, NetworkId, NetworkIndex, NetworkModel, Setting,
    SettingSet, Settings,
};

mod standing;

pub use standing::{Found, Listed, Standing, States, standings};

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

    /// The settings of a network that an update changes. A code that Webex hides is sent, but not changed.
    pub fn changed_by(&self, item: &StepItem) -> SettingSet {
        let (Some(from), Some(to)) = (item.from.as_ref().and_then(ResourceState::settings), item.settings()) else {
            return SettingSet::NONE;
        };
        from.diff(to).iter().filter(|setting| self[item.change].changed_settings.has(*setting)).collect()
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
        devices.flat_map(|devices| &devices.handsets).filter_map(|handset| handset.id.clone()).collect()
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
    /// Networks that would change but are out of scope.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ResourceKind {
    Network,
    BaseStation,
    Handset,
}

impl ResourceKind {
    /// All kinds, in display order.
    pub const ALL: [Self; 3] = [Self::Network, Self::BaseStation, Self::Handset];

    pub const fn noun(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::BaseStation => "base station",
            Self::Handset => "handset",
        }
    }
}

/// Something for each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PerKind<T> {
    pub network: T,
    pub base_station: T,
    pub handset: T,
}

impl<T> PerKind<T> {
    pub fn from_fn(mut of: impl FnMut(ResourceKind) -> T) -> Self {
        Self {
            network: of(ResourceKind::Network),
            base_station: of(ResourceKind::BaseStation),
            handset: of(ResourceKind::Handset),
        }
    }
}

impl<T> Index<ResourceKind> for PerKind<T> {
    type Output = T;

    fn index(&self, kind: ResourceKind) -> &T {
        match kind {
            ResourceKind::Network => &self.network,
            ResourceKind::BaseStation => &self.base_station,
            ResourceKind::Handset => &self.handset,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChangeAction {
    Create,
    Update,
    Delete,
}

impl ChangeAction {
    /// From what a thing is before and after; `None` where it is not there.
    pub(super) const fn between<T>(before: Option<&T>, after: Option<&T>) -> Self {
        match (before, after) {
            (None, _) => Self::Create,
            (Some(_), Some(_)) => Self::Update,
            (Some(_), None) => Self::Delete,
        }
    }
}

/// The state of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceState {
    Network {
        settings: Settings,
        /// In the spelling of Webex; recorded where the network is created or deleted.
        model: Option<Arc<str>>,
    },
    BaseStation(BaseStation),
    Handset(Box<Handset>),
}

impl From<Handset> for ResourceState {
    fn from(handset: Handset) -> Self {
        Self::Handset(Box::new(handset))
    }
}

impl ResourceState {
    pub const fn kind(&self) -> ResourceKind {
        match self {
            Self::Network { .. } => ResourceKind::Network,
            Self::BaseStation(_) => ResourceKind::BaseStation,
            Self::Handset(_) => ResourceKind::Handset,
        }
    }

    /// What identifies it to a reader.
    pub fn label(&self) -> String {
        match self {
            Self::Network { settings, .. } => settings.name.to_string(),
            Self::BaseStation(station) => station.label(),
            Self::Handset(handset) => handset.label(),
        }
    }

    /// Whether a network is as this one is to be created: with its name, and with its settings and model as far as a read
    /// shows them.
    pub fn matches_created(&self, network: &Network) -> bool {
        let Self::Network { settings, model } = self else { return false };
        let model = model.as_deref().and_then(NetworkModel::parse);
        let mut differing = network.settings.diff(settings).iter().filter(|setting| match setting {
            // Where the request has none, Webex chooses one.
            Setting::DisplayName => settings.display_name.is_some(),
            Setting::Code => network.settings.code.is_some() && settings.code_enabled != Some(false),
            Setting::Name => network.settings.name_key() != settings.name_key(),
            Setting::CodeEnabled => network.settings.code_enabled.is_some(),
        });
        differing.next().is_none()
            && network.settings.name_key() == settings.name_key()
            && (network.known_model().is_none() || network.known_model() == model)
    }

    /// Whether it is one of the base stations that the same plan adds elsewhere.
    pub fn is_moved(&self, added_base_stations: &HashSet<String>) -> bool {
        match self {
            Self::BaseStation(station) => added_base_stations.contains(&station.label()),
            Self::Network { .. } | Self::Handset(_) => false,
        }
    }

    /// The handset, if it is one.
    pub const fn handset(&self) -> Option<&Handset> {
        match self {
            Self::Handset(handset) => Some(handset),
            Self::Network { .. } | Self::BaseStation(_) => None,
        }
    }

    /// The base station, if it is one.
    pub const fn base_station(&self) -> Option<&BaseStation> {
        match self {
            Self::BaseStation(station) => Some(station),
            Self::Network { .. } | Self::Handset(_) => None,
        }
    }

    /// The settings, if it is a network.
    pub const fn settings(&self) -> Option<&Settings> {
        match self {
            Self::Network { settings, .. } => Some(settings),
            Self::BaseStation(_) | Self::Handset(_) => None,
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
    /// The settings of an updated network that change.
    pub changed_settings: SettingSet,
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
        changed_settings: SettingSet,
        source: ChangeSource,
    ) -> Self {
        Self {
            location,
            network: NetworkRef::Live(network),
            network_name: before.name.clone(),
            before: Some(ResourceState::Network { settings: before, model: None }),
            after: Some(ResourceState::Network { settings: after, model: None }),
            changed_settings,
            contents: Vec::new(),
            replaced_by: None,
            source,
        }
    }

    pub const fn action(&self) -> ChangeAction {
        ChangeAction::between(self.before.as_ref(), self.after.as_ref())
    }

    pub fn kind(&self) -> ResourceKind {
        self.state().map_or(ResourceKind::Network, ResourceState::kind)
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

    /// The network that a creation has made, if it exists.
    pub fn find_created(&self, known: &HashSet<&NetworkId>, live: &LiveState) -> Option<NetworkIndex> {
        let listed = Listed { networks: Some(self.candidates(known, live)), ..Listed::default() };
        let standing = standings(&[States::of_change(self, None)], &listed, &HashSet::new()).pop()?;
        live.find(&NetworkId::new(standing.found()?.id.as_deref()?))
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

    /// What a network that is to be deleted holds and the plan does not list, in words.
    pub fn new_contents(&self, base_stations: Option<&[BaseStation]>, handsets: Option<&[Handset]>) -> Vec<String> {
        let known_station = |station: &BaseStation| {
            let same = |known: &BaseStation| known.label() == station.label();
            self.contents.iter().any(|state| matches!(state, ResourceState::BaseStation(known) if same(known)))
        };
        let known_handset = |handset: &Handset| {
            let same = |known: &Handset| if handset.id.is_some() { known.id == handset.id } else { known == handset };
            self.contents.iter().any(|state| matches!(state, ResourceState::Handset(known) if same(known)))
        };
        let stations = base_stations.unwrap_or_default().iter().filter(|station| !known_station(station));
        let handsets = handsets.unwrap_or_default().iter().filter(|handset| !known_handset(handset));
        stations
            .map(|station| format!("base station {}", station.label()))
            .chain(handsets.map(|handset| format!("handset {}", handset.label())))
            .collect()
    }

    /// What it is about, in the words of a progress line.
    pub fn subject(&self) -> String {
        match self.kind() {
            ResourceKind::Network => self.network_name.to_string(),
            kind => format!("{}: {} {}", self.network_name, kind.noun(), self.label()),
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

impl fmt::Display for ChangeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Rule { rule } => write!(f, "rule {rule}"),
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
    let (networks, devices): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.kind() == ResourceKind::Network);
    let counted = [(networks.len(), "network"), (devices.len(), "device")];
    let parts: Vec<String> =
        counted.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| plural(*count, noun)).collect();
    parts.join(", ")
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkDevices {
    pub network: NetworkId,
    /// In the spelling of Webex.
    pub model: Option<Arc<str>>,
    /// Its base stations; none if they were not read.
    pub base_stations: Vec<BaseStation>,
    /// Its handsets; none if they were not read.
    pub handsets: Vec<Handset>,
}

impl NetworkDevices {
    /// What was read of these networks, each once.
    pub fn of(networks: impl IntoIterator<Item = NetworkIndex>, live: &LiveState) -> Vec<Self> {
        let networks: BTreeSet<NetworkIndex> = networks.into_iter().collect();
        let devices = networks.into_iter().map(|at| Self {
            network: live.network(at).id.clone(),
            model: live.network(at).model.clone(),
            base_stations: live.base_stations(at).unwrap_or_default().to_vec(),
            handsets: live.handsets(at).unwrap_or_default().to_vec(),
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
