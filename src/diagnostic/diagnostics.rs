//! Diagnostics: one, and the list of all.

use super::code::DiagnosticCode;
use super::redact::redact_quoted_codes;
use super::sources::{Sources, Span};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    Error,
    /// Not fatal, unless warnings are promoted to errors.
    Warning,
}

/// A related span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    pub span: Span,
    pub message: String,
}

/// What is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: DiagnosticCode,
    pub severity: Severity,
    /// What is wrong. Never holds an access code.
    pub message: String,
    /// The span, if it is in a file.
    pub span: Option<Span>,
    /// The file, if there is no text to point into.
    pub file: Option<String>,
    pub help: Option<String>,
    pub related: Vec<Related>,
}

impl Diagnostic {
    pub fn error(code: DiagnosticCode, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span: None,
            file: None,
            help: None,
            related: Vec::new(),
        }
    }

    pub fn warning(code: DiagnosticCode, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    #[must_use]
    pub fn with_span(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Sets the span, if there is one.
    #[must_use]
    pub fn with_optional_span(mut self, span: Option<Span>) -> Self {
        self.span = span;
        self
    }

    /// Sets the file as a whole.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn with_related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { span, message: message.into() });
        self
    }
}

/// A diagnostic that was just added.
pub struct Added<'a>(&'a mut Diagnostic);

impl Added<'_> {
    pub fn help(self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    pub fn with_related(self, span: Span, message: impl Into<String>) -> Self {
        self.0.related.push(Related { span, message: message.into() });
        self
    }
}

/// Diagnostics, in the order in which they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds an error; what is said beside it follows: `diagnostics.error(code, span, message).help("…")`.
    pub fn error(&mut self, code: DiagnosticCode, span: Span, message: impl Into<String>) -> Added<'_> {
        self.add(Diagnostic::error(code, message).with_span(span))
    }

    /// Adds a warning, as [`Diagnostics::error`] an error.
    pub fn warning(&mut self, code: DiagnosticCode, span: Span, message: impl Into<String>) -> Added<'_> {
        self.add(Diagnostic::warning(code, message).with_span(span))
    }

    fn add(&mut self, diagnostic: Diagnostic) -> Added<'_> {
        let at = self.0.len();
        self.0.push(diagnostic);
        Added(&mut self.0[at])
    }

    /// Adds all of `other`.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// The number of diagnostics of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.0.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }

    /// Prefixes every message about a CSV cell with its row and column.
    pub fn prefix_csv_cells(&mut self, sources: &Sources) {
        for diagnostic in &mut self.0 {
            if let Some(cell) = diagnostic.span.and_then(|span| sources.cell(span)) {
                // Cells that a wrong separator has merged may hold a code.
                let may_hold_codes = diagnostic.span.is_some_and(|span| sources.may_hold_codes(span));
                let redact = if may_hold_codes { redact_quoted_codes } else { str::to_owned };
                diagnostic.message = format!("{cell}: {}", redact(&diagnostic.message));
                diagnostic.help = diagnostic.help.take().map(|help| redact(&help));
            }
        }
    }

    /// Turns warnings into errors: `--strict`.
    pub fn promote_warnings(&mut self) {
        for diagnostic in &mut self.0 {
            diagnostic.severity = Severity::Error;
        }
    }

    /// Turns errors into warnings: they are about something else.
    pub fn demote_errors(&mut self) {
        for diagnostic in &mut self.0 {
            diagnostic.severity = Severity::Warning;
        }
    }

    /// Sorts by span, those without one last; the sort is stable.
    pub fn sort(&mut self) {
        self.0.sort_by_key(|diagnostic| (diagnostic.span.is_none(), diagnostic.span));
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}
