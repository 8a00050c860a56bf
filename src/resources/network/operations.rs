//! How networks are created, updated and deleted.

use async_trait::async_trait;

use super::calls;
use super::settings::Settings;
use crate::apply::operation::{
    GuardVerdict, OperationRequest, OperationSpec, POLL_INTERVALS, Refusal, Response, unknown,
};
use crate::client::{ApiClient, RequestContext, SendError};
use crate::model::{Devices, Network, NetworkModel};
use crate::plan::model::{ResourceKind, ResourceState};
use crate::webex::calls::Call;
use crate::webex::{ApiError, ErrorClass};

/// `POST …/dectNetworks`.
pub(crate) struct CreateNetwork;

impl OperationSpec for CreateNetwork {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let model = match &request.items[0].to {
            Some(ResourceState::Network { model: Some(model), .. }) => NetworkModel::parse(model),
            _ => None,
        };
        let (Some(settings), Some(model)) = (request.items[0].settings(), model) else {
            return Err(unknown("a network cannot be created without its settings and model"));
        };
        Ok(calls::create_network(request.location, settings, model).map(Response::Created))
    }

    fn is_repeated_if_unseen(&self) -> bool {
        true
    }
}

/// `PUT …/dectNetworks/{id}`. It may be sent any number of times.
pub(crate) struct UpdateNetwork;

#[async_trait(?Send)]
impl OperationSpec for UpdateNetwork {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let (_, settings) = settings(request)?;
        Ok(calls::update_network(request.network()?, settings).map(Response::Acknowledged))
    }

    /// With `--reread`: the settings must still be those that the plan starts from.
    async fn guard(
        &self,
        request: OperationRequest<'_>,
        client: &ApiClient,
        context: RequestContext<'_>,
    ) -> GuardVerdict {
        let (Ok(network), Ok((before, _)), true) = (request.network(), settings(&request), request.reread) else {
            return GuardVerdict::Go;
        };
        let original = request.change.settings_before();
        let mut waits = POLL_INTERVALS.into_iter();
        let read = loop {
            let read = client.send(&calls::get_network(network), context).await;
            // Reads may lag behind writes: a state that the network had earlier in this run may be about to change.
            let is_lagging = |live: &Network| {
                request.was_written
                    && !live.settings.matches(before)
                    && original.is_some_and(|original| live.settings.matches(original))
            };
            match (&read, waits.next()) {
                (Ok(live), Some(wait)) if is_lagging(live) && !client.shutdown().is_requested() => {
                    client.wait(wait).await;
                }
                _ => break read,
            }
        };
        match read {
            Ok(live) if live.settings.matches(before) => GuardVerdict::Go,
            Ok(_) => {
                GuardVerdict::Refuse(Refusal::StopRun("changed by another client since the plan was made".to_owned()))
            }
            Err(error) => GuardVerdict::Refuse(error.into()),
        }
    }
}

/// `DELETE …/dectNetworks/{id}`: the network goes with its base stations and handsets.
pub(crate) struct DeleteNetwork;

#[async_trait(?Send)]
impl OperationSpec for DeleteNetwork {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        Ok(calls::delete_network(request.network()?).map(Response::Acknowledged))
    }

    fn is_already_done(&self, error: &ApiError) -> bool {
        is_gone(error)
    }

    /// What the network holds is read again: nothing is deleted that the plan did not list.
    async fn guard(
        &self,
        request: OperationRequest<'_>,
        client: &ApiClient,
        context: RequestContext<'_>,
    ) -> GuardVerdict {
        let Ok(network) = request.network() else { return GuardVerdict::Go };
        let mut devices = Devices::UNREAD;
        for kind in ResourceKind::DEVICES {
            let Some(call) = crate::resources::calls::list_devices(kind, network) else { continue };
            match client.read(&call, context.priority).await {
                Ok(list) => devices.set(list),
                // A network that is gone holds nothing; its deletion finds that out.
                Err(SendError::Failed(error)) if is_gone(&error) => return GuardVerdict::Go,
                Err(error) => return GuardVerdict::Refuse(error.into()),
            }
        }
        let new = request.change.new_contents(&devices);
        if !new.is_empty() {
            return GuardVerdict::Refuse(Refusal::Changed(format!(
                "changed since the plan was made: it now also holds {}; not deleted",
                new.join(", ")
            )));
        }
        match ResourceState::all(&devices) {
            contents if contents.len() == request.change.contents.len() => GuardVerdict::Go,
            contents => GuardVerdict::GoWithContents(contents),
        }
    }
}

/// The settings of a network before and after an update.
///
/// # Errors
/// If it is none.
fn settings<'a>(request: &OperationRequest<'a>) -> Result<(&'a Settings, &'a Settings), SendError> {
    let item = &request.items[0];
    let from = item.from.as_ref().and_then(ResourceState::settings);
    from.zip(item.settings()).ok_or_else(|| unknown("an update needs settings"))
}

fn is_gone(error: &ApiError) -> bool {
    error.class == ErrorClass::NotFound
}
