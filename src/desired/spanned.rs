//! A value of a file, and where it stands.

use crate::diagnostic::Span;

/// A value with its span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}
