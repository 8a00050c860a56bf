//! How base stations are added and removed.

use super::calls;
use super::mac::Mac;
use crate::apply::operation::{OperationRequest, OperationSpec, Response, unknown};
use crate::client::SendError;
use crate::plan::model::{ResourceState, StepItem};
use crate::webex::calls::Call;
use crate::webex::{ApiError, ErrorClass, ItemResult};

/// `POST …/baseStations`: up to 50 addresses, with a result for each.
pub(crate) struct AddBaseStations;

impl OperationSpec for AddBaseStations {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let station = |item: &StepItem| item.to.as_ref()?.base_station()?.mac();
        let macs: Vec<Mac> = request.items.iter().filter_map(station).collect();
        Ok(calls::add_base_stations(request.network()?, &macs).map(Response::Items))
    }

    fn is_result_of(&self, item: &ResourceState, result: &ItemResult) -> bool {
        Mac::new(&result.item).map_or_else(|_| result.item == item.label(), |mac| mac.to_string() == item.label())
    }

    fn hint(&self, status: u16) -> Option<&'static str> {
        (status == 409).then_some("another network may have it: `dectl export --include base-stations` shows which")
    }

    fn is_repeated_if_unseen(&self) -> bool {
        true
    }
}

/// `DELETE …/baseStations/{id}`: one base station, never the collection.
pub(crate) struct RemoveBaseStation;

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
