//! Replays a plan on a state.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::violation::PlanViolation;
use super::{devices, handsets, holds};
use crate::model::{
    AccessCode, DisplayName, LiveState, LocationId, Mac, Network, NetworkId, NetworkModel, NetworkName, Setting,
    SettingSet, Settings,
};
use crate::plan::model::{Change, NetworkRef, Operation, Plan, ResourceState, Step, StepIndex, StepKind};

/// The largest number of base stations in one request.
const MAX_BATCH: usize = 50;

/// A plan that passed the safety check on a state. Only a checked plan can be applied, and only [`check_plan`] creates one.
#[derive(Clone, Debug)]
pub struct CheckedPlan {
    plan: Plan,
}

impl CheckedPlan {
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The same with another time between changes of handsets, which only estimates depend on.
    #[must_use]
    pub fn with_handset_interval(mut self, interval: Duration) -> Self {
        self.plan.handset_interval = interval;
        self
    }

    pub fn into_plan(self) -> Plan {
        self.plan
    }
}

/// Checks that every request of `plan` is valid, that no two networks of a location ever share a name or code in any
/// execution order that the plan allows, that no other network is changed, and that the final state is as planned.
///
/// The same for the addresses of base stations in the organization, and for the number of base stations that a model
/// allows. Networks that already shared a name or code before the plan are tolerated.
///
/// # Errors
/// The first violation.
pub fn check_plan(plan: Plan, live: &LiveState) -> Result<CheckedPlan, PlanViolation> {
    check_changes(&plan, live)?;
    check_steps(&plan)?;
    for (location, steps) in by_location(&plan)? {
        holds::check_collisions(&plan, &location, &steps, live)?;
    }
    devices::check_devices(&plan, live)?;
    handsets::check_handsets(&plan, live)?;
    Ok(CheckedPlan { plan })
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
                    check_difference(network, before, after, change.changed_settings)?;
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

fn check_difference(
    network: &Network,
    before: &Settings,
    after: &Settings,
    declared: SettingSet,
) -> Result<(), PlanViolation> {
    // A code that Webex hides while codes are disabled is sent, but is not a difference.
    let hidden = after.code_enabled == Some(false) && before.code.is_none();
    let difference: SettingSet =
        before.diff(after).iter().filter(|setting| !(hidden && *setting == Setting::Code)).collect();
    if difference != declared || difference.is_empty() {
        return Err(PlanViolation::WrongDiff { network: network.id.clone() });
    }
    Ok(())
}

/// Which step made which state of each change, in the order of the steps.
fn check_steps(plan: &Plan) -> Result<(), PlanViolation> {
    let mut current_settings: Vec<Option<&Settings>> =
        plan.changes.iter().map(|change| settings_of(change.before.as_ref())).collect();
    let mut last_step: Vec<Option<StepIndex>> = vec![None; plan.changes.len()];
    let mut done = vec![false; plan.changes.len()];
    for (number, step) in plan.steps.iter().enumerate() {
        let at = StepIndex(number);
        if step.items.is_empty() || step.items.iter().any(|item| item.0 >= plan.changes.len()) {
            return Err(PlanViolation::DanglingStep { step: number });
        }
        for dependency in &step.depends_on {
            let is_earlier = dependency.step < at;
            let is_its = is_earlier && plan.steps[dependency.step.0].items.contains(&dependency.change);
            if !is_its || !step.items.contains(&dependency.item) {
                return Err(PlanViolation::DependencyOrder { step: number, dependency: dependency.step.0 });
            }
        }
        check_operation(number, step, plan)?;
        for item in &step.items {
            let depends_on = |earlier: StepIndex| {
                step.depends_on.iter().any(|dependency| dependency.item == *item && dependency.step == earlier)
            };
            // Steps of one thing must be ordered, and so must a device and the network that is created for it.
            if let Some(before) = last_step[item.0].replace(at)
                && !depends_on(before)
            {
                return Err(PlanViolation::DependencyOrder { step: number, dependency: before.0 });
            }
            if let NetworkRef::Created(creation) = plan.changes[item.0].network
                && creation != *item
                && !last_step[creation.0].is_some_and(depends_on)
            {
                return Err(PlanViolation::DeviceBeforeNetwork { step: number });
            }
            if std::mem::replace(&mut done[item.0], step.kind == StepKind::Final) {
                return Err(PlanViolation::WrongFinalState { change: item.0 });
            }
        }
        if let Some(settings) = &step.settings {
            let item = step.items[0].0;
            check_values(number, step, settings, &plan.changes[item], current_settings[item])?;
            current_settings[item] = Some(settings);
        }
    }
    match done.iter().position(|done| !done) {
        Some(change) => Err(PlanViolation::WrongFinalState { change }),
        None => Ok(()),
    }
}

fn settings_of(state: Option<&ResourceState>) -> Option<&Settings> {
    match state? {
        ResourceState::Network { settings, .. } => Some(settings),
        ResourceState::BaseStation(_) | ResourceState::Handset(_) => None,
    }
}

/// Checks that a step does to its changes what they say.
fn check_operation(at: usize, step: &Step, plan: &Plan) -> Result<(), PlanViolation> {
    use ResourceState::{BaseStation, Handset, Network};
    let wrong = || PlanViolation::WrongOperation { step: at };
    let single = step.items.len() == 1;
    let network = &plan.changes[step.items[0].0].network;
    for item in &step.items {
        let change = &plan.changes[item.0];
        let fits = match (step.operation, &change.before, &change.after) {
            (Operation::CreateNetwork, None, Some(Network { settings, model })) => {
                let is_known = model.as_deref().and_then(NetworkModel::parse).is_some();
                single && step.kind == StepKind::Final && step.settings.as_ref() == Some(settings) && is_known
            }
            (Operation::UpdateNetwork, Some(Network { .. }), Some(Network { settings, .. })) => {
                let reaches_end = step.settings.as_ref() == Some(settings);
                single && step.settings.is_some() && reaches_end == (step.kind == StepKind::Final)
            }
            (Operation::DeleteNetwork, Some(Network { .. }), None) => {
                let is_named = change.network.id().is_some_and(|id| !id.as_str().trim().is_empty());
                single && step.kind == StepKind::Final && step.settings.is_none() && is_named
            }
            (Operation::AddBaseStations, None, Some(BaseStation(added))) => {
                let is_valid = Mac::new(&added.address).is_ok();
                step.kind == StepKind::Final && change.network == *network && step.items.len() <= MAX_BATCH && is_valid
            }
            (Operation::RemoveBaseStation, Some(BaseStation(removed)), None) => {
                let is_named = removed.id.as_ref().is_some_and(|id| !id.as_str().trim().is_empty());
                single && step.kind == StepKind::Final && change.network.id().is_some() && is_named
            }
            (Operation::AddHandsets, None, Some(Handset(added))) => {
                let is_batch = change.network == *network && step.items.len() <= MAX_BATCH;
                step.kind == StepKind::Final && is_batch && added.id.is_none() && handsets::is_complete(added)
            }
            (Operation::UpdateHandset, Some(Handset(before)), Some(Handset(after))) => {
                let is_change = handsets::is_named(before) && before.id == after.id && !before.is_equivalent(after);
                single && step.kind == StepKind::Final && is_change && handsets::is_complete(after)
            }
            (Operation::RemoveHandsets, Some(Handset(removed)), None) => {
                let is_batch = change.network == *network && step.items.len() <= MAX_BATCH;
                step.kind == StepKind::Final && is_batch && change.network.id().is_some() && handsets::is_named(removed)
            }
            _ => false,
        };
        if !fits {
            return Err(wrong());
        }
    }
    Ok(())
}

fn check_values(
    at: usize,
    step: &Step,
    settings: &Settings,
    change: &Change,
    current_settings: Option<&Settings>,
) -> Result<(), PlanViolation> {
    // A creation sets everything.
    let (set, silent) = match (current_settings, settings_of(change.before.as_ref())) {
        (Some(current), Some(before)) => {
            let is_changed = |setting: &Setting| change.changed_settings.has(*setting);
            let set: SettingSet = current.diff(settings).iter().filter(is_changed).collect();
            if set != step.changes {
                return Err(PlanViolation::SettingsMismatch { step: at });
            }
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
    let location_of = |step: usize| &plan.changes[plan.steps[step].items[0].0].location.id;
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
