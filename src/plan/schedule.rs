//! Orders the steps of a location so that no two networks ever share a name or code.
//!
//! Topological sort of the dependency graph. Cycles are broken by temporary renames; `feedback_vertex_set` finds the
//! smallest number of them.

use std::collections::HashMap;

use super::dependencies::Dependencies;
use super::feedback_vertex_set::{self, FeedbackVertexSet};
use super::interim::{InterimNeed, InterimStates};
use crate::diagnostic::Diagnostics;
use crate::model::{LiveState, LocationIndex, Setting, Settings};
use crate::resources::network::compare::NetworkChange;

/// One request to a network of the location.
#[derive(Debug)]
pub(super) struct ScheduledStep {
    pub(super) of: usize,
    /// The temporary settings, if this is not the final step.
    pub(super) interim: Option<Settings>,
    /// Indexes of the steps that must be acknowledged first.
    pub(super) depends_on: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) steps: Vec<ScheduledStep>,
    /// Whether the number of steps is proven minimal.
    pub(super) is_minimal: bool,
}

/// Orders the moves of a location: breaks every cycle of the dependency graph with a minimum feedback vertex set, then
/// emits the steps in depth-first topological order. Reports and returns `None` if a temporary value is not available.
pub(super) fn schedule(
    location: LocationIndex,
    changes: &[NetworkChange<'_>],
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) -> Option<Schedule> {
    let dependencies = Dependencies::of(changes);
    let FeedbackVertexSet { nodes, is_minimal } =
        feedback_vertex_set::smallest(&dependencies.targets(), feedback_vertex_set::BUDGET);
    let interim_needs = settings_to_release(&dependencies, &nodes);
    let interim_states = InterimStates::choose(location, changes, &dependencies, &interim_needs, live, diagnostics)?;
    Some(Schedule { steps: Scheduler::new(&dependencies, interim_states).run(changes), is_minimal })
}

/// Determines which settings of the chosen networks must become temporary.
///
/// A value can be kept until the final step unless a network that this one depends on needs it.
fn settings_to_release(dependencies: &Dependencies, chosen: &[usize]) -> Vec<InterimNeed> {
    let mut waiters: HashMap<(usize, Setting), Vec<usize>> = HashMap::new();
    for (from, targets) in dependencies.0.iter().enumerate() {
        for (holder, setting) in targets {
            waiters.entry((*holder, *setting)).or_default().push(from);
        }
    }
    let mut need = vec![false; dependencies.0.len()];
    chosen.iter().for_each(|of| need[*of] = true);
    let mut kept: Vec<Vec<usize>> = dependencies
        .0
        .iter()
        .map(|targets| targets.iter().map(|(holder, _)| *holder).filter(|holder| !need[*holder]).collect())
        .collect();
    let mut interim_needs = Vec::new();
    for &of in chosen {
        let mut settings = Vec::new();
        for setting in [Setting::Name, Setting::Code] {
            let Some(waiters) = waiters.get(&(of, setting)) else { continue };
            if reaches(&kept, of, waiters) {
                settings.push(setting);
            } else {
                waiters.iter().for_each(|waiter| kept[*waiter].push(of));
            }
        }
        if !settings.is_empty() {
            interim_needs.push(InterimNeed { of, settings });
        }
    }
    interim_needs
}

fn reaches(edges: &[Vec<usize>], from: usize, targets: &[usize]) -> bool {
    let mut seen = vec![false; edges.len()];
    let mut stack = vec![from];
    while let Some(at) = stack.pop() {
        if targets.contains(&at) {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            stack.extend(edges[at].iter().filter(|to| !seen[**to]));
        }
    }
    false
}

/// A step that is not scheduled yet: interim or final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PendingStep {
    Interim,
    Final,
}

struct Scheduler<'a> {
    dependencies: &'a Dependencies,
    interim_states: InterimStates,
    place: HashMap<(usize, bool), usize>,
    steps: Vec<ScheduledStep>,
}

impl<'a> Scheduler<'a> {
    fn new(dependencies: &'a Dependencies, interim_states: InterimStates) -> Self {
        Self { dependencies, interim_states, place: HashMap::new(), steps: Vec::new() }
    }

    /// Emits every final step after its dependencies. Temporary renames are resolved as early as possible. A deletion is
    /// emitted only where another step needs what it frees; the others come last in their location.
    fn run(mut self, changes: &[NetworkChange<'_>]) -> Vec<ScheduledStep> {
        for of in (0..changes.len()).filter(|of| !changes[*of].is_deletion()) {
            let mut first_new = self.steps.len();
            self.emit(of, PendingStep::Final);
            while first_new < self.steps.len() {
                let step = &self.steps[first_new];
                if step.interim.is_some() {
                    self.emit(step.of, PendingStep::Final);
                }
                first_new += 1;
            }
        }
        self.steps
    }

    fn emit(&mut self, of: usize, kind: PendingStep) {
        let mut stack = vec![((of, kind), false)];
        while let Some(((of, kind), prerequisites_met)) = stack.pop() {
            if self.place.contains_key(&(of, kind == PendingStep::Final)) {
                continue;
            }
            let prerequisites = self.prerequisites(of, kind);
            if prerequisites_met {
                let mut depends_on: Vec<usize> = prerequisites
                    .iter()
                    .filter_map(|(of, kind)| self.place.get(&(*of, *kind == PendingStep::Final)))
                    .copied()
                    .collect();
                depends_on.sort_unstable();
                depends_on.dedup();
                let interim =
                    if kind == PendingStep::Interim { self.interim_states.settings(of).cloned() } else { None };
                self.place.insert((of, kind == PendingStep::Final), self.steps.len());
                self.steps.push(ScheduledStep { of, interim, depends_on });
            } else {
                stack.push(((of, kind), true));
                stack.extend(prerequisites.into_iter().rev().map(|need| (need, false)));
            }
        }
    }

    fn prerequisites(&self, of: usize, kind: PendingStep) -> Vec<(usize, PendingStep)> {
        if kind == PendingStep::Interim {
            return Vec::new();
        }
        let own = self.interim_states.settings(of).map(|_| (of, PendingStep::Interim));
        let releases = self.dependencies.0[of].iter().map(|(holder, setting)| {
            let early = self.interim_states.releases(*holder, *setting);
            (*holder, if early { PendingStep::Interim } else { PendingStep::Final })
        });
        own.into_iter().chain(releases).collect()
    }
}
