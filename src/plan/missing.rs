//! Networks that files name and that do not exist: an error of a plan, and drift for a report.

use std::collections::HashSet;

use super::Scope;
use super::matching::{LocationsByName, match_entries};
use crate::desired::model::Desired;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Severity, Span};
use crate::model::{LiveState, LocationId};

/// A network that files name and that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingNetwork {
    pub location: LocationId,
    pub location_name: String,
    /// Its name, or else its id.
    pub label: String,
}

/// Takes the entries of networks that do not exist out of a desired state; nothing if entries are wrong otherwise. Returns
/// those that are in scope.
pub fn take_out_missing(desired: &mut Desired, scope: &Scope, live: &LiveState) -> Vec<MissingNetwork> {
    let mut missing = Vec::new();
    // Of several entries for one network the first one is reported.
    loop {
        let mut diagnostics = Diagnostics::new();
        let _matched = match_entries(desired, live, &mut diagnostics);
        let errors = || diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let is_missing = |error: &Diagnostic| error.code == DiagnosticCode::UnknownNetwork;
        let spans: HashSet<Span> = errors().filter_map(|error| error.span).collect();
        if spans.is_empty() || !errors().all(is_missing) {
            break;
        }
        let mut is_any = false;
        let names = LocationsByName::of(live);
        for location in &mut desired.locations {
            let Some(at) = names.find(location, live, &mut Diagnostics::new()) else { continue };
            let place = live.location(at);
            location.entries.retain(|entry| {
                let at = [Some(entry.span()), entry.name_span, entry.id.as_ref().map(|id| id.span)];
                let is_kept = !at.iter().flatten().any(|span| spans.contains(span));
                is_any |= !is_kept;
                let label = entry.label().to_owned();
                let network =
                    MissingNetwork { location: place.id.clone(), location_name: place.name.to_string(), label };
                let is_in_scope = || scope.includes_any_name(&place.name, entry.names(&network.label));
                if !is_kept && !missing.contains(&network) && is_in_scope() {
                    missing.push(network);
                }
                is_kept
            });
        }
        if !is_any {
            break;
        }
    }
    missing
}
