//! `PUT …/handsets/{id}`: name and lines. It may be sent any number of times.

use async_trait::async_trait;

use super::spec::{Observation, OperationRequest, OperationSpec, Refusal, Response, record_handset_change, unknown};
use crate::client::{Priority, RequestContext, SendError};
use crate::model::{Handset, HandsetId};
use crate::plan::model::{ResourceState, is_spaced};
use crate::webex::calls::{self, Call};

pub(super) struct UpdateHandset;

/// The handset that an update is about, a listed one or one that this run has added with its first line, and how it is to
/// be.
fn wanted<'a>(request: &OperationRequest<'a>) -> Result<(HandsetId, &'a Handset), SendError> {
    let item = &request.items[0];
    let (from, to) = (item.from.as_ref(), item.to.as_ref());
    let listed = from.and_then(ResourceState::handset).and_then(|handset| handset.id.clone());
    let id = listed.or_else(|| request.run.added_handsets.borrow().get(&item.change).cloned());
    id.zip(to.and_then(ResourceState::handset)).ok_or_else(|| unknown("the handset does not exist yet"))
}

#[async_trait(?Send)]
impl OperationSpec for UpdateHandset {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let (id, handset) = wanted(request)?;
        Ok(calls::update_handset(request.network()?, &id, handset).map(Response::Acknowledged))
    }

    async fn observe(&self, request: OperationRequest<'_>, priority: Priority) -> Result<Vec<Observation>, SendError> {
        let (id, handset) = wanted(&request)?;
        let listed = request.run.client.read(&calls::list_handsets(request.network()?), priority).await?;
        let is_updated = |listed: &Handset| listed.id.as_ref() == Some(&id) && listed.is_equivalent(handset);
        let is_applied = listed.iter().any(is_updated);
        Ok(vec![if is_applied { Observation::Applied { id: Some(id.to_string()) } } else { Observation::NotApplied }])
    }

    async fn guard(&self, request: OperationRequest<'_>, _context: RequestContext<'_>) -> Option<Refusal> {
        // A new name alone needs no time.
        if is_spaced(request.items) { record_handset_change(request).await } else { None }
    }
}
