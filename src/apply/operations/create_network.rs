//! `POST …/dectNetworks`.

use async_trait::async_trait;

use super::spec::{Observation, OperationRequest, OperationSpec, Response, unknown};
use crate::client::{Priority, SendError};
use crate::model::NetworkModel;
use crate::plan::model::ResourceState;
use crate::webex::calls::{self, Call};

pub(super) struct CreateNetwork;

#[async_trait(?Send)]
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

    async fn observe(&self, request: OperationRequest<'_>, priority: Priority) -> Result<Vec<Observation>, SendError> {
        let live = request.run.client.read(&calls::list_networks(), priority).await?;
        let known = request.run.plan.known_networks();
        Ok(vec![match request.change().find_created(&known, &live) {
            Some(at) => Observation::Applied { id: Some(live.network(at).id.to_string()) },
            None => Observation::NotApplied,
        }])
    }

    fn is_repeated_once(&self) -> bool {
        true
    }
}
