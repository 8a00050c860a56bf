//! How an operation is described: its request, what must be looked at right before it is sent, and what its response tells.
//! The operations of a kind are in `resources/<kind>/operations`; they see neither the run nor the journal.

use std::time::Duration;

use async_trait::async_trait;

use crate::client::{ApiClient, RequestContext, SendError};
use crate::model::{LocationId, NetworkId};
use crate::plan::model::{Change, ResourceState, StepItem};
use crate::webex::calls::Call;
use crate::webex::{ApiError, ErrorClass, ItemResult, MaybeApplied, NetworkPath, WriteAck};

/// Intervals at which something is read again until an accepted write (202) or a lagging read shows its new state.
pub(crate) const POLL_INTERVALS: [Duration; 6] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// One request of a step.
#[derive(Clone, Copy)]
pub(crate) struct OperationRequest<'a> {
    pub(crate) location: &'a LocationId,
    /// The network that it is about; `None` if it is created.
    pub(crate) network: Option<&'a NetworkId>,
    /// What it does to each thing.
    pub(crate) items: &'a [StepItem],
    /// The change that the first item is about.
    pub(crate) change: &'a Change,
    /// Whether this run has written to the same network before, so that reads may lag behind.
    pub(crate) was_written: bool,
    /// Whether what it changes is to be read again before.
    pub(crate) reread: bool,
}

impl<'a> OperationRequest<'a> {
    /// The network that it is about.
    ///
    /// # Errors
    /// If it is still to be created: a step is sent only once its network exists.
    pub(crate) fn network(&self) -> Result<NetworkPath<'a>, SendError> {
        let network = self.network.map(|network| NetworkPath { location: self.location, network });
        network.ok_or_else(|| unknown("the network does not exist yet"))
    }
}

/// Why a request cannot be sent.
pub(crate) fn unknown(message: &str) -> SendError {
    SendError::Failed(ApiError::no_response(ErrorClass::Permanent, message, MaybeApplied::No))
}

/// What the API returns.
#[derive(Debug)]
pub(crate) enum Response {
    Acknowledged(WriteAck),
    /// The id of what was created, if the response has it.
    Created(Option<NetworkId>),
    /// A result for each item.
    Items(Vec<ItemResult>),
}

/// Why a request must not be sent.
#[derive(Clone)]
pub(crate) enum Refusal {
    /// What it is about has changed since the plan was made.
    Changed(String),
    /// The same, and the whole run stops.
    StopRun(String),
    /// The shutdown came first.
    Cancelled,
    /// It could not be read.
    Failed(ApiError),
}

impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Cancelled => Self::Cancelled,
            SendError::Failed(error) => Self::Failed(error),
        }
    }
}

/// What a look at what a request is about has shown.
pub(crate) enum GuardVerdict {
    Go,
    /// It changes handsets or lines now, which is recorded first: the next run must wait, too.
    GoChangingHandsets,
    /// The network now holds this, less than the plan lists, which is recorded first: an undo must not bring back more.
    GoWithContents(Vec<ResourceState>),
    Refuse(Refusal),
}

/// One kind of operation.
#[async_trait(?Send)]
pub(crate) trait OperationSpec {
    /// The request.
    ///
    /// # Errors
    /// If it is about something that does not exist yet.
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError>;

    /// Whether a request without a response, of which a read shows nothing, is sent again: Webex would refuse the second thing.
    /// Requests that may be sent any number of times are repeated by the client.
    fn is_repeated_if_unseen(&self) -> bool {
        false
    }

    /// Whether an error may mean that there is nothing left to do.
    fn is_already_done(&self, _error: &ApiError) -> bool {
        false
    }

    /// How long reads may still show a request that was lost; `None` if one read is enough.
    fn observation_time(&self, _client: &ApiClient) -> Option<Duration> {
        None
    }

    /// Whether a result of a response is that of an item.
    fn is_result_of(&self, item: &ResourceState, result: &ItemResult) -> bool {
        result.item == item.label()
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
    async fn guard(
        &self,
        _request: OperationRequest<'_>,
        _client: &ApiClient,
        _context: RequestContext<'_>,
    ) -> GuardVerdict {
        GuardVerdict::Go
    }
}
