//! Splits a plan by location. Steps never depend on another location, so every part is a valid plan.

use std::collections::{HashMap, HashSet};

use super::model::{Change, ChangeIndex, Dependency, NetworkRef, Plan, Step, StepIndex, StepItem};
use crate::model::{LocationId, NetworkId};

/// Returns the part of a plan for these locations.
pub fn restrict_to_locations(plan: &Plan, locations: &[LocationId]) -> Plan {
    let locations: HashSet<&LocationId> = locations.iter().collect();
    let has = |location: &LocationId| locations.contains(location);
    let kept = plan.indexed_changes().filter(|(_, change)| has(&change.location.id));
    let mut kept = Renumbering::of(kept.map(|(at, _)| at));
    let mut subset = plan.without_content();
    let mut networks: HashSet<&NetworkId> = HashSet::new();
    for change in plan.changes.iter().filter(|change| has(&change.location.id)) {
        networks.extend(change.network.id());
        let network = match &change.network {
            // A device is in the location of its network, so the creation is kept.
            NetworkRef::Created(creation) => NetworkRef::Created(kept.change(*creation).unwrap_or(*creation)),
            live => live.clone(),
        };
        subset.changes.push(Change { network, ..change.clone() });
    }
    for (at, step) in plan.indexed_steps() {
        let Some(step) = kept.step(step) else { continue };
        kept.keep_step(at, StepIndex(subset.steps.len()));
        subset.steps.push(step);
    }
    subset.unchanged_networks =
        plan.unchanged_networks.iter().filter(|unchanged| has(&unchanged.location)).cloned().collect();
    subset.devices = plan.devices.iter().filter(|devices| networks.contains(&devices.network)).cloned().collect();
    subset
}

/// Where the changes and steps of a plan are in a part of it.
pub(super) struct Renumbering {
    changes: HashMap<ChangeIndex, ChangeIndex>,
    steps: HashMap<StepIndex, StepIndex>,
}

impl Renumbering {
    /// Keeps these changes, in this order, and no step yet.
    pub(super) fn of(kept: impl Iterator<Item = ChangeIndex>) -> Self {
        let changes = kept.enumerate().map(|(new, old)| (old, ChangeIndex(new))).collect();
        Self { changes, steps: HashMap::new() }
    }

    pub(super) fn change(&self, old: ChangeIndex) -> Option<ChangeIndex> {
        self.changes.get(&old).copied()
    }

    /// A step with those of its items and dependencies that are kept; `None` if no item is.
    pub(super) fn step(&self, step: &Step) -> Option<Step> {
        let kept = |item: &StepItem| Some(StepItem { change: self.change(item.change)?, ..item.clone() });
        let items: Vec<StepItem> = step.items.iter().filter_map(kept).collect();
        let depends_on = step.depends_on.iter().filter_map(|dependency| {
            Some(Dependency {
                item: self.change(dependency.item)?,
                step: *self.steps.get(&dependency.step)?,
                change: self.change(dependency.change)?,
            })
        });
        let depends_on = depends_on.collect();
        (!items.is_empty()).then_some(Step { items, depends_on })
    }

    pub(super) fn keep_step(&mut self, old: StepIndex, new: StepIndex) {
        self.steps.insert(old, new);
    }
}
