//! Reads the fields of a mapping and reports every error.

use std::sync::Arc;

use super::model::Spanned;
use super::yaml::{Node, Value, invisible_name, is_invisible_space};
use crate::diagnostic::{
    Diagnostic, DiagnosticCode, Diagnostics, Span, mask_message, names_code, quoted_list, suggest,
};

/// The known fields of a mapping, each at most once.
pub(crate) struct MappingReader<'a> {
    /// Description of the mapping in messages, e.g. "a network".
    context: &'static str,
    span: Span,
    entries: Vec<(&'a str, &'a Node<'a>)>,
    /// Known fields that a misspelled field probably means; they are not reported as missing.
    typos: Vec<&'static str>,
}

impl<'a> MappingReader<'a> {
    /// Reads a mapping; reports other nodes, unknown keys and duplicate keys.
    pub(crate) fn of(
        node: &'a Node<'a>,
        context: &'static str,
        known: &[&'static str],
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let Value::Map(pairs) = &node.value else {
            let message = format!("{context} must be a mapping of fields, not {}", node.kind());
            let help = format!("valid fields: {}", quoted_list(known.iter().copied(), 16));
            diagnostics.error(DiagnosticCode::WrongType, node.span, message).help(help);
            return None;
        };
        let mut fields = Self { context, span: node.span, entries: Vec::with_capacity(pairs.len()), typos: Vec::new() };
        let mut first_of: Vec<(&str, Span)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let Some(name) = fields.key(key, known, diagnostics) else { continue };
            if let Some((_, first)) = first_of.iter().find(|(other, _)| *other == name) {
                diagnostics
                    .error(DiagnosticCode::DuplicateKey, key.span, format!("duplicate field `{name}` in {context}"))
                    .with_related(*first, "first occurrence")
                    .help("remove one of them");
                continue;
            }
            first_of.push((name, key.span));
            fields.entries.push((name, value));
        }
        Some(fields)
    }

    fn key<'k>(&mut self, key: &'k Node<'_>, known: &[&'static str], diagnostics: &mut Diagnostics) -> Option<&'k str> {
        let (Value::Text(name) | Value::PlainScalar(name)) = &key.value else {
            let message = format!("a field name of {} must be a string, not {}", self.context, key.kind());
            diagnostics.error(DiagnosticCode::WrongType, key.span, message).help("write `field: value`");
            return None;
        };
        if known.contains(&&**name) {
            return Some(name);
        }
        // A place for anchors, as in Compose files and OpenAPI.
        if known.contains(&"version") && name.starts_with("x-") {
            return None;
        }
        if let Some(character) = name.chars().find(|character| is_invisible_space(*character)) {
            let message = format!(
                "{} (U+{:04X}) where YAML requires a space: it became part of the field name `{}`",
                invisible_name(character),
                character as u32,
                truncate_printable(name)
            );
            diagnostics
                .error(DiagnosticCode::NotYaml, key.span, message)
                .help("replace it with a normal space, here and in the lines below");
            return None;
        }
        let near = suggest(name, known.iter().copied()).first().copied();
        let near = known.iter().find(|field| Some(**field) == near);
        self.typos.extend(near);
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("valid fields of {}: {}", self.context, quoted_list(known.iter().copied(), 16)),
        };
        // The code itself may stand where a field should.
        let field = if names_code(self.context) {
            "such field".to_owned()
        } else {
            format!("field `{}`", truncate_printable(name))
        };
        let message = format!("{} has no {field}", self.context);
        diagnostics.error(DiagnosticCode::UnknownField, key.span, message).help(help);
        None
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.typos.is_empty()
    }

    pub(crate) const fn span(&self) -> Span {
        self.span
    }

    /// Whether the field is present, possibly misspelled.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some() || self.typos.contains(&name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Node<'a>> {
        self.entries.iter().find(|(field, _)| *field == name).map(|(_, node)| *node)
    }

    /// Returns the field, or reports that it is missing.
    pub(crate) fn required(&self, name: &str, help: &str, diagnostics: &mut Diagnostics) -> Option<&'a Node<'a>> {
        let node = self.get(name);
        if !self.has(name) {
            let message = format!("{} requires a field `{name}`", self.context);
            diagnostics.error(DiagnosticCode::MissingField, self.span, message).help(help);
        }
        node
    }

    pub(crate) fn text(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<Spanned<Arc<str>>> {
        self.get(name).and_then(|node| text(node, name, diagnostics))
    }

    /// Reads a boolean field.
    pub(crate) fn bool(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<bool> {
        let node = self.get(name)?;
        let written: &str = match &node.value {
            Value::PlainScalar(written) => written,
            Value::Text(written) => written,
            _ => "",
        };
        match (&node.value, written) {
            (Value::PlainScalar(_), "true" | "True" | "TRUE") => return Some(true),
            (Value::PlainScalar(_), "false" | "False" | "FALSE") => return Some(false),
            _ => {}
        }
        let help = match written.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "1" | "true" => "write true, without quotes",
            "no" | "off" | "n" | "0" | "false" => "write false, without quotes",
            _ => "write true or false",
        };
        let message = format!("`{name}` must be true or false");
        diagnostics.error(DiagnosticCode::WrongType, node.span, message).help(help);
        None
    }

    pub(crate) fn list(&self, name: &str, help: &str, diagnostics: &mut Diagnostics) -> &'a [Node<'a>] {
        let Some(node) = self.required(name, help, diagnostics) else { return &[] };
        match &node.value {
            Value::List(items) => items,
            _ => {
                let message = format!("`{name}` must be a list, not {}", node.kind());
                diagnostics.error(DiagnosticCode::WrongType, node.span, message).help(help);
                &[]
            }
        }
    }
}

/// Reads a string node.
pub(crate) fn text(node: &Node<'_>, name: &str, diagnostics: &mut Diagnostics) -> Option<Spanned<Arc<str>>> {
    let diagnostic = match &node.value {
        Value::Text(text) => return Some(Spanned { value: (**text).into(), span: node.span }),
        Value::PlainScalar(_) => Diagnostic::error(
            DiagnosticCode::UnquotedValue,
            format!("`{name}` must be a string, but YAML reads this value as another type"),
        )
        .help("quote the value"),
        Value::Null => Diagnostic::error(DiagnosticCode::WrongType, format!("`{name}` is empty"))
            .help("write a string, or remove the field"),
        Value::List(_) | Value::Map(_) => {
            Diagnostic::error(DiagnosticCode::WrongType, format!("`{name}` must be a string, not {}", node.kind()))
                .help("write a string")
        }
    };
    diagnostics.push(diagnostic.with_span(node.span));
    None
}

/// Makes untrusted text safe for a message: short, without control characters.
pub(crate) fn truncate_printable(text: &str) -> String {
    let mut shown: String = text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    mask_message(&shown)
}
