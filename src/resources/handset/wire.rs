//! The JSON of handsets and members.

use std::sync::Arc;

use super::member::{Member, MemberKind};
use super::state::Handset;
use crate::model::{CodeText, HandsetId, LocationId, MemberId, NetworkId};
use crate::webex::ItemResult;
use crate::webex::wire::{WireError, item_results, items, lenient_text};

pub(crate) fn handsets(body: &[u8]) -> Result<Vec<Handset>, WireError> {
    items(body, "handsets", |item| item.is_object().then(|| handset(item)))
}

pub(crate) fn handsets_with_codes(body: &[u8]) -> Result<Vec<(Handset, Option<CodeText>)>, WireError> {
    items(body, "handsets", |item| {
        let code = lenient_text(&item["accessCode"]).filter(|code| !code.trim().is_empty());
        Some((handset(item), code.map(CodeText::new)))
    })
}

fn handset(item: &serde_json::Value) -> Handset {
    let text = |field: &str| lenient_text(&item[field]).map(Arc::from);
    let lines: Vec<&serde_json::Value> = item["lines"].as_array().into_iter().flatten().collect();
    let line = |at: usize| lines.get(at).filter(|line| line.is_object()).map(|line| member(line));
    let registered = lines.iter().filter_map(|line| lenient_text(&line["lastRegistrationTime"]));
    Handset {
        id: lenient_text(&item["id"]).and_then(HandsetId::non_empty),
        custom_name: text("customDisplayName"),
        default_name: text("defaultDisplayName"),
        line1: line(0),
        line2: line(1),
        last_registration: registered.max_by_key(|time| time.parse::<u64>().unwrap_or(0)).map(Into::into),
    }
}

/// A member: on a line of a handset, or in the list of available ones.
fn member(item: &serde_json::Value) -> Member {
    let text = |field: &str| lenient_text(&item[field]).map(Arc::from);
    let id = lenient_text(&item["memberId"]).or_else(|| lenient_text(&item["id"]));
    Member {
        id: id.and_then(MemberId::non_empty),
        kind: lenient_text(&item["memberType"]).map_or(MemberKind::Unknown, |kind| MemberKind::parse(&kind)),
        first_name: text("firstName"),
        last_name: text("lastName"),
        extension: text("extension"),
        number: text("external").or_else(|| text("phoneNumber")),
        location: lenient_text(&item["location"]["id"]).and_then(LocationId::non_empty),
        location_name: lenient_text(&item["location"]["name"]).map(Into::into),
    }
}

pub(crate) fn members(body: &[u8]) -> Result<Vec<Member>, WireError> {
    items(body, "members", |item| item.is_object().then(|| member(item)))
}

/// The handsets of a request, as documented: the second line only where there is one.
pub(crate) fn addition(handsets: &[&Handset]) -> Vec<u8> {
    let items: Vec<serde_json::Value> = handsets.iter().map(|handset| handset_body(handset, false)).collect();
    serde_json::json!({ "items": items }).to_string().into_bytes()
}

/// An update of a handset. A second line that is left out would be removed, and `null` says so.
pub(crate) fn update(handset: &Handset) -> Vec<u8> {
    handset_body(handset, true).to_string().into_bytes()
}

fn handset_body(handset: &Handset, with_null: bool) -> serde_json::Value {
    let id = |member: &Option<Member>| member.as_ref()?.id.as_ref().map(ToString::to_string);
    let mut body = serde_json::json!({
        "line1MemberId": id(&handset.line1),
        "customDisplayName": handset.custom_name.as_deref(),
    });
    let second = id(&handset.line2);
    if second.is_some() || with_null {
        body["line2MemberId"] = second.into();
    }
    body
}

pub(crate) fn removal(ids: &[&HandsetId]) -> Vec<u8> {
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    serde_json::json!({ "handsetIds": ids }).to_string().into_bytes()
}

pub(crate) fn networks_of_member(body: &[u8]) -> Result<Vec<NetworkId>, WireError> {
    items(body, "dectNetworks", |item| NetworkId::non_empty(lenient_text(&item["id"])?))
}

/// The results of adding handsets, by their names. There are no ids in them.
pub(crate) fn results(body: &[u8]) -> Vec<ItemResult> {
    item_results(body, "items", "customDisplayName")
}
