//! `DELETE …/baseStations/{id}`: one base station, never the collection.

use super::spec::{OperationRequest, OperationSpec, Response, unknown};
use crate::client::SendError;
use crate::plan::model::ResourceState;
use crate::webex::calls::{self, Call};
use crate::webex::{ApiError, ErrorClass};

pub(super) struct RemoveBaseStation;

impl OperationSpec for RemoveBaseStation {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let station = request.items[0].from.as_ref().and_then(ResourceState::base_station);
        let id =
            station.and_then(|station| station.id.as_ref()).ok_or_else(|| unknown("the base station has no id"))?;
        Ok(calls::remove_base_station(request.network()?, id).map(Response::Acknowledged))
    }

    fn is_already_done(&self, error: &ApiError) -> bool {
        error.class == ErrorClass::NotFound
    }
}
