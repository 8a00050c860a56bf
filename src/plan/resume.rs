//! Resumes a plan: what is done, what remains, and what has drifted.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::model::{
    Change, ChangeAction, ChangeIndex, Dependency, Listed, NetworkDevices, NetworkRef, Plan, ResourceKind,
    ResourceState, Standing, States, Step, StepIndex, StepItem, StepKind, UnchangedNetwork,
};
use super::reads::RequiredReads;
use super::subset::Renumbering;
use crate::model::{
    Devices, Handset, HandsetId, LiveState, LocationId, Network, NetworkId, NetworkIndex, Setting, SettingSet,
    Settings, same_member,
};
use crate::resources::standing::standings;

/// A difference between the live state and the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The network was deleted or moved to another location.
    Removed { network: NetworkId, name: String },
    /// A location in which networks are to be created was removed.
    LocationRemoved { id: LocationId, name: String },
    /// The network is in none of its planned states.
    Changed {
        network: NetworkId,
        name: String,
        /// Settings that differ from the expected state.
        settings: SettingSet,
    },
    /// A network that the plan does not know uses a name or code that the plan requests.
    Taken {
        location: LocationId,
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
    /// What the plan removes is gone, and something like it is there: it was added again since.
    AddedAgain { network: NetworkId, name: String, what: String },
    /// A network that is to be deleted holds something that the plan does not list.
    NewContents { network: NetworkId, name: String, contents: Vec<String> },
}

impl Drift {
    /// Whether a change cannot be made because of it.
    pub fn is_about(&self, change: &Change) -> bool {
        match self {
            Self::LocationRemoved { id, .. } => change.location.id == *id && change.is_network_creation(),
            Self::Taken { location, network: None, name, .. } => {
                change.is_network_creation() && change.location.id == *location && *change.network_name == **name
            }
            _ => self.network().is_some_and(|network| change.network.id() == Some(network)),
        }
    }

    /// The network that it is about, if that exists.
    pub const fn network(&self) -> Option<&NetworkId> {
        match self {
            Self::Removed { network, .. }
            | Self::Changed { network, .. }
            | Self::DeviceChanged { network, .. }
            | Self::NewHandset { network, .. }
            | Self::AddedAgain { network, .. }
            | Self::NewContents { network, .. } => Some(network),
            Self::Taken { network, .. } => network.as_ref(),
            Self::LocationRemoved { .. } => None,
        }
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Removed { network, name } => format!("{name:?} ({network}) no longer exists"),
            Self::LocationRemoved { name, .. } => format!("the location {name:?} no longer exists"),
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
            Self::AddedAgain { name, what, .. } => format!("{what} of {name:?} was added again since it was removed"),
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
        for kind in ResourceKind::OF_NETWORK {
            if is_deletion && ResourceKind::DEVICES.contains(&kind) || change.kind() == kind {
                reads.add(kind, at);
            }
        }
    }
    reads.sorted()
}

/// Returns the remaining part of a plan: everything continues from the planned state it is in.
///
/// # Errors
/// All networks that are in no planned state, and unchanged networks that have drifted.
pub fn resume(plan: &Plan, live: &LiveState) -> Result<Plan, Vec<Drift>> {
    let plan = &with_put_back(plan.clone(), live);
    let created = find_created(plan, live);
    let planned = plan.devices.iter().flat_map(|devices| devices.devices.handsets.iter().flatten());
    let mut known: HashSet<HandsetId> = planned.filter_map(|handset| handset.id.clone()).collect();
    let standing = stand(plan, &created, &known, live);
    let handsets = plan.changes.iter().zip(&standing).filter(|(change, _)| change.kind() == ResourceKind::Handset);
    known.extend(handsets.filter_map(|(_, standing)| standing.found()?.id.as_deref().and_then(HandsetId::non_empty)));
    let drifted = plan.changes.iter().zip(&standing);
    let mut drift: Vec<Drift> =
        drifted.filter_map(|(change, standing)| drifted_change(change, standing, &created, &known, live)).collect();
    drift.extend(plan.unchanged_networks.iter().filter_map(|unchanged| drifted_network(unchanged, live)));
    drift.extend(removed_locations(plan, &created, live));
    drift.extend(taken_values(plan, &created, live));
    drift.extend(created_again(plan, &created, live));
    if drift.is_empty() { Ok(rest(plan, &standing, &created, live)) } else { Err(drift) }
}

/// A base station that a run has put back, since its replacement could not be added, is the one that was to be replaced: with the id
/// that it has now.
fn with_put_back(mut plan: Plan, live: &LiveState) -> Plan {
    for change in &mut plan.changes {
        let listed = change.network.id().and_then(|id| live.find(id)).and_then(|at| live.base_stations(at));
        let (Some(listed), Some(new), Some(ResourceState::BaseStation(removed))) =
            (listed, change.replaced_by.as_deref(), &mut change.before)
        else {
            continue;
        };
        let find = |label: &str| listed.iter().find(|station| station.label() == label);
        if let (Some(put_back), None) = (find(&removed.label()), find(new)) {
            removed.id.clone_from(&put_back.id);
        }
    }
    plan
}

/// The networks that the plan creates and that exist by now.
fn find_created(plan: &Plan, live: &LiveState) -> HashMap<ChangeIndex, NetworkIndex> {
    if !plan.changes.iter().any(Change::is_network_creation) {
        return HashMap::new();
    }
    let known = plan.known_networks();
    let creations = plan.indexed_changes().filter(|(_, change)| change.is_network_creation());
    creations.filter_map(|(at, change)| Some((at, change.find_created(&known, live)?))).collect()
}

/// Where every change of a plan stands, network by network.
fn stand(
    plan: &Plan,
    created: &HashMap<ChangeIndex, NetworkIndex>,
    known: &HashSet<HandsetId>,
    live: &LiveState,
) -> Vec<Standing> {
    let mut of_network: HashMap<&NetworkRef, Vec<ChangeIndex>> = HashMap::new();
    for (at, change) in plan.indexed_changes() {
        of_network.entry(&change.network).or_default().push(at);
    }
    let interim: HashMap<ChangeIndex, &ResourceState> =
        interim_items(plan).filter_map(|item| Some((item.change, item.to.as_ref()?))).collect();
    let mut standing = vec![Standing::CannotTell; plan.changes.len()];
    for changes in of_network.into_values() {
        let network = find_network(&plan[changes[0]], created, live);
        let listed = Listed {
            networks: Some(network.map(|at| live.network(at)).into_iter().collect()),
            // One that is not there has none.
            devices: Some(network.map_or(Devices::gone(), |at| live.devices(at))),
        };
        let states = |at: &ChangeIndex| States::of_change(&plan[*at], interim.get(at).copied());
        let states: Vec<States<'_>> = changes.iter().map(states).collect();
        for (at, found) in changes.into_iter().zip(standings(&states, &listed, known)) {
            standing[at.0] = found;
        }
    }
    standing
}

/// A listed handset that may be the one that is to be added and that neither the plan nor its requests know.
fn foreign<'a>(added: &Handset, listed: &'a [Handset], known: &HashSet<HandsetId>) -> Option<&'a Handset> {
    let is_foreign = |handset: &&Handset| handset.id.as_ref().is_none_or(|id| !known.contains(id));
    listed.iter().filter(is_foreign).find(|handset| {
        let has_name = handset.custom_name.is_some() && handset.has_same_name(added);
        has_name || (handset.line1.is_some() && same_member(handset.line1.as_ref(), added.line1.as_ref()))
    })
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

/// The networks that the plan was made with, and those that it has created.
fn known_networks<'a>(
    plan: &'a Plan,
    created: &HashMap<ChangeIndex, NetworkIndex>,
    live: &'a LiveState,
) -> HashSet<&'a NetworkId> {
    let mut known = plan.known_networks();
    known.extend(created.values().map(|network| &live.network(*network).id));
    known
}

/// Locations that do not exist any more, in which networks are still to be created.
fn removed_locations(plan: &Plan, created: &HashMap<ChangeIndex, NetworkIndex>, live: &LiveState) -> Vec<Drift> {
    let open = plan.indexed_changes().filter(|(at, change)| change.is_network_creation() && !created.contains_key(at));
    let locations: BTreeMap<&LocationId, &str> =
        open.map(|(_, change)| (&change.location.id, &*change.location.name)).collect();
    let removed = locations.into_iter().filter(|(id, _)| live.find_location(id).is_none());
    removed.map(|(id, name)| Drift::LocationRemoved { id: id.clone(), name: name.to_owned() }).collect()
}

/// Values that the plan requests, permanently or for a moment, and that a network uses which it does not know.
fn taken_values(plan: &Plan, created: &HashMap<ChangeIndex, NetworkIndex>, live: &LiveState) -> Vec<Drift> {
    let known = known_networks(plan, created, live);
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
        let changed = step.items[0].changed_settings();
        let requests = |setting: Setting| is_creation || changed.has(setting);
        for network in &unknown[&change.location.id] {
            let uses = |setting: Setting| match setting {
                Setting::Name => network.settings.name_key() == settings.name_key(),
                Setting::Code => settings.code.is_some() && network.settings.code == settings.code,
                Setting::DisplayName | Setting::CodeEnabled => false,
            };
            let of_both = Setting::ALL.into_iter().filter(|setting| requests(*setting) && uses(*setting));
            taken.extend(of_both.map(|setting| Drift::Taken {
                location: change.location.id.clone(),
                network: change.network.id().cloned(),
                name: change.network_name.to_string(),
                setting,
                by: network.settings.name.to_string(),
            }));
        }
    }
    taken
}

/// Why a change cannot be continued from where it stands.
fn drifted_change(
    change: &Change,
    standing: &Standing,
    created: &HashMap<ChangeIndex, NetworkIndex>,
    known: &HashSet<HandsetId>,
    live: &LiveState,
) -> Option<Drift> {
    let at = find_network(change, created, live);
    // Nothing drifts from what the plan itself creates.
    let NetworkRef::Live(id) = &change.network else { return None };
    let (network, name) = (id.clone(), change.network_name.to_string());
    let (is_network, is_deletion) = (change.kind() == ResourceKind::Network, change.action() == ChangeAction::Delete);
    let is_deletion_of_device = is_deletion && !is_network;
    let Some(at) = at else {
        // A network that is gone holds nothing, and nothing can be added to it.
        return (!is_deletion).then_some(Drift::Removed { network, name });
    };
    match standing {
        Standing::After { found: None, .. } if is_deletion_of_device => {
            let what = change.kind().describe(&change.label());
            is_there_again(change, at, known, live).then_some(Drift::AddedAgain { network, name, what })
        }
        Standing::Changed(_) | Standing::Missing if is_network => {
            let before = change.settings_before()?;
            Some(Drift::Changed { network, name, settings: live.network(at).settings.diff(before) })
        }
        Standing::Changed(_) | Standing::Missing => {
            let device = change.kind().describe(&change.label());
            Some(Drift::DeviceChanged { network, name, device })
        }
        Standing::Before if is_network && is_deletion => {
            let contents = change.new_contents(live.devices(at));
            (!contents.is_empty()).then_some(Drift::NewContents { network, name, contents })
        }
        Standing::Before if change.before.is_none() => {
            let added = change.handset_after()?;
            let other = foreign(added, live.handsets(at).unwrap_or_default(), known)?;
            Some(Drift::NewHandset { network, name, handset: other.label(), added: added.label() })
        }
        Standing::Before | Standing::Interim(_) | Standing::After { .. } | Standing::CannotTell => None,
    }
}

/// Whether a device that the plan removes, and that is gone, is there with another id that the plan does not know.
fn is_there_again(change: &Change, network: NetworkIndex, known: &HashSet<HandsetId>, live: &LiveState) -> bool {
    if let Some(removed) = change.base_station() {
        let stations = live.base_stations(network).unwrap_or_default();
        return stations.iter().any(|station| station.label() == removed.label());
    }
    let is_new = |handset: &&Handset| handset.id.as_ref().is_some_and(|id| !known.contains(id));
    let mut handsets = live.handsets(network).unwrap_or_default().iter().filter(is_new);
    change.handset_before().is_some_and(|removed| handsets.any(|handset| handset.is_equivalent(removed)))
}

/// Networks that the plan deletes, that are gone, and of whose names there are others in their location that it does not know.
fn created_again(plan: &Plan, created: &HashMap<ChangeIndex, NetworkIndex>, live: &LiveState) -> Vec<Drift> {
    let known = known_networks(plan, created, live);
    let deletions = plan
        .changes
        .iter()
        .filter(|change| change.kind() == ResourceKind::Network && change.action() == ChangeAction::Delete);
    let again = deletions.filter_map(|change| {
        let (id, before) = (change.network.id()?, change.settings_before()?);
        let location = live.find_location(&change.location.id).filter(|_| live.find(id).is_none())?;
        let is_it =
            |network: &Network| network.settings.name_key() == before.name_key() && !known.contains(&network.id);
        live.networks_of(location).any(|(_, network)| is_it(network)).then(|| Drift::AddedAgain {
            network: id.clone(),
            name: change.location.name.to_string(),
            what: format!("network {}", change.network_name),
        })
    });
    again.collect()
}

fn find_settings<'a>(live: &'a LiveState, location: &LocationId, network: &NetworkId) -> Option<&'a Settings> {
    let network = live.network(live.find(network)?);
    (network.location == *location).then_some(&network.settings)
}

fn interim_items(plan: &Plan) -> impl Iterator<Item = &StepItem> {
    plan.steps.iter().flat_map(|step| &step.items).filter(|item| !plan.is_final(item))
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

fn rest(plan: &Plan, standing: &[Standing], created: &HashMap<ChangeIndex, NetworkIndex>, live: &LiveState) -> Plan {
    let is_done = |standing: &Standing| matches!(standing, Standing::After { .. });
    let remaining = plan.indexed_changes().zip(standing).filter(|(_, standing)| !is_done(standing));
    let mut kept = Renumbering::of(remaining.map(|((at, _), _)| at));
    let mut rest = plan.without_content();
    for (change, standing) in plan.changes.iter().zip(standing) {
        let is_update = change.action() == ChangeAction::Update;
        if is_done(standing) {
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
        if let (true, Some(now), Some(_)) = (is_update, find_network(&change, created, live), change.settings_after()) {
            let now = live.network(now).settings.clone();
            change.before = Some(ResourceState::Network { settings: now, model: None });
        }
        // A handset that was added with its first line lacks the second one.
        let handsets = find_network(&change, created, live).and_then(|at| live.handsets(at)).unwrap_or_default();
        if let (Standing::Interim(found), Some(_)) = (standing, change.handset_after())
            && let Some(half) = handsets.get(found.at)
        {
            let whole = change.handset_after().cloned().map(|after| Handset { id: half.id.clone(), ..after });
            change.before = Some(ResourceState::from(Handset { last_registration: None, ..half.clone() }));
            change.after = whole.map(ResourceState::from);
        }
        rest.changes.push(change);
    }
    // What each remaining thing is before its next step.
    let mut current: Vec<Option<ResourceState>> = rest.changes.iter().map(|change| change.before.clone()).collect();
    for (at, step) in plan.indexed_steps() {
        let done =
            plan.step_kind(step) == StepKind::Interim && matches!(standing[step.change().0], Standing::Interim(_));
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
            devices.devices.clone().into_lists().for_each(|list| live.set_devices(at, list));
        }
    }
    live
}

#[cfg(test)]
mod tests {
    use super::super::planner::build;
    use super::super::samples;
    use super::*;

    /// The requests of a plan: `id:name`, with `'` for a temporary one, and `+name` for a creation.
    fn requests(plan: &Plan) -> String {
        let request = |step: &Step| {
            let change = &plan[step.change()];
            let name = step.settings().map(|settings| settings.name.to_string()).unwrap_or_default();
            match (change.network.id(), plan.step_kind(step)) {
                (None, _) => format!("+{name}"),
                (Some(id), StepKind::Final) => format!("{id}:{name}"),
                (Some(id), StepKind::Interim) => format!("{id}'"),
            }
        };
        plan.steps.iter().map(request).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_left_of_a_plan_continues_from_where_each_network_is() {
        let names = "      - { id: a, name: B }\n      - { id: b, name: A }\n      - { id: c, name: D }\n";
        let created = "      - { name: Reception, model: DBS210, defaultAccessCode: '7777' }\n";
        let (desired, sources) = samples::file(&format!("{names}{created}"));
        let plan = build(&desired, &samples::live(&[("a", "A"), ("b", "B"), ("c", "C")]), &sources).expect("a plan");
        assert_eq!(requests(&plan), "a' b:A a:B c:D +Reception");
        let temporary = plan.steps[0].settings().expect("settings").name.to_string();
        #[rustfmt::skip]
        let cases: &[(&[(&str, &str)], &str)] = &[
            // the networks now, what is left or what has drifted
            (&[("a", "A"), ("b", "B"), ("c", "C")], "a' b:A a:B c:D +Reception"),
            (&[("a", "'"), ("b", "B"), ("c", "C")], "b:A a:B c:D +Reception"),
            (&[("a", "'"), ("b", "A"), ("c", "C")], "a:B c:D +Reception"),
            (&[("a", "B"), ("b", "A"), ("c", "C")], "c:D +Reception"),
            (&[("a", "B"), ("b", "A"), ("c", "D")], "+Reception"),
            // The second half of a cycle that was undone from the other side.
            (&[("a", "A"), ("b", "B"), ("c", "D")], "a' b:A a:B +Reception"),
            // In none of its states, gone, and a name that another network has taken.
            (&[("a", "X"), ("b", "B"), ("c", "C")], "drift: a"),
            (&[("a", "A"), ("b", "B")], "drift: c"),
            (&[("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")], "drift: c"),
        ];
        for (networks, expected) in cases {
            let now: Vec<_> =
                networks.iter().map(|(id, name)| (*id, if *name == "'" { &*temporary } else { name })).collect();
            let left = match resume(&plan, &samples::live(&now)) {
                Ok(left) => requests(&left),
                Err(drift) => {
                    let networks = drift.iter().filter_map(Drift::network).map(ToString::to_string);
                    format!("drift: {}", networks.collect::<Vec<_>>().join(" "))
                }
            };
            assert_eq!(left, *expected, "{networks:?}");
        }
    }
}
