//! Reads the handsets of a network: their lines, names and states.

use std::sync::Arc;

use super::entry::MAX_EXTENSION_DIGITS;
use crate::desired::load::SourceFormat;
use crate::desired::mapping::MappingReader;
use crate::desired::model::{HandsetEntry, LineRef, Spanned};
use crate::desired::parse::FileParser;
use crate::desired::yaml::{Node, Value};
use crate::diagnostic::DiagnosticCode;
use crate::model::{HandsetId, HandsetName, MemberId, NameError};

const HANDSET_FIELDS: &[&str] = &["id", "line1", "line2", "customDisplayName", "reassignedFrom", "state"];

/// Fewer characters than this are no id.
const MIN_ID_LENGTH: usize = 12;

impl FileParser<'_> {
    pub(crate) fn handsets(&mut self, fields: &MappingReader<'_>) -> Option<Vec<HandsetEntry>> {
        let node = fields.get("handsets")?;
        let help = "write `handsets:` with one `- line1: …` and its `customDisplayName: …` per handset";
        let nodes = fields.list("handsets", help, self.diagnostics);
        if matches!(&node.value, Value::List(items) if items.is_empty()) {
            self.diagnostics
                .warning(DiagnosticCode::EmptyList, node.span, "an empty list of handsets asks for nothing")
                .help("remove it; handsets are removed with `state: absent`");
        }
        Some(nodes.iter().filter_map(|node| self.handset(node)).collect())
    }

    fn handset(&mut self, node: &Node<'_>) -> Option<HandsetEntry> {
        let fields = MappingReader::of(node, "a handset", HANDSET_FIELDS, self.diagnostics)?;
        let id = fields.text("id", self.diagnostics).and_then(|id| self.non_empty(id, "id"));
        let id = id.map(|id| Spanned { value: HandsetId::new(id.value), span: id.span });
        let line1 = fields.get("line1").and_then(|node| self.line("line1", node));
        let line2 = match fields.get("line2") {
            Some(Node { value: Value::Null, span }) => Some(Spanned { value: None, span: *span }),
            Some(node) => self.line("line2", node).map(|line| Spanned { value: Some(line.value), span: line.span }),
            None => None,
        };
        let reassigned_from = fields.get("reassignedFrom").and_then(|node| self.line("reassignedFrom", node));
        let name = self.handset_name(&fields);
        let is_absent = fields.has("state") && self.absent_state(&fields).is_some();
        for field in ["line2", "reassignedFrom"] {
            if let Some(node) = fields.get(field).filter(|_| is_absent) {
                let message = format!("`{field}` cannot stand beside `state: absent`");
                self.diagnostics
                    .error(DiagnosticCode::InvalidState, node.span, message)
                    .help("a handset that is removed is named by its `id`, or by `line1` and `customDisplayName`");
            }
        }
        if !fields.has("id") && !fields.has("line1") {
            self.diagnostics
                .error(DiagnosticCode::MissingField, node.span, "a handset requires a `line1` or an `id`")
                .help("write the extension of its first line in quotes, or the id shown by `dectl export`");
        }
        if fields.has("id") && id.is_none() || fields.has("line1") && line1.is_none() {
            return None;
        }
        (id.is_some() || line1.is_some()).then_some(HandsetEntry {
            span: node.span,
            id,
            line1,
            line2,
            reassigned_from,
            name,
            is_absent,
            is_recorded: false,
        })
    }

    fn handset_name(&mut self, fields: &MappingReader<'_>) -> Option<Spanned<HandsetName>> {
        let written = fields.text("customDisplayName", self.diagnostics)?;
        self.check_spaces("display name", &written);
        let error = match HandsetName::new(&written.value) {
            Ok(value) => return Some(Spanned { value, span: written.span }),
            Err(error) => error,
        };
        let help = match error {
            NameError::TooLong { .. } => "shorten it; Webex accepts 1 to 16 characters for a handset",
            NameError::Empty | NameError::Control { .. } => {
                "write the text that the handset displays, or remove the field to keep the current one"
            }
        };
        self.diagnostics
            .error(DiagnosticCode::InvalidDisplayName, written.span, format!("display name {error}"))
            .help(help);
        None
    }

    /// A line: a text, or `{ extension, location }`.
    fn line(&mut self, field: &'static str, node: &Node<'_>) -> Option<Spanned<LineRef>> {
        let value = match &node.value {
            Value::Text(text) | Value::PlainScalar(text) => self.line_text(field, text.trim(), node)?,
            Value::Map(_) => {
                let fields = MappingReader::of(node, "a line", &["extension", "location"], self.diagnostics)?;
                let help = match self.source_info.format {
                    SourceFormat::Csv => "fill in the column of the line beside that of its location, or neither",
                    SourceFormat::Yaml => "write { extension: \"1552\", location: NAME }",
                };
                let extension = fields.required("extension", help, self.diagnostics);
                let extension = extension.and_then(|node| match &node.value {
                    Value::Text(text) | Value::PlainScalar(text) => self.line_text(field, text.trim(), node),
                    _ => self.wrong_line(field, node),
                });
                let has_location = fields.required("location", help, self.diagnostics).is_some();
                let location = fields.text("location", self.diagnostics).filter(|_| has_location);
                let location = location.and_then(|location| self.non_empty(location, "location"))?;
                match extension? {
                    LineRef::Extension { extension, .. } => {
                        LineRef::Extension { extension, location: Some(location.value) }
                    }
                    LineRef::Number(_) | LineRef::Member(_) => {
                        let message = format!("`{field}` with a `location` must be an extension");
                        let help = "a phone number and a member id need no location; write them as a text";
                        self.diagnostics.error(DiagnosticCode::InvalidLine, node.span, message).help(help);
                        return None;
                    }
                }
            }
            Value::Null | Value::List(_) => {
                return self.wrong_line(field, node).map(|value| Spanned { value, span: node.span });
            }
        };
        Some(Spanned { value, span: node.span })
    }

    fn wrong_line(&mut self, field: &str, node: &Node<'_>) -> Option<LineRef> {
        let message = format!("`{field}` must be an extension, a phone number or a member id, not {}", node.kind());
        let help = match field {
            "line1" => "write an extension in quotes; a handset always has a first line",
            _ => "write an extension in quotes",
        };
        self.diagnostics.error(DiagnosticCode::WrongType, node.span, message).help(help);
        None
    }

    fn line_text(&mut self, field: &str, text: &str, node: &Node<'_>) -> Option<LineRef> {
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_separator = |c: char| matches!(c, ' ' | '-' | '(' | ')' | '.' | '/');
        let (reason, help) = if let Some(number) = text.strip_prefix('+') {
            let digits: String = number.chars().filter(|c| !is_separator(*c)).collect();
            if is_digits(&digits) && (5..=15).contains(&digits.len()) {
                return Some(LineRef::Number(digits.into()));
            }
            ("is not a phone number", "write `+` and 5 to 15 digits")
        } else if is_digits(text) {
            if text.len() <= MAX_EXTENSION_DIGITS {
                return Some(LineRef::Extension { extension: text.into(), location: None });
            }
            ("has too many digits for an extension", "a phone number begins with `+`, which a spreadsheet may remove")
        } else {
            let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/' | '=');
            if text.len() >= MIN_ID_LENGTH
                && text.chars().all(is_id)
                && text.contains(|c: char| c.is_ascii_alphabetic())
                && !is_scientific(text)
            {
                return Some(LineRef::Member(MemberId::new(Arc::<str>::from(text))));
            }
            match self.source_info.format {
                SourceFormat::Csv if is_scientific(text) => (
                    "is a number in scientific notation",
                    "a spreadsheet has converted it; format the column as text and write all digits",
                ),
                _ => (
                    "is neither an extension, nor a phone number, nor a member id",
                    "write an extension of digits, a phone number with `+`, or the id of a member",
                ),
            }
        };
        self.diagnostics.error(DiagnosticCode::InvalidLine, node.span, format!("`{field}` {reason}")).help(help);
        None
    }
}

/// Whether a spreadsheet has written a number as `4.72E+10`.
fn is_scientific(text: &str) -> bool {
    text.contains(['e', 'E']) && text.replace(',', ".").parse::<f64>().is_ok()
}
