//! `DELETE …/dectNetworks/{id}`: the network goes with its base stations and handsets.

use async_trait::async_trait;

use super::spec::{OperationRequest, OperationSpec, Refusal, Response};
use crate::client::{RequestContext, SendError};
use crate::model::Devices;
use crate::plan::model::{Change, ResourceKind, ResourceState};
use crate::storage::journal::{JournalEntry, JournalItem, WriteKind};
use crate::webex::calls::{self, Call};
use crate::webex::{ApiError, ErrorClass};

pub(super) struct DeleteNetwork;

#[async_trait(?Send)]
impl OperationSpec for DeleteNetwork {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        Ok(calls::delete_network(request.network()?).map(Response::Acknowledged))
    }

    fn is_already_done(&self, error: &ApiError) -> bool {
        is_gone(error)
    }

    /// What the network holds is read again: nothing is deleted that the plan did not list.
    async fn guard(&self, request: OperationRequest<'_>, context: RequestContext<'_>) -> Option<Refusal> {
        let network = request.network().ok()?;
        let mut devices = Devices::UNREAD;
        for kind in ResourceKind::DEVICES {
            let Some(call) = calls::list_devices(kind, network) else { continue };
            match request.run.client.read(&call, context.priority).await {
                Ok(list) => devices.set(list),
                Err(error) => return refusal(error),
            }
        }
        let change = request.change();
        match change.new_contents(&devices) {
            contents if contents.is_empty() => record_contents(request, change, &devices).await,
            contents => Some(Refusal::Changed(format!(
                "changed since the plan was made: it now also holds {}; not deleted",
                contents.join(", ")
            ))),
        }
    }
}

/// Records what the network holds, if that is less than the plan lists: an undo must not bring back more.
async fn record_contents(request: OperationRequest<'_>, change: &Change, devices: &Devices) -> Option<Refusal> {
    let contents = ResourceState::all(devices);
    if contents.len() == change.contents.len() {
        return None;
    }
    let item = JournalItem { contents, ..JournalItem::of(change, &request.items[0], WriteKind::Final) };
    let (location, network) = (change.location.clone(), request.network.cloned());
    let entry = JournalEntry::WriteStarted { location, network, items: vec![item] };
    // What is not recorded is not sent.
    request.run.record(entry).await.err().map(|_| Refusal::Cancelled)
}

/// A network that is gone holds nothing; its deletion finds that out.
fn refusal(error: SendError) -> Option<Refusal> {
    match error {
        SendError::Cancelled => Some(Refusal::Cancelled),
        SendError::Failed(error) if is_gone(&error) => None,
        SendError::Failed(error) => Some(Refusal::Failed(error)),
    }
}

fn is_gone(error: &ApiError) -> bool {
    error.class == ErrorClass::NotFound
}
