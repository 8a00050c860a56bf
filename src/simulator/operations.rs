//! The effect and the response of each operation.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::base_stations::supported_devices;
use super::network::{SimHandset, SimHandsets, SimNetwork};
use super::organization::SimulatedOrganization;
use super::request::{NetworkOperation, Operation, Place, handset_ids, number};
use super::responses::{self, ApiErrorResponse, NetworkJson, NetworkListJson, SimulatedResponse};
use super::rules;
use crate::model::{LocationId, NetworkId};
use crate::runtime::Instant;

/// Default page size of locations.
const PAGE: usize = 100;

#[derive(Debug)]
pub(super) enum WriteEffect {
    Done,
    /// A network was created with this id.
    Created(NetworkId),
    /// Base stations were added, with these results.
    Added(Value),
    /// A password was generated.
    Generated(Value),
    /// One handset was added.
    AddedHandset,
    /// Handsets were added, with these results.
    AddedHandsets(Vec<Value>),
}

impl SimulatedOrganization {
    pub(super) fn handle_operation(
        &mut self,
        operation: &Operation,
        number: u64,
        tracking_id: String,
        now: Instant,
    ) -> Result<SimulatedResponse, ApiErrorResponse> {
        Ok(match operation {
            Operation::List { location: None, .. } if self.faults.location_administrator => {
                return Err(ApiErrorResponse::new(403, 1, "the token may not list the organization"));
            }
            Operation::List { location, name } => {
                self.counters.lists += 1;
                self.list(location.as_deref(), name.as_deref(), tracking_id, now)
            }
            Operation::Create { .. } => self.written(operation, tracking_id, now)?,
            Operation::OfNetwork(_, NetworkOperation::Update(_)) if self.faults.async_update_delay.is_some() => {
                self.accept_for_later(operation, number, now)?;
                SimulatedResponse::empty(202, tracking_id)
            }
            Operation::OfNetwork(_, of_network) if of_network.is_write() => {
                self.written(operation, tracking_id, now)?
            }
            Operation::OfNetwork(place, of_network) => self.read_network(place, of_network, tracking_id, now)?,
            Operation::AvailableMembers(query) => self.available_members(query, tracking_id)?,
            Operation::CountMembers(query) => self.count_members(query, tracking_id)?,
            Operation::SupportedDevices => SimulatedResponse::json(200, tracking_id, &supported_devices()),
            Operation::Members(kind, page) => self.list_of_kind(*kind, page, tracking_id)?,
            Operation::NetworksOfMember(kind, id) => self.networks_of_member(*kind, id, tracking_id)?,
            Operation::Locations { name, max, start } => {
                self.locations(name.as_deref(), max.as_deref(), start.as_deref(), tracking_id)?
            }
            Operation::Organizations => SimulatedResponse::json(200, tracking_id, &self.organizations()),
            Operation::Me => SimulatedResponse::json(200, tracking_id, &self.me()),
            Operation::AccessToken { form } => {
                let granted = self.tokens.issue(form, self.faults.token_ttl, now)?;
                self.counters.granted += 1;
                SimulatedResponse::json(200, tracking_id, &granted)
            }
            Operation::Unknown(status) => {
                let words = match status {
                    405 => "method not allowed",
                    413 => "request body too large",
                    400 => "the path is not UTF-8",
                    _ => "not found",
                };
                return Err(ApiErrorResponse::new(*status, (*status).into(), words));
            }
        })
    }

    /// Checks an update that is done later.
    fn accept_for_later(&mut self, operation: &Operation, number: u64, now: Instant) -> Result<(), ApiErrorResponse> {
        if let (Operation::OfNetwork(place, NetworkOperation::Update(body)), Some(delay)) =
            (operation, self.faults.async_update_delay)
        {
            let current = self.find_network(place)?;
            rules::check(body, &place.location, Some(current), &self.state)?;
            self.deferred.insert((now + delay, number), operation.clone());
        }
        Ok(())
    }

    fn organizations(&self) -> Value {
        let all = std::iter::once(&self.id).chain(&self.others).enumerate();
        let item = |(at, id): (usize, _)| json!({ "id": id, "displayName": format!("Organization {}", at + 1) });
        json!({ "items": all.map(item).collect::<Vec<_>>() })
    }

    fn me(&self) -> Value {
        json!({
            "id": "simulated-admin",
            "displayName": "Simulated Admin",
            "orgId": self.id,
            "emails": ["admin@example.com"],
            "roles": [],
        })
    }

    /// Answers a read of a network or of what belongs to it.
    fn read_network(
        &mut self,
        place: &Place,
        operation: &NetworkOperation,
        tracking_id: String,
        now: Instant,
    ) -> Result<SimulatedResponse, ApiErrorResponse> {
        if matches!(operation, NetworkOperation::ListHandsets { .. } | NetworkOperation::GetHandset(_)) {
            self.state.populate(&place.location);
        }
        let network = self.find_network(place)?;
        let body = match operation {
            NetworkOperation::ListBaseStations => return Ok(self.list_base_stations(network, tracking_id, now)),
            NetworkOperation::ListHandsets { member, station } => {
                // None is registered with any base station.
                let is_asked = |handset: &&SimHandset| {
                    let has_line = |id: &String| handset.line1 == *id || handset.line2.as_ref() == Some(id);
                    station.is_none() && member.as_ref().is_none_or(has_line)
                };
                return Ok(self.list_handsets(network, is_asked, tracking_id, now));
            }
            NetworkOperation::GetBaseStation(station) => return Self::base_station(network, station, tracking_id),
            NetworkOperation::GetHandset(handset) => self.handset_details(network, handset)?,
            NetworkOperation::GetPassword => self.serviceability(network),
            _ => {
                let name = &self.state.locations[&network.location];
                return Ok(SimulatedResponse::json(200, tracking_id, &NetworkJson::of(&self.sanitize(network), name)));
            }
        };
        Ok(SimulatedResponse::json(200, tracking_id, &body))
    }

    fn handset_details(&self, network: &SimNetwork, id: &str) -> Result<Value, ApiErrorResponse> {
        let found = network.handsets.listed().iter().find(|known| known.id == *id);
        let found = found.ok_or_else(|| ApiErrorResponse::new(404, 27_466, "the handset does not exist"))?;
        let mut details = self.handset_json(found);
        // Required in details; none is registered.
        details["baseStationId"] = "".into();
        details["mac"] = "".into();
        Ok(details)
    }

    fn written(
        &mut self,
        operation: &Operation,
        tracking_id: String,
        now: Instant,
    ) -> Result<SimulatedResponse, ApiErrorResponse> {
        Ok(match self.write(operation, now)? {
            WriteEffect::Done => SimulatedResponse::empty(204, tracking_id),
            WriteEffect::Created(id) => {
                SimulatedResponse::json(201, tracking_id, &json!({ "dectNetworkId": id.as_str() }))
            }
            WriteEffect::Added(results) => SimulatedResponse::json(201, tracking_id, &results),
            WriteEffect::Generated(password) => SimulatedResponse::json(201, tracking_id, &password),
            WriteEffect::AddedHandset => SimulatedResponse::empty(201, tracking_id),
            WriteEffect::AddedHandsets(results) => {
                let is_partial = results.iter().any(|item| item["result"]["status"] != 200);
                let status = if is_partial { 206 } else { 201 };
                SimulatedResponse::json(status, tracking_id, &json!({ "items": results }))
            }
        })
    }

    pub(super) fn write(&mut self, operation: &Operation, now: Instant) -> Result<WriteEffect, ApiErrorResponse> {
        let effect = match operation {
            Operation::Create { location, body } => WriteEffect::Created(self.create(location, body, now)?),
            Operation::OfNetwork(place, operation) => self.write_network(place, operation, now)?,
            _ => return Ok(WriteEffect::Done),
        };
        self.counters.writes += 1;
        Ok(effect)
    }

    /// Changes a network, or what belongs to it.
    fn write_network(
        &mut self,
        place: &Place,
        operation: &NetworkOperation,
        now: Instant,
    ) -> Result<WriteEffect, ApiErrorResponse> {
        use NetworkOperation as Of;
        let is_about_handsets = matches!(
            operation,
            Of::AddHandset(_)
                | Of::AddHandsets(_)
                | Of::UpdateHandset(..)
                | Of::RemoveHandset(_)
                | Of::RemoveHandsets(_)
        );
        if is_about_handsets {
            self.state.populate(&place.location);
        }
        match operation {
            Of::Update(body) => self.update(place, body, now)?,
            Of::Delete => {
                let current = self.find_network(place)?.clone();
                self.record_previous_state(&current.id, Some(&current), now);
                self.state.remove(&current.id);
            }
            Of::AddBaseStations(body) => return Ok(WriteEffect::Added(self.add_base_stations(place, body, now)?)),
            Of::RemoveBaseStation(station) => self.remove_base_stations(place, Some(station), now)?,
            Of::RemoveAllBaseStations => self.remove_base_stations(place, None, now)?,
            Of::AddHandset(body) => return self.add_one_handset(place, body, now),
            Of::AddHandsets(body) => return Ok(WriteEffect::AddedHandsets(self.add_handsets(place, body, now)?)),
            Of::UpdateHandset(handset, body) => self.update_handset(place, handset, body, now)?,
            Of::RemoveHandset(handset) => self.remove_handsets(place, Some(std::slice::from_ref(handset)), now)?,
            Of::RemoveHandsets(body) => self.remove_handsets(place, handset_ids(body).as_deref(), now)?,
            Of::SetPassword(body) => self.set_serviceability(place, body)?,
            Of::GeneratePassword => return Ok(WriteEffect::Generated(self.generate_password(place)?)),
            Of::Get
            | Of::ListBaseStations
            | Of::GetBaseStation(_)
            | Of::ListHandsets { .. }
            | Of::GetHandset(_)
            | Of::GetPassword => {}
        }
        Ok(WriteEffect::Done)
    }

    fn update(&mut self, place: &Place, body: &[u8], now: Instant) -> Result<(), ApiErrorResponse> {
        let current = self.find_network(place)?.clone();
        let accepted = rules::check(body, &place.location, Some(&current), &self.state)?;
        self.record_previous_state(&current.id, Some(&current), now);
        // PUT replaces: a missing display name is set to a default.
        let default_name = || format!("{} {}", current.chain_id, accepted.name).chars().take(11).collect();
        self.state.insert(SimNetwork {
            display_name: Some(accepted.display_name.unwrap_or_else(default_name)),
            name: accepted.name.clone(),
            code_enabled: accepted.code_enabled,
            code: Some(accepted.code),
            ..current
        });
        Ok(())
    }

    fn add_one_handset(&mut self, place: &Place, body: &[u8], now: Instant) -> Result<WriteEffect, ApiErrorResponse> {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let results = self.add_handsets(place, json!({ "items": [value] }).to_string().as_bytes(), now)?;
        let error = &results[0]["result"]["error"];
        match error["errorCode"].as_u64() {
            Some(code) => Err(ApiErrorResponse::new(400, code as u32, error["message"].as_str().unwrap_or_default())),
            None => Ok(WriteEffect::AddedHandset),
        }
    }

    fn create(&mut self, location: &LocationId, body: &[u8], now: Instant) -> Result<NetworkId, ApiErrorResponse> {
        if !self.state.locations.contains_key(location) {
            return Err(ApiErrorResponse::new(404, 25_003, "location not found"));
        }
        let accepted = rules::check(body, location, None, &self.state)?;
        let id = self.state.unused_id();
        self.record_previous_state(&id, None, now);
        self.state.insert(SimNetwork {
            id: id.clone(),
            location: location.clone(),
            display_name: accepted.display_name.or_else(|| Some(accepted.name.chars().take(11).collect())),
            name: accepted.name,
            code_enabled: accepted.code_enabled,
            code: Some(accepted.code),
            model: accepted.model.unwrap_or_default(),
            chain_id: 0,
            base_stations: Vec::new(),
            handsets: SimHandsets::Listed(Vec::new()),
            lines: 0,
        });
        Ok(id)
    }

    /// Records the previous state of a network for lists that lag behind.
    pub(super) fn record_previous_state(&mut self, id: &NetworkId, before: Option<&SimNetwork>, now: Instant) {
        if !self.faults.read_lag.is_zero() {
            self.before.push((now, id.clone(), before.cloned()));
        }
    }

    pub(super) fn find_network(&self, place: &Place) -> Result<&SimNetwork, ApiErrorResponse> {
        let found = self.state.networks.get(&place.network).filter(|found| found.location == place.location);
        found.ok_or_else(|| ApiErrorResponse::new(404, 27_455, "the DECT network does not exist"))
    }

    /// What a network was like before the writes that a list does not show yet; `None` if it shows all of them.
    pub(super) fn lagging(&self, id: &NetworkId, now: Instant) -> Option<Option<&SimNetwork>> {
        let lag = self.faults.read_lag;
        let hidden = self.before.iter().find(|(when, other, _)| other == id && *when + lag > now);
        hidden.map(|(.., before)| before.as_ref())
    }

    fn list(&self, location: Option<&str>, name: Option<&str>, tracking_id: String, now: Instant) -> SimulatedResponse {
        let lag = self.faults.read_lag;
        let mut lagging: BTreeMap<&NetworkId, Option<&SimNetwork>> = BTreeMap::new();
        for (_, id, before) in self.before.iter().filter(|(when, ..)| *when + lag > now) {
            lagging.entry(id).or_insert(before.as_ref());
        }
        let current = self.state.networks.values().filter(|network| !lagging.contains_key(&network.id));
        let location = location.map(LocationId::new);
        let name = name.map(str::to_lowercase);
        let networks: Vec<SimNetwork> = current
            .chain(lagging.values().copied().flatten())
            .filter(|network| location.as_ref().is_none_or(|location| network.location == *location))
            .filter(|network| name.as_ref().is_none_or(|name| network.name.to_lowercase().contains(name)))
            .map(|network| self.sanitize(network))
            .collect();
        let dect_networks =
            networks.iter().map(|network| NetworkJson::of(network, &self.state.locations[&network.location])).collect();
        SimulatedResponse::json(
            200,
            tracking_id,
            &NetworkListJson { dect_networks, created: None, locations: Vec::new(), members: Vec::new() },
        )
    }

    fn sanitize(&self, network: &SimNetwork) -> SimNetwork {
        let mut network = network.clone();
        if self.faults.hide_disabled_codes && !network.code_enabled {
            network.code = None;
        }
        network
    }

    fn locations(
        &self,
        name: Option<&str>,
        max: Option<&str>,
        start: Option<&str>,
        tracking_id: String,
    ) -> Result<SimulatedResponse, ApiErrorResponse> {
        let (max, start) = (number("max", max, PAGE, 1)?, number("start", start, 0, 0)?);
        let name = name.map(str::to_lowercase);
        let found = self.state.locations.iter();
        let found: Vec<_> =
            found.filter(|(_, shown)| name.as_ref().is_none_or(|name| shown.to_lowercase().contains(name))).collect();
        let page: Vec<_> = found.iter().skip(start).take(max).collect();
        let end = start.saturating_add(page.len());
        let next = (end < found.len()).then_some(end);
        let items: Vec<_> =
            page.into_iter().map(|(id, name)| responses::location(id.as_str(), name, &self.id)).collect();
        Ok(SimulatedResponse { next, ..SimulatedResponse::json(200, tracking_id, &json!({ "items": items })) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::faults::{FaultConfig, RequestFault};
    use super::super::request::Request;
    use super::super::state::SimulatedState;
    use super::super::tokens::TOKEN;
    use super::*;

    const LATER: Instant = Instant::from_elapsed(Duration::from_secs(60));

    /// An organization of one location with two networks, and a request of each kind that changes something.
    fn scene(faults: FaultConfig) -> (SimulatedOrganization, [Operation; 3]) {
        let simulated = SimulatedOrganization::new(SimulatedState::generated(1, 2), faults);
        let networks: Vec<&SimNetwork> = simulated.state.networks.values().collect();
        let location = networks[0].location.clone();
        let place = |at: usize| Place { location: location.clone(), network: networks[at].id.clone() };
        let body = |name: &str, code: &str| {
            let body = json!({ "name": name, "displayName": name, "model": "DMS Cisco DBS110",
                "defaultAccessCodeEnabled": true, "defaultAccessCode": code });
            body.to_string().into_bytes()
        };
        let operations = [
            Operation::OfNetwork(place(0), NetworkOperation::Update(body("renamed", "1001"))),
            Operation::OfNetwork(place(1), NetworkOperation::Delete),
            Operation::Create { location, body: body("new", "7777") },
        ];
        (simulated, operations)
    }

    fn ask(simulated: &mut SimulatedOrganization, operation: Operation, now: Instant) -> SimulatedResponse {
        let request = Request::new(operation, Some(TOKEN.to_owned()));
        let in_flight = simulated.begin_request(&request, now);
        let answer = simulated.handle(&request, &in_flight, now);
        simulated.end_request(in_flight.number);
        answer.expect("an answer")
    }

    fn names(simulated: &mut SimulatedOrganization, now: Instant) -> Vec<String> {
        let answer = ask(simulated, Operation::List { location: None, name: None }, now);
        let list: Value = serde_json::from_slice(&answer.body).expect("JSON");
        let networks = list["dectNetworks"].as_array().expect("a list").iter();
        let mut names: Vec<String> = networks.map(|one| one["name"].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    }

    const BEFORE: [&str; 2] = ["H001 Ward 1", "H001 Ward 2"];
    const AFTER: [&str; 2] = ["new", "renamed"];

    #[test]
    fn lists_lag_behind_every_kind_of_write() {
        let lag = FaultConfig { read_lag: Duration::from_secs(20), ..FaultConfig::default() };
        let (mut simulated, operations) = scene(lag);
        for operation in operations {
            assert!((200..300).contains(&ask(&mut simulated, operation, Instant::START).status));
        }
        assert_eq!(names(&mut simulated, Instant::START), BEFORE);
        assert_eq!(names(&mut simulated, LATER), AFTER);
    }

    #[test]
    fn every_kind_of_write_can_come_late() {
        let (mut simulated, operations) = scene(FaultConfig { delayed_write: 1.0, ..FaultConfig::default() });
        for operation in operations {
            assert_eq!(ask(&mut simulated, operation, Instant::START).status, 504);
        }
        simulated.set_faults(FaultConfig::default());
        simulated.apply_due_writes(LATER);
        assert_eq!(names(&mut simulated, LATER), AFTER);
    }

    #[test]
    fn an_update_that_is_accepted_for_later_is_done_then() {
        let later = Some(Duration::from_secs(5));
        let (mut simulated, [update, ..]) = scene(FaultConfig { async_update_delay: later, ..FaultConfig::default() });
        assert_eq!(ask(&mut simulated, update, Instant::START).status, 202);
        assert_eq!(names(&mut simulated, Instant::START), BEFORE);
        assert!(names(&mut simulated, LATER).contains(&"renamed".to_owned()));
    }

    #[test]
    fn a_fate_can_be_given_to_one_request() {
        let fault_at = Some((2, RequestFault::Status(500)));
        let (mut simulated, [update, ..]) = scene(FaultConfig { fault_at, ..FaultConfig::default() });
        let statuses = [1, 2, 3].map(|_| ask(&mut simulated, update.clone(), Instant::START).status);
        assert_eq!(statuses, [204, 500, 204]);
    }
}
