//! `PUT …/dectNetworks/{id}`. It may be sent any number of times.

use async_trait::async_trait;

use super::spec::{Observation, OperationRequest, OperationSpec, Refusal, Response, unknown};
use crate::apply::confirm;
use crate::client::{Priority, RequestContext, SendError};
use crate::model::{Network, Settings};
use crate::webex::calls::{self, Call};

pub(super) struct UpdateNetwork;

fn sent<'a>(request: &OperationRequest<'a>) -> Result<&'a Settings, SendError> {
    request.settings.ok_or_else(|| unknown("an update needs settings"))
}

#[async_trait(?Send)]
impl OperationSpec for UpdateNetwork {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        Ok(calls::update_network(request.network()?, sent(request)?).map(Response::Acknowledged))
    }

    async fn observe(&self, request: OperationRequest<'_>, priority: Priority) -> Result<Vec<Observation>, SendError> {
        let sent = sent(&request)?;
        let context = RequestContext { priority, ..RequestContext::QUIET };
        let live = request.run.client.send(&calls::get_network(request.network()?), context).await?;
        let is_observed = request.before.is_some_and(|before| confirm::is_observed(&live.settings, before, sent));
        Ok(vec![Observation::when(is_observed)])
    }

    /// With `--reread`: the settings must still be those that the plan starts from.
    async fn guard(&self, request: OperationRequest<'_>, context: RequestContext<'_>) -> Option<Refusal> {
        let (Ok(network), Some(before), true) = (request.network(), request.before, request.run.options.reread) else {
            return None;
        };
        let client = request.run.client;
        let original = request.change(request.items[0]).settings_before();
        let mut waits = confirm::POLL_INTERVALS.into_iter();
        let read = loop {
            let read = client.send(&calls::get_network(network), context).await;
            // Reads may lag behind writes: a state that the network had earlier in this run may be about to change.
            let is_lagging = |live: &Network| {
                request.was_written
                    && !confirm::matches_live(&live.settings, before)
                    && original.is_some_and(|original| confirm::matches_live(&live.settings, original))
            };
            match (&read, waits.next()) {
                (Ok(live), Some(wait)) if is_lagging(live) && !client.shutdown().is_requested() => {
                    client.wait(wait).await;
                }
                _ => break read,
            }
        };
        match read {
            Ok(live) if confirm::matches_live(&live.settings, before) => None,
            Ok(_) => Some(Refusal::StopRun("changed by another client since the plan was made".to_owned())),
            Err(SendError::Cancelled) => Some(Refusal::Cancelled),
            Err(SendError::Failed(error)) => Some(Refusal::Failed(error)),
        }
    }
}
