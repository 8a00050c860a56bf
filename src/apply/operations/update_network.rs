//! `PUT …/dectNetworks/{id}`. It may be sent any number of times.

use async_trait::async_trait;

use super::spec::{OperationRequest, OperationSpec, Refusal, Response};
use crate::apply::confirm;
use crate::client::{RequestContext, SendError};
use crate::model::Network;
use crate::webex::calls::{self, Call};

pub(super) struct UpdateNetwork;

#[async_trait(?Send)]
impl OperationSpec for UpdateNetwork {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let (_, settings) = request.settings()?;
        Ok(calls::update_network(request.network()?, settings).map(Response::Acknowledged))
    }

    /// With `--reread`: the settings must still be those that the plan starts from.
    async fn guard(&self, request: OperationRequest<'_>, context: RequestContext<'_>) -> Option<Refusal> {
        let (Ok(network), Ok((before, _)), true) = (request.network(), request.settings(), request.run.options.reread)
        else {
            return None;
        };
        let client = request.run.client;
        let original = request.change().settings_before();
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
