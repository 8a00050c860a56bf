//! Merges several files into one desired state and reports contradictions.
//!
//! Offline, locations are compared as written. Duplicates that only the live state reveals (two spellings of one
//! location, a network given by id and by name) are found by the planner.

use std::collections::{HashMap, HashSet};

use super::model::{Desired, DesiredLocation, GuardedNetwork, NetworkEntry, Spanned};
use crate::diagnostic::{DiagnosticCode, Diagnostics, Span};
use crate::model::{AccessCode, LocationId, NameKey, NetworkId, nfc};
use crate::resources::merge::SeenDevices;

/// Merges the locations of all files and reports contradictions.
pub(super) fn merge(files: Vec<Desired>, diagnostics: &mut Diagnostics) -> Desired {
    let mut desired = Desired::default();
    for file in files {
        desired.locations.extend(file.locations);
        desired.rules.extend(file.rules);
        match (&desired.organization, file.organization) {
            (Some(known), Some(other)) if known.value != other.value => {
                diagnostics
                    .error(
                        DiagnosticCode::OtherOrganization,
                        other.span,
                        format!("{:?} and {:?} are not the same organization as written", known.value, other.value),
                    )
                    .with_related(known.span, "the other one")
                    .help("one command is about one organization; write it alike in all files");
            }
            (None, organization) => desired.organization = organization,
            _ => {}
        }
    }
    separate_guards(&mut desired);
    let mut seen = DuplicateTracker::default();
    for location in &desired.locations {
        let place = seen.location(location, diagnostics);
        for entry in &location.entries {
            seen.entry(place, location, entry, diagnostics);
        }
    }
    desired
}

/// An entry with `id`, `name` and a guard alone, beside another entry of the same network, only protects: its name is a check.
fn separate_guards(desired: &mut Desired) {
    let is_candidate = |entry: &NetworkEntry| !entry.guards.is_empty() && entry.has_name_alone();
    let others =
        || desired.locations.iter().flat_map(|location| location.entries.iter().map(move |entry| (location, entry)));
    let others: Vec<(&DesiredLocation, &NetworkEntry)> = others().filter(|(_, entry)| !is_candidate(entry)).collect();
    let ids: HashSet<NetworkId> =
        others.iter().filter_map(|(_, entry)| Some(entry.id.as_ref()?.value.clone())).collect();
    let place = |location: &DesiredLocation| NameKey::of(location.label());
    let names: HashSet<(NameKey, NameKey)> = others
        .iter()
        .flat_map(|(location, entry)| {
            let former = entry.renamed_from.iter().map(|name| NameKey::of(&name.value));
            entry.name_key().into_iter().chain(former).map(|name| (place(location), name))
        })
        .collect();
    for location in &mut desired.locations {
        let place = place(location);
        let guarded = location.entries.extract_if(.., |entry| {
            let has_other = entry.id.as_ref().is_some_and(|id| ids.contains(&id.value))
                || entry.name_key().is_some_and(|name| names.contains(&(place.clone(), name)));
            is_candidate(entry) && has_other
        });
        let guarded = guarded.map(|entry| GuardedNetwork {
            span: entry.span(),
            name: entry
                .desired
                .name
                .as_ref()
                .zip(entry.name_span)
                .map(|(name, span)| Spanned { value: name.shared(), span }),
            id: entry.id,
            guards: entry.guards,
        });
        let guarded: Vec<GuardedNetwork> = guarded.collect();
        location.guarded.extend(guarded);
    }
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
    devices: SeenDevices,
}

impl DuplicateTracker {
    /// Returns the same key for every mention of a location.
    fn location(&mut self, location: &DesiredLocation, diagnostics: &mut Diagnostics) -> usize {
        let name = location.name.as_ref().map(|name| NameKey::of(&name.value));
        if let (Some(id), Some(name)) = (&location.id, &name)
            && let Some((_, Some(other), span)) = self.by_id.get(&id.value)
            && other != name
        {
            let message = "one location id has two different names".to_owned();
            diagnostics
                .error(DiagnosticCode::LocationMismatch, id.span, message)
                .with_related(*span, "other occurrence")
                .help("correct the name or the id");
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
        self.devices.check(place, entry, diagnostics);
        // Lists of one network add up; its settings may stand in one entry only. A deleted network frees its name.
        if !entry.is_list_only() && self.has_new_id(entry, diagnostics) && entry.absent.is_none() {
            self.name(place, location, entry, diagnostics);
            self.former_names(place, entry, diagnostics);
            self.code(place, location, entry, diagnostics);
        }
    }

    /// Whether no other entry has the id of this one.
    fn has_new_id(&mut self, entry: &NetworkEntry, diagnostics: &mut Diagnostics) -> bool {
        let Some(id) = &entry.id else { return true };
        let Some(first) = self.network_ids.insert(id.value.clone(), id.span) else { return true };
        let message = format!("duplicate entry for network {}", entry.label());
        diagnostics
            .error(DiagnosticCode::DuplicateNetwork, id.span, message)
            .with_related(first, "first occurrence")
            .help(if entry.devices.speak() {
                "one entry has the settings of a network, others only `id` and lists of devices"
            } else {
                "remove one of them"
            });
        false
    }

    fn name(&mut self, place: usize, location: &DesiredLocation, entry: &NetworkEntry, diagnostics: &mut Diagnostics) {
        let (Some(key), Some(span)) = (entry.name_key(), entry.name_span) else { return };
        let label = entry.label().to_owned();
        let Some((first, other)) = self.names.insert((place, key), (span, label.clone())) else { return };
        let (place, name) = (location.label(), nfc(&label));
        let message = if other == label {
            format!("duplicate name {name:?} in {place:?}")
        } else if nfc(&other) == name {
            format!("names in {place:?} differ only in the encoding of accents: {name:?}")
        } else {
            format!("names in {place:?} differ only in case: {name:?}")
        };
        diagnostics
            .error(DiagnosticCode::DuplicateName, span, message)
            .with_related(first, "first occurrence")
            .help(if entry.devices.speak() {
                "one entry has the settings of a network, others only `name` and lists of devices; or rename one of them, \
                 names are unique within a location"
            } else {
                "names must be unique within a location; rename or remove one of them"
            });
    }

    fn former_names(&mut self, place: usize, entry: &NetworkEntry, diagnostics: &mut Diagnostics) {
        for from in &entry.renamed_from {
            let Some(first) = self.sources.insert((place, NameKey::of(&from.value)), from.span) else { continue };
            let is_own = entry.renamed_from.iter().any(|other| other.span == first);
            let (message, help) = match is_own {
                true => ("`renamedFrom` has the same name twice", "remove one of them"),
                false => {
                    ("two networks have the same `renamedFrom`", "a name belongs to one network; correct one of them")
                }
            };
            diagnostics
                .error(DiagnosticCode::DuplicateNetwork, from.span, message)
                .with_related(first, "first occurrence")
                .help(help);
        }
    }

    fn code(&mut self, place: usize, location: &DesiredLocation, entry: &NetworkEntry, diagnostics: &mut Diagnostics) {
        if let (Some(code), Some(source)) = (entry.desired.code, &entry.code)
            && let Some(first) = self.codes.insert((place, code), source.span)
        {
            let message = format!("duplicate access code in {:?}", location.label());
            diagnostics
                .error(DiagnosticCode::DuplicateCode, source.span, message)
                .with_related(first, "first occurrence")
                .help("access codes must be unique within a location; choose another one");
        }
    }
}
