//! Splits a plan by location. Steps never depend on another location, so every part is a valid plan.

use std::collections::{HashMap, HashSet};

use super::model::{Change, ChangeIndex, Dependency, NetworkRef, Plan, Step, StepIndex};
use crate::model::{LocationId, NetworkId};

/// Returns the part of a plan for these locations.
pub fn restrict_to_locations(plan: &Plan, locations: &[LocationId]) -> Plan {
    let locations: HashSet<&LocationId> = locations.iter().collect();
    let has = |location: &LocationId| locations.contains(location);
    let empty = Plan { changes: Vec::new(), steps: Vec::new(), unchanged_networks: Vec::new(), ..plan.clone() };
    let mut subset = Plan { devices: Vec::new(), ..empty };
    let mut change_at: HashMap<ChangeIndex, ChangeIndex> = HashMap::new();
    for (new, (old, _)) in plan.indexed_changes().filter(|(_, change)| has(&change.location.id)).enumerate() {
        change_at.insert(old, ChangeIndex(new));
    }
    let mut networks: HashSet<&NetworkId> = HashSet::new();
    for (_, change) in plan.indexed_changes().filter(|(at, _)| change_at.contains_key(at)) {
        networks.extend(change.network.id());
        let network = match &change.network {
            // A device is in the location of its network.
            NetworkRef::Created(creation) => NetworkRef::Created(change_at[creation]),
            live => live.clone(),
        };
        subset.changes.push(Change { network, ..change.clone() });
    }
    let mut step_at: HashMap<StepIndex, StepIndex> = HashMap::new();
    for (at, step) in plan.indexed_steps() {
        let items: Vec<ChangeIndex> = step.items.iter().filter_map(|item| change_at.get(item)).copied().collect();
        if items.is_empty() {
            continue;
        }
        step_at.insert(at, StepIndex(subset.steps.len()));
        let depends_on = step.depends_on.iter().filter_map(|dependency| {
            Some(Dependency {
                item: *change_at.get(&dependency.item)?,
                step: *step_at.get(&dependency.step)?,
                change: *change_at.get(&dependency.change)?,
            })
        });
        let depends_on = depends_on.collect();
        subset.steps.push(Step { items, depends_on, ..step.clone() });
    }
    subset.unchanged_networks =
        plan.unchanged_networks.iter().filter(|unchanged| has(&unchanged.location)).cloned().collect();
    subset.devices = plan.devices.iter().filter(|devices| networks.contains(&devices.network)).cloned().collect();
    subset
}
