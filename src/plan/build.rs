//! The public story: from wishes and the live state to a plan, or to everything that stands in its way.

use std::collections::HashSet;

use super::compare::{Move, compare};
use super::conflicts;
use super::identity::identify;
use super::narrow::{Scope, narrow};
use super::order::{Order, order};
use super::plan::{Because, Change, Counts, Neighbour, Plan, Step, StepKind, Warning, Where};
use crate::desired::model::{Desired, Origin};
use crate::diagnostic::{Diagnostic, Diagnostics, Sources};
use crate::model::{LiveState, LocationIndex, NetworkIndex};

/// Plans the way from `live` to `desired`.
///
/// # Errors
/// All findings, if one of them is an error: entries whose network is not clear, wanted names and codes that are
/// kept by others, requests that could not be sent. Mere warnings are part of the plan.
pub fn build(desired: &Desired, live: &LiveState, sources: &Sources) -> Result<Plan, Diagnostics> {
    build_within(&Scope::default(), desired, live, sources)
}

/// The same, narrowed to a scope.
///
/// # Errors
/// As [`build`]; also where the scope cuts a chain.
pub fn build_within(
    scope: &Scope,
    desired: &Desired,
    live: &LiveState,
    sources: &Sources,
) -> Result<Plan, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut plan = Plan {
        counts: Counts {
            locations: live.locations().len(),
            networks: live.len(),
            unchanged: 0,
            unmanaged: live.len(),
            left_out: 0,
        },
        minimal: true,
        ..Plan::default()
    };
    let mut located: Vec<(LocationIndex, Vec<Move<'_>>)> = Vec::new();
    for managed in identify(desired, live, &mut diagnostics) {
        let (moves, unchanged) = compare(&managed, live, &mut diagnostics);
        plan.counts.unmanaged -= managed.networks.len();
        plan.counts.unchanged += unchanged;
        if managed.complete {
            conflicts::find(managed.location, &moves, live, &mut diagnostics);
        }
        let (moves, left_out) = narrow(managed.location, moves, scope, live, &mut diagnostics);
        plan.counts.left_out += left_out;
        if !moves.is_empty() {
            located.push((managed.location, moves));
        }
    }
    if diagnostics.has_errors() {
        diagnostics.sort();
        return Err(diagnostics);
    }
    for (location, moves) in located {
        if let Some(order) = order(location, &moves, live, &mut diagnostics) {
            add(&mut plan, location, moves, order, live, sources);
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    plan.warnings = diagnostics.iter().map(|diagnostic| warning(diagnostic, sources)).collect();
    Ok(plan)
}

/// The networks that entries speak of, as far as that is clear.
pub fn spoken_for(desired: &Desired, live: &LiveState) -> HashSet<NetworkIndex> {
    let managed = identify(desired, live, &mut Diagnostics::new());
    managed.into_iter().flat_map(|managed| managed.networks).map(|(network, _)| network).collect()
}

fn add(
    plan: &mut Plan,
    location: LocationIndex,
    moves: Vec<Move<'_>>,
    order: Order,
    live: &LiveState,
    sources: &Sources,
) {
    let (first_change, first_step) = (plan.changes.len(), plan.steps.len());
    let place = Where { id: live.location(location).id.clone(), name: live.location(location).name.clone() };
    plan.minimal &= order.minimal;

    let mut untouched = moves.iter().map(|change| change.network).peekable();
    for (at, network) in live.networks_of(location) {
        if untouched.next_if_eq(&at).is_none() {
            plan.neighbours.push(Neighbour {
                location: place.id.clone(),
                network: network.id.clone(),
                settings: network.settings.clone(),
            });
        }
    }
    let mut stands_at: Vec<_> = moves.iter().map(|change| live.network(change.network).settings.clone()).collect();
    for step in order.steps {
        let kind = if step.interim.is_some() { StepKind::Interim } else { StepKind::Final };
        let settings = step.interim.unwrap_or_else(|| moves[step.of].after.clone());
        let set =
            stands_at[step.of].diff(&settings).iter().filter(|setting| moves[step.of].changed.has(*setting)).collect();
        stands_at[step.of] = settings.clone();
        plan.steps.push(Step {
            change: first_change + step.of,
            kind,
            settings,
            set,
            after: step.after.into_iter().map(|at| first_step + at).collect(),
        });
    }
    plan.changes.extend(moves.into_iter().map(|change| Change {
        location: place.clone(),
        network: live.network(change.network).id.clone(),
        before: live.network(change.network).settings.clone(),
        after: change.after,
        changed: change.changed,
        because: because(&change.entry.origin, sources),
    }));
}

fn because(origin: &Origin, sources: &Sources) -> Because {
    match origin {
        Origin::File(span) => {
            let place = sources.resolve(*span);
            Because::File { file: place.file, line: place.line }
        }
        Origin::Rule { label, .. } => Because::Rule { rule: label.clone() },
    }
}

/// A warning as a plan keeps it.
pub fn warning(diagnostic: &Diagnostic, sources: &Sources) -> Warning {
    let place = diagnostic.span.map(|span| sources.resolve(span));
    Warning {
        code: diagnostic.code.as_str().into(),
        message: diagnostic.message.as_str().into(),
        file: place.as_ref().map(|place| place.file.clone()),
        line: place.map(|place| place.line),
    }
}
