//! The ids that an interrupted run could not record any more.
//!
//! Responses to additions carry no ids, so a run that was killed between an addition and the next list knows that it has
//! asked for a thing, and not which one it is. It is the run's if it is exactly what was asked for and was not there when the
//! first of the joined runs was planned.

use std::collections::HashSet;

use crate::model::{HandsetId, LiveState, NetworkId};
use crate::plan::model::{Plan, ResourceKind, ResourceState};
use crate::storage::RunHistory;
use crate::storage::journal::RecordedItem;

/// Fills in the ids of what the history has added without knowing its id; `before` is the plan of its first run.
pub(super) fn find_unrecorded(history: &mut RunHistory, before: &Plan, live: &LiveState) {
    let recorded = history.items.iter().filter_map(|item| item.id.clone());
    let mut known: HashSet<String> = recorded.chain(ids_of(before)).collect();
    for item in &mut history.items {
        if item.id.is_some() || !item.may_be_applied() {
            continue;
        }
        let candidates = candidates(item, before, live);
        item.id = candidates.into_iter().find(|id| !known.contains(id));
        known.extend(item.id.clone());
    }
}

/// Everything that the plan has found.
fn ids_of(plan: &Plan) -> impl Iterator<Item = String> + '_ {
    let networks = plan.unchanged_networks.iter().map(|network| &network.network);
    let networks = networks.chain(plan.changes.iter().filter_map(|change| change.network.id()));
    let stations = plan.devices.iter().flat_map(|devices| &devices.base_stations);
    let handsets = plan.devices.iter().flat_map(|devices| &devices.handsets);
    networks
        .map(ToString::to_string)
        .chain(stations.filter_map(|station| station.id.as_ref()).map(ToString::to_string))
        .chain(handsets.filter_map(|handset| handset.id.as_ref()).map(ToString::to_string))
}

/// What is as the item has asked for, where the plan had read what was there.
fn candidates(item: &RecordedItem, before: &Plan, live: &LiveState) -> Vec<String> {
    let Some(after) = item.after.as_ref().filter(|_| item.before.is_none()) else { return Vec::new() };
    let was_read = |network: &NetworkId, kind: ResourceKind| {
        before.changes.iter().any(|change| change.kind() == kind && change.network.id() == Some(network))
    };
    match (after, &item.network) {
        (ResourceState::Network { .. }, _) => {
            let networks = live.networks().map(|(_, network)| network);
            let created =
                networks.filter(|network| network.location == item.location && after.matches_created(network));
            created.map(|network| network.id.to_string()).collect()
        }
        (ResourceState::BaseStation(station), Some(network)) if was_read(network, ResourceKind::BaseStation) => {
            let listed = live.find(network).and_then(|at| live.base_stations(at)).unwrap_or_default();
            let same = listed.iter().filter(|other| other.label() == station.label());
            same.filter_map(|other| other.id.as_ref()).map(ToString::to_string).collect()
        }
        (ResourceState::Handset(handset), Some(network)) if was_read(network, ResourceKind::Handset) => {
            let listed = live.find(network).and_then(|at| live.handsets(at)).unwrap_or_default();
            let same = listed
                .iter()
                .filter(|other| other.is_equivalent(handset) || other.is_equivalent(&handset.first_line_only()));
            same.filter_map(|other| other.id.as_ref()).map(HandsetId::to_string).collect()
        }
        (ResourceState::BaseStation(_) | ResourceState::Handset(_), _) => Vec::new(),
    }
}
