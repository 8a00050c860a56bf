//! `PUT …/handsets/{id}`: name and lines. It may be sent any number of times.

use async_trait::async_trait;

use super::spec::{Observation, OperationRequest, OperationSpec, Refusal, Response, record_handset_change};
use crate::client::{Priority, RequestContext, SendError};
use crate::model::{Handset, HandsetId};
use crate::plan::model::Operation;

pub(super) struct UpdateHandset;

/// The handset that an update is about: a listed one, or one that this run has added with its first line.
fn handset_id(request: &OperationRequest<'_>) -> Option<HandsetId> {
    let item = request.items[0];
    let listed = request.change(item).handset_before().and_then(|handset| handset.id.clone());
    listed.or_else(|| request.run.added_handsets.borrow().get(&item).cloned())
}

fn wanted<'a>(request: &OperationRequest<'a>) -> Option<&'a Handset> {
    request.change(request.items[0]).handset_after()
}

#[async_trait(?Send)]
impl OperationSpec for UpdateHandset {
    async fn send(&self, request: OperationRequest<'_>, context: RequestContext<'_>) -> Result<Response, SendError> {
        let (Some(network), Some(id), Some(handset)) = (request.network, handset_id(&request), wanted(&request)) else {
            return Err(request.no_network());
        };
        let updated = request.run.client.update_handset(request.location, network, &id, handset, context).await;
        updated.map(Response::Acknowledged)
    }

    async fn observe(&self, request: OperationRequest<'_>, priority: Priority) -> Result<Vec<Observation>, SendError> {
        let (Some(network), Some(id), Some(handset)) = (request.network, handset_id(&request), wanted(&request)) else {
            return Err(request.no_network());
        };
        let listed = request.run.client.list_handsets(request.location, network, priority).await?;
        let is_updated = |listed: &Handset| listed.id.as_ref() == Some(&id) && listed.is_equivalent(handset);
        let is_applied = listed.iter().any(is_updated);
        Ok(vec![if is_applied { Observation::Applied { id: Some(id.to_string()) } } else { Observation::NotApplied }])
    }

    async fn guard(&self, request: OperationRequest<'_>, _context: RequestContext<'_>) -> Option<Refusal> {
        // A new name alone needs no time.
        if request.run.plan.is_spaced(Operation::UpdateHandset, request.items) {
            record_handset_change(request).await
        } else {
            None
        }
    }
}
