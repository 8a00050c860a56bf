//! Checks the handsets of a plan: what is changed is listed, every request is complete, a line is given up before another
//! network takes it, and no network ever has more lines than its model allows.

use std::collections::{HashMap, HashSet};

use super::holds::depends_on;
use super::violation::PlanViolation;
use crate::model::{Handset, HandsetName, LiveState, LocationId, MemberId, MemberKind, NetworkModel};
use crate::plan::model::{Change, ChangeAction, NetworkRef, Operation, Plan, ResourceKind, ResourceState, Step};

fn handset(state: &Option<ResourceState>) -> Option<&Handset> {
    match state {
        Some(ResourceState::Handset(handset)) => Some(handset),
        _ => None,
    }
}

/// Whether a request about the handset can be addressed.
pub(super) fn is_named(handset: &Handset) -> bool {
    handset.id.as_ref().is_some_and(|id| !id.as_str().trim().is_empty())
}

/// Whether a request has everything that the API requires: a valid name, a first line, and members with ids.
pub(super) fn is_complete(handset: &Handset) -> bool {
    let is_valid = handset.custom_name.as_deref().is_some_and(|name| HandsetName::new(name).is_ok());
    let has_ids = handset.lines().all(|member| member.id.is_some());
    let is_first = handset.line1.as_ref().is_some_and(|member| member.kind != MemberKind::VirtualLine);
    is_valid && has_ids && is_first
}

pub(super) fn check_handsets(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    check_listed(plan, live)?;
    check_names(plan)?;
    check_moves(plan)?;
    check_lines(plan, live)
}

/// Checks that no line is ever on handsets of two networks if one of them gives it up. No handset can be without a first line:
/// one that can only be given up after it was taken need not be waited for.
fn check_moves(plan: &Plan) -> Result<(), PlanViolation> {
    let moves = moved_lines(plan);
    // What each step waits for, or would have to.
    let mut needed: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, step) in plan.steps.iter().enumerate() {
        needed.entry(at).or_default().extend(step.depends_on.iter().map(|dependency| dependency.step.0));
    }
    for moved in &moves {
        needed.entry(moved.taker).or_default().push(moved.giver);
    }
    let leads_to = |from: usize, to: usize| {
        let (mut stack, mut seen) = (vec![from], HashSet::new());
        while let Some(at) = stack.pop() {
            if at == to {
                return true;
            }
            stack.extend(needed.get(&at).into_iter().flatten().filter(|next| seen.insert(**next)));
        }
        false
    };
    let is_safe = |moved: &&MovedLine| {
        depends_on(plan, moved.taker, moved.giver) || moved.is_first && leads_to(moved.giver, moved.taker)
    };
    match moves.iter().find(|moved| !is_safe(moved)) {
        Some(moved) => Err(PlanViolation::LineNotGivenUp { step: moved.taker }),
        None => Ok(()),
    }
}

/// A line that a step gives up in one network, and that another step takes in another one of the location.
struct MovedLine {
    giver: usize,
    taker: usize,
    /// Whether it is the first line of a handset that is updated.
    is_first: bool,
}

fn moved_lines(plan: &Plan) -> Vec<MovedLine> {
    let all_lines = |handset: Option<&Handset>| -> HashSet<MemberId> {
        handset.into_iter().flat_map(Handset::lines).filter_map(|line| line.id.clone()).collect()
    };
    let mut given: HashMap<(&LocationId, MemberId), Vec<(usize, bool)>> = HashMap::new();
    let items = || plan.steps.iter().enumerate().flat_map(|(at, step)| step.items.iter().map(move |item| (at, item)));
    for (at, item) in items() {
        let change = &plan[item.change];
        let (from, to) = (handset(&item.from), handset(&item.to));
        let first = from.filter(|_| to.is_some()).and_then(|from| from.line1.as_ref()?.id.clone());
        let with_network = change.contents.iter().filter(|_| item.to.is_none()).flat_map(|state| match state {
            ResourceState::Handset(handset) => all_lines(Some(handset)),
            _ => HashSet::new(),
        });
        for line in all_lines(from).difference(&all_lines(to)).cloned().chain(with_network) {
            let is_first = first.as_ref() == Some(&line);
            given.entry((&change.location.id, line)).or_default().push((at, is_first));
        }
    }
    let mut moved = Vec::new();
    for (taker, item) in items() {
        let change = &plan[item.change];
        for line in all_lines(handset(&item.to)).difference(&all_lines(handset(&item.from))) {
            let givers = given.get(&(&change.location.id, line.clone())).into_iter().flatten();
            let elsewhere = givers.filter(|(giver, _)| plan[plan.steps[*giver].change()].network != change.network);
            moved.extend(elsewhere.map(|(giver, is_first)| MovedLine { giver: *giver, taker, is_first: *is_first }));
        }
    }
    moved
}

/// Checks that what is updated or removed is listed as it is before, and that no handset has two changes.
fn check_listed(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    let mut seen = HashSet::new();
    for (at, change) in plan.changes.iter().enumerate() {
        let Some(before) = handset(&change.before) else { continue };
        let network = change.network.id().and_then(|id| live.find(id));
        let listed = network.and_then(|network| live.handsets(network)).unwrap_or_default();
        let same = listed.iter().find(|other| other.id == before.id);
        if !same.is_some_and(|same| same.is_equivalent(before)) || !seen.insert(&before.id) {
            return Err(PlanViolation::DeviceMismatch { change: at });
        }
    }
    Ok(())
}

/// Checks that no name occurs twice in a request, since results are told apart by it.
fn check_names(plan: &Plan) -> Result<(), PlanViolation> {
    let is_addition = |step: &Step| step.operation() == Operation::new(ResourceKind::Handset, ChangeAction::Create);
    for (number, step) in plan.steps.iter().enumerate().filter(|(_, step)| is_addition(step)) {
        let names = step.items.iter().map(|item| handset(&item.to).and_then(|handset| handset.custom_name.as_deref()));
        if names.collect::<HashSet<_>>().len() < step.items.len() {
            return Err(PlanViolation::WrongOperation { step: number });
        }
    }
    Ok(())
}

/// Checks the number of lines after every request, in the order of the plan, which is that of the requests of a network.
fn check_lines(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    let mut lines: HashMap<&NetworkRef, (usize, usize)> = HashMap::new();
    let is_about_handsets = |step: &Step| step.operation().kind == ResourceKind::Handset;
    let count = |handset: Option<&Handset>| handset.map_or(0, |handset| handset.lines().count());
    for (number, step) in plan.steps.iter().enumerate().filter(|(_, step)| is_about_handsets(step)) {
        for item in &step.items {
            let change: &Change = &plan[item.change];
            let (model, listed) = match &change.network {
                NetworkRef::Live(id) => {
                    let Some(at) = live.find(id) else { continue };
                    let listed = live.handsets(at).unwrap_or_default().iter().map(|handset| handset.lines().count());
                    (live.network(at).known_model(), listed.sum())
                }
                NetworkRef::Created(creation) => match &plan.changes[creation.0].after {
                    Some(ResourceState::Network { model: Some(model), .. }) => (NetworkModel::parse(model), 0),
                    _ => (None, 0),
                },
            };
            let Some(model) = model else { continue };
            let (now, listed) = lines.entry(&change.network).or_insert((listed, listed));
            *now = (*now + count(handset(&item.to))).saturating_sub(count(handset(&item.from)));
            // A network that has too many already may keep them.
            if *now > model.max_lines().max(*listed) {
                return Err(PlanViolation::TooManyLines { step: number });
            }
        }
    }
    Ok(())
}
