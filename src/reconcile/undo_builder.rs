//! Collects the undo of a run: entries with the previous state of things, and warnings of what is left alone. What is undone of
//! each kind is in `resources/<kind>/undo`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use crate::desired::model::{NetworkEntry, Origin, Spanned};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, SourceLines, Span};
use crate::model::{DesiredSettings, Handset, HandsetId, LiveState, LocationId, Mac, MemberId, NetworkId, NetworkName};
use crate::plan::Scope;
use crate::plan::model::Operation;
use crate::storage::RunHistory;
use crate::storage::journal::RecordedItem;

/// A deleted network that is created again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecreatedNetwork {
    pub location: LocationId,
    pub name: String,
    pub former_id: NetworkId,
}

/// Base stations and members that an undo does not put back where they were.
#[derive(Debug, Default)]
pub(crate) struct Displaced {
    pub(crate) stations: HashSet<Mac>,
    pub(crate) members: HashSet<MemberId>,
}

impl Displaced {
    pub(crate) fn handset(&mut self, handset: &Handset) {
        self.members.extend(handset.member_ids().cloned());
    }

    /// The lines of a handset that another one of its network does not have.
    pub(crate) fn handset_beside(&mut self, handset: &Handset, other: &Handset) {
        let has = |member: &&MemberId| other.member_ids().any(|one| one == *member);
        self.members.extend(handset.member_ids().filter(|member| !has(member)).cloned());
    }
}

/// The entries about one location.
#[derive(Default)]
pub(crate) struct LocationUndo {
    pub(crate) modified: Vec<NetworkEntry>,
    pub(crate) deleted: Vec<NetworkEntry>,
    pub(crate) created: Vec<NetworkEntry>,
    /// Entries about the devices of networks that are there.
    pub(crate) devices: BTreeMap<NetworkId, NetworkEntry>,
}

pub(crate) struct UndoBuilder<'a> {
    pub(crate) history: &'a RunHistory,
    pub(crate) live: &'a LiveState,
    /// Whether the run was undone before, so that what is not there may be gone because of that.
    pub(crate) is_repeated: bool,
    /// Whether what is looked at is in the scope of the undo.
    pub(crate) is_in_scope: bool,
    /// The devices that the run has recorded: what it did with them, in which network, and their labels.
    pub(crate) recorded: HashSet<(Operation, &'a NetworkId, String)>,
    /// The ids of the networks that the run has created.
    pub(crate) created: HashSet<&'a str>,
    /// What the handsets were that the run has updated.
    pub(crate) former: HashMap<&'a HandsetId, &'a Handset>,
    /// A line for each network or device that is undone.
    pub(crate) lines: SourceLines<'a>,
    pub(crate) locations: BTreeMap<&'a LocationId, LocationUndo>,
    /// The handsets that are added to networks again.
    pub(crate) added_again: BTreeMap<NetworkId, Vec<&'a Handset>>,
    /// What is left alone where it would have to be put back.
    pub(crate) displaced: Displaced,
    pub(crate) warnings: Diagnostics,
    pub(crate) recreated: Vec<RecreatedNetwork>,
}

impl<'a> UndoBuilder<'a> {
    /// Whether the scope includes a network with these names, or its live one.
    pub(crate) fn includes<'n>(
        &'n self,
        location: &LocationId,
        network: Option<&NetworkId>,
        names: impl Iterator<Item = &'n str>,
        scope: &Scope,
    ) -> bool {
        let live = network.and_then(|id| self.live.find(id)).map(|at| &*self.live.network(at).settings.name);
        let names: Vec<&str> = names.chain(live).collect();
        // What is known by no name is not left out.
        names.is_empty() || scope.includes_any_name(self.location_name(location), names)
    }

    /// The name of a location; one that has lost its last network is not listed.
    pub(crate) fn location_name(&self, location: &LocationId) -> &'a str {
        let live = self.live.find_location(location).map(|at| &*self.live.location(at).name);
        let recorded = || self.history.items.iter().find(|item| item.location == *location);
        live.or_else(|| Some(&*recorded()?.location_name)).unwrap_or_default()
    }

    /// Whether the run, or one that it continued, has created a network.
    pub(crate) fn has_created(&self, network: &NetworkId) -> bool {
        self.created.contains(network.as_str())
    }

    pub(crate) fn leave_alone(&mut self, name: impl fmt::Display, why: impl fmt::Display) {
        if self.is_in_scope {
            self.warnings.push(left_alone(name, why));
        }
    }

    pub(crate) fn warn(&mut self, code: DiagnosticCode, message: String) {
        if !self.is_in_scope {
            return;
        }
        self.warnings.push(Diagnostic::warning(code, message));
    }

    pub(crate) fn location(&mut self, id: &'a LocationId) -> &mut LocationUndo {
        self.locations.entry(id).or_default()
    }

    /// Adds a line to the text that diagnostics show.
    pub(crate) fn line(&mut self, location: &LocationId, what: &str, name: &str) -> Span {
        let location = self.location_name(location);
        let plain = |text: &str| text.replace(char::is_control, " ");
        self.lines.line(&format!("{}: {what}", plain(location)), &plain(name))
    }

    pub(crate) fn devices(&mut self, item: &'a RecordedItem, id: &NetworkId, span: Span) -> &mut NetworkEntry {
        // Messages name the network.
        let name = self.live.find(id).and_then(|at| NetworkName::new(&self.live.network(at).settings.name).ok());
        let devices = &mut self.location(&item.location).devices;
        devices.entry(id.clone()).or_insert_with(|| {
            let desired = DesiredSettings { name, ..DesiredSettings::default() };
            NetworkEntry { desired, name_is_check: true, ..entry(Some(id.clone()), span) }
        })
    }
}

/// A warning that something is not undone.
pub(crate) fn left_alone(name: impl fmt::Display, why: impl fmt::Display) -> Diagnostic {
    Diagnostic::warning(DiagnosticCode::NotUndone, format!("{name} is left alone: {why}"))
}

pub(crate) fn entry(id: Option<NetworkId>, span: Span) -> NetworkEntry {
    let id = id.map(|value| Spanned { value, span });
    NetworkEntry { id, is_recorded: true, ..NetworkEntry::new(Origin::File(span)) }
}
