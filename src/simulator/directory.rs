//! Who is in the organization, and in which networks their lines are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::json::without_nulls;
use super::member::SimMember;
use super::network::SimNetwork;
use super::organization::SimulatedOrganization;
use super::request::{MemberKind, Page};
use super::responses::{ApiErrorResponse, SimulatedResponse};
use crate::model::LocationId;

/// Default and largest page size of people, workspaces and virtual lines.
const PAGE: usize = 100;

impl SimulatedOrganization {
    /// A page of the people, workspaces or virtual lines of the organization.
    pub(super) fn list_of_kind(
        &mut self,
        kind: MemberKind,
        page: &Page,
        tracking_id: String,
    ) -> Result<SimulatedResponse, ApiErrorResponse> {
        let (max, start) = (page.size(PAGE)?, page.start()?);
        self.populate_all();
        let members = self.state.members.values().flatten().filter(|member| member.kind == kind.as_str());
        let of_location = |member: &&SimMember| {
            page.location.as_ref().is_none_or(|location| member.location == LocationId::new(location.as_str()))
        };
        let all: Vec<&SimMember> = members.filter(of_location).collect();
        let items: Vec<Value> = all.iter().skip(start).take(max).map(|member| self.entry(kind, member)).collect();
        let end = start.saturating_add(items.len());
        let next = (end < all.len()).then_some(end);
        let key = if kind == MemberKind::VirtualLine { "virtualLines" } else { "items" };
        Ok(SimulatedResponse { next, ..SimulatedResponse::json(200, tracking_id, &json!({ key: items })) })
    }

    /// As the list of its kind shows a member.
    fn entry(&self, kind: MemberKind, member: &SimMember) -> Value {
        let name = format!("{} {}", member.first_name, member.last_name);
        let location = member.location.as_str();
        without_nulls(match kind {
            MemberKind::Person => json!({
                "id": member.id,
                "displayName": name,
                "firstName": member.first_name,
                "lastName": member.last_name,
                "emails": [format!("{}@example.com", member.extension.as_deref().unwrap_or("someone"))],
                "orgId": self.id,
                "locationId": location,
                "extension": member.extension,
            }),
            MemberKind::Workspace => json!({
                "id": member.id,
                "displayName": name,
                "orgId": self.id,
                "locationId": location,
            }),
            MemberKind::VirtualLine => json!({
                "id": member.id,
                "firstName": member.first_name,
                "lastName": member.last_name,
                "displayName": name,
                "number": without_nulls(
                    json!({ "external": member.number, "extension": member.extension, "primary": true })
                ),
                "location": { "id": location, "name": &*self.state.locations[&member.location] },
            }),
        })
    }

    /// The networks that have a line of a member.
    pub(super) fn networks_of_member(
        &mut self,
        kind: MemberKind,
        id: &str,
        tracking_id: String,
    ) -> Result<SimulatedResponse, ApiErrorResponse> {
        self.populate_all();
        if self.state.member(id).is_none_or(|member| member.kind != kind.as_str()) {
            return Err(ApiErrorResponse::new(404, 25_001, "the member does not exist"));
        }
        let has_line = |network: &&SimNetwork| {
            let mut handsets = network.handsets.listed().iter();
            handsets.any(|handset| handset.line1 == id || handset.line2.as_deref() == Some(id))
        };
        let item = |network: &SimNetwork| {
            json!({
                "id": network.id.as_str(),
                "name": network.name,
                "numberOfHandsetsAssigned": network.handsets.len(),
            })
        };
        let networks: Vec<Value> = self.state.networks.values().filter(has_line).map(item).collect();
        Ok(SimulatedResponse::json(200, tracking_id, &json!({ "dectNetworks": networks })))
    }

    /// Makes up the members of every location.
    pub(super) fn populate_all(&mut self) {
        let locations: BTreeSet<LocationId> = self.state.locations.keys().cloned().collect();
        for location in locations {
            self.state.populate(&location);
        }
    }
}
