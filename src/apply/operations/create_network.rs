//! `POST …/dectNetworks`.

use super::spec::{OperationRequest, OperationSpec, Response, unknown};
use crate::client::SendError;
use crate::model::NetworkModel;
use crate::plan::model::ResourceState;
use crate::webex::calls::{self, Call};

pub(super) struct CreateNetwork;

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

    fn is_repeated_once(&self) -> bool {
        true
    }
}
