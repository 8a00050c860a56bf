//! Things that files name and that do not exist: an error of a plan, and drift for a report.

use std::collections::HashSet;

use super::Scope;
use super::matching::LocationsByName;
use crate::desired::model::{Desired, HandsetEntry, LineRef, NetworkEntry};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Severity, Span};
use crate::model::{LiveState, LocationId};

/// Something that files name and that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub location: LocationId,
    pub location_name: String,
    /// The name of the network, or else its id; a location has those of its networks.
    pub network: String,
    /// The handset, as its entry calls it; `None` if the network does not exist.
    pub handset: Option<String>,
}

/// Takes the entries that a plan has refused since what they name does not exist out of a desired state, and returns those
/// that are in scope; `None` if it has refused something else, or if there are no such entries.
pub fn take_out_missing(
    desired: &mut Desired,
    refused: &Diagnostics,
    scope: &Scope,
    live: &LiveState,
) -> Option<Vec<Missing>> {
    let errors = || refused.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let is_missing = |error: &Diagnostic| {
        matches!(
            error.code,
            DiagnosticCode::UnknownNetwork
                | DiagnosticCode::UnknownLocation
                | DiagnosticCode::UnknownHandset
                | DiagnosticCode::UnknownMember
        )
    };
    let spans: HashSet<Span> = errors().filter_map(|error| error.span).collect();
    if !errors().all(is_missing) {
        return None;
    }
    let (mut missing, mut is_any) = (Vec::new(), false);
    let names = LocationsByName::of(live);
    for location in &mut desired.locations {
        let at = [location.name.as_ref().map(|name| name.span), location.id.as_ref().map(|id| id.span)];
        let is_gone = at.iter().flatten().any(|span| spans.contains(span));
        let (id, name) = match names.find(location, live, &mut Diagnostics::new()).filter(|_| !is_gone) {
            Some(at) => (live.location(at).id.clone(), live.location(at).name.to_string()),
            None => {
                let label = location.label().to_owned();
                (location.id.as_ref().map_or_else(|| LocationId::new(label.as_str()), |id| id.value.clone()), label)
            }
        };
        location.entries.retain_mut(|entry| {
            let mut gone: Vec<Option<String>> = Vec::new();
            let is_kept = !is_gone && !is_about(entry, &spans);
            if is_kept {
                if let Some(handsets) = &mut entry.devices.handsets {
                    handsets.retain(|handset| {
                        let is_kept = !is_about_handset(handset, &spans);
                        gone.extend((!is_kept).then(|| Some(label_of(handset))));
                        is_kept
                    });
                }
            } else {
                gone.push(None);
            }
            is_any |= !gone.is_empty();
            let network = entry.label().to_owned();
            let is_in_scope = scope.includes_any_name(&name, entry.names(&network));
            for handset in gone.into_iter().filter(|_| is_in_scope) {
                let (location, location_name) = (id.clone(), name.clone());
                let one = Missing { location, location_name, network: network.clone(), handset };
                if !missing.contains(&one) {
                    missing.push(one);
                }
            }
            is_kept
        });
    }
    desired.locations.retain(|location| !location.entries.is_empty());
    is_any.then_some(missing)
}

fn is_about(entry: &NetworkEntry, spans: &HashSet<Span>) -> bool {
    let at = [Some(entry.span()), entry.name_span, entry.id.as_ref().map(|id| id.span)];
    at.iter().flatten().any(|span| spans.contains(span))
}

fn is_about_handset(entry: &HandsetEntry, spans: &HashSet<Span>) -> bool {
    let lines = [entry.line1.as_ref().map(|line| line.span), entry.line2.as_ref().map(|line| line.span)];
    let at =
        [Some(entry.span), entry.id.as_ref().map(|id| id.span), entry.reassigned_from.as_ref().map(|line| line.span)];
    at.iter().chain(&lines).flatten().any(|span| spans.contains(span))
}

fn label_of(entry: &HandsetEntry) -> String {
    let line = || entry.line1.as_ref().map(|line| LineRef::to_string(&line.value));
    let name = entry.name.as_ref().map(|name| name.value.as_str().to_owned());
    name.or_else(line).or_else(|| entry.id.as_ref().map(|id| id.value.to_string())).unwrap_or_default()
}
