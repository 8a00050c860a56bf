//! Reads the list again at the end and compares it with the plan.

use std::time::Duration;

use super::confirm;
use super::event::Event;
use super::outcome::{Failure, NetworkResult, NetworkStatus, Verification};
use crate::client::{ApiClient, Priority, SendError};
use crate::model::{LiveState, Setting};
use crate::plan::model::Plan;

/// Reads may lag behind writes: mismatches are checked again after these intervals.
const POLL_INTERVALS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3)];

/// Compares every written network with the list, and records whether it matches the plan.
pub(super) async fn verify(
    plan: &Plan,
    results: &mut [NetworkResult],
    server_generated_codes: &mut Vec<usize>,
    client: &ApiClient,
    on_event: &dyn Fn(&Event),
) -> Verification {
    let mut mismatched = results.len();
    let priority = if client.shutdown().is_requested() { Priority::Cleanup } else { Priority::Normal };
    for wait in std::iter::once(Duration::ZERO).chain(POLL_INTERVALS) {
        if !wait.is_zero() {
            client.wait(wait).await;
        }
        on_event(&Event::Verifying { mismatched });
        // A shutdown request during verification cancels it.
        let live = match client.list(priority).await {
            Ok(live) => live,
            Err(SendError::Cancelled) => {
                return Verification::Failed(Failure::new("stopped before the list was read again"));
            }
            Err(SendError::Failed(error)) => return Verification::Failed((&error).into()),
        };
        server_generated_codes.clear();
        mismatched = compare_with_list(plan, results, server_generated_codes, &live);
        if mismatched == 0 || client.shutdown().is_requested() {
            break;
        }
    }
    Verification::Completed
}

/// Updates the results from one list; returns the number of networks that should match the plan and do not.
fn compare_with_list(
    plan: &Plan,
    results: &mut [NetworkResult],
    server_generated_codes: &mut Vec<usize>,
    live: &LiveState,
) -> usize {
    let mut mismatched = 0;
    for (at, (change, result)) in plan.changes.iter().zip(results).enumerate() {
        let maybe_applied = matches!(result.status, NetworkStatus::Unknown | NetworkStatus::Failed);
        if result.status != NetworkStatus::Applied && !maybe_applied {
            continue;
        }
        let found = live.find(&change.network).map(|network| &live.network(network).settings);
        let mut different: Vec<Setting> = match found {
            Some(found) => confirm::mismatched(found, &change.after).collect(),
            None => Setting::ALL.to_vec(),
        };
        let is_observed = found.is_some_and(|found| confirm::is_observed(found, &change.before, &change.after));
        match result.status {
            NetworkStatus::Applied => {
                // While codes are disabled, Webex may generate the code: an acknowledged update is neither confirmed
                // nor contradicted by what the list shows.
                if change.after.code_enabled == Some(false) && different == [Setting::Code] {
                    server_generated_codes.push(at);
                    different.clear();
                }
                result.verified = if is_observed { Some(true) } else { (!different.is_empty()).then_some(false) };
                mismatched += usize::from(!different.is_empty());
                result.found_settings = found.filter(|_| !different.is_empty()).cloned();
                result.mismatched_settings = different;
            }
            // A write that was applied late, or whose response was lost.
            _ if is_observed => {
                *result = NetworkResult { verified: Some(true), ..NetworkResult::new(NetworkStatus::Applied) };
            }
            _ => {}
        }
    }
    mismatched
}
