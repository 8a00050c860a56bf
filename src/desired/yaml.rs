//! Parses YAML into a tree in which every value has a span.
//!
//! Typed deserialization stops at the first unknown field or wrong type. This tree keeps everything, including duplicate
//! keys, so that all errors can be reported at once. Strings that appear verbatim in the source are
//! borrowed: a file of 100,000 networks has more than a million values.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::DuplicateKeyPolicy;
use serde_yaml::{Location, Options, Spanned};

use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, SourceId, Sources, Span, mask_message};

/// Nesting limit. The format itself needs 6 levels.
const MAX_DEPTH: usize = 64;

/// Limit of values and parser events per file. 100,000 networks with every field take about 1,100,000.
const MAX_NODES: usize = 20_000_000;

/// Limit of values expanded from aliases and merge keys; 100,000 networks that share one anchor need far fewer.
const MAX_ALIAS_EXPANSIONS: usize = 10_000_000;

#[derive(Debug)]
pub(crate) struct Node<'t> {
    /// Span of the use; for an alias, the alias itself.
    pub(crate) span: Span,
    pub(crate) value: Value<'t>,
}

#[derive(Debug)]
pub(crate) enum Value<'t> {
    /// `null`, `~`, or nothing at all.
    Null,
    /// A quoted or block scalar, or a plain scalar that YAML reads as a string.
    Text(Cow<'t, str>),
    /// A plain scalar that YAML reads as a number or boolean, as written.
    PlainScalar(Cow<'t, str>),
    List(Box<[Node<'t>]>),
    Map(Box<[(Node<'t>, Node<'t>)]>),
}

impl Node<'_> {
    /// Describes the kind of value in messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Text(_) => "a string",
            Value::PlainScalar(_) => "a number or boolean",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Parses a source as YAML; reports and returns `None` if it is invalid.
pub(crate) fn parse<'t>(source: SourceId, sources: &'t Sources, diagnostics: &mut Diagnostics) -> Option<Node<'t>> {
    let text: &str = sources.text(source);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let stripped = (sources.text(source).len() - text.len()) as u32;
    let documents = documents(text);
    if documents.is_empty() {
        diagnostics.push(
            Diagnostic::error(DiagnosticCode::FileEmpty, format!("{} is empty", sources.name(source)))
                .in_file(sources.name(source).to_string())
                .help("a desired-state file starts with `version: 1` and a list of `locations`"),
        );
        return None;
    }
    // Several documents are reported by the parser, which has the whole text for that.
    let only = if let [only] = &documents[..] { only.clone() } else { 0..text.len() };
    match (File { source, text: &text[only.clone()], offset: stripped + only.start as u32 }).parse() {
        Ok(node) => Some(node),
        Err(error) => {
            diagnostics.push(parse_error(&error, source, sources));
            None
        }
    }
}

/// Where the documents of a text are. What has nothing but comments is none, whatever separates it.
fn documents(text: &str) -> Vec<Range<usize>> {
    let is_marker = |line: &str| {
        line.strip_prefix("---").is_some_and(|rest| {
            let has_space = rest.starts_with(char::is_whitespace);
            rest.trim().is_empty() || has_space && rest.trim_start().starts_with('#')
        })
    };
    let is_content = |line: &str| !matches!(line.trim(), "" | "---" | "...") && !line.trim_start().starts_with('#');
    let (mut documents, mut start, mut end, mut has_content) = (Vec::new(), 0, 0, false);
    for line in text.split_inclusive('\n').chain(["---"]) {
        if is_marker(line) {
            documents.extend(has_content.then_some(start..end));
            (start, has_content) = (end + line.len(), false);
        } else {
            has_content |= is_content(line);
        }
        end += line.len();
    }
    documents
}

fn options() -> Options {
    serde_yaml::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: serde_yaml::options::NonFiniteFloatPolicy::PassThrough,
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: MAX_ALIAS_EXPANSIONS,
        },
        budget: serde_yaml::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_aliases: 1_000_000,
            max_merge_keys: 1_000_000,
            max_total_scalar_bytes: 256 * 1024 * 1024,
            // One anchor merged into every network is common practice.
            enforce_alias_anchor_ratio: false,
        },
    }
}

fn parse_error(error: &serde_yaml::Error, source: SourceId, sources: &Sources) -> Diagnostic {
    let bare = error.without_snippet();
    let text = bare.to_string();
    // The snippet shows the position.
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let (code, message, help) = match bare {
        serde_yaml::Error::MultipleDocuments { .. } => (
            DiagnosticCode::MultipleDocuments,
            "file contains multiple YAML documents".to_owned(),
            "put each document into its own file and pass all files, or their directory",
        ),
        _ if text.contains("recursive") => (
            DiagnosticCode::LimitExceeded,
            "alias refers to a node that contains it".to_owned(),
            "write out the value, or move the anchor",
        ),
        _ if is_limit(text) => (
            DiagnosticCode::LimitExceeded,
            "file exceeds the nesting or alias limit".to_owned(),
            "a desired-state file has 6 levels and a few values per network; check that this is the right file",
        ),
        _ => (
            DiagnosticCode::NotYaml,
            format!("invalid YAML: {}", mask_message(text)),
            "check for a missing quote, bracket or colon, or wrong indentation, here or just above",
        ),
    };
    let invisible = error.location().filter(|_| code == DiagnosticCode::NotYaml).and_then(|at| {
        let text: &str = sources.text(source);
        find_invisible(text, at.line() as usize)
    });
    if let Some((character, line, column)) = invisible {
        let message = format!(
            "invalid YAML: line {line}, column {column} contains {} (U+{:04X}), which YAML does not read as a space",
            invisible_name(character),
            character as u32
        );
        return Diagnostic::error(code, message)
            .help("replace it with a normal space; it was probably pasted from a web page or a word processor")
            .with_span(sources.span_at(source, line as u64, column as u64));
    }
    let span = error.location().map(|at| sources.span_at(source, at.line(), at.column()));
    let diagnostic = Diagnostic::error(code, message).help(help).with_optional_span(span);
    if span.is_some() { diagnostic } else { diagnostic.in_file(sources.name(source).to_string()) }
}

/// The last invisible character at or shortly before a line, with its line and column: the parser reports the consequence
/// of such a character up to two lines later.
fn find_invisible(text: &str, error_line: usize) -> Option<(char, usize, usize)> {
    let first = error_line.saturating_sub(3);
    let lines = text.lines().enumerate().skip(first).take(error_line + 1 - first);
    let mut candidates = lines.flat_map(|(at, line)| {
        line.chars().enumerate().filter(|(_, character)| is_invisible_space(*character)).map(
            move |(column, character)| {
                // Where it replaces the space of the syntax: in an indentation, or after a colon or a hyphen.
                let before: String = line.chars().take(column).collect();
                let is_syntax = before.trim_end_matches(is_invisible_space).trim().is_empty()
                    || before.trim_end_matches(is_invisible_space).ends_with([':', '-']);
                (is_syntax, (character, at + 1, column + 1))
            },
        )
    });
    candidates.find(|(is_syntax, _)| *is_syntax).map(|(_, found)| found)
}

pub(crate) const fn is_invisible_space(character: char) -> bool {
    matches!(
        character,
        '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200d}' | '\u{202f}' | '\u{205f}' | '\u{2060}' | '\u{3000}' | '\u{feff}'
    )
}

/// Whether a character only changes how others are shown: directions of text (U+202E and its kin), soft hyphens, tags.
pub(crate) const fn is_invisible_format(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200e}' | '\u{200f}' | '\u{202a}'
            ..='\u{202e}' | '\u{2061}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// What is unusual about the spaces of a text, or invisible in it; `None` if nothing is.
pub(crate) fn unusual_spaces(text: &str) -> Option<String> {
    if text.trim() != text {
        return Some("a leading or trailing space".to_owned());
    }
    if text.contains("  ") {
        return Some("a double space".to_owned());
    }
    let character = text.chars().find(|one| is_invisible_space(*one) || is_invisible_format(*one))?;
    Some(format!("{} (U+{:04X})", invisible_name(character), character as u32))
}

pub(crate) const fn invisible_name(character: char) -> &'static str {
    match character {
        '\u{a0}' => "a no-break space",
        '\u{202f}' => "a narrow no-break space",
        '\u{200b}' => "a zero-width space",
        '\u{200c}' | '\u{200d}' => "a zero-width joiner",
        '\u{2060}' => "a word joiner",
        '\u{feff}' => "a byte order mark",
        '\u{3000}' => "an ideographic space",
        _ if is_invisible_format(character) => "an invisible formatting character",
        _ => "a typographic space",
    }
}

fn is_limit(message: &str) -> bool {
    ["recursion limit", "budget breached", "limit exceeded", "too deep"].iter().any(|word| message.contains(word))
}

/// A value from the YAML library before plain scalars are looked up in the source. Has the size of a [`Node`], so that
/// the list can be converted in place.
struct Raw<'t> {
    value: RawValue<'t>,
    used: ByteRange,
    defined: ByteRange,
}

enum RawValue<'t> {
    Null,
    Text(Cow<'t, str>),
    PlainScalar,
    List(Box<[Raw<'t>]>),
    Map(Box<[(Raw<'t>, Raw<'t>)]>),
}

#[derive(Clone, Copy)]
struct ByteRange {
    start: u32,
    end: u32,
}

impl From<Location> for ByteRange {
    fn from(location: Location) -> Self {
        let span = location.span();
        // A node without a position gets an offset past the end.
        let start = span.byte_offset().unwrap_or(u64::MAX);
        let end = start.saturating_add(span.byte_len().unwrap_or(0));
        let bounded = |at: u64| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: bounded(start), end: bounded(end) }
    }
}

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<RawValue<'de>>::deserialize(deserializer)?;
        Ok(Self { used: spanned.referenced.into(), defined: spanned.defined.into(), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for RawValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<RawValue<'de>, E> {
        Ok(RawValue::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RawValue<'de>, E> {
        Ok(RawValue::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<RawValue<'de>, E> {
        Ok(RawValue::PlainScalar)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<RawValue<'de>, E> {
        Ok(RawValue::PlainScalar)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<RawValue<'de>, E> {
        Ok(RawValue::PlainScalar)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<RawValue<'de>, E> {
        Ok(RawValue::PlainScalar)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<RawValue<'de>, E> {
        Ok(RawValue::PlainScalar)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<RawValue<'de>, E> {
        Ok(RawValue::PlainScalar)
    }

    fn visit_unit<E: Error>(self) -> Result<RawValue<'de>, E> {
        Ok(RawValue::Null)
    }

    fn visit_none<E: Error>(self) -> Result<RawValue<'de>, E> {
        Ok(RawValue::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawValue<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(RawValue::List(items.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawValue<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(RawValue::Map(entries.into()))
    }
}

/// A file.
#[derive(Clone, Copy)]
struct File<'t> {
    source: SourceId,
    text: &'t str,
    /// Offset of the text in the source.
    offset: u32,
}

impl<'t> File<'t> {
    fn parse(self) -> Result<Node<'t>, serde_yaml::Error> {
        serde_yaml::from_str_with_options::<Raw<'t>>(self.text, options()).map(|raw| self.node(raw))
    }

    fn node(self, raw: Raw<'t>) -> Node<'t> {
        let value = match raw.value {
            RawValue::Null => Value::Null,
            RawValue::Text(text) => Value::Text(text),
            RawValue::PlainScalar => Value::PlainScalar(Cow::Borrowed(self.source_text(raw.defined))),
            RawValue::List(items) => Value::List(items.into_iter().map(|item| self.node(item)).collect()),
            RawValue::Map(entries) => {
                Value::Map(entries.into_iter().map(|(key, value)| (self.node(key), self.node(value))).collect())
            }
        };
        Node { span: self.span(raw.used), value }
    }

    fn source_text(self, range: ByteRange) -> &'t str {
        self.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    fn span(self, range: ByteRange) -> Span {
        let limit = self.text.len() as u32;
        let (start, end) = (range.start.min(limit), range.end.min(limit));
        Span { source: self.source, start: start + self.offset, end: end + self.offset }
    }
}
