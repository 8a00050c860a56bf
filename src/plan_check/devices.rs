//! Checks the base stations of a plan: every address in one network at a time, and never more than a model allows.

use std::collections::HashMap;

use super::holds::depends_on;
use super::violation::PlanViolation;
use crate::model::{BaseStation, LiveState, NetworkId, NetworkModel};
use crate::plan::model::{ChangeAction, NetworkRef, Operation, Plan, ResourceKind, ResourceState, Step};

const ADDITION: Operation = Operation::new(ResourceKind::BaseStation, ChangeAction::Create);
const REMOVAL: Operation = Operation::new(ResourceKind::BaseStation, ChangeAction::Delete);

/// The steps of an operation, with their indexes.
fn steps(plan: &Plan, operation: Operation) -> impl Iterator<Item = (usize, &Step)> {
    plan.steps.iter().enumerate().filter(move |(_, step)| step.operation() == operation)
}

/// The base station of a change: what is added or what is removed.
fn station(plan: &Plan, change: usize) -> Option<&BaseStation> {
    let change = &plan.changes[change];
    match change.before.as_ref().or(change.after.as_ref())? {
        ResourceState::BaseStation(station) => Some(station),
        _ => None,
    }
}

pub(super) fn check_devices(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    check_listed(plan, live)?;
    check_addresses(plan, live)?;
    check_replacements(plan, live)?;
    check_places(plan, live)
}

/// Checks that what is removed is listed in its network with this id, and that what is added is not listed there.
fn check_listed(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    for at in 0..plan.changes.len() {
        let (Some(station), NetworkRef::Live(network)) = (station(plan, at), &plan.changes[at].network) else {
            continue;
        };
        let Some(listed) = live.find(network).and_then(|network| live.base_stations(network)) else {
            return Err(PlanViolation::DeviceMismatch { change: at });
        };
        let same = listed.iter().find(|other| other.label() == station.label());
        let fits = match same {
            Some(same) => plan.changes[at].after.is_none() && same.id == station.id,
            None => plan.changes[at].after.is_some(),
        };
        if !fits {
            return Err(PlanViolation::DeviceMismatch { change: at });
        }
    }
    Ok(())
}

/// The steps that take a base station out of a network.
fn removals(plan: &Plan) -> HashMap<(&NetworkId, String), usize> {
    let mut removals = HashMap::new();
    for (number, step) in plan.steps.iter().enumerate() {
        let change = &plan[step.change()];
        let Some(network) = change.network.id() else { continue };
        match (&step.items[0].from, &step.items[0].to) {
            (Some(ResourceState::BaseStation(station)), None) => {
                removals.insert((network, station.label()), number);
            }
            (Some(ResourceState::Network { .. }), None) => {
                for content in &change.contents {
                    if let ResourceState::BaseStation(station) = content {
                        removals.insert((network, station.label()), number);
                    }
                }
            }
            _ => {}
        }
    }
    removals
}

fn check_addresses(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    let mut held: HashMap<String, Vec<&NetworkId>> = HashMap::new();
    for (at, network) in live.networks() {
        for station in live.base_stations(at).into_iter().flatten() {
            held.entry(station.label()).or_default().push(&network.id);
        }
    }
    let removals = removals(plan);
    let mut added: HashMap<String, usize> = HashMap::new();
    for (number, step) in steps(plan, ADDITION) {
        for item in step.changes() {
            let Some(station) = station(plan, item.0) else { continue };
            let collision = || PlanViolation::AddressCollision { step: number, address: station.label() };
            if added.insert(station.label(), number).is_some() {
                return Err(collision());
            }
            for holder in held.get(&station.label()).into_iter().flatten() {
                let is_released =
                    removals.get(&(*holder, station.label())).is_some_and(|removal| depends_on(plan, number, *removal));
                if !is_released {
                    return Err(collision());
                }
            }
        }
    }
    Ok(())
}

/// Checks that a replaced base station is removed once the new one is there, or in order to make place for it.
fn check_replacements(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    let mut additions: HashMap<(&NetworkRef, String), (usize, usize)> = HashMap::new();
    for (number, step) in steps(plan, ADDITION) {
        for item in step.changes() {
            let Some(station) = station(plan, item.0) else { continue };
            additions.insert((&plan.changes[item.0].network, station.label()), (number, item.0));
        }
    }
    for (number, step) in steps(plan, REMOVAL) {
        let removal = step.change();
        let change = &plan[removal];
        let Some(new) = &change.replaced_by else { continue };
        let is_safe = match additions.get(&(&change.network, new.to_string())) {
            Some((addition, item)) => {
                let is_after = step.depends_on.iter().any(|dependency| {
                    dependency.item == removal && dependency.step.0 == *addition && dependency.change.0 == *item
                });
                let makes_place = plan.steps[*addition]
                    .depends_on
                    .iter()
                    .any(|dependency| dependency.item.0 == *item && dependency.step.0 == number);
                is_after || makes_place
            }
            None => {
                let network = change.network.id().and_then(|id| live.find(id));
                let listed = network.and_then(|network| live.base_stations(network)).unwrap_or_default();
                listed.iter().any(|station| station.label() == **new)
            }
        };
        if !is_safe {
            return Err(PlanViolation::ReplacedTooEarly { step: number });
        }
    }
    Ok(())
}

/// Checks that in every execution order each addition finds a place: of the additions up to it, as many must depend on
/// removals of their network as exceed the places that are free from the start.
fn check_places(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    let mut free: HashMap<&NetworkRef, usize> = HashMap::new();
    for (number, step) in steps(plan, ADDITION) {
        let network = &plan[step.change()].network;
        let (model, listed) = match network {
            NetworkRef::Live(id) => {
                let Some(at) = live.find(id) else { continue };
                (live.network(at).known_model(), live.base_stations(at).map_or(0, <[_]>::len))
            }
            NetworkRef::Created(creation) => match &plan.changes[creation.0].after {
                Some(ResourceState::Network { model: Some(model), .. }) => (NetworkModel::parse(model), 0),
                _ => (None, 0),
            },
        };
        let Some(model) = model else { continue };
        let free = free.entry(network).or_insert_with(|| model.max_base_stations().saturating_sub(listed));
        for item in step.changes() {
            // A removal frees one place, for the one addition that depends on it.
            let is_freed = step.depends_on.iter().any(|dependency| {
                dependency.item == item
                    && plan.steps[dependency.step.0].operation() == REMOVAL
                    && plan.changes[dependency.change.0].network == *network
            });
            if !is_freed {
                *free = free.checked_sub(1).ok_or(PlanViolation::NoPlace { step: number })?;
            }
        }
    }
    Ok(())
}
