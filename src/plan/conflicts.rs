//! Detects requested names and codes that are already used.
//!
//! A duplicate is an error if this plan creates it, and a warning if it already exists.

use std::collections::HashMap;
use std::hash::Hash;

use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics};
use crate::model::{CodeText, LiveState, LocationIndex, NameKey, NetworkIndex, Setting};
use crate::resources::network::compare::NetworkChange;

/// Reports every name and code of a location that two networks would share after the plan.
pub(super) fn find(
    location: LocationIndex,
    changes: &[NetworkChange<'_>],
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) {
    let by_network: HashMap<NetworkIndex, &NetworkChange<'_>> =
        changes.iter().filter_map(|change| Some((change.network()?, change))).collect();
    let mut names: Shared<'_, NameKey> = HashMap::new();
    let mut codes: Shared<'_, CodeText> = HashMap::new();
    for (at, network) in live.networks_of(location).filter(|(at, _)| !by_network.contains_key(at)) {
        let holder = Holder { network: Some(at), gained_by: None };
        names.entry(network.settings.name_key()).or_default().push(holder);
        // A hidden code cannot be compared.
        if let Some(code) = network.settings.code.clone() {
            codes.entry(code).or_default().push(holder);
        }
    }
    for change in changes {
        let Some(after) = &change.after else { continue };
        let holder = |gains: bool| Holder { network: change.network(), gained_by: gains.then_some(change) };
        names.entry(after.name_key()).or_default().push(holder(change.taken_name().is_some()));
        let gains_code = change.taken_code().is_some();
        if let Some(code) = after.code.clone().filter(|_| gains_code || change.held_code().is_some()) {
            codes.entry(code).or_default().push(holder(gains_code));
        }
    }
    report(names, NAMES, location, live, diagnostics);
    report(codes, CODES, location, live, diagnostics);
}

type Shared<'a, K> = HashMap<K, Vec<Holder<'a>>>;

#[derive(Clone, Copy)]
struct Holder<'a> {
    /// `None` if it is created.
    network: Option<NetworkIndex>,
    gained_by: Option<&'a NetworkChange<'a>>,
}

/// Wording for one kind of duplicate.
#[derive(Clone, Copy)]
struct ConflictMessages {
    setting: Setting,
    duplicate: DiagnosticCode,
    taken: DiagnosticCode,
    what: &'static str,
    article: &'static str,
}

const NAMES: ConflictMessages = ConflictMessages {
    setting: Setting::Name,
    duplicate: DiagnosticCode::DuplicateName,
    taken: DiagnosticCode::NameTaken,
    what: "name",
    article: "a",
};
const CODES: ConflictMessages = ConflictMessages {
    setting: Setting::Code,
    duplicate: DiagnosticCode::DuplicateCode,
    taken: DiagnosticCode::CodeTaken,
    what: "access code",
    article: "an",
};

fn report<K: Eq + Hash>(
    shared: Shared<'_, K>,
    messages: ConflictMessages,
    location: LocationIndex,
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) {
    let mut duplicates: Vec<Vec<Holder<'_>>> = shared.into_values().filter(|holders| holders.len() > 1).collect();
    duplicates.sort_by_key(|holders| (holders[0].network.is_none(), holders[0].network));
    for holders in duplicates {
        let (gaining, keeping): (Vec<Holder<'_>>, Vec<Holder<'_>>) =
            holders.iter().copied().partition(|holder| holder.gained_by.is_some());
        match (&gaining[..], &keeping[..]) {
            ([], _) => diagnostics.push(existing_duplicate(&holders, messages, location, live)),
            (gaining, [holder_index, ..]) => {
                let Some(holder) = holder_index.network else { continue };
                for change in gaining.iter().filter_map(|holder| holder.gained_by) {
                    diagnostics.push(taken(change, holder, messages, live));
                }
            }
            ([first, rest @ ..], []) => {
                for change in rest.iter().filter_map(|holder| holder.gained_by) {
                    diagnostics.push(duplicate(change, first.gained_by, messages, &live.location(location).name));
                }
            }
        }
    }
}

fn span_of(change: &NetworkChange<'_>, messages: ConflictMessages) -> crate::diagnostic::Span {
    let entry = change.entry;
    let precise = match messages.setting {
        Setting::Name => entry.name_span,
        _ => entry.code.as_ref().map(|code| code.span),
    };
    precise.unwrap_or(entry.span())
}

/// The requested name; access codes are secret.
fn requested_value(change: &NetworkChange<'_>, messages: ConflictMessages) -> String {
    match &change.after {
        Some(after) if messages.setting == Setting::Name => format!(" {:?}", after.name),
        _ => String::new(),
    }
}

fn taken(
    change: &NetworkChange<'_>,
    holder_index: NetworkIndex,
    messages: ConflictMessages,
    live: &LiveState,
) -> Diagnostic {
    let holder = live.network(holder_index);
    let what = messages.what;
    let value = requested_value(change, messages);
    let by = format!("is already used by {:?} ({})", holder.settings.name, holder.id);
    // A new network has no other name.
    let requested = match change.network() {
        None if messages.setting == Setting::Name => format!("{what}{value} of a new network {by}"),
        _ => format!("{what}{value} requested for {:?} {by}", change.name()),
    };
    Diagnostic::error(messages.taken, requested)
        .with_span(span_of(change, messages))
        .help(format!("choose another {what}, or add an entry that changes the other network"))
}

fn duplicate(
    change: &NetworkChange<'_>,
    first: Option<&NetworkChange<'_>>,
    messages: ConflictMessages,
    location: &str,
) -> Diagnostic {
    let name_of = |change: &NetworkChange<'_>| format!("{:?}", change.name());
    let who = match first {
        Some(first) => format!("{} and {}", name_of(first), name_of(change)),
        None => format!("{} and another network", name_of(change)),
    };
    let desired = requested_value(change, messages);
    let message = format!("duplicate {}{desired} requested for {who} in {location:?}", messages.what);
    let span = span_of(change, messages);
    let diagnostic = Diagnostic::error(messages.duplicate, message).with_span(span);
    // Both come from the same rule.
    let diagnostic = match first.map(|first| span_of(first, messages)).filter(|other| *other != span) {
        Some(other) => diagnostic.with_related(other, "other occurrence"),
        None => diagnostic,
    };
    diagnostic
        .help(format!("{} {} must be unique within a location; choose another one", messages.article, messages.what))
}

fn existing_duplicate(
    holders: &[Holder<'_>],
    messages: ConflictMessages,
    location: LocationIndex,
    live: &LiveState,
) -> Diagnostic {
    let networks: Vec<String> = holders
        .iter()
        .filter_map(|holder| Some(live.network(holder.network?)))
        .map(|network| format!("{:?} ({})", network.settings.name, network.id))
        .collect();
    Diagnostic::warning(
        DiagnosticCode::ExistingDuplicate,
        format!(
            "{} networks in {:?} already share {} {}; not changed by this plan: {}",
            networks.len(),
            live.location(location).name,
            messages.article,
            messages.what,
            networks.join(", ")
        ),
    )
}
