//! A base station as a file asks for it.

use super::mac::Mac;
use crate::desired::spanned::Spanned;
use crate::diagnostic::Span;

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
