//! Reads what an undo must know beside the list of networks.

use super::error::Error;
use super::last_run::expect_run;
use super::read_devices::{Patience, read_readable_devices};
use crate::client::{ApiClient, Priority};
use crate::model::{LiveState, NetworkId};
use crate::plan::RequiredReads;
use crate::plan::model::ChangeAction::Create;
use crate::plan::model::ResourceKind as Kind;
use crate::storage::{RunDirectory, RunHistory, RunTarget};

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
    if runs.histories().find(of_target).is_some_and(|newest| newest.run == history.run) {
        expect_run(history.clone(), client);
    }
    if client.lags(live).await {
        *live = client.list_networks(Priority::Normal).await?;
    }
    read_for_undo(history, live, client).await
}

/// Reads what an undo must know beside the list: the devices of what the run has created or changed.
///
/// # Errors
/// If a request fails.
pub(super) async fn read_for_undo(history: &RunHistory, live: &mut LiveState, client: &ApiClient) -> Result<(), Error> {
    let mut patience = Patience::default();
    loop {
        let unread = read_readable_devices(live, reads_for_undo(history, live), client).await?;
        if !patience.lists_again(&unread, client).await {
            return if unread.is_empty() { Ok(()) } else { Err(Error::DevicesUnreadable(unread)) };
        }
        *live = client.list_networks(Priority::Normal).await?;
    }
}

fn reads_for_undo(history: &RunHistory, live: &LiveState) -> RequiredReads {
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
    reads.sorted()
}
