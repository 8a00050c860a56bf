//! The ids that an interrupted run could not record any more.
//!
//! Responses to additions carry no ids, so a run that was killed between an addition and the next list knows that it has
//! asked for a thing, and not which one it is. It is the run's if it is exactly what was asked for and was not there when the
//! first of the joined runs was planned.

use std::collections::{BTreeMap, HashSet};

use crate::model::{HandsetId, LiveState, NetworkId};
use crate::plan::model::{Listed, Plan, ResourceKind, States};
use crate::resources::standing::standings;
use crate::storage::RunHistory;
use crate::storage::journal::RecordedItem;

/// Fills in the ids of what the history has added without knowing its id; `before` is the plan of its first run.
pub(super) fn find_unrecorded(history: &mut RunHistory, before: &Plan, live: &LiveState) {
    let listed: HashSet<String> = ids_of(before).collect();
    let recorded = history.items.iter().filter_map(|item| item.id.clone());
    let mut known: HashSet<String> = recorded.chain(listed.iter().cloned()).collect();
    let mut of_network: BTreeMap<(String, ResourceKind, Option<String>), Vec<usize>> = BTreeMap::new();
    for (at, item) in history.items.iter().enumerate() {
        if item.id.is_none() && item.may_have_added() && was_read(item, before, &listed) {
            let network = item.network.as_ref().map(ToString::to_string);
            of_network.entry((item.key.location.clone(), item.key.operation.kind, network)).or_default().push(at);
        }
    }
    for items in of_network.into_values() {
        let first = &history.items[items[0]];
        let new = live.networks().map(|(_, network)| network);
        let new = new.filter(|network| network.location == first.location && !known.contains(network.id.as_str()));
        let at = first.network.as_ref().and_then(|id| live.find(id));
        let listed = Listed { networks: Some(new.collect()), devices: at.map(|at| live.devices(at)) };
        let known_handsets = known.iter().map(|id| HandsetId::new(id.as_str())).collect();
        let states: Vec<States<'_>> = items
            .iter()
            .map(|at| States { before: None, interim: None, after: history.items[*at].after.as_ref() })
            .collect();
        let standing = standings(&states, &listed, &known_handsets);
        for (at, standing) in items.into_iter().zip(standing) {
            history.items[at].id = standing.id().filter(|id| !known.contains(id));
            known.extend(history.items[at].id.clone());
        }
    }
}

/// Whether the plan had read what was there where an item has added something; in a network that it did not know nothing was.
fn was_read(item: &RecordedItem, before: &Plan, listed: &HashSet<String>) -> bool {
    let was_read = |network: &NetworkId| {
        let kind = item.key.operation.kind;
        !listed.contains(network.as_str())
            || before.changes.iter().any(|change| change.kind() == kind && change.network.id() == Some(network))
    };
    item.key.operation.kind == ResourceKind::Network || item.network.as_ref().is_some_and(was_read)
}

/// Everything that the plan has found.
fn ids_of(plan: &Plan) -> impl Iterator<Item = String> + '_ {
    let networks = plan.unchanged_networks.iter().map(|network| &network.network);
    let networks = networks.chain(plan.changes.iter().filter_map(|change| change.network.id()));
    let stations = plan.devices.iter().flat_map(|devices| devices.devices.base_stations.iter().flatten());
    let handsets = plan.devices.iter().flat_map(|devices| devices.devices.handsets.iter().flatten());
    networks
        .map(ToString::to_string)
        .chain(stations.filter_map(|station| station.id.as_ref()).map(ToString::to_string))
        .chain(handsets.filter_map(|handset| handset.id.as_ref()).map(ToString::to_string))
}
