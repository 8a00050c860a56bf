//! Replays a plan on a state.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::violation::PlanViolation;
use super::{devices, handsets, holds, passwords};
use crate::model::{
    AccessCode, DisplayName, LiveState, LocationId, Mac, Network, NetworkId, NetworkModel, NetworkName, Setting,
    SettingSet, Settings,
};
use crate::plan::model::{
    Change, ChangeAction, NetworkRef, Plan, ResourceKind, ResourceState, Step, StepIndex, StepItem,
};

/// The largest number of base stations in one request.
const MAX_BATCH: usize = 50;

/// A plan that passed the safety check on a state. Only a checked plan can be applied, and only [`check_plan`] creates one.
#[derive(Clone, Debug)]
pub struct CheckedPlan {
    plan: Plan,
    single_lines: Vec<Step>,
}

impl CheckedPlan {
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The steps for a Webex that refuses two lines at once, see [`Plan::with_single_lines`]; none if that changes nothing.
    pub fn single_lines(&self) -> &[Step] {
        &self.single_lines
    }

    /// The same with another time between changes of handsets, which only estimates depend on.
    #[must_use]
    pub fn with_handset_times(mut self, interval: Duration, waits: HashMap<NetworkId, Duration>) -> Self {
        self.plan.handset_interval = interval;
        self.plan.handset_waits = waits;
        self
    }

    pub fn into_plan(self) -> Plan {
        self.plan
    }
}

/// Checks that every request of `plan` is valid, that no two networks of a location ever share a name or code in any
/// execution order that the plan allows, that no other network is changed, and that the final state is as planned.
///
/// The same if Webex should refuse two lines at once, for the addresses of base stations in the organization, and for the number of base stations that a model
/// allows. Networks that already shared a name or code before the plan are tolerated.
///
/// # Errors
/// The first violation.
pub fn check_plan(plan: Plan, live: &LiveState) -> Result<CheckedPlan, PlanViolation> {
    check_changes(&plan, live)?;
    passwords::check_passwords(&plan, live)?;
    let single_lines = plan.with_single_lines();
    for plan in [Some(&plan), single_lines.as_ref()].into_iter().flatten() {
        check_steps(plan)?;
        for (location, steps) in by_location(plan)? {
            holds::check_collisions(plan, &location, &steps, live)?;
        }
        devices::check_devices(plan, live)?;
        handsets::check_handsets(plan, live)?;
    }
    Ok(CheckedPlan { plan, single_lines: single_lines.map(|plan| plan.steps).unwrap_or_default() })
}

fn check_changes(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    let mut seen: HashSet<&NetworkId> = HashSet::new();
    for (at, change) in plan.changes.iter().enumerate() {
        let is_network =
            matches!(change.before.as_ref().or(change.after.as_ref()), Some(ResourceState::Network { .. }));
        if is_network
            && let Some(id) = change.network.id()
            && !seen.insert(id)
        {
            return Err(PlanViolation::DuplicateChange { network: id.clone() });
        }
        let network = match &change.network {
            NetworkRef::Live(id) => Some(find_network(id, change, live)?),
            NetworkRef::Created(creation) => {
                let is_creation = plan.changes.get(creation.0).is_some_and(|created| {
                    created.before.is_none()
                        && created.location == change.location
                        && matches!(created.after, Some(ResourceState::Network { .. }))
                });
                if !is_creation || (is_network && creation.0 != at) {
                    return Err(PlanViolation::DanglingChange { change: at });
                }
                None
            }
        };
        match (&change.before, &change.after) {
            (Some(ResourceState::Network { settings: before, .. }), after) => {
                let Some(network) = network else { return Err(PlanViolation::DanglingChange { change: at }) };
                check_before(network, before)?;
                if let Some(ResourceState::Network { settings: after, .. }) = after {
                    check_difference(network, before, after)?;
                } else if after.is_some() {
                    return Err(PlanViolation::DanglingChange { change: at });
                }
            }
            (None, Some(ResourceState::Network { .. })) => {
                if network.is_some() || live.find_location(&change.location.id).is_none() {
                    return Err(PlanViolation::DanglingChange { change: at });
                }
            }
            (Some(ResourceState::BaseStation(_)), None)
            | (None, Some(ResourceState::BaseStation(_)))
            | (Some(ResourceState::Handset(_)), None | Some(ResourceState::Handset(_)))
            | (Some(ResourceState::ServiceabilityPassword(_)), Some(ResourceState::ServiceabilityPassword(_)))
            | (None, Some(ResourceState::Handset(_))) => {}
            _ => return Err(PlanViolation::DanglingChange { change: at }),
        }
    }
    Ok(())
}

fn find_network<'a>(id: &NetworkId, change: &Change, live: &'a LiveState) -> Result<&'a Network, PlanViolation> {
    let found = live.find(id).map(|at| live.network(at)).filter(|found| found.location == change.location.id);
    found.ok_or_else(|| PlanViolation::NoSuchNetwork { location: change.location.id.clone(), network: id.clone() })
}

fn check_before(network: &Network, before: &Settings) -> Result<(), PlanViolation> {
    match network.settings.diff(before).iter().next() {
        Some(setting) => Err(PlanViolation::StateMismatch { network: network.id.clone(), setting }),
        None => Ok(()),
    }
}

fn check_difference(network: &Network, before: &Settings, after: &Settings) -> Result<(), PlanViolation> {
    // A code that Webex hides while codes are disabled is sent, but is not a difference.
    let hidden = after.code_enabled == Some(false) && before.code.is_none();
    let differs = before.diff(after).iter().any(|setting| !(hidden && setting == Setting::Code));
    if differs { Ok(()) } else { Err(PlanViolation::WrongDiff { network: network.id.clone() }) }
}

/// Follows each thing from state to state, in the order of the steps.
fn check_steps(plan: &Plan) -> Result<(), PlanViolation> {
    let mut current: Vec<Option<&ResourceState>> = plan.changes.iter().map(|change| change.before.as_ref()).collect();
    let mut last_step: Vec<Option<StepIndex>> = vec![None; plan.changes.len()];
    for (number, step) in plan.steps.iter().enumerate() {
        let at = StepIndex(number);
        if step.items.is_empty() || step.changes().any(|change| change.0 >= plan.changes.len()) {
            return Err(PlanViolation::DanglingStep { step: number });
        }
        for dependency in &step.depends_on {
            let is_earlier = dependency.step < at;
            let is_its =
                is_earlier && plan.steps[dependency.step.0].changes().any(|change| change == dependency.change);
            if !is_its || !step.changes().any(|change| change == dependency.item) {
                return Err(PlanViolation::DependencyOrder { step: number, dependency: dependency.step.0 });
            }
        }
        check_operation(number, step, plan)?;
        for item in &step.items {
            let depends_on = |earlier: StepIndex| {
                step.depends_on.iter().any(|dependency| dependency.item == item.change && dependency.step == earlier)
            };
            // Steps of one thing must be ordered, and so must a device and the network that is created for it.
            if let Some(before) = last_step[item.change.0].replace(at)
                && !depends_on(before)
            {
                return Err(PlanViolation::DependencyOrder { step: number, dependency: before.0 });
            }
            if let NetworkRef::Created(creation) = plan[item.change].network
                && creation != item.change
                && !last_step[creation.0].is_some_and(depends_on)
                && plan[item.change].before.as_ref() == item.from.as_ref()
            {
                return Err(PlanViolation::DeviceBeforeNetwork { step: number });
            }
            let current = &mut current[item.change.0];
            if *current != item.from.as_ref() || *current == plan[item.change].after.as_ref() {
                return Err(PlanViolation::WrongFinalState { change: item.change.0 });
            }
            *current = item.to.as_ref();
            if let Some(settings) = item.settings() {
                check_values(number, plan, item, settings)?;
            }
        }
    }
    match current.iter().zip(&plan.changes).position(|(current, change)| *current != change.after.as_ref()) {
        Some(change) => Err(PlanViolation::WrongFinalState { change }),
        None => Ok(()),
    }
}

fn settings_of(state: Option<&ResourceState>) -> Option<&Settings> {
    match state? {
        ResourceState::Network { settings, .. } => Some(settings),
        _ => None,
    }
}

/// Checks that a step is a request that exists, about things that it can name, in one network.
fn check_operation(at: usize, step: &Step, plan: &Plan) -> Result<(), PlanViolation> {
    use ResourceState::{BaseStation, Handset, Network, ServiceabilityPassword};
    let network = &plan[step.change()].network;
    let is_live = network.id().is_some_and(|id| !id.as_str().trim().is_empty());
    let most = match (step.operation().kind, step.operation().action) {
        (ResourceKind::BaseStation, ChangeAction::Create)
        | (ResourceKind::Handset, ChangeAction::Create | ChangeAction::Delete) => MAX_BATCH,
        _ => 1,
    };
    for item in &step.items {
        let change = &plan[item.change];
        let fits = match (&item.from, &item.to) {
            (None, Some(Network { model, .. })) => model.as_deref().and_then(NetworkModel::parse).is_some(),
            (Some(Network { .. }), Some(Network { .. }) | None) => is_live,
            (None, Some(BaseStation(added))) => Mac::new(&added.address).is_ok(),
            (Some(BaseStation(removed)), None) => {
                is_live && removed.id.as_ref().is_some_and(|id| !id.as_str().trim().is_empty())
            }
            (None, Some(Handset(added))) => added.id.is_none() && handsets::is_complete(added),
            (Some(Handset(before)), Some(Handset(after))) => {
                // The second line of a handset that this plan adds: its id is known by then.
                let is_named = handsets::is_named(before) || change.before.is_none();
                let is_change = before.id == after.id && !before.is_equivalent(after);
                is_named && is_change && handsets::is_complete(after)
            }
            // Also that of a network that this plan creates.
            (Some(ServiceabilityPassword(before)), Some(ServiceabilityPassword(after))) => before != after,
            (Some(Handset(removed)), None) => is_live && handsets::is_named(removed),
            _ => false,
        };
        let is_of_batch = change.network == *network && item.operation() == step.operation();
        if !fits || !is_of_batch || step.items.len() > most {
            return Err(PlanViolation::WrongOperation { step: at });
        }
    }
    Ok(())
}

fn check_values(at: usize, plan: &Plan, item: &StepItem, settings: &Settings) -> Result<(), PlanViolation> {
    let change = &plan[item.change];
    // A creation sets everything.
    let (set, silent) = match (settings_of(item.from.as_ref()), settings_of(change.before.as_ref())) {
        (Some(current), Some(before)) => {
            let changed = change.changed_settings();
            let is_changed = |setting: &Setting| changed.has(*setting);
            let set: SettingSet = current.diff(settings).iter().filter(is_changed).collect();
            // Unchanged settings must be sent with their current values.
            let silent = before.diff(settings).iter().find(|setting| !is_changed(setting));
            (set, silent.filter(|setting| *setting != Setting::Code || before.code.is_some()))
        }
        _ => (Setting::ALL.into_iter().filter(|setting| *setting != Setting::DisplayName).collect(), None),
    };
    if silent.is_some() {
        return Err(PlanViolation::SettingsMismatch { step: at });
    }
    if settings.name.trim().is_empty() {
        return Err(PlanViolation::MissingSetting { step: at, setting: Setting::Name });
    }
    if settings.code.is_none() {
        return Err(PlanViolation::MissingSetting { step: at, setting: Setting::Code });
    }
    if settings.code_enabled.is_none() {
        return Err(PlanViolation::MissingSetting { step: at, setting: Setting::CodeEnabled });
    }
    let invalid = set.iter().find(|setting| match setting {
        Setting::Name => NetworkName::new(&settings.name).is_err(),
        Setting::DisplayName => settings.display_name.as_ref().is_none_or(|name| DisplayName::new(name).is_err()),
        Setting::CodeEnabled => false,
        Setting::Code => settings.code.as_ref().is_none_or(|code| AccessCode::new(code.expose_secret()).is_err()),
    });
    match invalid {
        Some(setting) => Err(PlanViolation::InvalidValue { step: at, setting }),
        None => Ok(()),
    }
}

fn by_location(plan: &Plan) -> Result<Vec<(LocationId, Vec<usize>)>, PlanViolation> {
    let mut order: Vec<(LocationId, Vec<usize>)> = Vec::new();
    let mut place: HashMap<&LocationId, usize> = HashMap::new();
    let location_of = |step: usize| &plan[plan.steps[step].change()].location.id;
    for (at, step) in plan.steps.iter().enumerate() {
        let location = location_of(at);
        // Locations are independent of each other, which waves and concurrency rely on.
        if let Some(dependency) = step.depends_on.iter().find(|dependency| location_of(dependency.step.0) != location) {
            return Err(PlanViolation::DependencyOrder { step: at, dependency: dependency.step.0 });
        }
        let place = *place.entry(location).or_insert_with(|| {
            order.push((location.clone(), Vec::new()));
            order.len() - 1
        });
        order[place].1.push(at);
    }
    Ok(order)
}
