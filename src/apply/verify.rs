//! Reads the lists again at the end and compares them with the plan.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::confirm;
use super::context::RunContext;
use super::event::Event;
use super::outcome::{ChangeResult, ChangeStatus, Failure, Verification};
use crate::client::{Priority, SendError};
use crate::model::{BaseStation, LiveState, LocationId, NetworkId, Setting};
use crate::plan::model::{Change, ChangeAction, ResourceKind};
use crate::webex::ErrorClass;

/// Reads may lag behind writes: mismatches are checked again after these intervals.
const POLL_INTERVALS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3)];

/// Everything that was read at the end.
struct FinalState {
    live: LiveState,
    /// The base stations of every network that had some added or removed.
    base_stations: HashMap<NetworkId, Vec<BaseStation>>,
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
    let live = run.client.list(priority).await?;
    let mut networks: BTreeMap<NetworkId, &LocationId> = BTreeMap::new();
    for (change, result) in run.plan.changes.iter().zip(results) {
        if change.kind() == ResourceKind::BaseStation && was_sent(result) {
            let network = run.network_id(change).filter(|network| live.find(network).is_some());
            networks.extend(network.map(|network| (network, &change.location.id)));
        }
    }
    let reads = networks.into_iter().map(|(network, location)| async move {
        match run.client.list_base_stations(location, &network, priority).await {
            Ok(listed) => Ok(Some((network, listed))),
            // The list has just shown the network, so it may be there all the same.
            Err(SendError::Failed(error)) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    });
    let base_stations = futures::future::try_join_all(reads).await?;
    Ok(FinalState { live, base_stations: base_stations.into_iter().flatten().collect() })
}

/// Updates the results from what was read; returns the number of things that should match the plan and do not.
fn compare(
    run: &RunContext<'_>,
    results: &mut [ChangeResult],
    server_generated_codes: &mut Vec<usize>,
    found: &FinalState,
) -> usize {
    let mut mismatched = 0;
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
            (ResourceKind::BaseStation | ResourceKind::Handset, action) => {
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
            }
            // It was applied late, or its response was lost.
            _ if is_match => {
                *result = ChangeResult { verified: Some(true), ..ChangeResult::new(ChangeStatus::Applied) };
            }
            _ => {}
        }
    }
    mismatched
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
