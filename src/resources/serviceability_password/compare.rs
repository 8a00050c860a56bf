//! Compares whether serviceability passwords are enabled with what files ask for.

use super::entry::contradicting_passwords;
use super::steps::{PasswordChange, PasswordChanges};
use crate::diagnostic::{Diagnostics, Span};
use crate::model::{LiveState, PasswordStatus};
use crate::plan::Scope;
use crate::plan::matching::{EntryGroup, Managed};
use crate::plan::owner::{Owner, named_networks};
use crate::resources::network::compare::NetworkChange;

/// The changes of a location. That of a network which is created is not known, so it is set, whatever it is.
pub(crate) fn compare(
    managed: &Managed<'_>,
    network_changes: &[NetworkChange<'_>],
    scope: &Scope,
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) -> PasswordChanges {
    let mut changes = Vec::new();
    for (owner, _, group) in named_networks(managed, network_changes, scope, live) {
        let before = match owner {
            Owner::Live(at) => live.devices(at).serviceability_password,
            Owner::Created(_) => Some(PasswordStatus::Unknown),
        };
        if let Some(before) = before {
            let wanted = wanted(group, diagnostics).filter(|(after, _)| *after != before);
            changes.extend(wanted.map(|(after, span)| PasswordChange { owner, before, after, span }));
        }
    }
    PasswordChanges(changes)
}

/// What the entries of a network ask for, and the first of them that does; reports a contradiction.
fn wanted(group: &EntryGroup<'_>, diagnostics: &mut Diagnostics) -> Option<(PasswordStatus, Span)> {
    let mut asking =
        group.entries().filter_map(|entry| Some((entry.devices.serviceability_password.as_ref()?, entry.span())));
    let (first, span) = asking.next()?;
    for (other, _) in asking.filter(|(other, _)| other.value != first.value) {
        contradicting_passwords(group.primary.label(), other, first, diagnostics);
    }
    Some((first.value, span))
}
