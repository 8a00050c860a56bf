//! Finds entries of a network that ask for different serviceability passwords.

use std::collections::HashMap;

use super::entry::contradicting_passwords;
use super::state::PasswordStatus;
use crate::desired::model::NetworkPlace;
use crate::desired::spanned::Spanned;
use crate::diagnostic::Diagnostics;

/// What entries ask for, by network.
#[derive(Default)]
pub(in crate::resources) struct SeenPasswords(HashMap<NetworkPlace, Spanned<PasswordStatus>>);

impl SeenPasswords {
    pub(in crate::resources) fn check(
        &mut self,
        network: NetworkPlace,
        label: &str,
        status: &Spanned<PasswordStatus>,
        diagnostics: &mut Diagnostics,
    ) {
        let first = self.0.entry(network).or_insert_with(|| status.clone());
        if first.value != status.value {
            contradicting_passwords(label, status, first, diagnostics);
        }
    }
}
