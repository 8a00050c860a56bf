//! Reads what an undo must know: again while lists lag behind the run that is undone, and show what it has changed as it was before.

use std::collections::HashSet;
use std::time::Duration;

use super::error::Error;
use super::read_devices::read_devices;
use crate::client::{ApiClient, Priority};
use crate::model::{LiveState, NetworkId, Settings};
use crate::plan::RequiredReads;
use crate::plan::model::ChangeAction::{Create, Delete, Update};
use crate::plan::model::{Listed, ResourceKind as Kind, Standing, States};
use crate::resources::standing::standings;
use crate::storage::journal::{ModifiedNetwork, RecordedItem, WriteOutcome};
use crate::storage::{RunDirectory, RunHistory, RunTarget};

/// So long after the last entry of a journal lists may lag, as long as a run itself waits for them.
const LIST_LAG: Duration = Duration::from_secs(6);

/// The time between two reads.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Reads what an undo must know beside the list. If no run has written since, all is read again, for some seconds, while something is
/// as it was before the run although Webex has acknowledged that it was changed.
///
/// # Errors
/// If a request fails.
pub(super) async fn read_settled(
    history: &RunHistory,
    runs: &RunDirectory,
    target: &RunTarget,
    live: &mut LiveState,
    client: &ApiClient,
) -> Result<(), Error> {
    let of_target = |run: &RunHistory| run.identity.target.may_be_same(target) && run.has_written();
    let is_newest = runs.histories().find(of_target).is_some_and(|newest| newest.run == history.run);
    let is_recent = || {
        let passed = client.clock().to_timestamp(client.clock().now()).duration_since(history.last_entry_at);
        is_newest && Duration::try_from(passed).is_ok_and(|passed| passed < LIST_LAG)
    };
    while is_recent() {
        // Of what is gone nothing can be read.
        if !is_former_list(history, live) {
            read_for_undo(history, live, client).await?;
            if !are_former_devices(history, live) {
                return Ok(());
            }
        }
        client.wait_as(Priority::Normal, POLL_INTERVAL).await;
        *live = client.list_networks(Priority::Normal).await?;
    }
    read_for_undo(history, live, client).await
}

/// Whether the list shows a network as it was before an acknowledged change.
fn is_former_list(history: &RunHistory, live: &LiveState) -> bool {
    let is_former = |modified: &ModifiedNetwork| {
        let now = live.find(&modified.network).map(|at| &live.network(at).settings);
        let is_left = |now: &Settings| modified.final_states.iter().any(|state| now.matches(state));
        modified.is_final && now.is_some_and(|now| now.matches(&modified.before) && !is_left(now))
    };
    let is_listed = |id: &NetworkId| live.find(id).is_some();
    let is_before = |item: &RecordedItem| match item.key.operation.action {
        Create => item.id.as_deref().is_some_and(|id| !is_listed(&NetworkId::new(id))),
        Delete => item.network.as_ref().is_some_and(is_listed),
        Update => false,
    };
    let of_networks = acknowledged(history).filter(|item| item.key.operation.kind == Kind::Network);
    history.modified.iter().any(is_former) || of_networks.into_iter().any(is_before)
}

/// Whether a list shows a device as it was before an acknowledged change.
fn are_former_devices(history: &RunHistory, live: &LiveState) -> bool {
    acknowledged(history).any(|item| {
        let devices = item.network.as_ref().and_then(|id| live.find(id)).map(|at| live.devices(at));
        let states =
            States { before: item.before.as_ref(), interim: item.interim.as_ref(), after: item.after.as_ref() };
        standings(&[states], &Listed { networks: None, devices }, &HashSet::new()) == [Standing::Before]
    })
}

fn acknowledged(history: &RunHistory) -> impl Iterator<Item = &RecordedItem> {
    history.items.iter().filter(|item| item.end == Some(WriteOutcome::Applied) && !item.is_reverted)
}

/// Reads what an undo must know beside the list: the devices of what the run has created or changed.
///
/// # Errors
/// If a request fails.
pub(super) async fn read_for_undo(history: &RunHistory, live: &mut LiveState, client: &ApiClient) -> Result<(), Error> {
    let mut reads = RequiredReads::default();
    for item in history.items.iter().filter(|item| item.may_be_applied()) {
        let created = item.id.as_deref().filter(|_| item.is(Kind::Network, Create)).map(NetworkId::new);
        if let Some(network) = created.and_then(|id| live.find(&id)) {
            reads.add(Kind::BaseStation, network);
            reads.add(Kind::Handset, network);
        }
        if let Some(network) = item.network.as_ref().and_then(|id| live.find(id)) {
            let kind = item.key.operation.kind;
            if kind == Kind::Network {
                reads.add(Kind::BaseStation, network);
                reads.add(Kind::Handset, network);
            } else {
                reads.add(kind, network);
            }
        }
    }
    let reads = reads.sorted();
    read_devices(live, reads, client).await
}
