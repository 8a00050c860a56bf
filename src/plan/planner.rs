//! Entry point of the planner: computes a plan, or reports everything that prevents one.

use std::collections::HashSet;

use super::compare::{NetworkChange, compare};
use super::conflicts;
use super::matching::match_entries;
use super::model::{Change, ChangeSource, Counts, LocationRef, Plan, Step, StepKind, UnchangedNetwork, Warning};
use super::schedule::{Schedule, schedule};
use super::scope::{Scope, apply_scope};
use crate::desired::model::{Desired, Origin};
use crate::diagnostic::{Diagnostic, Diagnostics, Sources};
use crate::model::{LiveState, LocationIndex, NetworkIndex};

/// Plans the changes from `live` to `desired`.
///
/// # Errors
/// All diagnostics, if one of them is an error: ambiguous or unknown networks, names and codes that are already used,
/// updates that lack a required setting. Warnings alone become part of the plan.
pub fn build(desired: &Desired, live: &LiveState, sources: &Sources) -> Result<Plan, Diagnostics> {
    build_scoped(&Scope::default(), desired, live, sources)
}

/// Like [`build`], limited to a scope.
///
/// # Errors
/// As [`build`]; also if a change depends on one that is out of scope.
pub fn build_scoped(
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
            out_of_scope: 0,
        },
        is_minimal: true,
        ..Plan::default()
    };
    let mut located: Vec<(LocationIndex, Vec<NetworkChange<'_>>)> = Vec::new();
    for managed in match_entries(desired, live, &mut diagnostics) {
        let (changes, unchanged) = compare(&managed, live, &mut diagnostics);
        plan.counts.unmanaged -= managed.networks.len();
        plan.counts.unchanged += unchanged;
        if managed.complete {
            conflicts::find(managed.location, &changes, live, &mut diagnostics);
        }
        let (changes, out_of_scope) = apply_scope(managed.location, changes, scope, live, &mut diagnostics);
        plan.counts.out_of_scope += out_of_scope;
        if !changes.is_empty() {
            located.push((managed.location, changes));
        }
    }
    if diagnostics.has_errors() {
        diagnostics.sort();
        return Err(diagnostics);
    }
    for (location, changes) in located {
        if let Some(schedule) = schedule(location, &changes, live, &mut diagnostics) {
            add(&mut plan, location, changes, schedule, live, sources);
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    plan.warnings = diagnostics.iter().map(|diagnostic| warning(diagnostic, sources)).collect();
    Ok(plan)
}

/// The managed networks, as far as entries could be matched.
pub fn managed_networks(desired: &Desired, live: &LiveState) -> HashSet<NetworkIndex> {
    let managed = match_entries(desired, live, &mut Diagnostics::new());
    managed.into_iter().flat_map(|managed| managed.networks).map(|(network, _)| network).collect()
}

fn add(
    plan: &mut Plan,
    location: LocationIndex,
    changes: Vec<NetworkChange<'_>>,
    schedule: Schedule,
    live: &LiveState,
    sources: &Sources,
) {
    let (first_change, first_step) = (plan.changes.len(), plan.steps.len());
    let place = LocationRef { id: live.location(location).id.clone(), name: live.location(location).name.clone() };
    plan.is_minimal &= schedule.is_minimal;

    let mut untouched = changes.iter().map(|change| change.network).peekable();
    for (at, network) in live.networks_of(location) {
        if untouched.next_if_eq(&at).is_none() {
            plan.unchanged_networks.push(UnchangedNetwork {
                location: place.id.clone(),
                network: network.id.clone(),
                settings: network.settings.clone(),
            });
        }
    }
    let mut current_settings: Vec<_> =
        changes.iter().map(|change| live.network(change.network).settings.clone()).collect();
    for step in schedule.steps {
        let kind = if step.interim.is_some() { StepKind::Interim } else { StepKind::Final };
        let settings = step.interim.unwrap_or_else(|| changes[step.of].after.clone());
        let changed = current_settings[step.of]
            .diff(&settings)
            .iter()
            .filter(|setting| changes[step.of].changed_settings.has(*setting))
            .collect();
        current_settings[step.of] = settings.clone();
        plan.steps.push(Step {
            change: first_change + step.of,
            kind,
            settings,
            changes: changed,
            depends_on: step.depends_on.into_iter().map(|at| first_step + at).collect(),
        });
    }
    plan.changes.extend(changes.into_iter().map(|change| Change {
        location: place.clone(),
        network: live.network(change.network).id.clone(),
        before: live.network(change.network).settings.clone(),
        after: change.after,
        changed_settings: change.changed_settings,
        source: source(&change.entry.origin, sources),
    }));
}

fn source(origin: &Origin, sources: &Sources) -> ChangeSource {
    match origin {
        Origin::File(span) => {
            let place = sources.resolve(*span);
            ChangeSource::File { file: place.file, line: place.line }
        }
        Origin::Rule { label, .. } => ChangeSource::Rule { rule: label.clone() },
    }
}

/// Converts a warning for the plan.
pub fn warning(diagnostic: &Diagnostic, sources: &Sources) -> Warning {
    let place = diagnostic.span.map(|span| sources.resolve(span));
    Warning {
        code: diagnostic.code.as_str().into(),
        message: diagnostic.message.as_str().into(),
        file: place.as_ref().map(|place| place.file.clone()),
        line: place.map(|place| place.line),
    }
}
