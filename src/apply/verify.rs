//! Reads the lists again at the end and compares them with the plan.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::confirm;
use super::context::RunContext;
use super::event::Event;
use super::outcome::{ChangeResult, ChangeStatus, Failure, Verification};
use crate::client::{Priority, SendError};
use crate::model::{BaseStation, Handset, HandsetId, LiveState, LocationId, NetworkId, Setting, same_member};
use crate::plan::model::{Change, ChangeAction, ResourceKind};
use crate::webex::{ErrorClass, NetworkPath, calls};

/// Reads may lag behind writes: mismatches are checked again after these intervals.
const POLL_INTERVALS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3)];

/// Everything that was read at the end.
struct FinalState {
    live: LiveState,
    /// The base stations of every network that had some added or removed.
    base_stations: HashMap<NetworkId, Vec<BaseStation>>,
    /// The handsets of every network that had some changed.
    handsets: HashMap<NetworkId, Vec<Handset>>,
}

/// Compares everything that was written with the lists, and records whether it matches the plan.
pub(super) async fn verify(
    run: &RunContext<'_>,
    results: &mut [ChangeResult],
    server_generated_codes: &mut Vec<usize>,
) -> Verification {
    let shutdown = run.client.shutdown();
    let mut mismatched = results.len();
    let priority = if shutdown.is_requested() { Priority::Cleanup } else { Priority::Normal };
    for wait in std::iter::once(Duration::ZERO).chain(POLL_INTERVALS) {
        if !wait.is_zero() {
            run.client.wait(wait).await;
        }
        (run.on_event)(&Event::Verifying { mismatched });
        // A shutdown request during verification cancels it.
        let found = match read(run, results, priority).await {
            Ok(found) => found,
            Err(SendError::Cancelled) => {
                return Verification::Failed(Failure::new("stopped before the list was read again"));
            }
            Err(SendError::Failed(error)) => return Verification::Failed((&error).into()),
        };
        server_generated_codes.clear();
        mismatched = compare(run, results, server_generated_codes, &found);
        if mismatched == 0 || shutdown.is_requested() {
            break;
        }
    }
    Verification::Completed
}

/// Whether a request about the change was sent.
fn was_sent(result: &ChangeResult) -> bool {
    matches!(result.status, ChangeStatus::Applied | ChangeStatus::Unknown | ChangeStatus::Failed)
}

/// One list of networks, and one of base stations for each network that had some added or removed.
async fn read(run: &RunContext<'_>, results: &[ChangeResult], priority: Priority) -> Result<FinalState, SendError> {
    let live = run.client.read(&calls::list_networks(), priority).await?;
    let touched = |kind: ResourceKind| {
        let mut networks: BTreeMap<NetworkId, &LocationId> = BTreeMap::new();
        for (change, result) in run.plan.changes.iter().zip(results) {
            if change.kind() == kind && was_sent(result) {
                let network = run.network_id(change).filter(|network| live.find(network).is_some());
                networks.extend(network.map(|network| (network, &change.location.id)));
            }
        }
        networks
    };
    let base_stations = touched(ResourceKind::BaseStation).into_iter().map(|(network, location)| async move {
        let path = NetworkPath { location, network: &network };
        let listed = run.client.read(&calls::list_base_stations(path), priority).await;
        listed_of(network, listed)
    });
    let handsets = touched(ResourceKind::Handset).into_iter().map(|(network, location)| async move {
        let path = NetworkPath { location, network: &network };
        let listed = run.client.read(&calls::list_handsets(path), priority).await;
        listed_of(network, listed)
    });
    let (base_stations, handsets) = futures::future::try_join(
        futures::future::try_join_all(base_stations),
        futures::future::try_join_all(handsets),
    )
    .await?;
    Ok(FinalState {
        live,
        base_stations: base_stations.into_iter().flatten().collect(),
        handsets: handsets.into_iter().flatten().collect(),
    })
}

/// What was read of a network. The list has just shown the network, so it may be there although it is not found.
fn listed_of<T>(network: NetworkId, listed: Result<T, SendError>) -> Result<Option<(NetworkId, T)>, SendError> {
    match listed {
        Ok(listed) => Ok(Some((network, listed))),
        Err(SendError::Failed(error)) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Updates the results from what was read; returns the number of things that should match the plan and do not.
fn compare(
    run: &RunContext<'_>,
    results: &mut [ChangeResult],
    server_generated_codes: &mut Vec<usize>,
    found: &FinalState,
) -> usize {
    let mut mismatched = 0;
    // An added handset is one that no other change has found.
    let mut found_handsets: HashSet<HandsetId> = HashSet::new();
    for (at, (change, result)) in run.plan.changes.iter().zip(results).enumerate() {
        if !was_sent(result) {
            continue;
        }
        let is_match = match (change.kind(), change.action()) {
            (ResourceKind::Network, ChangeAction::Update | ChangeAction::Create) => {
                let is_generated = compare_settings(run, change, result, found);
                server_generated_codes.extend(is_generated.then_some(at));
                mismatched += usize::from(result.verified == Some(false));
                continue;
            }
            (ResourceKind::Network, ChangeAction::Delete) => {
                change.network.id().is_some_and(|id| found.live.find(id).is_none())
            }
            (ResourceKind::Handset, _) => {
                let network = run.network_id(change);
                let is_there = network.as_ref().is_some_and(|network| found.live.find(network).is_some());
                let listed = network.as_ref().and_then(|network| found.handsets.get(network));
                if listed.is_none() && is_there {
                    mismatched += 1;
                    continue;
                }
                let listed = listed.map(Vec::as_slice).unwrap_or_default();
                let (is_match, it) = compare_handset(run, change, network.as_ref(), listed, &found_handsets);
                let id = it.and_then(|it| it.id.clone());
                result.found_handset = it.filter(|_| !is_match && change.handset_after().is_some()).cloned();
                found_handsets.extend(id.clone().filter(|_| is_match && change.action() == ChangeAction::Create));
                if change.action() == ChangeAction::Create && is_match {
                    result.id = id.map(|id| id.to_string());
                }
                is_match
            }
            (ResourceKind::BaseStation, action) => {
                let network = run.network_id(change);
                let listed = network.as_ref().and_then(|network| found.base_stations.get(network));
                let is_there = network.as_ref().is_some_and(|network| found.live.find(network).is_some());
                if listed.is_none() && is_there {
                    mismatched += 1;
                    continue;
                }
                let label = change.label();
                let is_listed = listed.is_some_and(|listed| listed.iter().any(|station| station.label() == label));
                is_listed == (action == ChangeAction::Create)
            }
        };
        match result.status {
            ChangeStatus::Applied => {
                result.verified = Some(is_match);
                mismatched += usize::from(!is_match);
                result.error = (!is_match && result.found_handset.is_none()).then(|| {
                    Failure::new(match change.action() {
                        ChangeAction::Create => "the final list does not show it",
                        ChangeAction::Update => "the final list shows other values",
                        ChangeAction::Delete => "the final list still shows it",
                    })
                });
            }
            // It was applied late, or its response was lost.
            _ if is_match => {
                let id = result.id.take();
                *result = ChangeResult { verified: Some(true), id, ..ChangeResult::new(ChangeStatus::Applied) };
            }
            _ => {}
        }
    }
    mismatched
}

/// Whether the handset of a change is as planned, and what the list shows in its place.
fn compare_handset<'a>(
    run: &RunContext<'_>,
    change: &Change,
    network: Option<&NetworkId>,
    listed: &'a [Handset],
    found: &HashSet<HandsetId>,
) -> (bool, Option<&'a Handset>) {
    match (change.handset_before(), change.handset_after()) {
        (None, Some(after)) => {
            let before: HashSet<HandsetId> = network.map_or_else(HashSet::new, |network| {
                let devices = run.plan.devices.iter().filter(|devices| devices.network == *network);
                devices.flat_map(|devices| &devices.handsets).filter_map(|handset| handset.id.clone()).collect()
            });
            let is_new = |id: &HandsetId| !before.contains(id) && !found.contains(id);
            let new = || listed.iter().filter(|listed| listed.id.as_ref().is_none_or(is_new));
            match new().find(|listed| listed.is_equivalent(after)) {
                Some(it) => (true, Some(it)),
                None => (false, new().find(|listed| same_member(listed.line1.as_ref(), after.line1.as_ref()))),
            }
        }
        (Some(before), after) => {
            let it = listed.iter().find(|listed| listed.id == before.id);
            let is_match = match (it, after) {
                (Some(it), Some(after)) => it.is_equivalent(after),
                (it, after) => it.is_none() && after.is_none(),
            };
            (is_match, it)
        }
        (None, None) => (true, None),
    }
}

/// Compares the settings of a network that was updated or created. Returns whether its code was generated by Webex.
fn compare_settings(run: &RunContext<'_>, change: &Change, result: &mut ChangeResult, found: &FinalState) -> bool {
    let Some(after) = change.settings_after() else { return false };
    let network = match run.network_id(change) {
        Some(id) => found.live.find(&id),
        None => change.find_created(&run.plan.known_networks(), &found.live),
    };
    let live = network.map(|network| &found.live.network(network).settings);
    let mut different: Vec<Setting> = match live {
        Some(live) => confirm::mismatched(live, after).collect(),
        None => Setting::ALL.to_vec(),
    };
    let is_observed = live.is_some_and(|live| match change.settings_before() {
        Some(before) => confirm::is_observed(live, before, after),
        None => different.is_empty(),
    });
    match result.status {
        ChangeStatus::Applied => {
            // While codes are disabled, Webex may generate the code: an acknowledged update is neither confirmed nor
            // contradicted by what the list shows.
            let is_generated = after.code_enabled == Some(false) && different == [Setting::Code];
            if is_generated {
                different.clear();
            }
            result.verified = if is_observed { Some(true) } else { (!different.is_empty()).then_some(false) };
            result.found_settings = live.filter(|_| !different.is_empty()).cloned();
            result.mismatched_settings = different;
            is_generated
        }
        // A write that was applied late, or whose response was lost.
        _ if is_observed => {
            let id =
                network.filter(|_| change.before.is_none()).map(|network| found.live.network(network).id.to_string());
            *result = ChangeResult { verified: Some(true), id, ..ChangeResult::new(ChangeStatus::Applied) };
            false
        }
        _ => false,
    }
}
