//! How handsets are added, updated and removed.

use std::time::Duration;

use async_trait::async_trait;

use super::calls;
use super::member::Member;
use super::state::Handset;
use crate::apply::operation::{GuardVerdict, OperationRequest, OperationSpec, Response, unknown};
use crate::client::{ApiClient, RequestContext, SendError};
use crate::model::HandsetId;
use crate::plan::model::{ResourceState, StepItem, is_spaced};
use crate::webex::calls::Call;
use crate::webex::{ApiError, ErrorClass, ItemResult};

/// `POST …/handsets/bulk`: up to 50 handsets, with a result for each and without ids.
pub(crate) struct AddHandsets;

/// Both lines at once were refused, which has been seen live although it is documented: then the second line is added by
/// an update.
const SECOND_LINE_REFUSED: u32 = 5_302;

/// The handset that a request adds.
fn wanted(item: &StepItem) -> Option<&Handset> {
    item.to.as_ref()?.handset()
}

#[async_trait(?Send)]
impl OperationSpec for AddHandsets {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let handsets: Vec<&Handset> = request.items.iter().filter_map(wanted).collect();
        Ok(calls::add_handsets(request.network()?, &handsets).map(Response::Items))
    }

    /// A handset that is added twice cannot be told from the first, so a lost request is never sent again.
    fn observation_time(&self, client: &ApiClient) -> Option<Duration> {
        Some(client.lost_handset_time())
    }

    async fn guard(&self, _: OperationRequest<'_>, _: &ApiClient, _: RequestContext<'_>) -> GuardVerdict {
        GuardVerdict::GoChangingHandsets
    }

    fn is_result_of(&self, item: &ResourceState, result: &ItemResult) -> bool {
        item.handset().is_some_and(|handset| handset.is_named(&result.item))
    }

    fn is_deferred(&self, item: &ResourceState, code: Option<u32>) -> bool {
        code == Some(SECOND_LINE_REFUSED) && item.handset().is_some_and(|handset| handset.line2.is_some())
    }

    /// Whose line it is: the message of Webex names no member.
    fn refused_item(&self, item: &ResourceState) -> Option<String> {
        let describe = |member: &Member| {
            let number = member.number.as_deref().map(|number| format!(", {number}")).unwrap_or_default();
            format!("{}{number}", member.label())
        };
        let lines: Vec<String> = item.handset()?.lines().map(describe).collect();
        Some(lines.join(" and "))
    }
}

/// `PUT …/handsets/{id}`: name and lines. It may be sent any number of times.
pub(crate) struct UpdateHandset;

#[async_trait(?Send)]
impl OperationSpec for UpdateHandset {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let item = &request.items[0];
        let id = item.from.as_ref().and_then(ResourceState::handset).and_then(|handset| handset.id.as_ref());
        let handset = item.to.as_ref().and_then(ResourceState::handset);
        let (id, handset) = id.zip(handset).ok_or_else(|| unknown("the handset does not exist yet"))?;
        Ok(calls::update_handset(request.network()?, id, handset).map(Response::Acknowledged))
    }

    async fn guard(&self, request: OperationRequest<'_>, _: &ApiClient, _: RequestContext<'_>) -> GuardVerdict {
        // A new name alone needs no time.
        if is_spaced(request.items) { GuardVerdict::GoChangingHandsets } else { GuardVerdict::Go }
    }
}

/// `DELETE …/handsets` with the ids of 1 to 50 handsets; never `deleteAll`.
pub(crate) struct RemoveHandsets;

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

    async fn guard(&self, _: OperationRequest<'_>, _: &ApiClient, _: RequestContext<'_>) -> GuardVerdict {
        GuardVerdict::GoChangingHandsets
    }
}
