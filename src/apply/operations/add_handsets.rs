//! `POST …/handsets/bulk`: up to 50 handsets, with a result for each and without ids.

use std::time::Duration;

use async_trait::async_trait;

use super::spec::{OperationRequest, OperationSpec, Refusal, Response, record_handset_change};
use crate::apply::context::RunContext;
use crate::client::{RequestContext, SendError};
use crate::model::{Handset, Member};
use crate::plan::model::{ResourceState, StepItem};
use crate::webex::ItemResult;
use crate::webex::calls::{self, Call};

pub(super) struct AddHandsets;

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
    fn observation_time(&self, run: &RunContext<'_>) -> Option<Duration> {
        Some(run.client.lost_handset_time())
    }

    async fn guard(&self, request: OperationRequest<'_>, _context: RequestContext<'_>) -> Option<Refusal> {
        record_handset_change(request).await
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
