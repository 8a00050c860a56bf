//! Groups of steps: what depends on each other or is about one network. Groups of a location run side by side.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::model::{Handset, LocationId, MemberId};
use crate::plan::model::{
    Change, ChangeIndex, NetworkRef, Plan, ResourceKind, ResourceState, StepIndex, StepKind, is_spaced,
};

/// Steps that one worker sends, in the order of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) location: LocationId,
    pub(super) steps: Vec<StepIndex>,
    /// How long it takes at least, as an estimate by which groups are ordered.
    pub(super) time: Duration,
    /// Whether a network has interim settings on the way.
    pub(super) has_interim: bool,
    /// Whether it deletes and does nothing else.
    pub(super) is_late: bool,
}

/// What a write takes, as long as nothing is known.
const ESTIMATED_LATENCY: Duration = Duration::from_millis(500);

/// The steps that delete something that nothing depends on, and what must follow them: they are the last ones in their location.
pub(super) fn late_steps(plan: &Plan) -> HashSet<StepIndex> {
    let needed: HashSet<StepIndex> =
        plan.steps.iter().flat_map(|step| &step.depends_on).map(|dependency| dependency.step).collect();
    let is_late = |at: &StepIndex| plan[*at].operation().makes_place() && !needed.contains(at);
    let mut late: HashSet<StepIndex> = plan.indexed_steps().map(|(at, _)| at).filter(is_late).collect();
    // What can reboot a network comes after all else of it.
    let networks: HashSet<&NetworkRef> = late.iter().map(|at| &plan[plan[*at].change()].network).collect();
    let reboots = plan.indexed_steps().filter(|(_, step)| plan[step.change()].can_reboot());
    let after_late = reboots.filter(|(_, step)| networks.contains(&plan[step.change()].network));
    let after_late: Vec<StepIndex> = after_late.map(|(at, _)| at).collect();
    late.extend(after_late);
    late
}

/// Union-find over steps, with path halving. A set is named by its first step.
struct Sets(Vec<usize>);

impl Sets {
    fn find(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.find(one), self.find(other));
        self.0[one.max(other)] = one.min(other);
    }
}

/// What only one group may write about.
#[derive(PartialEq, Eq, Hash)]
enum Subject<'a> {
    Network(&'a NetworkRef),
    Created(ChangeIndex),
    /// A member whose line one network gives up and another one takes: the order of the plan is right.
    Member(&'a MemberId),
    /// What is more than a part of its network: a base station by its address, a handset by its id.
    Thing(ResourceKind, Cow<'a, str>),
}

/// The groups of a plan, in the order of their first steps.
pub(super) fn groups(plan: &Plan, late: &HashSet<StepIndex>) -> Vec<Group> {
    let mut sets = Sets((0..plan.steps.len()).collect());
    let given = given_lines(plan);
    // Nothing depends on what is in another location.
    let mut about: HashMap<(&LocationId, Subject<'_>), usize> = HashMap::new();
    for (at, step) in plan.indexed_steps() {
        for dependency in &step.depends_on {
            sets.join(at.0, dependency.step.0);
        }
        for item in step.changes() {
            for subject in subjects(plan, item, &given) {
                let other = *about.entry((&plan[item].location.id, subject)).or_insert(at.0);
                sets.join(at.0, other);
            }
        }
    }
    let mut place: HashMap<usize, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut spaced: Vec<HashMap<&NetworkRef, u32>> = Vec::new();
    for (at, step) in plan.indexed_steps() {
        let change = &plan[step.change()];
        let place = *place.entry(sets.find(at.0)).or_insert_with(|| {
            groups.push(Group {
                location: change.location.id.clone(),
                steps: Vec::new(),
                time: Duration::ZERO,
                has_interim: false,
                is_late: true,
            });
            spaced.push(HashMap::new());
            groups.len() - 1
        });
        let group = &mut groups[place];
        group.steps.push(at);
        group.time += ESTIMATED_LATENCY;
        let is_network = step.operation().kind == ResourceKind::Network;
        group.has_interim |= is_network && plan.step_kind(step) == StepKind::Interim;
        group.is_late &= late.contains(&at);
        if is_spaced(&step.items) {
            *spaced[place].entry(&change.network).or_default() += 1;
        }
    }
    for (group, spaced) in groups.iter_mut().zip(spaced) {
        let most = spaced.into_values().max().unwrap_or_default();
        group.time += plan.handset_interval * most.saturating_sub(1);
    }
    groups
}

fn lines(handset: Option<&Handset>) -> HashSet<&MemberId> {
    handset.into_iter().flat_map(Handset::member_ids).collect()
}

/// The members whose lines a handset gives up. What several only take, such as a virtual line, joins nothing.
fn given_lines(plan: &Plan) -> HashSet<&MemberId> {
    plan.changes.iter().flat_map(given).collect()
}

fn given(change: &Change) -> impl Iterator<Item = &MemberId> {
    let kept = lines(change.handset_after());
    let before = change.handset_before().into_iter().flat_map(Handset::member_ids);
    let gone = change.contents.iter().filter_map(ResourceState::handset).flat_map(Handset::member_ids);
    before.filter(move |line| !kept.contains(line)).chain(gone)
}

fn subjects<'a>(plan: &'a Plan, item: ChangeIndex, given: &HashSet<&MemberId>) -> Vec<Subject<'a>> {
    let change = &plan[item];
    // The creation of a network is about what it creates.
    let mut subjects = vec![Subject::Created(item)];
    subjects.push(match &change.network {
        NetworkRef::Created(creation) => Subject::Created(*creation),
        live @ NetworkRef::Live(_) => Subject::Network(live),
    });
    let (before, after) = (lines(change.handset_before()), lines(change.handset_after()));
    let moved = before.symmetric_difference(&after).filter(|line| given.contains(*line));
    subjects.extend(moved.copied().map(Subject::Member));
    for state in change.before.iter().chain(&change.after).chain(&change.contents) {
        subjects.extend(state.identity().map(|identity| Subject::Thing(state.kind(), identity)));
    }
    let gone = change.contents.iter().filter_map(ResourceState::handset);
    subjects.extend(gone.flat_map(Handset::member_ids).map(Subject::Member));
    let replacement = change.replaced_by.as_deref();
    subjects.extend(replacement.map(|address| Subject::Thing(ResourceKind::BaseStation, address.into())));
    subjects
}
