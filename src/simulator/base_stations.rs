//! The base stations of the simulated organization: an address is in one network only, and a model has a limit.

use serde_json::{Value, json};

use super::network::{SimBaseStation, SimNetwork, parse_mac};
use super::organization::SimulatedOrganization;
use super::request::Place;
use super::responses::{ApiErrorResponse, SimulatedResponse};
use crate::runtime::Instant;

/// The largest number of addresses in one request that is accepted here. Webex documents none.
const MAX_ADDRESSES: usize = 500;

/// The models of base stations, as wxc_sdk reads them; the numbers are those of Cisco's description.
pub(super) fn supported_devices() -> Value {
    let device = |model: &str, name: &str, stations: u32, lines: u32| {
        json!({
            "model": model,
            "displayName": name,
            "numberOfBaseStations": stations,
            "numberOfLinePorts": lines,
            "numberOfRegistrationsSupported": lines,
        })
    };
    json!({ "devices": [
        device("DMS Cisco DBS110", "Cisco DECT 110 Base", 1, 30),
        device("DMS Cisco DBS210", "Cisco DECT 210 Base", 254, 1_000),
    ] })
}

impl SimulatedOrganization {
    /// The base stations of a network as a list that may lag behind.
    pub(super) fn list_base_stations(
        &self,
        network: &SimNetwork,
        tracking_id: String,
        now: Instant,
    ) -> SimulatedResponse {
        let listed = match self.lagging(&network.id, now) {
            Some(earlier) => earlier.map_or(&[][..], |earlier| &earlier.base_stations),
            None => &network.base_stations,
        };
        let item = |station: &SimBaseStation| json!({ "id": station.id(), "mac": station.address(), "numberOfLinesRegistered": 0 });
        let stations: Vec<Value> = listed.iter().map(item).collect();
        SimulatedResponse::json(200, tracking_id, &json!({ "baseStations": stations }))
    }

    /// One base station. No handset is registered with any.
    pub(super) fn base_station(
        network: &SimNetwork,
        id: &str,
        tracking_id: String,
    ) -> Result<SimulatedResponse, ApiErrorResponse> {
        let station = network.base_stations.iter().find(|station| station.id() == id);
        let station = station.ok_or_else(|| ApiErrorResponse::new(404, 27_463, "the base station does not exist"))?;
        let body = json!({ "id": station.id(), "mac": station.address(), "handsets": [] });
        Ok(SimulatedResponse::json(200, tracking_id, &body))
    }

    /// Adds base stations; the response has a result for each.
    pub(super) fn add_base_stations(
        &mut self,
        place: &Place,
        body: &[u8],
        now: Instant,
    ) -> Result<Value, ApiErrorResponse> {
        let bad = |words: &str| ApiErrorResponse::new(400, 25_008, words);
        let mut changed = self.find_network(place)?.clone();
        let value: Value = serde_json::from_slice(body).map_err(|_| bad("the body is not JSON"))?;
        let addresses = value["baseStationMacs"].as_array().ok_or_else(|| bad("baseStationMacs is missing"))?;
        if addresses.is_empty() || addresses.len() > MAX_ADDRESSES {
            return Err(bad("baseStationMacs must have 1 to 500 items"));
        }
        self.record_previous_state(&place.network, Some(&changed.clone()), now);
        let mut results = Vec::new();
        for address in addresses {
            let text = address.as_str().unwrap_or_default();
            let refused = |status: u16, code: u32, words: &str| json!({ "mac": text, "result": { "status": status, "error": { "message": words, "errorCode": code } } });
            results.push(match parse_mac(text) {
                None => refused(400, 27_460, "invalid MAC address"),
                Some(mac)
                    if self.state.holds_mac(mac) || changed.base_stations.iter().any(|other| other.mac == mac) =>
                {
                    refused(409, 27_461, "the base station is already in use")
                }
                Some(_) if changed.base_stations.len() >= changed.max_base_stations() => {
                    refused(400, 27_462, "the DECT network has the maximum number of base stations")
                }
                Some(mac) => {
                    let station = SimBaseStation::numbered(mac, self.state.unused_number());
                    let id = station.id();
                    changed.base_stations.push(station);
                    json!({ "mac": text, "result": { "status": 201, "id": id } })
                }
            });
        }
        self.state.insert(changed);
        Ok(json!({ "baseStations": results }))
    }

    /// Removes a base station, or all of a network if no id is given, which no careful client does.
    pub(super) fn remove_base_stations(
        &mut self,
        place: &Place,
        id: Option<&str>,
        now: Instant,
    ) -> Result<(), ApiErrorResponse> {
        let mut changed = self.find_network(place)?.clone();
        let before = changed.clone();
        match id {
            Some(id) => changed.base_stations.retain(|station| station.id() != id),
            None => changed.base_stations.clear(),
        }
        if id.is_some() && changed.base_stations.len() == before.base_stations.len() {
            return Err(ApiErrorResponse::new(404, 27_463, "the base station does not exist"));
        }
        self.record_previous_state(&place.network, Some(&before), now);
        self.state.insert(changed);
        Ok(())
    }
}
