//! Undoes changes of handsets: added ones are removed, updated ones get their former name and lines, and removed ones are added
//! again.

use std::collections::HashSet;

use super::entry::{HandsetEntry, LineRef};
use super::member::{Member, same_member};
use super::state::Handset;
use crate::desired::model::Spanned;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span, plural};
use crate::model::{Devices, HandsetId, HandsetName, NetworkId, NetworkIndex};
use crate::plan::model::ChangeAction::{Create, Update};
use crate::plan::model::{Listed, ResourceKind as Kind, ResourceState, Standing, States};
use crate::reconcile::undo_builder::UndoBuilder;
use crate::resources::standing::standings;
use crate::storage::journal::{RecordedItem, WriteOutcome};

/// Whether a handset can be added as it was: with a name that Webex accepts, and a first line.
pub(crate) fn can_be_added(handset: &Handset) -> bool {
    let has_name = handset.display_name().is_some_and(|name| HandsetName::new(name).is_ok());
    has_name && handset.line1.as_ref().is_some_and(|line| line.id.is_some())
}

/// Whether a handset is the one that was to be added, complete or before its second line was added.
pub(crate) fn is_as_added(handset: &Handset, added: &Handset) -> bool {
    handset.is_equivalent(added) || handset.is_equivalent(&added.first_line_only())
}

/// Whether an entry without id cannot tell two handsets apart.
pub(crate) fn is_twin(one: &Handset, other: &Handset) -> bool {
    one.has_same_name(other) && same_member(one.line1.as_ref(), other.line1.as_ref())
}

pub(crate) const NOT_ADDED_AGAIN: &str = "its line or its name is not known, so it cannot be added again";
pub(crate) const TWIN: &str = "another handset of its network has the same line and name; add it in Control Hub";

/// An entry for a handset as it was, its second line only if it had one. Members are named by id, since the extension may be
/// that of another member by now.
pub(crate) fn handset_as_it_was(handset: &Handset, span: Span) -> HandsetEntry {
    let line = |member: Option<&Member>| member.and_then(|member| member.id.clone()).map(LineRef::Member);
    let name = handset.display_name().and_then(|name| HandsetName::as_listed(name).ok());
    HandsetEntry {
        line1: line(handset.line1.as_ref()).map(|value| Spanned { value, span }),
        line2: line(handset.line2.as_ref()).map(|line| Spanned { value: Some(line), span }),
        name: name.map(|value| Spanned { value, span }),
        is_recorded: true,
        ..HandsetEntry::new(span)
    }
}

/// A warning that handsets of a network are added again.
pub(crate) fn pairing_needed(network: &str, labels: &[&str]) -> Diagnostic {
    let are = if labels.len() == 1 { "is" } else { "are" };
    let handsets = plural(labels.len(), "handset");
    let message = format!("{handsets} of {network} {are} added again and must be paired again: {}", labels.join(", "));
    Diagnostic::warning(DiagnosticCode::PairingNeeded, message)
}

impl<'a> UndoBuilder<'a> {
    /// Whether an addition of the run is known to have made a handset.
    pub(crate) fn is_recorded(&self, handset: &Handset) -> bool {
        let id = handset.id.as_ref().map(HandsetId::as_str);
        id.is_some() && self.history.items.iter().any(|item| item.id.as_deref() == id)
    }

    /// Whether the run has added a handset to a network.
    pub(crate) fn has_added(&self, network: &NetworkId, handset: &Handset) -> bool {
        self.history.items.iter().any(|item| {
            let is_addition = item.is(Kind::Handset, Create) && item.network.as_ref() == Some(network);
            let added = item.after.as_ref().and_then(ResourceState::handset).filter(|_| is_addition);
            match (&item.id, &handset.id) {
                (Some(recorded), Some(id)) => added.is_some() && recorded == id.as_str(),
                _ => added.is_some_and(|added| added.is_equivalent(handset)),
            }
        })
    }

    /// Whether the run has changed or removed a handset that was as this one, which it had added.
    fn has_changed(&self, added: &Handset) -> bool {
        let mut before = self.history.items.iter().filter_map(|item| item.before.as_ref()?.handset());
        before.any(|before| is_as_added(before, added))
    }

    /// Whether a handset is in a state that the run has given it.
    pub(crate) fn is_as_left(&self, handset: &Handset) -> bool {
        let states = self.history.items.iter().filter_map(|item| item.after.as_ref()?.handset());
        let mut states = states.filter(|state| state.id.is_none() || state.id == handset.id);
        states.any(|state| is_as_added(handset, state))
    }

    pub(crate) fn handset(&mut self, item: &'a RecordedItem, handset: HandsetEntry) {
        if let Some(network) = &item.network {
            self.devices(item, network, handset.span).devices.handsets.get_or_insert_default().push(handset);
        }
    }

    /// The network of a handset and its name now, unless it is gone.
    pub(crate) fn handset_network(&self, item: &RecordedItem) -> Option<(NetworkIndex, String)> {
        let at = self.live.find(item.network.as_ref()?)?;
        Some((at, self.live.network(at).settings.name.to_string()))
    }

    /// A handset that the run has added is removed if its id is the recorded one.
    pub(crate) fn remove_added_handset(&mut self, item: &'a RecordedItem) {
        let Some(after) = item.after.as_ref().and_then(ResourceState::handset) else { return };
        let Some((at, network)) = self.handset_network(item) else { return };
        let name = format!("handset {} of {network:?}", after.label());
        let listed = self.live.handsets(at).unwrap_or_default();
        // The id of one that was added with its first line may be known to the update that completed it only.
        let completed = || {
            let updates = self.history.items.iter().filter(|other| other.is(Kind::Handset, Update));
            let states = updates.filter_map(|other| other.after.as_ref().and_then(ResourceState::handset));
            states.filter(|state| state.is_equivalent(after)).find_map(|state| state.id.clone())
        };
        let id = item.id.as_deref().and_then(HandsetId::non_empty).or_else(completed);
        match id.and_then(|id| listed.iter().find(|handset| handset.id.as_ref() == Some(&id))) {
            Some(found) if is_as_added(found, after) => {
                let (span, id) = (self.line(&item.location, "remove handset ", &after.label()), found.id.clone());
                let id = id.map(|value| Spanned { value, span });
                self.handset(item, HandsetEntry { id, is_absent: true, ..HandsetEntry::new(span) });
            }
            Some(_) => self.leave_alone(name, "its name or its lines changed since the run"),
            None if item.id.is_none()
                && listed.iter().any(|handset| is_as_added(handset, after) && !self.is_recorded(handset)) =>
            {
                self.leave_alone(name, "its id was not recorded, so it may not be the run's");
            }
            // Without an id it is not known whether it was removed since, or looks like another one.
            None if item.id.is_none()
                && item.end == Some(WriteOutcome::Applied)
                && !self.is_repeated
                && !self.has_changed(after) =>
            {
                self.leave_alone(name, "it is not there as it was added: it was changed or removed since the run");
            }
            // It is gone already.
            None => {}
        }
    }

    /// A handset that the run has updated gets its former name and lines.
    pub(crate) fn restore_handset(&mut self, item: &'a RecordedItem) {
        let state = |state: &'a Option<ResourceState>| state.as_ref().and_then(ResourceState::handset);
        let (Some(before), Some(after)) = (state(&item.before), state(&item.after)) else { return };
        // What an interrupted run had added with its first line, and the next one has completed, is removed.
        if item.network.as_ref().is_some_and(|network| self.has_added(network, after)) {
            return;
        }
        let name = format!("handset {}", before.label());
        let devices = self.handset_network(item).map_or(Devices::gone(), |(at, _)| self.live.devices(at));
        let (before_it, interim, after_it) = (item.before.as_ref(), item.interim.as_ref(), item.after.as_ref());
        let states = States { before: before_it, interim, after: after_it };
        let listed = Listed { devices: Some(devices), ..Listed::default() };
        match standings(&[states], &listed, &HashSet::new()).pop() {
            Some(Standing::After { .. } | Standing::Interim(_)) if can_be_added(before) => {
                if before.custom_name.is_none() && after.custom_name.is_some() {
                    let label = format!("customDisplayName of {name}");
                    self.leave_alone(label, "it had none of its own, and gets the name that it showed");
                }
                let span = self.line(&item.location, "restore handset ", &before.label());
                let former = handset_as_it_was(before, span);
                let id = before.id.clone().map(|value| Spanned { value, span });
                let line2 = Some(former.line2.unwrap_or(Spanned { value: None, span }));
                self.handset(item, HandsetEntry { id, line2, ..former });
            }
            Some(standing) => {
                let why = match standing {
                    Standing::After { .. } | Standing::Interim(_) => "its former line or name is not known",
                    Standing::Changed(_) => "its name or its lines changed since the run",
                    Standing::Missing => "it no longer exists",
                    _ => return,
                };
                self.displaced.handset(before);
                self.leave_alone(name, why);
            }
            None => {}
        }
    }

    /// A handset that the run has removed is added again.
    pub(crate) fn add_removed_handset(&mut self, item: &'a RecordedItem) {
        if let Some(before) = item.before.as_ref().and_then(ResourceState::handset) {
            self.add_handset(item, before);
        }
    }

    /// Adds a handset to the network of an item.
    pub(crate) fn add_handset(&mut self, item: &'a RecordedItem, before: &'a Handset) {
        let Some((at, network)) = self.handset_network(item) else {
            self.displaced.handset(before);
            return self.leave_alone(format!("handset {}", before.label()), "its network no longer exists");
        };
        let name = format!("handset {} of {network:?}", before.label());
        let listed = self.live.handsets(at).unwrap_or_default();
        // The removal was not applied.
        if listed.iter().any(|handset| handset.id == before.id) {
            return;
        }
        if !can_be_added(before) {
            self.displaced.handset(before);
            return self.leave_alone(name, NOT_ADDED_AGAIN);
        }
        let others = self.added_again.entry(self.live.network(at).id.clone()).or_default();
        // What the run has updated becomes what it was.
        let as_it_was =
            |live: &'a Handset| live.id.as_ref().and_then(|id| self.former.get(id)).copied().unwrap_or(live);
        let as_they_were = listed.iter().map(as_it_was);
        if let Some(twin) = others.iter().copied().chain(as_they_were).find(|other| is_twin(other, before)) {
            self.displaced.handset_beside(before, twin);
            return self.leave_alone(name, TWIN);
        }
        others.push(before);
        let span = self.line(&item.location, "add handset ", &before.label());
        self.handset(item, handset_as_it_was(before, span));
    }
}
