//! `DELETE …/handsets` with the ids of 1 to 50 handsets; never `deleteAll`.

use async_trait::async_trait;

use super::spec::{Observation, OperationRequest, OperationSpec, Refusal, Response, record_handset_change, unknown};
use crate::client::{Priority, RequestContext, SendError};
use crate::model::HandsetId;
use crate::plan::model::StepItem;
use crate::webex::calls::{self, Call};
use crate::webex::{ApiError, ErrorClass};

pub(super) struct RemoveHandsets;

fn ids<'a>(request: &OperationRequest<'a>) -> Vec<&'a HandsetId> {
    let id = |item: &'a StepItem| item.from.as_ref()?.handset()?.id.as_ref();
    request.items.iter().filter_map(id).collect()
}

#[async_trait(?Send)]
impl OperationSpec for RemoveHandsets {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let ids = ids(request);
        if ids.len() != request.items.len() {
            return Err(unknown("a handset has no id"));
        }
        Ok(calls::remove_handsets(request.network()?, &ids).map(Response::Acknowledged))
    }

    async fn observe(&self, request: OperationRequest<'_>, priority: Priority) -> Result<Vec<Observation>, SendError> {
        let listed = match request.run.client.read(&calls::list_handsets(request.network()?), priority).await {
            Ok(listed) => listed,
            // A network that is gone has no handsets.
            Err(SendError::Failed(error)) if error.class == ErrorClass::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let is_gone = |id: &&HandsetId| !listed.iter().any(|handset| handset.id.as_ref() == Some(*id));
        Ok(ids(&request).iter().map(|id| Observation::when(is_gone(id))).collect())
    }

    fn is_already_done(&self, error: &ApiError) -> bool {
        error.class == ErrorClass::NotFound
    }

    async fn guard(&self, request: OperationRequest<'_>, _context: RequestContext<'_>) -> Option<Refusal> {
        record_handset_change(request).await
    }
}
