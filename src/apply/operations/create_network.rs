//! `POST …/dectNetworks`.

use async_trait::async_trait;

use super::spec::{Observation, OperationRequest, OperationSpec, Response};
use crate::client::{Priority, RequestContext, SendError};
use crate::model::NetworkModel;
use crate::plan::model::ResourceState;
use crate::webex::{ApiError, ErrorClass, MaybeApplied};

pub(super) struct CreateNetwork;

#[async_trait(?Send)]
impl OperationSpec for CreateNetwork {
    async fn send(&self, request: OperationRequest<'_>, context: RequestContext<'_>) -> Result<Response, SendError> {
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

    async fn observe(&self, request: OperationRequest<'_>, priority: Priority) -> Result<Vec<Observation>, SendError> {
        let live = request.run.client.list(priority).await?;
        let known = request.run.plan.known_networks();
        Ok(vec![match request.change(request.items[0]).find_created(&known, &live) {
            Some(at) => Observation::Applied { id: Some(live.network(at).id.to_string()) },
            None => Observation::NotApplied,
        }])
    }

    fn is_repeated_once(&self) -> bool {
        true
    }
}
