//! Resumes a plan: what is done, what remains, and what has drifted.

use std::collections::{HashMap, HashSet};

use super::model::{Change, Plan, Step, StepKind, UnchangedNetwork};
use crate::model::{LiveState, LocationId, Network, NetworkId, Setting, SettingSet, Settings};

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
        network: NetworkId,
        name: String,
        setting: Setting,
        /// The name of the network that uses the value.
        by: String,
    },
}

impl Drift {
    pub const fn network(&self) -> &NetworkId {
        match self {
            Self::Removed { network, .. } | Self::Changed { network, .. } | Self::Taken { network, .. } => network,
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
        }
    }
}

/// Returns the remaining part of a plan: every network continues from the planned state it is in.
///
/// # Errors
/// All networks that are in no planned state, and unchanged networks that have drifted.
pub fn resume(plan: &Plan, live: &LiveState) -> Result<Plan, Vec<Drift>> {
    let mut drift = Vec::new();
    let mut current_settings = Vec::with_capacity(plan.changes.len());
    let interim_states: HashMap<usize, &Settings> =
        interim_states(plan).map(|step| (step.change, &step.settings)).collect();
    for (at, change) in plan.changes.iter().enumerate() {
        match find(live, &change.location.id, &change.network) {
            None => {
                drift.push(Drift::Removed { network: change.network.clone(), name: change.before.name.to_string() })
            }
            Some(now) => match planned_state(change, interim_states.get(&at).copied(), now) {
                Some(state) => current_settings.push(state),
                None => drift.push(Drift::Changed {
                    network: change.network.clone(),
                    name: change.before.name.to_string(),
                    settings: now.diff(&change.before),
                }),
            },
        }
    }
    drift.extend(plan.unchanged_networks.iter().filter_map(|unchanged| drifted_network(unchanged, live)));
    drift.extend(taken_values(plan, live));
    if drift.is_empty() { Ok(rest(plan, &current_settings, live)) } else { Err(drift) }
}

/// Values that the plan requests, permanently or for a moment, and that a network uses which it does not know.
fn taken_values(plan: &Plan, live: &LiveState) -> Vec<Drift> {
    let known: HashSet<&NetworkId> = plan
        .changes
        .iter()
        .map(|change| &change.network)
        .chain(plan.unchanged_networks.iter().map(|unchanged| &unchanged.network))
        .collect();
    let locations: HashSet<&LocationId> = plan.changes.iter().map(|change| &change.location.id).collect();
    let mut unknown: HashMap<&LocationId, Vec<&Network>> = HashMap::new();
    for location in locations {
        let networks = live.find_location(location).into_iter().flat_map(|at| live.networks_of(at));
        let networks = networks.map(|(_, network)| network).filter(|network| !known.contains(&network.id));
        unknown.insert(location, networks.collect());
    }
    let mut taken = Vec::new();
    for step in &plan.steps {
        let change = &plan.changes[step.change];
        for network in &unknown[&change.location.id] {
            let uses = |setting: Setting| match setting {
                Setting::Name => network.settings.name_key() == step.settings.name_key(),
                Setting::Code => step.settings.code.is_some() && network.settings.code == step.settings.code,
                Setting::DisplayName | Setting::CodeEnabled => false,
            };
            taken.extend(step.changes.iter().filter(|setting| uses(*setting)).map(|setting| Drift::Taken {
                network: change.network.clone(),
                name: change.before.name.to_string(),
                setting,
                by: network.settings.name.to_string(),
            }));
        }
    }
    taken
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NetworkState {
    Before,
    Interim,
    After,
}

fn find<'a>(live: &'a LiveState, location: &LocationId, network: &NetworkId) -> Option<&'a Settings> {
    let network = live.network(live.find(network)?);
    (network.location == *location).then_some(&network.settings)
}

fn interim_states(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.steps.iter().filter(|step| step.kind == StepKind::Interim)
}

fn planned_state(change: &Change, interim: Option<&Settings>, now: &Settings) -> Option<NetworkState> {
    let same = |planned: &Settings| now.diff(planned).is_empty();
    if same(&change.after) {
        return Some(NetworkState::After);
    }
    if interim.is_some_and(same) {
        return Some(NetworkState::Interim);
    }
    if same(&change.before) {
        return Some(NetworkState::Before);
    }
    // While codes are disabled, Webex may hide the code or generate another one. The other settings then identify the
    // state; where they do not, since only the code changes, the update is still to be sent.
    let same_but_code = |planned: &Settings| {
        let disabled = now.code_enabled == Some(false) && planned.code_enabled == Some(false);
        let hidden = now.code.is_none() && change.changed_settings.has(Setting::Code);
        disabled && !hidden && now.diff(planned).iter().all(|setting| setting == Setting::Code)
    };
    if same_but_code(&change.before) {
        return Some(NetworkState::Before);
    }
    if interim.is_some_and(same_but_code) {
        return Some(NetworkState::Interim);
    }
    same_but_code(&change.after).then_some(NetworkState::After)
}

fn drifted_network(unchanged: &UnchangedNetwork, live: &LiveState) -> Option<Drift> {
    let name = unchanged.settings.name.to_string();
    let Some(now) = find(live, &unchanged.location, &unchanged.network) else {
        // A deleted network holds no values.
        return None;
    };
    let settings = now.diff(&unchanged.settings);
    let settings: SettingSet =
        settings.iter().filter(|setting| matches!(setting, Setting::Name | Setting::Code)).collect();
    (!settings.is_empty()).then(|| Drift::Changed { network: unchanged.network.clone(), name, settings })
}

fn rest(plan: &Plan, current_settings: &[NetworkState], live: &LiveState) -> Plan {
    let mut place: HashMap<usize, usize> = HashMap::new();
    let mut rest = Plan { changes: Vec::new(), steps: Vec::new(), unchanged_networks: Vec::new(), ..plan.clone() };
    for (at, change) in plan.changes.iter().enumerate() {
        if current_settings[at] == NetworkState::After {
            rest.counts.unchanged += 1;
            continue;
        }
        let Some(now) = find(live, &change.location.id, &change.network) else { continue };
        let changed = now.diff(&change.after);
        let hidden = change.after.code_enabled == Some(false) && now.code.is_none();
        let changed = changed.iter().filter(|setting| !(hidden && *setting == Setting::Code)).collect();
        place.insert(at, rest.changes.len());
        rest.changes.push(Change { before: now.clone(), changed_settings: changed, ..change.clone() });
    }
    let mut step_place: HashMap<usize, usize> = HashMap::new();
    // Settings of each remaining network before its next step.
    let mut from: Vec<Settings> = rest.changes.iter().map(|change| change.before.clone()).collect();
    for (at, step) in plan.steps.iter().enumerate() {
        let done = step.kind == StepKind::Interim && current_settings[step.change] == NetworkState::Interim;
        let Some(change) = place.get(&step.change).filter(|_| !done) else { continue };
        let before = std::mem::replace(&mut from[*change], step.settings.clone());
        let changed = rest.changes[*change].changed_settings;
        let changes = before.diff(&step.settings).iter().filter(|setting| changed.has(*setting)).collect();
        let depends_on = step.depends_on.iter().filter_map(|earlier| step_place.get(earlier)).copied().collect();
        step_place.insert(at, rest.steps.len());
        rest.steps.push(Step { change: *change, changes, depends_on, ..step.clone() });
    }
    rest.unchanged_networks = unchanged_networks(&rest, live);
    rest
}

fn unchanged_networks(plan: &Plan, live: &LiveState) -> Vec<UnchangedNetwork> {
    let touched: std::collections::HashSet<&NetworkId> = plan.changes.iter().map(|change| &change.network).collect();
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
    let changed = plan.changes.iter().map(|change| (&change.location.id, &change.network, &change.before));
    let others = plan.unchanged_networks.iter().map(|other| (&other.location, &other.network, &other.settings));
    LiveState::new(changed.chain(others).map(|(location, network, settings)| {
        let name = names.get(location).cloned().unwrap_or_else(|| "".into());
        let network = crate::model::Network {
            id: network.clone(),
            location: location.clone(),
            settings: settings.clone(),
            model: None,
            base_stations: None,
            handsets: None,
            lines: None,
        };
        (name, network)
    }))
}
