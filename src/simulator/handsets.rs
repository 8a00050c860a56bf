//! The handsets of the simulated organization: results per item without ids, lines of members, limits by model.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::json::without_nulls;
use super::network::{SimHandset, SimNetwork};
use super::organization::SimulatedOrganization;
use super::request::{NetworkOperation, Operation, Place};
use super::responses::{ApiErrorResponse, SimulatedResponse};
use crate::model::NetworkId;
use crate::runtime::Instant;

/// The largest number of handsets in one request.
const MAX_ITEMS: usize = 50;

/// What a request says about a handset.
struct HandsetBody {
    name: String,
    line1: String,
    line2: Option<String>,
}

/// Why one handset was refused: status, code and message.
type ItemError = (u16, u32, String);

impl SimulatedOrganization {
    /// The handsets of a network as a list that may lag behind.
    pub(super) fn list_handsets(
        &self,
        network: &SimNetwork,
        is_asked: impl Fn(&&SimHandset) -> bool,
        tracking_id: String,
        now: Instant,
    ) -> SimulatedResponse {
        let listed = match self.lagging(&network.id, now) {
            Some(earlier) => earlier.map_or(&[][..], |earlier| earlier.handsets.listed()),
            None => network.handsets.listed(),
        };
        let listed: Vec<&SimHandset> = listed.iter().filter(is_asked).collect();
        let lines: usize = listed.iter().map(|handset| 1 + usize::from(handset.line2.is_some())).sum();
        let handsets: Vec<Value> = listed.into_iter().map(|handset| self.handset_json(handset)).collect();
        let body = json!({
            "numberOfHandsetsAssigned": handsets.len(),
            "numberOfLinesAssigned": lines,
            "handsets": handsets,
        });
        SimulatedResponse::json(200, tracking_id, &body)
    }

    pub(super) fn handset_json(&self, handset: &SimHandset) -> Value {
        let line = |id: &String| {
            let Some(member) = self.state.member(id) else { return json!({ "memberId": id }) };
            without_nulls(json!({
                "memberId": id,
                "firstName": member.first_name,
                "lastName": member.last_name,
                "external": member.number,
                "extension": member.extension,
                "lastRegistrationTime": handset.registered.map(|time| time.to_string()),
                "location": {
                    "id": member.location.as_str(),
                    "name": self.state.locations.get(&member.location).map(|name| &**name),
                },
                "memberType": member.kind,
            }))
        };
        without_nulls(handset.json(line))
    }

    /// Adds up to 50 handsets; the response has a result for each, by name.
    pub(super) fn add_handsets(
        &mut self,
        place: &Place,
        body: &[u8],
        now: Instant,
    ) -> Result<Vec<Value>, ApiErrorResponse> {
        let bad = |words: &str| ApiErrorResponse::new(400, 25_008, words);
        let value: Value = serde_json::from_slice(body).map_err(|_| bad("the body is not JSON"))?;
        let items = value["items"].as_array().ok_or_else(|| bad("items is missing"))?;
        if items.is_empty() || items.len() > MAX_ITEMS {
            return Err(bad("items must have 1 to 50 items"));
        }
        let names: HashSet<Option<&str>> = items.iter().map(|item| item["customDisplayName"].as_str()).collect();
        if names.len() < items.len() {
            return Err(bad("customDisplayName must be unique in a request"));
        }
        let mut changed = self.find_network(place)?.clone();
        self.record_previous_state(&place.network, Some(&changed.clone()), now);
        let mut results = Vec::new();
        for item in items {
            let name = item["customDisplayName"].as_str().unwrap_or_default();
            let added = self.handset_body(item, &place.network).and_then(|body| self.add_handset(&mut changed, body));
            if let Err((status, code, message)) = &added
                && self.faults.refuse_whole_requests
            {
                return Err(ApiErrorResponse::new(*status, *code, message.clone()));
            }
            results.push(match added {
                Ok(()) => json!({ "customDisplayName": name, "result": { "status": 200 } }),
                Err((status, code, message)) => json!({
                    "customDisplayName": name,
                    "result": { "status": status, "error": { "message": message, "errorCode": code } },
                }),
            });
        }
        self.state.insert(changed);
        Ok(results)
    }

    fn add_handset(&mut self, network: &mut SimNetwork, body: HandsetBody) -> Result<(), ItemError> {
        let lines = 1 + usize::from(body.line2.is_some());
        if body.line2.is_some() && self.faults.refuse_second_line {
            return Err((400, 5_302, "[Error 5302] Invalid line port".to_owned()));
        }
        if network.line_count() + lines > network.max_lines() {
            return Err((400, 27_465, "the DECT network has the maximum number of lines".to_owned()));
        }
        let handsets = network.handsets.listed_mut();
        let index = handsets.iter().map(|handset| handset.index).max().unwrap_or(0) + 1;
        handsets.push(SimHandset {
            id: self.state.unused_handset_id(),
            index,
            default_name: format!("{index} {}", network.name).chars().take(16).collect(),
            custom_name: Some(body.name),
            access_code: format!("{:04}", (index * 7_919 + 1_000) % 10_000),
            line1: body.line1,
            line2: body.line2,
            registered: None,
        });
        network.count_lines();
        Ok(())
    }

    /// Replaces the name and the lines of a handset.
    pub(super) fn update_handset(
        &mut self,
        place: &Place,
        id: &str,
        body: &[u8],
        now: Instant,
    ) -> Result<(), ApiErrorResponse> {
        let value: Value =
            serde_json::from_slice(body).map_err(|_| ApiErrorResponse::new(400, 25_008, "the body is not JSON"))?;
        let mut changed = self.find_network(place)?.clone();
        let before = changed.clone();
        let body = self
            .handset_body(&value, &place.network)
            .map_err(|(status, code, message)| ApiErrorResponse::new(status, code, message))?;
        let max = changed.max_lines();
        let Some(handset) = changed.handsets.listed_mut().iter_mut().find(|handset| handset.id == id) else {
            return Err(ApiErrorResponse::new(404, 27_466, "the handset does not exist"));
        };
        handset.custom_name = Some(body.name);
        (handset.line1, handset.line2) = (body.line1, body.line2);
        changed.count_lines();
        if changed.line_count() > max {
            let words = "the DECT network has the maximum number of lines";
            return Err(ApiErrorResponse::new(400, 27_465, words));
        }
        self.record_previous_state(&place.network, Some(&before), now);
        self.state.insert(changed);
        Ok(())
    }

    /// Removes handsets by their ids, or all of them, which no careful client does.
    pub(super) fn remove_handsets(
        &mut self,
        place: &Place,
        ids: Option<&[String]>,
        now: Instant,
    ) -> Result<(), ApiErrorResponse> {
        let mut changed = self.find_network(place)?.clone();
        let before = changed.clone();
        let handsets = changed.handsets.listed_mut();
        match ids {
            None => handsets.clear(),
            Some(ids) => {
                if ids.is_empty() || ids.len() > MAX_ITEMS {
                    return Err(ApiErrorResponse::new(400, 25_008, "handsetIds must have 1 to 50 items"));
                }
                handsets.retain(|handset| !ids.contains(&handset.id));
                if handsets.len() == before.handsets.listed().len() {
                    return Err(ApiErrorResponse::new(404, 27_466, "the handset does not exist"));
                }
            }
        }
        changed.count_lines();
        self.record_previous_state(&place.network, Some(&before), now);
        self.state.insert(changed);
        Ok(())
    }

    /// Checks the name and the members of a handset.
    fn handset_body(&self, item: &Value, network: &NetworkId) -> Result<HandsetBody, ItemError> {
        let bad = |words: &str| (400, 25_008, words.to_owned());
        let name = item["customDisplayName"].as_str().ok_or_else(|| bad("customDisplayName is missing"))?;
        if !(1..=16).contains(&name.chars().count()) {
            return Err(bad("customDisplayName must have 1 to 16 characters"));
        }
        let line1 = item["line1MemberId"].as_str().ok_or_else(|| bad("line1MemberId is missing"))?;
        let line2 = match &item["line2MemberId"] {
            Value::Null => None,
            Value::String(id) => Some(id.clone()),
            _ => return Err(bad("line2MemberId is not a string")),
        };
        for (at, id) in std::iter::once(line1).chain(line2.as_deref()).enumerate() {
            let member = self.state.member(id);
            let is_unsuited = member.is_none_or(|member| at == 0 && member.kind == "VIRTUAL_LINE");
            if is_unsuited || self.faults.members_of_one_network && self.is_in_another_network(id, network) {
                let words = format!("[Error 4516] Cannot assign user to device: {name} with line/Port: {}", at + 1);
                return Err((400, 4_516, words));
            }
        }
        Ok(HandsetBody { name: name.to_owned(), line1: line1.to_owned(), line2 })
    }

    fn is_in_another_network(&self, member: &str, network: &NetworkId) -> bool {
        let has_it = |handset: &SimHandset| handset.line1 == member || handset.line2.as_deref() == Some(member);
        let mut others = self.state.networks.values().filter(|other| other.id != *network);
        others.any(|other| other.handsets.listed().iter().any(has_it))
    }

    /// The network whose handsets or lines a request changes, after which Cisco asks to wait.
    pub(super) fn changed_handset_network(&self, operation: &Operation) -> Option<NetworkId> {
        use NetworkOperation as Of;
        let Operation::OfNetwork(Place { network, .. }, operation) = operation else { return None };
        let is_changed = match operation {
            Of::AddHandset(_) | Of::AddHandsets(_) | Of::RemoveHandset(_) | Of::RemoveHandsets(_) => true,
            Of::UpdateHandset(handset, body) => {
                let value: Value = serde_json::from_slice(body).unwrap_or_default();
                let known = self.state.networks.get(network)?.handsets.listed();
                let known = known.iter().find(|known| known.id == *handset)?;
                value["line1MemberId"].as_str() != Some(&known.line1)
                    || value["line2MemberId"].as_str() != known.line2.as_deref()
            }
            _ => false,
        };
        is_changed.then(|| network.clone())
    }
}
