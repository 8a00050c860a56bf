//! `POST …/dectNetworks`.

use futures::FutureExt;

use super::spec::{Observation, OperationFuture, OperationRequest, OperationSpec, Response};
use crate::client::{Priority, RequestContext, SendError};
use crate::model::{LiveState, NetworkId, NetworkModel};
use crate::plan::model::{Change, Plan, ResourceState};
use crate::webex::{ApiError, ErrorClass, MaybeApplied};

pub(super) struct CreateNetwork;

impl OperationSpec for CreateNetwork {
    fn send<'a>(
        &'a self,
        request: OperationRequest<'a>,
        context: RequestContext<'a>,
    ) -> OperationFuture<'a, Result<Response, SendError>> {
        async move {
            let model = match &request.change(request.items[0]).after {
                Some(ResourceState::Network { model: Some(model), .. }) => NetworkModel::parse(model),
                _ => None,
            };
            let (Some(settings), Some(model)) = (request.settings, model) else {
                let message = "a network cannot be created without its settings and model";
                let error = ApiError::no_response(ErrorClass::Permanent, message, MaybeApplied::No);
                return Err(SendError::Failed(error));
            };
            let created = request.run.client.create_network(request.location, settings, model, context).await;
            created.map(Response::Created)
        }
        .boxed_local()
    }

    fn observe<'a>(
        &'a self,
        request: OperationRequest<'a>,
        priority: Priority,
    ) -> OperationFuture<'a, Result<Vec<Observation>, SendError>> {
        async move {
            let live = request.run.client.list(priority).await?;
            let created = find_created(request.run.plan, request.change(request.items[0]), &live);
            Ok(vec![match created {
                Some(id) => Observation::Applied { id: Some(id.to_string()) },
                None => Observation::NotApplied,
            }])
        }
        .boxed_local()
    }

    fn is_repeated_once(&self) -> bool {
        true
    }
}

/// The network that a creation has made: one that the plan does not know otherwise.
pub(in crate::apply) fn find_created(plan: &Plan, change: &Change, live: &LiveState) -> Option<NetworkId> {
    let location = live.find_location(&change.location.id)?;
    let is_known = |id: &NetworkId| {
        plan.unchanged_networks.iter().any(|unchanged| unchanged.network == *id)
            || plan.changes.iter().any(|change| change.network.id() == Some(id))
    };
    let created = |network: &crate::model::Network| {
        change.after.as_ref().is_some_and(|after| after.matches_created(network)) && !is_known(&network.id)
    };
    live.networks_of(location).find(|(_, network)| created(network)).map(|(_, network)| network.id.clone())
}
