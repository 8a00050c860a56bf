//! Reads the lists again at the end and compares them with the plan.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::context::RunContext;
use super::event::Event;
use super::outcome::{ChangeResult, ChangeStatus, Failure, Verification};
use crate::client::{Priority, SendError};
use crate::model::{Devices, Handset, HandsetId, LiveState, LocationId, NetworkId, Setting, Settings, same_member};
use crate::plan::model::{
    Change, ChangeAction, ChangeIndex, Listed, NetworkRef, ResourceKind, ResourceState, Standing, States,
    changed_fields,
};
use crate::resources::calls;
use crate::resources::standing::standings;
use crate::webex::{ErrorClass, NetworkPath};

/// Reads may lag behind writes: mismatches are checked again after these intervals.
const POLL_INTERVALS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3)];

/// Everything that was read at the end.
struct FinalState {
    live: LiveState,
    /// What was written of every network, read again.
    devices: HashMap<NetworkId, Devices>,
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

/// One list of networks, and one of each kind for each network that had some of it written.
async fn read(run: &RunContext<'_>, results: &[ChangeResult], priority: Priority) -> Result<FinalState, SendError> {
    let live = run.client.list_networks(priority).await?;
    let mut touched: BTreeMap<(ResourceKind, NetworkId), &LocationId> = BTreeMap::new();
    for (change, _) in run.plan.changes.iter().zip(results).filter(|(_, result)| was_sent(result)) {
        let network = run.network_id(change).filter(|network| live.find(network).is_some());
        touched.extend(network.map(|network| ((change.kind(), network), &change.location.id)));
    }
    let lists = touched.iter().filter_map(|((kind, network), location)| {
        let call = calls::list_devices(*kind, NetworkPath { location, network })?;
        Some(async move {
            match run.client.read(&call, priority).await {
                Ok(list) => Ok(Some((network, list))),
                // The list has just shown the network, so it may be there although it is not found.
                Err(SendError::Failed(error)) if error.class == ErrorClass::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
    });
    let mut devices: HashMap<NetworkId, Devices> = HashMap::new();
    for (network, list) in futures::future::try_join_all(lists).await?.into_iter().flatten() {
        devices.entry(network.clone()).or_default().set(list);
    }
    Ok(FinalState { live, devices })
}

/// Updates the results from what was read; returns the number of things that should match the plan and do not.
fn compare(
    run: &RunContext<'_>,
    results: &mut [ChangeResult],
    server_generated_codes: &mut Vec<usize>,
    found: &FinalState,
) -> usize {
    let mut mismatched = 0;
    let sent: Vec<ChangeIndex> =
        run.plan.indexed_changes().filter(|(at, _)| was_sent(&results[at.0])).map(|(at, _)| at).collect();
    for (at, standing) in stand(run, &sent, found) {
        let (change, result) = (&run.plan[at], &mut results[at.0]);
        if standing == Standing::CannotTell {
            mismatched += 1;
            continue;
        }
        let is_match = matches!(standing, Standing::After { .. });
        if let (ResourceKind::Network, Some(after)) = (change.kind(), change.settings_after()) {
            let live = run.network_id(change).or_else(|| standing.found()?.id.as_deref().map(NetworkId::new));
            let live = live.and_then(|id| found.live.find(&id)).map(|at| &found.live.network(at).settings);
            let is_generated = compare_settings(change, result, after, &standing, live);
            server_generated_codes.extend(is_generated.then_some(at.0));
            mismatched += usize::from(result.verified == Some(false));
            continue;
        }
        if change.kind() == ResourceKind::Handset {
            let network = run.network_id(change);
            let it = network.and_then(|network| {
                let handsets = found.devices.get(&network)?.handsets.as_ref()?;
                shown_instead(change, &standing, handsets, &run.plan.listed_handsets(&network))
            });
            result.found = it.filter(|_| !is_match).cloned().map(ResourceState::from);
            let fields = changed_fields(change.after.as_ref(), result.found.as_ref()).into_iter();
            result.mismatched = fields.filter(|_| result.found.is_some()).map(|field| field.name).collect();
            if is_match && change.action() == ChangeAction::Create {
                result.id = standing.id();
            }
        }
        match result.status {
            ChangeStatus::Applied => {
                result.verified = Some(is_match);
                mismatched += usize::from(!is_match);
                result.error = (!is_match && result.found.is_none()).then(|| {
                    Failure::new(match change.action() {
                        ChangeAction::Create => "the final list does not show it",
                        ChangeAction::Update => "the final list shows other values",
                        ChangeAction::Delete => "the final list still shows it",
                    })
                });
            }
            // What was refused for sure is another client's.
            ChangeStatus::Failed if change.action() == ChangeAction::Create => {}
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

/// Where each of these changes stands, network by network.
fn stand(run: &RunContext<'_>, changes: &[ChangeIndex], found: &FinalState) -> Vec<(ChangeIndex, Standing)> {
    let mut of_network: HashMap<&NetworkRef, Vec<ChangeIndex>> = HashMap::new();
    for at in changes {
        of_network.entry(&run.plan[*at].network).or_default().push(*at);
    }
    let known = run.plan.known_networks();
    let mut standing = Vec::new();
    for changes in of_network.into_values() {
        let first = &run.plan[changes[0]];
        let id = run.network_id(first);
        let network = id.as_ref().and_then(|id| found.live.find(id)).map(|at| found.live.network(at));
        let is_creation = matches!(first.network, NetworkRef::Created(_));
        let networks = match (network, is_creation) {
            (None, true) => first.candidates(&known, &found.live),
            (network, _) => network.into_iter().collect(),
        };
        // A network that is gone has no devices.
        let devices = id.as_ref().and_then(|id| found.devices.get(id));
        let listed =
            Listed { networks: Some(networks), devices: devices.or_else(|| network.is_none().then(Devices::gone)) };
        let states: Vec<States<'_>> = changes.iter().map(|at| States::of_change(&run.plan[*at], None)).collect();
        let known = id.map(|id| run.plan.listed_handsets(&id)).unwrap_or_default();
        standing.extend(changes.into_iter().zip(standings(&states, &listed, &known)));
    }
    standing.sort_by_key(|(at, _)| *at);
    standing
}

/// What the list shows where a handset is not as planned: the one with its id, or a new one that has its line instead.
fn shown_instead<'a>(
    change: &Change,
    standing: &Standing,
    handsets: &'a [Handset],
    known: &HashSet<HandsetId>,
) -> Option<&'a Handset> {
    let is_new = |listed: &&Handset| listed.id.as_ref().is_none_or(|id| !known.contains(id));
    let after = change.handset_after()?;
    match (standing, change.handset_before()) {
        (Standing::Interim(found) | Standing::Changed(found), _) => handsets.get(found.at),
        (_, Some(before)) => handsets.iter().find(|listed| listed.id == before.id),
        (_, None) => {
            handsets.iter().filter(is_new).find(|listed| same_member(listed.line1.as_ref(), after.line1.as_ref()))
        }
    }
}

/// Compares the settings of a network that was updated or created. Returns whether its code was generated by Webex.
fn compare_settings(
    change: &Change,
    result: &mut ChangeResult,
    after: &Settings,
    standing: &Standing,
    live: Option<&Settings>,
) -> bool {
    match result.status {
        ChangeStatus::Applied => {
            let mut different: Vec<Setting> = match live {
                Some(live) => live.mismatched(after).collect(),
                None => Setting::ALL.to_vec(),
            };
            // While codes are disabled, Webex may generate the code: an acknowledged update is neither confirmed nor
            // contradicted by what the list shows.
            let is_generated = after.code_enabled == Some(false) && different == [Setting::Code];
            if is_generated {
                different.clear();
            }
            let is_shown = standing.is_applied() && different.is_empty() && !is_generated;
            result.verified = if is_shown { Some(true) } else { (!different.is_empty()).then_some(false) };
            let shown = |live: &Settings| ResourceState::Network { settings: live.clone(), model: None };
            result.found = live.filter(|_| !different.is_empty()).map(shown);
            result.mismatched = different.into_iter().map(Setting::api_name).collect();
            is_generated
        }
        // What was refused for sure is another client's.
        ChangeStatus::Failed if change.before.is_none() => false,
        // A write that was applied late, or whose response was lost.
        _ if standing.is_applied() => {
            let id = standing.id().filter(|_| change.before.is_none());
            *result = ChangeResult { verified: Some(true), id, ..ChangeResult::new(ChangeStatus::Applied) };
            false
        }
        _ => false,
    }
}
