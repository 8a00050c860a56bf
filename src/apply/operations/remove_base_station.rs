//! `DELETE …/baseStations/{id}`: one base station, never the collection.

use async_trait::async_trait;

use super::spec::{Observation, OperationRequest, OperationSpec, Response, unknown};
use crate::client::{Priority, SendError};
use crate::plan::model::ResourceState;
use crate::webex::calls::{self, Call};
use crate::webex::{ApiError, ErrorClass};

pub(super) struct RemoveBaseStation;

#[async_trait(?Send)]
impl OperationSpec for RemoveBaseStation {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let station = request.items[0].from.as_ref().and_then(ResourceState::base_station);
        let id =
            station.and_then(|station| station.id.as_ref()).ok_or_else(|| unknown("the base station has no id"))?;
        Ok(calls::remove_base_station(request.network()?, id).map(Response::Acknowledged))
    }

    async fn observe(&self, request: OperationRequest<'_>, priority: Priority) -> Result<Vec<Observation>, SendError> {
        let station = request.items[0].from.as_ref().and_then(ResourceState::base_station);
        let id = station.and_then(|station| station.id.as_ref());
        let is_listed = match request.run.client.read(&calls::list_base_stations(request.network()?), priority).await {
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
