//! `DELETE …/handsets` with the ids of 1 to 50 handsets; never `deleteAll`.

use async_trait::async_trait;

use super::spec::{OperationRequest, OperationSpec, Refusal, Response, record_handset_change, unknown};
use crate::client::{RequestContext, SendError};
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

    fn is_already_done(&self, error: &ApiError) -> bool {
        error.class == ErrorClass::NotFound
    }

    async fn guard(&self, request: OperationRequest<'_>, _context: RequestContext<'_>) -> Option<Refusal> {
        record_handset_change(request).await
    }
}
