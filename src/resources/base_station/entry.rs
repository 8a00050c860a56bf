//! A base station as a file asks for it.

use super::mac::Mac;
use crate::desired::spanned::Spanned;
use crate::diagnostic::{DiagnosticCode, Diagnostics, Span};

/// A base station that is there, or that is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseStationEntry {
    pub span: Span,
    pub mac: Spanned<Mac>,
    /// The base station that is removed as soon as this one is there.
    pub replaces: Option<Spanned<Mac>>,
    /// `state: absent`: it is removed.
    pub is_absent: bool,
}

/// Reports a base station that two entries name.
pub(crate) fn named_twice(mac: Mac, span: Span, first: Span, diagnostics: &mut Diagnostics) {
    diagnostics
        .error(DiagnosticCode::DuplicateBaseStation, span, format!("base station {mac} is named twice"))
        .with_related(first, "first occurrence")
        .help("a base station belongs to one network, and is either there or removed; remove one of them");
}

/// Reports a base station whose place two others take.
pub(crate) fn replaced_twice(mac: Mac, span: Span, first: Span, diagnostics: &mut Diagnostics) {
    diagnostics
        .error(DiagnosticCode::DuplicateBaseStation, span, format!("base station {mac} is replaced twice"))
        .with_related(first, "first replacement")
        .help("one base station takes the place of another; correct or remove one `replaces`");
}

/// Reports a base station that is replaced and is to be there.
pub(crate) fn replaced_and_present(mac: Mac, span: Span, present: Span, diagnostics: &mut Diagnostics) {
    let message = format!("base station {mac} is replaced, but another entry says that it is there");
    diagnostics
        .error(DiagnosticCode::DuplicateBaseStation, span, message)
        .with_related(present, "this entry")
        .help("remove the entry of the base station that is replaced, or the `replaces`");
}
