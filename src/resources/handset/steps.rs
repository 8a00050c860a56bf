//! The requests about handsets of a location: in the order of their lines, as few as possible.

use std::collections::{HashMap, HashSet};

use super::lines::{Giver, HandsetChange, LineOrder, Part};
use crate::diagnostic::Diagnostics;
use crate::model::{Handset, nfc};
use crate::plan::MAX_BATCH;
use crate::plan::location_planner::{DeviceChange, DeviceChanges, LocationPlanner};
use crate::plan::model::{ChangeAction, ChangeIndex, Dependency, ResourceKind, ResourceState, StepIndex, StepItem};

/// The changes of a location: per network the removals, the updates and the additions.
pub(crate) struct HandsetChanges {
    pub(crate) changes: Vec<HandsetChange>,
    /// Listed handsets that no file names.
    pub(crate) unmanaged: usize,
}

impl DeviceChanges for HandsetChanges {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Handset
    }

    fn unmanaged(&self) -> usize {
        self.unmanaged
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    fn changes(&self) -> Vec<DeviceChange> {
        let changes = self.changes.iter().map(|change| {
            let state = |handset: &Option<Handset>| handset.clone().map(ResourceState::from);
            let (before, after) = (state(&change.before), state(&change.after));
            DeviceChange { owner: change.owner, before, after, span: change.span, replaced_by: None }
        });
        changes.collect()
    }

    fn add_steps(&self, first: ChangeIndex, planner: &mut LocationPlanner<'_, '_>, diagnostics: &mut Diagnostics) {
        let held = planner.deleted_networks().filter_map(|(at, devices)| Some((at, devices.handsets.as_deref()?)));
        let order = LineOrder::of(&self.changes, &held.collect::<Vec<_>>());
        order.warn(&self.changes, diagnostics);
        planner.is_minimal_only_if(order.is_minimal());
        // What goes in one request if it fits.
        let key = |part: &Part| {
            let change = &self.changes[part.change()];
            match part {
                Part::Whole(_) if change.action() != ChangeAction::Update => (Ok(change.owner), change.action()),
                Part::Whole(_) | Part::Interim(_) => (Err(*part), change.action()),
            }
        };
        let mut steps = HandsetSteps { changes: &self.changes, first, order: &order, done: HashMap::new() };
        for same in order.parts.chunk_by(|one, other| key(one) == key(other)) {
            let names: Vec<Option<String>> = same.iter().map(|part| added_name(&self.changes[part.change()])).collect();
            for batch in batches(&names, MAX_BATCH) {
                steps.add(batch.into_iter().map(|at| same[at]).collect(), planner);
            }
        }
    }
}

struct HandsetSteps<'a> {
    changes: &'a [HandsetChange],
    first: ChangeIndex,
    order: &'a LineOrder,
    /// The step of each request that has one.
    done: HashMap<Part, StepIndex>,
}

impl HandsetSteps<'_> {
    const fn index(&self, at: usize) -> ChangeIndex {
        ChangeIndex(self.first.0 + at)
    }

    fn add(&mut self, parts: Vec<Part>, planner: &mut LocationPlanner<'_, '_>) {
        let depends_on = parts.iter().flat_map(|part| self.dependencies(*part, planner)).collect();
        // A deletion that one of them waits for has become a step by now.
        let at = planner.next_step();
        self.done.extend(parts.iter().map(|part| (*part, at)));
        let items = parts.into_iter().map(|part| self.item(part, planner)).collect();
        planner.push_step(items, depends_on);
    }

    /// A request about a handset as an item of a step.
    fn item(&self, part: Part, planner: &LocationPlanner<'_, '_>) -> StepItem {
        let at = part.change();
        let mut item = planner.whole(self.index(at));
        let half = self.order.interim(at, &self.changes[at]).map(ResourceState::from);
        match part {
            Part::Interim(_) => item.to = half,
            Part::Whole(_) => item.from = half.or(item.from),
        }
        item
    }

    /// What must be done before a request about a handset: the creation of its network, its interim step, and whatever has a
    /// line that it takes.
    fn dependencies(&self, part: Part, planner: &mut LocationPlanner<'_, '_>) -> Vec<Dependency> {
        let at = part.change();
        let item = self.index(at);
        let on = |change: ChangeIndex, step: Option<&StepIndex>| Some(Dependency { item, step: *step?, change });
        let mut needed = vec![planner.needs_owner(item, self.changes[at].owner)];
        if let Part::Whole(_) = part {
            needed.push(on(item, self.done.get(&Part::Interim(at))));
        }
        for giver in self.order.givers(part) {
            needed.push(match giver {
                Giver::Handset(other) => on(self.index(other.change()), self.done.get(&other)),
                Giver::Network(network) => planner.needs_network(item, network),
            });
        }
        needed.into_iter().flatten().collect()
    }
}

/// What the results of additions are told apart by.
fn added_name(change: &HandsetChange) -> Option<String> {
    let name = change.after.as_ref()?.custom_name.as_deref()?;
    (change.action() == ChangeAction::Create).then(|| nfc(name))
}

/// Splits changes of one network into requests: at most `max` of them, and each name once in a request.
fn batches(names: &[Option<String>], max: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<(Vec<usize>, HashSet<&str>)> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let fits = |(items, used): &&mut (Vec<usize>, HashSet<&str>)| {
            items.len() < max && name.as_deref().is_none_or(|name| !used.contains(name))
        };
        match batches.iter_mut().find(fits) {
            Some((items, used)) => {
                items.push(at);
                used.extend(name.as_deref());
            }
            None => batches.push((vec![at], name.as_deref().into_iter().collect())),
        }
    }
    batches.into_iter().map(|(items, _)| items).collect()
}
