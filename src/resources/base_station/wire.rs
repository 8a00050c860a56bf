//! The JSON of base stations.

use super::mac::Mac;
use super::state::BaseStation;
use crate::model::BaseStationId;
use crate::webex::ItemResult;
use crate::webex::wire::{WireError, item_results, items, lenient_text};

pub(crate) fn base_stations(body: &[u8]) -> Result<Vec<BaseStation>, WireError> {
    items(body, "baseStations", |item| {
        let address = lenient_text(&item["mac"])?;
        Some(BaseStation { id: lenient_text(&item["id"]).and_then(BaseStationId::non_empty), address: address.into() })
    })
}

/// The results of adding base stations. The description of the API knows a status and an id; refusals have been seen
/// elsewhere in the API with an `error`.
pub(crate) fn results(body: &[u8]) -> Vec<ItemResult> {
    item_results(body, "baseStations", "mac")
}

pub(crate) fn addition(macs: &[Mac]) -> Vec<u8> {
    let macs: Vec<String> = macs.iter().map(ToString::to_string).collect();
    serde_json::json!({ "baseStationMacs": macs }).to_string().into_bytes()
}
