//! The requests about handsets, and about the members whose lines they have.

use super::member::{Member, MemberKind};
use super::state::Handset;
use super::wire;
use crate::model::{CodeText, HandsetId, LocationId, MemberId, NetworkId};
use crate::webex::calls::{Call, Effect, NetworkPath, in_organization};
use crate::webex::response::{self, Subject};
use crate::webex::{ItemResult, Method, WriteAck};

/// The number of members in a page ("Search Available Members": the default and, as far as known, the maximum).
const MEMBERS_PAGE: usize = 2_000;

/// Lists the handsets of a network ("Get List of Handsets for a DECT Network ID").
pub fn list_handsets(network: NetworkPath<'_>) -> Call<'_, Vec<Handset>> {
    let path = network.join(&["handsets"]);
    Call::new(Effect::Reads, "listing handsets", (Method::Get, path), response::body_of(Subject::Lines, wire::handsets))
        .with_items_in("handsets")
}

/// The same list, each handset with its access code, where it has one.
pub fn list_handsets_with_codes(network: NetworkPath<'_>) -> Call<'_, Vec<(Handset, Option<CodeText>)>> {
    let path = network.join(&["handsets"]);
    Call::new(
        Effect::Reads,
        "listing handsets",
        (Method::Get, path),
        response::body_of(Subject::Lines, wire::handsets_with_codes),
    )
    .with_items_in("handsets")
}

/// Adds handsets to a network ("Add a List of Handsets to a DECT Network"), 1 to 50; returns a result for each, without
/// ids.
pub fn add_handsets<'a>(network: NetworkPath<'a>, handsets: &[&Handset]) -> Call<'a, Vec<ItemResult>> {
    let path = network.join(&["handsets", "bulk"]);
    Call::new(
        Effect::Adds,
        "adding handsets",
        (Method::Post, path),
        response::results_of(Subject::Lines, wire::results),
    )
    .with_body(wire::addition(handsets))
}

/// Replaces the name and the lines of a handset ("Update DECT Network Handset"). This is not a patch: a second line that
/// is not sent is removed.
pub fn update_handset<'a>(network: NetworkPath<'a>, id: &HandsetId, handset: &Handset) -> Call<'a, WriteAck> {
    let path = network.join(&["handsets", id.as_str()]);
    Call::new(Effect::Replaces, "updating a handset", (Method::Put, path), response::acknowledgement_of(Subject::Lines))
        .with_body(wire::update(handset))
}

/// Removes handsets of a network by their ids ("Delete multiple handsets"), 1 to 50. `deleteAll` is never sent.
pub fn remove_handsets<'a>(network: NetworkPath<'a>, ids: &[&HandsetId]) -> Call<'a, WriteAck> {
    let path = network.join(&["handsets"]);
    Call::new(
        Effect::Replaces,
        "removing handsets",
        (Method::Delete, path),
        response::acknowledgement_of(Subject::Lines),
    )
    .with_body(wire::removal(ids))
}

/// Lists a page of the members of a location that are available for handsets ("Search Available Members"), from `start`.
pub fn list_members(location: &LocationId, start: usize) -> Call<'_, Vec<Member>> {
    let path = in_organization(&["telephony", "config", "devices", "availableMembers"]);
    let query =
        vec![("locationId", location.to_string()), ("start", start.to_string()), ("max", MEMBERS_PAGE.to_string())];
    Call::new(Effect::Reads, "listing members", (Method::Get, path), response::body_of(Subject::Lines, wire::members))
        .with_query(query)
        .about(location)
}

/// Lists the networks in which a person or a workspace has handsets ("GET List of DECT networks associated with a Person",
/// the same for a workspace).
pub fn list_networks_of_member(kind: MemberKind, id: &MemberId) -> Call<'static, Vec<NetworkId>> {
    let collection = if kind == MemberKind::Workspace { "workspaces" } else { "people" };
    let path = in_organization(&["telephony", "config", collection, id.as_str(), "dectNetworks"]);
    Call::new(
        Effect::Reads,
        "listing the networks of a member",
        (Method::Get, path),
        response::body_of(Subject::Networks, wire::networks_of_member),
    )
    .with_items_in("dectNetworks")
}
