//! `PUT …/handsets/{id}`: name and lines. It may be sent any number of times.

use async_trait::async_trait;

use super::spec::{OperationRequest, OperationSpec, Refusal, Response, record_handset_change, unknown};
use crate::client::{RequestContext, SendError};
use crate::plan::model::{ResourceState, is_spaced};
use crate::webex::calls::{self, Call};

pub(super) struct UpdateHandset;

#[async_trait(?Send)]
impl OperationSpec for UpdateHandset {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let item = &request.items[0];
        let id = item.from.as_ref().and_then(ResourceState::handset).and_then(|handset| handset.id.as_ref());
        let handset = item.to.as_ref().and_then(ResourceState::handset);
        let (id, handset) = id.zip(handset).ok_or_else(|| unknown("the handset does not exist yet"))?;
        Ok(calls::update_handset(request.network()?, id, handset).map(Response::Acknowledged))
    }

    async fn guard(&self, request: OperationRequest<'_>, _context: RequestContext<'_>) -> Option<Refusal> {
        // A new name alone needs no time.
        if is_spaced(request.items) { record_handset_change(request).await } else { None }
    }
}
