//! `POST …/baseStations`: up to 50 addresses, with a result for each.

use super::spec::{OperationRequest, OperationSpec, Response};
use crate::client::SendError;
use crate::model::Mac;
use crate::plan::model::StepItem;
use crate::webex::calls::{self, Call};

pub(super) struct AddBaseStations;

impl OperationSpec for AddBaseStations {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let station = |item: &StepItem| item.to.as_ref()?.base_station()?.mac();
        let macs: Vec<Mac> = request.items.iter().filter_map(station).collect();
        Ok(calls::add_base_stations(request.network()?, &macs).map(Response::Items))
    }

    fn hint(&self, status: u16) -> Option<&'static str> {
        (status == 409).then_some("another network may have it: `dectl export --include base-stations` shows which")
    }

    fn is_repeated_once(&self) -> bool {
        true
    }
}
