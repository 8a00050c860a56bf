//! Finds handsets that two entries name.

use std::collections::HashMap;

use super::entry::{HandsetEntry, LineRef};
use crate::desired::model::NetworkPlace;
use crate::diagnostic::{DiagnosticCode, Diagnostics, Span};
use crate::model::{HandsetId, nfc};

/// Handsets that are named, with where: by their id, or by what two entries have in common that mean the same one.
#[derive(Default)]
pub(in crate::resources) struct SeenHandsets {
    ids: HashMap<HandsetId, Span>,
    /// By network, first line, name, and whether they are removed.
    others: HashMap<(NetworkPlace, LineRef, Option<String>, bool), Span>,
}

impl SeenHandsets {
    pub(in crate::resources) fn check(
        &mut self,
        network: Option<&NetworkPlace>,
        handsets: &[HandsetEntry],
        diagnostics: &mut Diagnostics,
    ) {
        for handset in handsets {
            let first = match (&handset.id, &handset.line1, network) {
                (Some(id), ..) => self.ids.insert(id.value.clone(), id.span),
                (None, Some(line), Some(network)) => {
                    let name = handset.name.as_ref().map(|name| nfc(name.value.as_str()));
                    let key = (network.clone(), line.value.clone(), name, handset.is_absent);
                    self.others.insert(key, handset.span)
                }
                _ => None,
            };
            if let Some(first) = first {
                let span = handset.id.as_ref().map_or(handset.span, |id| id.span);
                diagnostics
                    .error(DiagnosticCode::DuplicateHandset, span, "two entries mean the same handset")
                    .with_related(first, "first occurrence")
                    .help("remove one of them; handsets of one member differ in `customDisplayName`");
            }
        }
    }
}
