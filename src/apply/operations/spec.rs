//! What a kind of operation is described by.

use std::time::Duration;

use async_trait::async_trait;

use crate::apply::context::RunContext;
use crate::client::{RequestContext, SendError};
use crate::model::{LocationId, Mac, NetworkId, Settings};
use crate::plan::model::{Change, ResourceState, StepItem};
use crate::storage::journal::JournalEntry;
use crate::webex::calls::Call;
use crate::webex::{ApiError, ErrorClass, ItemResult, MaybeApplied, NetworkPath, WriteAck};

/// One request of a step.
#[derive(Clone, Copy)]
pub(in crate::apply) struct OperationRequest<'a> {
    pub(in crate::apply) run: &'a RunContext<'a>,
    pub(in crate::apply) location: &'a LocationId,
    /// The network that it is about; `None` if it is created.
    pub(in crate::apply) network: Option<&'a NetworkId>,
    /// What it does to each thing.
    pub(in crate::apply) items: &'a [StepItem],
    /// Whether this run has written to the same network before, so that reads may lag behind.
    pub(in crate::apply) was_written: bool,
}

impl<'a> OperationRequest<'a> {
    /// The change that the first item is about.
    pub(in crate::apply) fn change(&self) -> &'a Change {
        &self.run.plan[self.items[0].change]
    }

    /// The settings of a network before and after it.
    ///
    /// # Errors
    /// If it is not an update of a network.
    pub(super) fn settings(&self) -> Result<(&'a Settings, &'a Settings), SendError> {
        let item = &self.items[0];
        let from = item.from.as_ref().and_then(ResourceState::settings);
        from.zip(item.settings()).ok_or_else(|| unknown("an update needs settings"))
    }

    /// The network that it is about.
    ///
    /// # Errors
    /// If it is still to be created: a step is sent only once its network exists.
    pub(in crate::apply) fn network(&self) -> Result<NetworkPath<'a>, SendError> {
        let network = self.network.map(|network| NetworkPath { location: self.location, network });
        network.ok_or_else(|| unknown("the network does not exist yet"))
    }
}

/// Why a request cannot be sent.
pub(super) fn unknown(message: &str) -> SendError {
    SendError::Failed(ApiError::no_response(ErrorClass::Permanent, message, MaybeApplied::No))
}

/// Records that handsets or lines are changed now: the next run must wait, too.
pub(super) async fn record_handset_change(request: OperationRequest<'_>) -> Option<Refusal> {
    let network = request.network?;
    let entry = JournalEntry::HandsetsChanging { network: network.clone() };
    // What is not recorded is not sent.
    request.run.record(entry).await.err().map(|_| Refusal::Cancelled)
}

/// What the API returns.
#[derive(Debug)]
pub(in crate::apply) enum Response {
    Acknowledged(WriteAck),
    /// The id of what was created, if the response has it.
    Created(Option<NetworkId>),
    /// A result for each item.
    Items(Vec<ItemResult>),
}

/// Why a request must not be sent.
#[derive(Clone)]
pub(in crate::apply) enum Refusal {
    /// What it is about has changed since the plan was made.
    Changed(String),
    /// The same, and the whole run stops.
    StopRun(String),
    /// The shutdown came first.
    Cancelled,
    /// It could not be read.
    Failed(ApiError),
}

/// One kind of operation.
#[async_trait(?Send)]
pub(in crate::apply) trait OperationSpec {
    /// The request.
    ///
    /// # Errors
    /// If it is about something that does not exist yet.
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError>;

    /// Whether a request without a response, of which a read shows nothing, is sent once more. Requests that may be sent
    /// any number of times are repeated by the client.
    fn is_repeated_once(&self) -> bool {
        false
    }

    /// Whether an error may mean that there is nothing left to do.
    fn is_already_done(&self, _error: &ApiError) -> bool {
        false
    }

    /// How long reads may still show a request that was lost; `None` if one read is enough.
    fn observation_time(&self, _run: &RunContext<'_>) -> Option<Duration> {
        None
    }

    /// Whether a result of a response is that of an item.
    fn is_result_of(&self, item: &ResourceState, result: &ItemResult) -> bool {
        Mac::new(&result.item).map_or_else(|_| result.item == item.label(), |mac| mac.to_string() == item.label())
    }

    /// Whether a refused item is to be tried in another way.
    fn is_deferred(&self, _item: &ResourceState, _code: Option<u32>) -> bool {
        false
    }

    /// What a refused item is about, where the message of Webex does not say.
    fn refused_item(&self, _item: &ResourceState) -> Option<String> {
        None
    }

    /// What a user may do about an item that was refused with this status.
    fn hint(&self, _status: u16) -> Option<&'static str> {
        None
    }

    /// Looks at what the request is about, right before it is sent.
    async fn guard(&self, _request: OperationRequest<'_>, _context: RequestContext<'_>) -> Option<Refusal> {
        None
    }
}
