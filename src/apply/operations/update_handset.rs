//! `PUT …/handsets/{id}`: name and lines. It may be sent any number of times.

use futures::FutureExt;

use super::spec::{
    Observation, OperationFuture, OperationRequest, OperationSpec, Refusal, Response, record_handset_change,
};
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

impl OperationSpec for UpdateHandset {
    fn send<'a>(
        &'a self,
        request: OperationRequest<'a>,
        context: RequestContext<'a>,
    ) -> OperationFuture<'a, Result<Response, SendError>> {
        async move {
            let (Some(network), Some(id), Some(handset)) = (request.network, handset_id(&request), wanted(&request))
            else {
                return Err(request.no_network());
            };
            let updated = request.run.client.update_handset(request.location, network, &id, handset, context).await;
            updated.map(Response::Acknowledged)
        }
        .boxed_local()
    }

    fn observe<'a>(
        &'a self,
        request: OperationRequest<'a>,
        priority: Priority,
    ) -> OperationFuture<'a, Result<Vec<Observation>, SendError>> {
        async move {
            let (Some(network), Some(id), Some(handset)) = (request.network, handset_id(&request), wanted(&request))
            else {
                return Err(request.no_network());
            };
            let listed = request.run.client.list_handsets(request.location, network, priority).await?;
            let is_updated = |listed: &Handset| listed.id.as_ref() == Some(&id) && listed.is_equivalent(handset);
            let is_applied = listed.iter().any(is_updated);
            Ok(vec![if is_applied {
                Observation::Applied { id: Some(id.to_string()) }
            } else {
                Observation::NotApplied
            }])
        }
        .boxed_local()
    }

    fn guard<'a>(
        &'a self,
        request: OperationRequest<'a>,
        _context: RequestContext<'a>,
    ) -> OperationFuture<'a, Option<Refusal>> {
        async move {
            // A new name alone needs no time.
            if request.run.plan.is_spaced(Operation::UpdateHandset, request.items) {
                record_handset_change(request).await
            } else {
                None
            }
        }
        .boxed_local()
    }
}
