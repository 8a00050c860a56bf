//! Entry point of the planner: computes a plan, or reports everything that prevents one.

use std::collections::HashSet;

use super::conflicts;
use super::location_planner::{LocationChanges, LocationPlanner};
use super::matching::{EntryGroup, Managed, Matches};
use super::model::{Counts, PerKind, Plan, Warning};
use super::schedule::schedule;
use super::scope::{Scope, apply_scope};
use crate::desired::model::{Desired, NetworkEntry, Origin};
use crate::diagnostic::{Diagnostic, Diagnostics, Sources};
use crate::model::{HANDSET_INTERVAL, LiveState, NetworkIndex};
use crate::resources::compare::{KnownDevices, compare_devices};
use crate::resources::network::compare::{self as networks, NetworkChange};

/// Plans the changes from `live` to `desired`.
///
/// # Errors
/// All diagnostics, if one of them is an error: ambiguous or unknown networks, names and codes that are already used,
/// updates that lack a required setting. Warnings alone become part of the plan.
pub fn build(desired: &Desired, live: &LiveState, sources: &Sources) -> Result<Plan, Diagnostics> {
    build_scoped(&Matches::of(desired, live), &Scope::default(), live, sources)
}

/// The same from entries that were matched with `live`, limited to a scope.
///
/// # Errors
/// As [`build`]; also if a change depends on one that is out of scope.
pub fn build_scoped(
    matches: &Matches<'_>,
    scope: &Scope,
    live: &LiveState,
    sources: &Sources,
) -> Result<Plan, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut plan = Plan {
        counts: Counts {
            locations: live.locations().len(),
            listed: PerKind {
                network: live.len(),
                ..PerKind::from_fn(|kind| live.networks().filter_map(|(at, _)| live.devices(at).count(kind)).sum())
            },
            unmanaged: PerKind { network: live.len(), ..PerKind::default() },
            ..Counts::default()
        },
        is_minimal: true,
        handset_interval: HANDSET_INTERVAL,
        ..Plan::default()
    };
    let located = compare_locations(matches, scope, live, &mut diagnostics);
    if diagnostics.has_errors() {
        diagnostics.sort();
        return Err(diagnostics);
    }
    for (changes, counts) in located {
        plan.counts.unmanaged.network -= counts.managed;
        for devices in &changes.devices {
            plan.counts.unmanaged[devices.kind()] += devices.unmanaged();
        }
        plan.counts.unchanged += counts.unchanged;
        plan.counts.out_of_scope += counts.out_of_scope;
        if changes.is_empty() {
            continue;
        }
        if let Some(schedule) = schedule(changes.location, &changes.networks, live, &mut diagnostics) {
            LocationPlanner::new(&mut plan, &changes, live, sources).add(schedule, &mut diagnostics);
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    plan.warnings = diagnostics.iter().map(|diagnostic| warning(diagnostic, sources)).collect();
    Ok(plan)
}

/// What the comparison of a location has counted.
pub(super) struct LocationCounts {
    /// Networks that files name.
    managed: usize,
    unchanged: usize,
    out_of_scope: usize,
}

/// All changes of the managed locations, before they are ordered.
pub(super) fn compare_locations<'a>(
    matches: &Matches<'a>,
    scope: &Scope,
    live: &'a LiveState,
    diagnostics: &mut Diagnostics,
) -> Vec<(LocationChanges<'a>, LocationCounts)> {
    diagnostics.append(matches.diagnostics(live, |location| scope.includes_location(location)));
    let mut located = Vec::new();
    let mut known = KnownDevices::of(live);
    for managed in &matches.managed {
        let mut of_location = Diagnostics::new();
        let (changes, unchanged) = networks::compare(managed, live, &mut of_location);
        if !managed.diagnostics.has_errors() {
            conflicts::find(managed.location, &changes, live, &mut of_location);
        }
        if !scope.includes_location(&live.location(managed.location).name) {
            of_location.demote_errors();
        }
        diagnostics.append(of_location);
        let uncompared = uncompared(managed, &changes, scope, live);
        let (networks, out_of_scope) = apply_scope(managed.location, changes, scope, live, diagnostics);
        let devices = compare_devices(managed, &networks, scope, live, &mut known, diagnostics);
        let managed_networks = managed.networks.len() + managed.deleted.len();
        let (unchanged, out_of_scope) = (unchanged - uncompared, out_of_scope + uncompared);
        let counts = LocationCounts { managed: managed_networks, unchanged, out_of_scope };
        located.push((LocationChanges { location: managed.location, networks, devices }, counts));
    }
    located
}

/// Number of networks out of scope that are not looked at: those whose settings are in sync, but of whose devices entries speak, and
/// those that only rules manage.
fn uncompared(managed: &Managed<'_>, changes: &[NetworkChange<'_>], scope: &Scope, live: &LiveState) -> usize {
    let location = &live.location(managed.location).name;
    let changed: HashSet<NetworkIndex> = changes.iter().filter_map(NetworkChange::network).collect();
    let is_uncompared = |(at, group): &&(NetworkIndex, EntryGroup<'_>)| {
        let names = group.primary.names(&live.network(*at).settings.name);
        let is_bare = |entry: &NetworkEntry| matches!(entry.origin, Origin::Rule { .. }) && !entry.has_own_settings;
        let is_left_out = group.entries().any(|entry| entry.devices.speak() || is_bare(entry));
        is_left_out && !changed.contains(at) && !scope.includes_any_name(location, names)
    };
    managed.networks.iter().filter(is_uncompared).count()
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
