//! `DELETE …/baseStations/{id}`: one base station, never the collection.

use async_trait::async_trait;

use super::spec::{Observation, OperationRequest, OperationSpec, Response};
use crate::client::{Priority, RequestContext, SendError};
use crate::webex::{ApiError, ErrorClass};

pub(super) struct RemoveBaseStation;

#[async_trait(?Send)]
impl OperationSpec for RemoveBaseStation {
    async fn send(&self, request: OperationRequest<'_>, context: RequestContext<'_>) -> Result<Response, SendError> {
        let station = request.change(request.items[0]).base_station();
        let (Some(network), Some(id)) = (request.network, station.and_then(|station| station.id.as_ref())) else {
            return Err(request.no_network());
        };
        let removed = request.run.client.remove_base_station(request.location, network, id, context).await;
        removed.map(Response::Acknowledged)
    }

    async fn observe(&self, request: OperationRequest<'_>, priority: Priority) -> Result<Vec<Observation>, SendError> {
        let Some(network) = request.network else { return Err(request.no_network()) };
        let id = request.change(request.items[0]).base_station().and_then(|station| station.id.as_ref());
        let is_listed = match request.run.client.list_base_stations(request.location, network, priority).await {
            Ok(listed) => listed.iter().any(|station| station.id.as_ref() == id),
            // A network that is gone has no base stations.
            Err(SendError::Failed(error)) if error.class == ErrorClass::NotFound => false,
            Err(error) => return Err(error),
        };
        Ok(vec![Observation::when(!is_listed)])
    }

    fn is_already_done(&self, error: &ApiError) -> bool {
        error.class == ErrorClass::NotFound
    }
}
