//! Resumes a plan: what is done, what remains, and what has drifted.

use std::collections::{HashMap, HashSet};

use super::model::{
    Change, ChangeAction, ChangeIndex, Dependency, NetworkDevices, NetworkRef, Plan, ResourceKind, ResourceState, Step,
    StepIndex, StepItem, StepKind, UnchangedNetwork,
};
use super::planner::RequiredReads;
use super::subset::Renumbering;
use crate::model::{
    Handset, HandsetId, LiveState, LocationId, Network, NetworkId, NetworkIndex, Setting, SettingSet, Settings,
    same_member,
};

/// A difference between the live state and the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The network was deleted or moved to another location.
    Removed { network: NetworkId, name: String },
    /// The network is in none of its planned states.
    Changed {
        network: NetworkId,
        name: String,
        /// Settings that differ from the expected state.
        settings: SettingSet,
    },
    /// A network that the plan does not know uses a name or code that the plan requests.
    Taken {
        /// The network that requests it; `None` if it is to be created.
        network: Option<NetworkId>,
        name: String,
        setting: Setting,
        /// The name of the network that uses the value.
        by: String,
    },
    /// A device is in none of its planned states.
    DeviceChanged { network: NetworkId, name: String, device: String },
    /// A handset that the plan does not know has the first line or the name of one that is still to be added.
    NewHandset { network: NetworkId, name: String, handset: String, added: String },
    /// A network that is to be deleted holds something that the plan does not list.
    NewContents { network: NetworkId, name: String, contents: Vec<String> },
}

impl Drift {
    /// The network that it is about, if that exists.
    pub const fn network(&self) -> Option<&NetworkId> {
        match self {
            Self::Removed { network, .. }
            | Self::Changed { network, .. }
            | Self::DeviceChanged { network, .. }
            | Self::NewHandset { network, .. }
            | Self::NewContents { network, .. } => Some(network),
            Self::Taken { network, .. } => network.as_ref(),
        }
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Removed { network, name } => format!("{name:?} ({network}) no longer exists"),
            Self::Changed { network, name, settings } => {
                let settings: Vec<&str> = settings.iter().map(Setting::api_name).collect();
                format!("{name:?} ({network}) has a different {}", settings.join(", "))
            }
            Self::Taken { name, setting, by, .. } => {
                format!("the {} requested for {name:?} is now used by the new network {by:?}", setting.api_name())
            }
            Self::DeviceChanged { name, device, .. } => {
                format!("{device} of {name:?} was changed or removed by another client")
            }
            Self::NewHandset { name, handset, added, .. } => {
                format!("{name:?} now also has handset {handset}, which may be the handset {added} that is to be added")
            }
            Self::NewContents { network, name, contents } => {
                format!("{name:?} ({network}), which is to be deleted, now also holds {}", contents.join(", "))
            }
        }
    }
}

/// What must be read beside the list before a plan can be resumed.
pub fn resume_reads(plan: &Plan, live: &LiveState) -> RequiredReads {
    let created = find_created(plan, live);
    let mut reads = RequiredReads::default();
    for change in &plan.changes {
        let is_deletion = change.kind() == ResourceKind::Network && change.action() == ChangeAction::Delete;
        if change.kind() == ResourceKind::Network && !is_deletion {
            continue;
        }
        let Some(at) = find_network(change, &created, live) else { continue };
        if is_deletion || change.kind() == ResourceKind::BaseStation {
            reads.base_stations.push(at);
        }
        if is_deletion || change.kind() == ResourceKind::Handset {
            reads.handsets.push(at);
        }
    }
    for networks in [&mut reads.base_stations, &mut reads.handsets] {
        networks.sort();
        networks.dedup();
    }
    reads
}

/// Returns the remaining part of a plan: everything continues from the planned state it is in.
///
/// # Errors
/// All networks that are in no planned state, and unchanged networks that have drifted.
pub fn resume(plan: &Plan, live: &LiveState) -> Result<Plan, Vec<Drift>> {
    let mut drift = Vec::new();
    let mut states = Vec::with_capacity(plan.changes.len());
    let created = find_created(plan, live);
    let handsets = AddedHandsets::of(plan, &created, live);
    let interim_states: HashMap<ChangeIndex, &Settings> =
        interim_items(plan).filter_map(|item| Some((item.change, item.settings()?))).collect();
    for (at, change) in plan.indexed_changes() {
        match state_of(at, change, interim_states.get(&at).copied(), &created, &handsets, live) {
            Ok(state) => states.push(state),
            Err(found) => {
                drift.push(found);
                states.push(ChangeState::Before);
            }
        }
    }
    drift.extend(plan.unchanged_networks.iter().filter_map(|unchanged| drifted_network(unchanged, live)));
    drift.extend(taken_values(plan, &created, live));
    if drift.is_empty() { Ok(rest(plan, &states, &created, &handsets, live)) } else { Err(drift) }
}

/// The networks that the plan creates and that exist by now.
fn find_created(plan: &Plan, live: &LiveState) -> HashMap<ChangeIndex, NetworkIndex> {
    let is_creation =
        |change: &Change| change.kind() == ResourceKind::Network && change.action() == ChangeAction::Create;
    if !plan.changes.iter().any(is_creation) {
        return HashMap::new();
    }
    let known = plan.known_networks();
    let creations = plan.indexed_changes().filter(|(_, change)| is_creation(change));
    creations.filter_map(|(at, change)| Some((at, change.find_created(&known, live)?))).collect()
}

/// The listed handsets that additions of a plan have made: complete ones, and those that still lack their second line.
struct AddedHandsets<'a> {
    complete: HashSet<ChangeIndex>,
    first_line: HashMap<ChangeIndex, &'a Handset>,
    /// The handsets that the plan knows, and those.
    known: HashSet<HandsetId>,
}

impl<'a> AddedHandsets<'a> {
    fn of(plan: &Plan, created: &HashMap<ChangeIndex, NetworkIndex>, live: &'a LiveState) -> Self {
        let planned = plan.devices.iter().flat_map(|devices| &devices.handsets);
        let known = planned.filter_map(|handset| handset.id.clone()).collect();
        let mut found = Self { complete: HashSet::new(), first_line: HashMap::new(), known };
        let additions = plan.indexed_changes().filter(|(_, change)| change.before.is_none());
        let additions: Vec<(ChangeIndex, &Handset, &'a [Handset])> = additions
            .filter_map(|(at, change)| {
                let listed = live.handsets(find_network(change, created, live)?)?;
                Some((at, change.handset_after()?, listed))
            })
            .collect();
        // Complete ones first, so that none of them is taken for a half of another.
        for is_complete in [true, false] {
            for (at, after, listed) in &additions {
                if found.complete.contains(at) {
                    continue;
                }
                let wanted = if is_complete { (*after).clone() } else { after.first_line_only() };
                let is_new = |handset: &&Handset| handset.id.as_ref().is_some_and(|id| !found.known.contains(id));
                let it = listed.iter().filter(is_new).find(|handset| handset.is_equivalent(&wanted));
                let Some(it) = it else { continue };
                found.known.extend(it.id.clone());
                if is_complete {
                    found.complete.insert(*at);
                } else {
                    found.first_line.insert(*at, it);
                }
            }
        }
        found
    }

    /// A listed handset that may be the one that is to be added and that the plan does not know.
    fn foreign(&self, added: &Handset, listed: &'a [Handset]) -> Option<&'a Handset> {
        let is_foreign = |handset: &&Handset| handset.id.as_ref().is_none_or(|id| !self.known.contains(id));
        listed.iter().filter(is_foreign).find(|handset| {
            let has_name = handset.custom_name.is_some() && handset.has_same_name(added);
            has_name || (handset.line1.is_some() && same_member(handset.line1.as_ref(), added.line1.as_ref()))
        })
    }
}

/// The network of a change, if it exists in its location.
fn find_network(
    change: &Change,
    created: &HashMap<ChangeIndex, NetworkIndex>,
    live: &LiveState,
) -> Option<NetworkIndex> {
    match &change.network {
        NetworkRef::Created(creation) => created.get(creation).copied(),
        NetworkRef::Live(id) => live.find(id).filter(|network| live.network(*network).location == change.location.id),
    }
}

/// Values that the plan requests, permanently or for a moment, and that a network uses which it does not know.
fn taken_values(plan: &Plan, created: &HashMap<ChangeIndex, NetworkIndex>, live: &LiveState) -> Vec<Drift> {
    let mut known = plan.known_networks();
    known.extend(created.values().map(|network| &live.network(*network).id));
    let locations: HashSet<&LocationId> = plan.changes.iter().map(|change| &change.location.id).collect();
    let mut unknown: HashMap<&LocationId, Vec<&Network>> = HashMap::new();
    for location in locations {
        let networks = live.find_location(location).into_iter().flat_map(|at| live.networks_of(at));
        let networks = networks.map(|(_, network)| network).filter(|network| !known.contains(&network.id));
        unknown.insert(location, networks.collect());
    }
    let mut taken = Vec::new();
    for step in &plan.steps {
        let change = &plan[step.change()];
        let Some(settings) = step.settings().filter(|_| !created.contains_key(&step.change())) else { continue };
        let is_creation = change.action() == ChangeAction::Create;
        let changed = plan.changed_by(&step.items[0]);
        let requests = |setting: Setting| is_creation || changed.has(setting);
        for network in &unknown[&change.location.id] {
            let uses = |setting: Setting| match setting {
                Setting::Name => network.settings.name_key() == settings.name_key(),
                Setting::Code => settings.code.is_some() && network.settings.code == settings.code,
                Setting::DisplayName | Setting::CodeEnabled => false,
            };
            let of_both = Setting::ALL.into_iter().filter(|setting| requests(*setting) && uses(*setting));
            taken.extend(of_both.map(|setting| Drift::Taken {
                network: change.network.id().cloned(),
                name: change.network_name.to_string(),
                setting,
                by: network.settings.name.to_string(),
            }));
        }
    }
    taken
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ChangeState {
    Before,
    Interim,
    After,
}

/// The planned state that a thing is in.
fn state_of(
    at: ChangeIndex,
    change: &Change,
    interim: Option<&Settings>,
    created: &HashMap<ChangeIndex, NetworkIndex>,
    handsets: &AddedHandsets<'_>,
    live: &LiveState,
) -> Result<ChangeState, Drift> {
    let name = || change.network_name.to_string();
    let network = find_network(change, created, live);
    match (&change.before, &change.after) {
        (
            Some(ResourceState::Network { settings: before, .. }),
            Some(ResourceState::Network { settings: after, .. }),
        ) => {
            let removed = || Drift::Removed { network: network_id(change), name: name() };
            let now = &live.network(network.ok_or_else(removed)?).settings;
            planned_state(before, after, change.changed_settings, interim, now).ok_or_else(|| Drift::Changed {
                network: network_id(change),
                name: name(),
                settings: now.diff(before),
            })
        }
        (Some(ResourceState::Network { settings, .. }), None) => {
            let Some(network) = network else { return Ok(ChangeState::After) };
            let differing = live.network(network).settings.diff(settings);
            if !differing.is_empty() {
                return Err(Drift::Changed { network: network_id(change), name: name(), settings: differing });
            }
            match change.new_contents(live.base_stations(network), live.handsets(network)) {
                contents if contents.is_empty() => Ok(ChangeState::Before),
                contents => Err(Drift::NewContents { network: network_id(change), name: name(), contents }),
            }
        }
        (None, Some(ResourceState::Network { .. })) => {
            Ok(if created.contains_key(&at) { ChangeState::After } else { ChangeState::Before })
        }
        (_, after) if change.kind() == ResourceKind::Handset => {
            if network.is_none() && after.is_some() && matches!(change.network, NetworkRef::Live(_)) {
                return Err(Drift::Removed { network: network_id(change), name: name() });
            }
            let (before, after) = (change.handset_before(), change.handset_after());
            let listed = network.and_then(|network| live.handsets(network)).unwrap_or_default();
            let now = listed.iter().find(|handset| before.is_some_and(|before| handset.id == before.id));
            match (before, after, now) {
                (None, _, _) if handsets.complete.contains(&at) => Ok(ChangeState::After),
                (None, _, _) if handsets.first_line.contains_key(&at) => Ok(ChangeState::Before),
                (None, Some(added), _) => match handsets.foreign(added, listed) {
                    Some(other) if !matches!(change.network, NetworkRef::Created(_)) => Err(Drift::NewHandset {
                        network: network_id(change),
                        name: name(),
                        handset: other.label(),
                        added: added.label(),
                    }),
                    _ => Ok(ChangeState::Before),
                },
                (None, None, _) | (Some(_), None, Some(_)) => Ok(ChangeState::Before),
                (Some(_), None, None) => Ok(ChangeState::After),
                (Some(_), Some(after), Some(now)) if now.is_equivalent(after) => Ok(ChangeState::After),
                (Some(before), Some(_), Some(now)) if now.is_equivalent(before) => Ok(ChangeState::Before),
                (Some(before), Some(_), _) => Err(Drift::DeviceChanged {
                    network: network_id(change),
                    name: name(),
                    device: format!("handset {}", before.label()),
                }),
            }
        }
        (before, after) => {
            let listed = |state: &ResourceState| match (state, network) {
                (ResourceState::BaseStation(station), Some(network)) => {
                    let listed = live.base_stations(network).unwrap_or_default();
                    listed.iter().any(|other| other.label() == station.label())
                }
                _ => false,
            };
            // A network that is gone holds nothing, and nothing can be added to it.
            if network.is_none() && after.is_some() && matches!(change.network, NetworkRef::Live(_)) {
                return Err(Drift::Removed { network: network_id(change), name: name() });
            }
            let is_done = before.as_ref().is_none_or(|before| !listed(before)) && after.as_ref().is_none_or(listed);
            Ok(if is_done { ChangeState::After } else { ChangeState::Before })
        }
    }
}

fn network_id(change: &Change) -> NetworkId {
    // Only changes of live networks have something to drift from.
    change.network.id().cloned().unwrap_or_else(|| NetworkId::new(""))
}

fn find_settings<'a>(live: &'a LiveState, location: &LocationId, network: &NetworkId) -> Option<&'a Settings> {
    let network = live.network(live.find(network)?);
    (network.location == *location).then_some(&network.settings)
}

fn interim_items(plan: &Plan) -> impl Iterator<Item = &StepItem> {
    plan.steps.iter().flat_map(|step| &step.items).filter(|item| !plan.is_final(item))
}

fn planned_state(
    before: &Settings,
    after: &Settings,
    changed: SettingSet,
    interim: Option<&Settings>,
    now: &Settings,
) -> Option<ChangeState> {
    let same = |planned: &Settings| now.diff(planned).is_empty();
    if same(after) {
        return Some(ChangeState::After);
    }
    if interim.is_some_and(same) {
        return Some(ChangeState::Interim);
    }
    if same(before) {
        return Some(ChangeState::Before);
    }
    // While codes are disabled, Webex may hide the code or generate another one. The other settings then identify the
    // state; where they do not, since only the code changes, the update is still to be sent.
    let same_but_code = |planned: &Settings| {
        let disabled = now.code_enabled == Some(false) && planned.code_enabled == Some(false);
        let hidden = now.code.is_none() && changed.has(Setting::Code);
        disabled && !hidden && now.diff(planned).iter().all(|setting| setting == Setting::Code)
    };
    if same_but_code(before) {
        return Some(ChangeState::Before);
    }
    if interim.is_some_and(same_but_code) {
        return Some(ChangeState::Interim);
    }
    same_but_code(after).then_some(ChangeState::After)
}

fn drifted_network(unchanged: &UnchangedNetwork, live: &LiveState) -> Option<Drift> {
    let name = unchanged.settings.name.to_string();
    let Some(now) = find_settings(live, &unchanged.location, &unchanged.network) else {
        // A deleted network holds no values.
        return None;
    };
    let settings = now.diff(&unchanged.settings);
    let settings: SettingSet =
        settings.iter().filter(|setting| matches!(setting, Setting::Name | Setting::Code)).collect();
    (!settings.is_empty()).then(|| Drift::Changed { network: unchanged.network.clone(), name, settings })
}

fn rest(
    plan: &Plan,
    states: &[ChangeState],
    created: &HashMap<ChangeIndex, NetworkIndex>,
    handsets: &AddedHandsets<'_>,
    live: &LiveState,
) -> Plan {
    let remaining = plan.indexed_changes().zip(states).filter(|(_, state)| **state != ChangeState::After);
    let mut kept = Renumbering::of(remaining.map(|((at, _), _)| at));
    let mut rest = plan.without_content();
    for ((at, change), state) in plan.indexed_changes().zip(states) {
        let is_update = change.action() == ChangeAction::Update;
        if *state == ChangeState::After {
            rest.counts.unchanged += usize::from(is_update && change.kind() == ResourceKind::Network);
            continue;
        }
        let network = match &change.network {
            NetworkRef::Created(creation) => match (kept.change(*creation), created.get(creation)) {
                (Some(remaining), _) => NetworkRef::Created(remaining),
                (None, Some(found)) => NetworkRef::Live(live.network(*found).id.clone()),
                (None, None) => NetworkRef::Created(ChangeIndex(rest.changes.len())),
            },
            live => live.clone(),
        };
        let mut change = Change { network, ..change.clone() };
        if let (true, Some(now), Some(after)) =
            (is_update, find_network(&change, created, live), change.settings_after())
        {
            let now = live.network(now).settings.clone();
            let hidden = after.code_enabled == Some(false) && now.code.is_none();
            let changed = now.diff(after);
            change.changed_settings = changed.iter().filter(|setting| !(hidden && *setting == Setting::Code)).collect();
            change.before = Some(ResourceState::Network { settings: now, model: None });
        }
        // A handset that was added with its first line lacks the second one.
        if let Some(half) = handsets.first_line.get(&at) {
            let whole = change.handset_after().cloned().map(|after| Handset { id: half.id.clone(), ..after });
            change.before = Some(ResourceState::from(Handset { last_registration: None, ..(*half).clone() }));
            change.after = whole.map(ResourceState::from);
        }
        rest.changes.push(change);
    }
    // What each remaining thing is before its next step.
    let mut current: Vec<Option<ResourceState>> = rest.changes.iter().map(|change| change.before.clone()).collect();
    for (at, step) in plan.indexed_steps() {
        let done = plan.step_kind(step) == StepKind::Interim && states[step.change().0] == ChangeState::Interim;
        let Some(mut remaining) = kept.step(step).filter(|_| !done) else { continue };
        for item in &mut remaining.items {
            if plan.step_kind(step) == StepKind::Final {
                item.to.clone_from(&rest[item.change].after);
            }
            item.from = std::mem::replace(&mut current[item.change.0], item.to.clone());
        }
        // A handset that was added with its first line is completed by an update of its own.
        let is_half = |item: &StepItem| item.operation() != step.operation();
        let (halves, items): (Vec<_>, Vec<_>) = remaining.items.into_iter().partition(is_half);
        rest.steps.extend(halves.into_iter().map(|half| Step { items: vec![half], depends_on: Vec::new() }));
        if !items.is_empty() {
            let is_kept = |dependency: &Dependency| items.iter().any(|item| item.change == dependency.item);
            let depends_on = remaining.depends_on.into_iter().filter(is_kept).collect();
            kept.keep_step(at, StepIndex(rest.steps.len()));
            rest.steps.push(Step { items, depends_on });
        }
    }
    rest.unchanged_networks = unchanged_networks(&rest, live);
    rest.devices = devices(&rest, live);
    rest
}

/// The base stations of the networks that the remaining plan adds some to or removes some from.
fn devices(plan: &Plan, live: &LiveState) -> Vec<NetworkDevices> {
    let with_devices = plan
        .changes
        .iter()
        .filter(|change| change.kind() != ResourceKind::Network || change.action() == ChangeAction::Delete);
    NetworkDevices::of(with_devices.filter_map(|change| live.find(change.network.id()?)), live)
}

fn unchanged_networks(plan: &Plan, live: &LiveState) -> Vec<UnchangedNetwork> {
    let networks = plan.changes.iter().filter(|change| change.kind() == ResourceKind::Network);
    let touched: HashSet<&NetworkId> = networks.filter_map(|change| change.network.id()).collect();
    let locations: std::collections::BTreeSet<_> =
        plan.changes.iter().filter_map(|change| live.find_location(&change.location.id)).collect();
    let networks = locations.into_iter().flat_map(|location| live.networks_of(location));
    networks
        .filter(|(_, network)| !touched.contains(&network.id))
        .map(|(_, network)| UnchangedNetwork {
            location: network.location.clone(),
            network: network.id.clone(),
            settings: network.settings.clone(),
        })
        .collect()
}

/// The recorded state of the affected locations.
pub fn reconstruct_base_state(plan: &Plan) -> LiveState {
    let names: HashMap<&LocationId, _> =
        plan.changes.iter().map(|change| (&change.location.id, change.location.name.clone())).collect();
    let models: HashMap<&NetworkId, _> =
        plan.devices.iter().map(|devices| (&devices.network, devices.model.clone())).collect();
    let changed = plan
        .changes
        .iter()
        .filter_map(|change| Some((&change.location.id, change.network.id()?, change.settings_before()?)));
    let others = plan.unchanged_networks.iter().map(|other| (&other.location, &other.network, &other.settings));
    let networks = changed.chain(others).map(|(location, network, settings)| {
        let name = names.get(location).cloned().unwrap_or_else(|| "".into());
        let model = models.get(network).cloned().flatten();
        (name, Network::new(network.clone(), location.clone(), settings.clone(), model))
    });
    let locations = names.iter().map(|(id, name)| ((*id).clone(), name.clone()));
    let mut live = LiveState::with_locations(networks, locations);
    for devices in &plan.devices {
        if let Some(at) = live.find(&devices.network) {
            live.set_base_stations(at, devices.base_stations.clone());
            live.set_handsets(at, devices.handsets.clone());
        }
    }
    live
}
