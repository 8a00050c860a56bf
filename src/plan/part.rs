//! Some locations of a plan. Steps never wait for another location, so every part is a plan of its own.

use std::collections::{HashMap, HashSet};

use super::plan::{Plan, Step};
use crate::model::LocationId;

/// The part of a plan that is about these locations.
pub fn part(plan: &Plan, locations: &[LocationId]) -> Plan {
    let locations: HashSet<&LocationId> = locations.iter().collect();
    let has = |location: &LocationId| locations.contains(location);
    let mut part = Plan { changes: Vec::new(), steps: Vec::new(), neighbours: Vec::new(), ..plan.clone() };
    let mut change_at = HashMap::new();
    for (at, change) in plan.changes.iter().enumerate().filter(|(_, change)| has(&change.location.id)) {
        change_at.insert(at, part.changes.len());
        part.changes.push(change.clone());
    }
    let mut step_at = HashMap::new();
    for (at, step) in plan.steps.iter().enumerate() {
        if let Some(change) = change_at.get(&step.change) {
            step_at.insert(at, part.steps.len());
            let after = step.after.iter().filter_map(|after| step_at.get(after)).copied().collect();
            part.steps.push(Step { change: *change, after, ..step.clone() });
        }
    }
    part.neighbours = plan.neighbours.iter().filter(|neighbour| has(&neighbour.location)).cloned().collect();
    part
}
