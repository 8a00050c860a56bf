//! What the last run has written, while lists may lag behind it: no plan is made from what they have shown before.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::read_devices::LIST_LAG;
use crate::client::ApiClient;
use crate::model::{LiveState, NetworkId, Settings};
use crate::plan::model::ChangeAction::{Create, Delete, Update};
use crate::plan::model::{Listed, ResourceKind as Kind, Standing, States};
use crate::resources::standing::standings;
use crate::storage::journal::{ModifiedNetwork, RecordedItem, WriteOutcome};
use crate::storage::{CodeAccess, RunDirectory, RunHistory, RunTarget};

/// So many of the newest runs are looked at.
pub(super) const MAX_RUNS: usize = 20;

/// Lets the client read again what does not show yet what the newest run has written.
pub fn expect_last_run(journal_dir: &Path, target: &RunTarget, client: &ApiClient) {
    let Ok(runs) = RunDirectory::open(journal_dir) else { return };
    let is_recent = |journal: &Path| {
        let modified = journal.metadata().and_then(|metadata| metadata.modified());
        modified.is_ok_and(|at| SystemTime::now().duration_since(at).unwrap_or_default() < LIST_LAG)
    };
    let recent = runs.recent().take(MAX_RUNS).filter(|(_, journal, _)| is_recent(journal));
    let mut histories = recent.filter_map(|(_, journal, _)| RunHistory::read(&journal, CodeAccess::Skip).ok());
    let last = histories.find(|history| history.identity.target.may_be_same(target) && history.has_written());
    if let Some(last) = last {
        expect_run(last, client);
    }
}

/// The same of this run, which is the newest one.
pub(super) fn expect_run(history: RunHistory, client: &ApiClient) {
    let (clock, now) = (client.clock(), client.clock().now());
    let passed = Duration::try_from(clock.to_timestamp(now).duration_since(history.last_entry_at)).unwrap_or_default();
    if let Some(left) = LIST_LAG.checked_sub(passed).filter(|_| !history.is_verified) {
        client.expect(now + left, move |live| is_former_list(&history, live) || are_former_devices(&history, live));
    }
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
        Create => {
            live.has_listed(&item.location) && item.id.as_deref().is_some_and(|id| !is_listed(&NetworkId::new(id)))
        }
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
