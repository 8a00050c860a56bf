//! One more list at the end: is everything as planned?

use std::time::Duration;

use super::event::Event;
use super::outcome::{Failure, NetworkResult, Status, Verification};
use super::settle;
use crate::client::{ApiClient, Priority, SendError};
use crate::model::{LiveState, Setting};
use crate::plan::plan::Plan;

/// Reads may lag behind writes: what is not as planned is looked at again after so much time.
const LOOKS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3)];

/// Compares every network that was written with the list, and marks what is and what is not as planned.
pub(super) async fn verify(
    plan: &Plan,
    results: &mut [NetworkResult],
    replaced_codes: &mut Vec<usize>,
    client: &ApiClient,
    tell: &dyn Fn(&Event),
) -> Verification {
    let mut differing = results.len();
    let priority = if client.shutdown().is_requested() { Priority::Cleanup } else { Priority::Normal };
    for wait in std::iter::once(Duration::ZERO).chain(LOOKS) {
        if !wait.is_zero() {
            client.wait(wait).await;
        }
        tell(&Event::Verifying { differing });
        // Whoever asks to stop while this goes on does not want to wait for it.
        let live = match client.list(priority).await {
            Ok(live) => live,
            Err(SendError::Cancelled) => {
                return Verification::Impossible(Failure::of("stopped before the list was read again"));
            }
            Err(SendError::Failed(error)) => return Verification::Impossible((&error).into()),
        };
        replaced_codes.clear();
        differing = look(plan, results, replaced_codes, &live);
        if differing == 0 || client.shutdown().is_requested() {
            break;
        }
    }
    Verification::Done
}

/// Marks the results by one list; how many are not as planned although they should be.
fn look(plan: &Plan, results: &mut [NetworkResult], replaced_codes: &mut Vec<usize>, live: &LiveState) -> usize {
    let mut differing = 0;
    for (at, (change, result)) in plan.changes.iter().zip(results).enumerate() {
        let maybe_applied = matches!(result.status, Status::Unknown | Status::Failed);
        if result.status != Status::Applied && !maybe_applied {
            continue;
        }
        let found = live.find(&change.network).map(|network| &live.network(network).settings);
        let mut different: Vec<Setting> = match found {
            Some(found) => settle::differing(found, &change.after).collect(),
            None => Setting::ALL.to_vec(),
        };
        // Webex uses a code of its own making while codes are disabled: worth a word, no failure.
        if change.after.code_enabled == Some(false) && different == [Setting::Code] {
            replaced_codes.push(at);
            different.clear();
        }
        match (result.status, different.is_empty()) {
            (Status::Applied, as_planned) => {
                result.verified = Some(as_planned);
                differing += usize::from(!as_planned);
                result.found_different = different;
            }
            // A write that came late, or whose answer was lost, and is there after all.
            (_, true) => {
                *result = NetworkResult { verified: Some(true), ..NetworkResult::new(Status::Applied) };
            }
            (_, false) => {}
        }
    }
    differing
}
