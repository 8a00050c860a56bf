//! Several files as one desired state, and what in them contradicts what.
//!
//! Offline, a location is what the files call it. What only the live organization can tell (two spellings of one
//! location, a network once by id and once by name) the planner finds later.

use std::collections::HashMap;

use super::model::{Desired, DesiredLocation, NetworkEntry};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Span};
use crate::model::{AccessCode, LocationId, NameKey, NetworkId, nfc};

/// Puts the locations of all files together and reports contradictions.
pub(super) fn merge(files: Vec<Desired>, diagnostics: &mut Diagnostics) -> Desired {
    let mut desired = Desired::default();
    for file in files {
        desired.locations.extend(file.locations);
        desired.rules.extend(file.rules);
    }
    let mut seen = DuplicateTracker::default();
    for location in &desired.locations {
        let place = seen.location(location, diagnostics);
        for entry in &location.entries {
            seen.entry(place, location, entry, diagnostics);
        }
    }
    desired
}

#[derive(Default)]
struct DuplicateTracker {
    by_name: HashMap<NameKey, usize>,
    by_id: HashMap<LocationId, (usize, Option<NameKey>, Span)>,
    locations: usize,
    network_ids: HashMap<NetworkId, Span>,
    names: HashMap<(usize, NameKey), (Span, String)>,
    sources: HashMap<(usize, NameKey), Span>,
    codes: HashMap<(usize, AccessCode), Span>,
}

impl DuplicateTracker {
    /// A number that is the same for every mention of a location.
    fn location(&mut self, location: &DesiredLocation, diagnostics: &mut Diagnostics) -> usize {
        let name = location.name.as_ref().map(|name| NameKey::of(&name.value));
        if let (Some(id), Some(name)) = (&location.id, &name)
            && let Some((_, Some(other), span)) = self.by_id.get(&id.value)
            && other != name
        {
            let message = "this id stands with two different location names".to_owned();
            diagnostics.push(
                Diagnostic::error(DiagnosticCode::LocationMismatch, message)
                    .with_span(id.span)
                    .with_related(*span, "the other is here")
                    .help("an id belongs to one location: correct the name or the id"),
            );
        }
        let known = match (&location.id, &name) {
            (Some(id), _) => self.by_id.get(&id.value).map(|(place, ..)| *place),
            (None, Some(name)) => self.by_name.get(name).copied(),
            (None, None) => None,
        };
        let place = known.unwrap_or_else(|| {
            self.locations += 1;
            self.locations
        });
        match &location.id {
            Some(id) => {
                self.by_id.entry(id.value.clone()).or_insert((place, name, id.span));
            }
            None => {
                if let Some(name) = name {
                    self.by_name.entry(name).or_insert(place);
                }
            }
        }
        place
    }

    fn entry(&mut self, place: usize, location: &DesiredLocation, entry: &NetworkEntry, diagnostics: &mut Diagnostics) {
        if let Some(id) = &entry.id
            && let Some(first) = self.network_ids.insert(id.value.clone(), id.span)
        {
            diagnostics.push(
                Diagnostic::error(
                    DiagnosticCode::DuplicateNetwork,
                    format!("the network {} has two entries", entry.label()),
                )
                .with_span(id.span)
                .with_related(first, "the first is here")
                .help("keep one of them"),
            );
            return;
        }
        if let (Some(key), Some(span)) = (entry.name_key(), entry.name_span) {
            let label = entry.label().to_owned();
            if let Some((first, other)) = self.names.insert((place, key), (span, label.clone())) {
                let (place, name) = (location.label(), nfc(&label));
                let message = if other == label {
                    format!("two networks of {place:?} are to be called {name:?}")
                } else if nfc(&other) == name {
                    format!("two networks of {place:?} get names that differ in how accents are encoded only: {name:?}")
                } else {
                    format!("two networks of {place:?} get names that differ in case only: {name:?}")
                };
                diagnostics.push(
                    Diagnostic::error(DiagnosticCode::DuplicateName, message)
                        .with_span(span)
                        .with_related(first, "the first is here")
                        .help("names are unique within a location: rename or remove one of them"),
                );
            }
        }
        if let Some(from) = &entry.renamed_from
            && let Some(first) = self.sources.insert((place, NameKey::of(&from.value)), from.span)
        {
            diagnostics.push(
                Diagnostic::error(DiagnosticCode::DuplicateNetwork, "two networks were renamed from the same name")
                    .with_span(from.span)
                    .with_related(first, "the first is here")
                    .help("a name belonged to one network: correct one of the two"),
            );
        }
        if let (Some(code), Some(source)) = (entry.desired.code, &entry.code)
            && let Some(first) = self.codes.insert((place, code), source.span)
        {
            let message = format!("two networks of {:?} are to get the same access code", location.label());
            diagnostics.push(
                Diagnostic::error(DiagnosticCode::DuplicateCode, message)
                    .with_span(source.span)
                    .with_related(first, "the first is here")
                    .help("access codes are unique within a location: choose another one"),
            );
        }
    }
}
