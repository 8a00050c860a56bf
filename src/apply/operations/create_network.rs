//! `POST …/dectNetworks`.

use futures::FutureExt;

use super::spec::{Observation, OperationFuture, OperationRequest, OperationSpec, Response};
use crate::client::{Priority, RequestContext, SendError};
use crate::model::NetworkModel;
use crate::plan::model::ResourceState;
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
            let known = request.run.plan.known_networks();
            Ok(vec![match request.change(request.items[0]).find_created(&known, &live) {
                Some(at) => Observation::Applied { id: Some(live.network(at).id.to_string()) },
                None => Observation::NotApplied,
            }])
        }
        .boxed_local()
    }

    fn is_repeated_once(&self) -> bool {
        true
    }
}
