//! The members of the simulated organization: people, workspaces and virtual lines. They are made up for a location when
//! something first asks for them, which keeps large organizations small.

use std::collections::hash_map::Entry;

use serde_json::{Value, json};

use super::member::SimMember;
use super::network::{SimHandset, SimHandsets};
use super::organization::SimulatedOrganization;
use super::request::{MemberQuery, number};
use super::responses::{ApiErrorResponse, SimulatedResponse};
use super::state::SimulatedState;
use crate::model::{LocationId, NetworkId};

/// Default and largest page size.
const PAGE: usize = 2_000;

/// The extensions of people who have no handset, of workspaces and of virtual lines; those with a handset follow 2000.
const SPARE: [(&str, std::ops::RangeInclusive<u32>); 3] =
    [("PEOPLE", 1_541..=1_600), ("PLACE", 1_601..=1_606), ("VIRTUAL_LINE", 1_651..=1_654)];

impl SimulatedState {
    /// Makes up the members of a location, and the handsets of its networks that are only counted.
    pub(super) fn populate(&mut self, location: &LocationId) {
        if self.members.contains_key(location) || !self.locations.contains_key(location) {
            return;
        }
        let mut counted: Vec<(u64, NetworkId, u64)> = self
            .networks
            .values()
            .filter(|network| network.location == *location)
            .filter_map(|network| match network.handsets {
                SimHandsets::Counted(count) => Some((network.chain_id, network.id.clone(), count)),
                SimHandsets::Listed(_) => None,
            })
            .collect();
        counted.sort();
        let mut members = Vec::new();
        for (kind, extensions) in SPARE {
            members.extend(extensions.map(|extension| SimMember::made_up(kind, location, extension)));
        }
        let mut extension = 2_000;
        for (_, id, count) in counted {
            let mut handsets = Vec::new();
            for index in 1..=count {
                extension += 1;
                let member = SimMember::made_up("PEOPLE", location, extension);
                handsets.push(SimHandset::made_up(&id, index, &member));
                members.push(member);
            }
            if let Some(network) = self.networks.get_mut(&id) {
                network.lines = handsets.len() as u64;
                network.handsets = SimHandsets::Listed(handsets);
            }
        }
        self.insert_members(location.clone(), members);
    }

    /// Adds members to a location, which is populated from then on.
    pub(super) fn insert_members(&mut self, location: LocationId, members: Vec<SimMember>) {
        let all = self.members.entry(location.clone()).or_default();
        for member in members {
            if let Entry::Vacant(new) = self.member_places.entry(member.id.clone()) {
                new.insert((location.clone(), all.len()));
                all.push(member);
            }
        }
    }

    pub(super) fn member(&self, id: &str) -> Option<&SimMember> {
        let (location, at) = self.member_places.get(id)?;
        self.members.get(location)?.get(*at)
    }

    /// The member with this extension, which is made up if there is none.
    pub(super) fn member_with_extension(&mut self, location: &LocationId, extension: &str) -> String {
        self.populate(location);
        let members = self.members.get(location).into_iter().flatten();
        if let Some(known) = members.into_iter().find(|member| member.extension.as_deref() == Some(extension)) {
            return known.id.clone();
        }
        let number = extension.parse().unwrap_or(0);
        let member =
            SimMember { extension: Some(extension.to_owned()), ..SimMember::made_up("PEOPLE", location, number) };
        let id = member.id.clone();
        self.insert_members(location.clone(), vec![member]);
        id
    }
}

impl SimulatedOrganization {
    /// A page of the members that are available for handsets.
    pub(super) fn available_members(
        &mut self,
        query: &MemberQuery,
        tracking_id: String,
    ) -> Result<SimulatedResponse, ApiErrorResponse> {
        let max = number("max", query.max.as_deref(), PAGE, 0)?.min(self.faults.members_page.unwrap_or(PAGE));
        let start = number("start", query.start.as_deref(), 0, 0)?;
        self.populate_asked(query)?;
        let members: Vec<Value> = self
            .found_members(query)
            .skip(start)
            .take(max)
            .map(|member| member.json(&self.state.locations[&member.location]))
            .collect();
        Ok(SimulatedResponse::json(200, tracking_id, &json!({ "members": members })))
    }

    /// How many members are available for handsets.
    pub(super) fn count_members(
        &mut self,
        query: &MemberQuery,
        tracking_id: String,
    ) -> Result<SimulatedResponse, ApiErrorResponse> {
        self.populate_asked(query)?;
        let count = self.found_members(query).count();
        Ok(SimulatedResponse::json(200, tracking_id, &json!({ "totalCount": count })))
    }

    /// Makes up the members of the locations that a query asks for.
    fn populate_asked(&mut self, query: &MemberQuery) -> Result<(), ApiErrorResponse> {
        let Some(location) = &query.location else {
            self.populate_all();
            return Ok(());
        };
        let location = LocationId::new(location.as_str());
        if !self.state.locations.contains_key(&location) {
            return Err(ApiErrorResponse::new(404, 25_003, "location not found"));
        }
        self.state.populate(&location);
        Ok(())
    }

    fn found_members<'a>(&'a self, query: &'a MemberQuery) -> impl Iterator<Item = &'a SimMember> {
        let location = query.location.as_deref().map(LocationId::new);
        let contains = |value: Option<&str>, part: &Option<String>| {
            part.as_ref()
                .is_none_or(|part| value.is_some_and(|value| value.to_lowercase().contains(&part.to_lowercase())))
        };
        let without_virtual = query.exclude_virtual_line.as_deref() == Some("true");
        let found =
            self.state.members.iter().filter(move |(known, _)| location.as_ref().is_none_or(|asked| asked == *known));
        found.flat_map(|(_, members)| members).filter(move |member| {
            let name = format!("{} {}", member.first_name, member.last_name);
            contains(Some(&name), &query.member_name)
                && contains(member.number.as_deref(), &query.phone_number)
                && contains(member.extension.as_deref(), &query.extension)
                && !(without_virtual && member.kind == "VIRTUAL_LINE")
        })
    }
}
