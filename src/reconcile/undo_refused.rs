//! Leaves out of an undo what the planner refuses since the run: a name, code or address that something else has by now, a
//! network that is full, a member who is gone. The rest is undone.
//!
//! Each error of the plan is about the line of one thing. That thing is left out with a warning, and with it whatever gives up
//! a base station or a member for it, which would be nowhere then. What is left may be refused in turn, so it is planned until
//! nothing is.

use std::sync::Arc;

use super::inputs::Inputs;
use super::undo_builder::{Displaced, left_alone};
use crate::desired::model::{Desired, DesiredLocation, HandsetEntry, LineRef, NetworkEntry};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Severity, Sources, Span};
use crate::model::{BaseStation, DesiredSettings, Handset, LiveState, MemberId, NetworkIndex};
use crate::plan::{self, Scope};

/// Leaves out what is refused, and what gives up something for what is left alone already. An error that is not about one
/// thing stays an error of the plan.
pub(super) fn leave_out_refused(inputs: &mut Inputs, displaced: &Displaced, scope: &Scope, live: &LiveState) {
    let sources = Arc::clone(&inputs.sources);
    let warnings = Diagnostics::new();
    let mut undo = Remaining { desired: &mut inputs.desired, sources: &sources, scope, live, removed: 0, warnings };
    undo.keep(displaced);
    loop {
        undo.drop_empty();
        let before = undo.removed;
        // What is out of scope is looked at, too: nothing may be taken away for something that cannot be put back.
        let Err(errors) = plan::build(undo.desired, live, &sources) else { break };
        let is_refused =
            |error: &&Diagnostic| error.severity == Severity::Error && error.code != DiagnosticCode::LocationNotRead;
        for error in errors.iter().filter(is_refused) {
            undo.leave_out(error);
        }
        if undo.removed == before {
            break;
        }
    }
    let warnings = undo.warnings;
    inputs.warnings.append(warnings);
}

/// What an undo still asks for.
struct Remaining<'a> {
    desired: &'a mut Desired,
    sources: &'a Sources,
    scope: &'a Scope,
    live: &'a LiveState,
    /// How many things were left out.
    removed: usize,
    warnings: Diagnostics,
}

impl Remaining<'_> {
    /// Leaves out what an error is about.
    fn leave_out(&mut self, error: &Diagnostic) {
        let Some(span) = error.span else { return };
        if error.code == DiagnosticCode::UnknownLocation {
            return self.leave_out_location(span);
        }
        let displaced = self.remove(error.code, span, &error.message);
        self.keep(&displaced);
    }

    /// Leaves out all that an undo asks for in a location that was removed.
    fn leave_out_location(&mut self, span: Span) {
        let is_gone = |location: &&DesiredLocation| location.id.as_ref().is_some_and(|id| id.span == span);
        let gone = self.desired.locations.iter().filter(is_gone);
        let spans: Vec<Span> = gone.flat_map(|location| location.entries.iter().map(NetworkEntry::span)).collect();
        for span in spans {
            let displaced = self.remove(DiagnosticCode::UnknownLocation, span, "its location is gone");
            self.keep(&displaced);
        }
    }

    /// Removes what has a span, and returns what is not put anywhere now.
    fn remove(&mut self, code: DiagnosticCode, span: Span, reason: &str) -> Displaced {
        let (live, sources, scope) = (self.live, self.sources, self.scope);
        let mut displaced = Displaced::default();
        for location in &mut self.desired.locations {
            let place: Arc<str> = location.label().into();
            for entry in location.entries.iter_mut().filter(|entry| has_span(entry, span)) {
                let (at, network) = (network(entry, live), entry.live_label(live).to_owned());
                let is_in_scope = scope.includes_any_name(&place, entry.names(&network));
                let mut names = Vec::new();
                if let Some(stations) = &mut entry.devices.base_stations {
                    for station in stations.extract_if(.., |station| station.span == span) {
                        names.push(format!("base station {} of {network:?}", station.mac.value));
                        displaced.stations.extend((!station.is_absent).then_some(station.mac.value));
                    }
                }
                if let Some(handsets) = &mut entry.devices.handsets {
                    for handset in handsets.extract_if(.., |handset| handset.span == span) {
                        names.push(format!("handset {} of {network:?}", sources.text_of(span)));
                        displaced.members.extend(gained(&handset, at, live));
                    }
                }
                if entry.span() == span && asks_for_something(entry) && !is_list_of_devices(entry) {
                    names.push(leave_settings(entry, code, &network, &mut displaced, sources.text_of(span)));
                }
                self.removed += names.len();
                self.warnings.extend(names.iter().filter(|_| is_in_scope).map(|name| left_alone(name, reason)));
            }
        }
        displaced
    }

    /// Keeps things where they are that cannot be put back where they were.
    fn keep(&mut self, displaced: &Displaced) {
        let live = self.live;
        let gives_up: Vec<Span> = self.desired.entries().flat_map(|entry| giving_up(entry, displaced, live)).collect();
        for span in gives_up {
            let reason = "it has what cannot be put back where it was";
            let displaced = self.remove(DiagnosticCode::NotUndone, span, reason);
            self.keep(&displaced);
        }
    }

    /// Drops entries that ask for nothing any more.
    fn drop_empty(&mut self) {
        for location in &mut self.desired.locations {
            for entry in &mut location.entries {
                let devices = &mut entry.devices;
                devices.base_stations.take_if(|stations| stations.is_empty());
                devices.handsets.take_if(|handsets| handsets.is_empty());
            }
            location.entries.retain(asks_for_something);
        }
        self.desired.locations.retain(|location| !location.entries.is_empty());
    }
}

/// Leaves out the name or the code of a network, or all that an entry says of it. Returns what that is called.
fn leave_settings(
    entry: &mut NetworkEntry,
    code: DiagnosticCode,
    network: &str,
    displaced: &mut Displaced,
    former_name: &str,
) -> String {
    if entry.id.is_some() && code.is_about_name() {
        entry.desired.name = None;
        return format!("name of {network:?}");
    }
    if entry.id.is_some() && code.is_about_code() {
        entry.desired.code = None;
        return format!("defaultAccessCode of {network:?}");
    }
    let devices = std::mem::take(&mut entry.devices);
    displaced.stations.extend(devices.base_stations.iter().flatten().map(|station| station.mac.value));
    displaced.members.extend(devices.handsets.iter().flatten().flat_map(members));
    (entry.desired, entry.absent) = (DesiredSettings::default(), None);
    former_name.to_owned()
}

fn asks_for_something(entry: &NetworkEntry) -> bool {
    entry.requested_settings() != DesiredSettings::default() || entry.absent.is_some() || entry.devices.speak()
}

/// Whether an entry or something that it lists has this span.
fn has_span(entry: &NetworkEntry, span: Span) -> bool {
    let mut stations = entry.devices.base_stations.iter().flatten().map(|station| station.span);
    let mut handsets = entry.devices.handsets.iter().flatten().map(|handset| handset.span);
    entry.span() == span || stations.any(|other| other == span) || handsets.any(|other| other == span)
}

/// Whether an entry is about the devices of a network alone, each with a line of its own.
fn is_list_of_devices(entry: &NetworkEntry) -> bool {
    entry.id.is_some() && entry.devices.speak()
}

fn network(entry: &NetworkEntry, live: &LiveState) -> Option<NetworkIndex> {
    live.find(&entry.id.as_ref()?.value)
}

/// The members that an entry puts on the lines of a handset.
fn members(handset: &HandsetEntry) -> Vec<MemberId> {
    let lines = handset.lines().filter(|_| !handset.is_absent);
    let ids = lines.filter_map(|line| if let LineRef::Member(id) = line { Some(id.clone()) } else { None });
    ids.collect()
}

/// Those of them that a listed handset does not have.
fn gained(handset: &HandsetEntry, network: Option<NetworkIndex>, live: &LiveState) -> Vec<MemberId> {
    let listed = network.and_then(|at| listed(handset, live.handsets(at)?));
    let has = |member: &MemberId| listed.is_some_and(|listed| listed.member_ids().any(|other| other == member));
    members(handset).into_iter().filter(|member| !has(member)).collect()
}

fn listed<'l>(entry: &HandsetEntry, handsets: &'l [Handset]) -> Option<&'l Handset> {
    let id = &entry.id.as_ref()?.value;
    handsets.iter().find(|handset| handset.id.as_ref() == Some(id))
}

/// The spans of what an entry takes some of these things away by.
fn giving_up(entry: &NetworkEntry, displaced: &Displaced, live: &LiveState) -> Vec<Span> {
    let Some(at) = network(entry, live) else { return Vec::new() };
    let handsets = live.handsets(at).unwrap_or_default();
    let has_station = |station: &BaseStation| station.mac().is_some_and(|mac| displaced.stations.contains(&mac));
    let loses = |handset: &Handset, kept: &[MemberId]| {
        handset.member_ids().any(|member| displaced.members.contains(member) && !kept.contains(member))
    };
    if entry.absent.is_some() {
        let holds = live.base_stations(at).unwrap_or_default().iter().any(has_station)
            || handsets.iter().any(|handset| loses(handset, &[]));
        return holds.then_some(entry.span()).into_iter().collect();
    }
    let stations = entry.devices.base_stations.iter().flatten().filter(|station| {
        let replaced = station.replaces.as_ref().is_some_and(|old| displaced.stations.contains(&old.value));
        replaced || station.is_absent && displaced.stations.contains(&station.mac.value)
    });
    let updates = entry.devices.handsets.iter().flatten();
    let updates =
        updates.filter(|update| listed(update, handsets).is_some_and(|handset| loses(handset, &members(update))));
    stations.map(|station| station.span).chain(updates.map(|update| update.span)).collect()
}
