//! Splits a plan by location. Steps never depend on another location, so every part is a valid plan.

use std::collections::{HashMap, HashSet};

use super::model::{Plan, Step};
use crate::model::LocationId;

/// Returns the part of a plan for these locations.
pub fn restrict_to_locations(plan: &Plan, locations: &[LocationId]) -> Plan {
    let locations: HashSet<&LocationId> = locations.iter().collect();
    let has = |location: &LocationId| locations.contains(location);
    let mut subset = Plan { changes: Vec::new(), steps: Vec::new(), unchanged_networks: Vec::new(), ..plan.clone() };
    let mut change_at = HashMap::new();
    for (at, change) in plan.changes.iter().enumerate().filter(|(_, change)| has(&change.location.id)) {
        change_at.insert(at, subset.changes.len());
        subset.changes.push(change.clone());
    }
    let mut step_at = HashMap::new();
    for (at, step) in plan.steps.iter().enumerate() {
        if let Some(change) = change_at.get(&step.change) {
            step_at.insert(at, subset.steps.len());
            let depends_on = step.depends_on.iter().filter_map(|earlier| step_at.get(earlier)).copied().collect();
            subset.steps.push(Step { change: *change, depends_on, ..step.clone() });
        }
    }
    subset.unchanged_networks =
        plan.unchanged_networks.iter().filter(|unchanged| has(&unchanged.location)).cloned().collect();
    subset
}
