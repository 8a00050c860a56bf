//! `POST …/baseStations`: up to 50 addresses, with a result for each.

use async_trait::async_trait;

use super::spec::{Observation, OperationRequest, OperationSpec, Response};
use crate::client::{Priority, SendError};
use crate::model::Mac;
use crate::plan::model::{ResourceState, StepItem};
use crate::webex::calls::{self, Call};

pub(super) struct AddBaseStations;

#[async_trait(?Send)]
impl OperationSpec for AddBaseStations {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let station = |item: &StepItem| item.to.as_ref()?.base_station()?.mac();
        let macs: Vec<Mac> = request.items.iter().filter_map(station).collect();
        Ok(calls::add_base_stations(request.network()?, &macs).map(Response::Items))
    }

    async fn observe(&self, request: OperationRequest<'_>, priority: Priority) -> Result<Vec<Observation>, SendError> {
        let listed = request.run.client.read(&calls::list_base_stations(request.network()?), priority).await?;
        let observation = |item: &StepItem| {
            let label = item.to.as_ref().map(ResourceState::label);
            match listed.iter().find(|station| Some(station.label()) == label) {
                Some(station) => Observation::Applied { id: station.id.as_ref().map(ToString::to_string) },
                None => Observation::NotApplied,
            }
        };
        Ok(request.items.iter().map(observation).collect())
    }

    fn hint(&self, status: u16) -> Option<&'static str> {
        (status == 409).then_some("another network may have it: `dectl export --include base-stations` shows which")
    }

    fn is_repeated_once(&self) -> bool {
        true
    }
}
