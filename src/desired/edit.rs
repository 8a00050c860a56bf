//! Edits single values of a desired-state file where they stand. Everything else stays as it is, byte for byte.

use std::collections::HashMap;
use std::ops::Range;

use super::csv::{self, NO_LINE, csv_escape};
use super::load::SourceFormat;
use super::model::LineRef;
use super::yaml::{self, Node, Value};
use super::yaml_writer::{quoted, scalar};
use crate::diagnostic::{Diagnostics, Sources, Span};
use crate::model::CodeText;
use crate::resources::handset::write::line_ref;

/// A new value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewValue {
    Text(String),
    Boolean(bool),
    Code(CodeText),
    /// `None` stands for no second line.
    Line(Option<LineRef>),
}

/// A value to replace: a field of the entry of a network or handset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub entry: Span,
    pub is_handset: bool,
    pub field: &'static str,
    pub value: NewValue,
}

/// Makes edits in a text. Returns it, and why some of them cannot be made, in their order.
///
/// A value is replaced only where it stands in its own entry as a scalar on one line: what an anchor, an alias or a
/// default gives it belongs to other entries, too.
pub fn edit(text: &str, format: SourceFormat, edits: &[&Edit]) -> (String, Vec<Result<(), &'static str>>) {
    let mut sources = Sources::new();
    let source = sources.add("", text);
    let tree = match format {
        SourceFormat::Yaml => yaml::parse(source, &sources, &mut Diagnostics::new()),
        SourceFormat::Csv => csv::parse(source, &mut sources, &mut Diagnostics::new()),
    };
    let entries = tree.as_ref().map(Entries::of).unwrap_or_default();
    let mut replacements: Vec<(Range<usize>, String)> = Vec::new();
    let mut results = Vec::new();
    for edit in edits {
        let found = entries.find(edit).ok_or("its entry was not found").and_then(|fields| match format {
            SourceFormat::Yaml => in_yaml(text, edit, fields, entries.reach(edit)),
            SourceFormat::Csv => in_table(text, edit, fields),
        });
        results.push(found.map(|replacement| replacements.push(replacement)));
    }
    replacements.sort_by_key(|(range, _)| range.start);
    let (mut edited, mut end) = (String::with_capacity(text.len()), 0);
    for (range, new) in replacements.into_iter().filter(|(range, _)| !range.is_empty()) {
        edited.push_str(&text[end..range.start]);
        edited.push_str(&new);
        end = range.end;
    }
    edited.push_str(&text[end..]);
    (edited, results)
}

/// The lines of a file, with everything redacted that may be an access code.
pub fn redacted_lines(text: &str, format: SourceFormat) -> Vec<String> {
    let mut sources = Sources::new();
    let source = sources.add("", text);
    if format == SourceFormat::Csv {
        // Finds the columns of codes.
        csv::parse(source, &mut sources, &mut Diagnostics::new());
    }
    sources.redacted_lines(source)
}

type Fields<'n, 't> = &'n [(Node<'t>, Node<'t>)];

/// The entries of networks and handsets by their place: whether of a handset, and where they start.
#[derive(Default)]
struct Entries<'n, 't> {
    fields: HashMap<(bool, u32), Fields<'n, 't>>,
    /// Where locations, networks and handsets start, each kind after those that hold it, sorted.
    starts: [Vec<u32>; 2],
}

impl<'n, 't> Entries<'n, 't> {
    fn of(tree: &'n Node<'t>) -> Self {
        let mut entries = Self::default();
        for location in list(tree, "locations") {
            entries.starts[0].push(location.span.start);
            for network in list(location, "networks") {
                entries.add(false, network);
                list(network, "handsets").iter().for_each(|handset| entries.add(true, handset));
            }
        }
        let [networks, handsets] = &mut entries.starts;
        handsets.extend(&*networks);
        networks.sort_unstable();
        handsets.sort_unstable();
        entries
    }

    fn add(&mut self, is_handset: bool, node: &'n Node<'t>) {
        if let Value::Map(fields) = &node.value {
            self.fields.insert((is_handset, node.span.start), fields);
            self.starts[usize::from(is_handset)].push(node.span.start);
        }
    }

    fn find(&self, edit: &Edit) -> Option<Fields<'n, 't>> {
        self.fields.get(&(edit.is_handset, edit.entry.start)).copied()
    }

    /// From where an entry starts to where the next one does; a parser knows no more of the end of a mapping.
    fn reach(&self, edit: &Edit) -> Range<usize> {
        let starts = &self.starts[usize::from(edit.is_handset)];
        let next = starts.get(starts.partition_point(|start| *start <= edit.entry.start));
        edit.entry.start as usize..next.map_or(usize::MAX, |next| *next as usize)
    }
}

fn list<'n, 't>(node: &'n Node<'t>, name: &str) -> &'n [Node<'t>] {
    match (&node.value, field(node, name).map(|node| &node.value)) {
        (Value::Map(_), Some(Value::List(items))) => items,
        _ => &[],
    }
}

fn field<'n, 't>(node: &'n Node<'t>, name: &str) -> Option<&'n Node<'t>> {
    let Value::Map(fields) = &node.value else { return None };
    named(fields, name)
}

fn named<'n, 't>(fields: Fields<'n, 't>, name: &str) -> Option<&'n Node<'t>> {
    let is_it = |key: &Node<'_>| matches!(&key.value, Value::Text(key) if key == name);
    fields.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value)
}

fn in_yaml(
    text: &str,
    edit: &Edit,
    fields: Fields<'_, '_>,
    entry: Range<usize>,
) -> Result<(Range<usize>, String), &'static str> {
    const OF_AN_ANCHOR: &str = "it comes from an anchor";
    let node = named(fields, edit.field).ok_or("it comes from `defaults`")?;
    let range = node.span.range();
    let written = &text[range.clone()];
    let is_alias = text[entry.start..].starts_with('*') || written.starts_with('*');
    if is_alias || !entry.contains(&range.start) {
        return Err(OF_AN_ANCHOR);
    }
    let is_anchor =
        text[..range.start].trim_end().rsplit([' ', '\n', ',', '{']).next().is_some_and(|word| word.starts_with('&'));
    if is_anchor || written.starts_with('&') {
        return Err("it is an anchor, which other values may use");
    }
    if written.is_empty() || written.starts_with(['|', '>', '!']) || written.contains('\n') {
        return Err("it is not written as one line");
    }
    let is_flow_mapping = written.starts_with('{') && written.ends_with('}');
    match (&node.value, &edit.value) {
        (Value::Map(_), NewValue::Code(_)) => Err("it comes from the environment or another file"),
        (Value::Map(_), _) if !is_flow_mapping => Err("it is not written as one line"),
        _ => Ok((range, yaml_value(written, &edit.value))),
    }
}

/// A value in the style of the one that it replaces.
fn yaml_value(old: &str, value: &NewValue) -> String {
    let in_quotes = |text: &str| match old.starts_with('\'') && quoted(text).len() == text.len() + 2 {
        true => format!("'{}'", text.replace('\'', "''")),
        false => quoted(text),
    };
    let has_quotes = old.starts_with(['"', '\'', '{']);
    let text = |text: &str| if has_quotes { in_quotes(text) } else { scalar(text) };
    // A number with a leading zero is another one to many readers.
    let digits = |text: &str| match !has_quotes && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()) {
        true => text.to_owned(),
        false => in_quotes(text),
    };
    match value {
        NewValue::Text(new) => text(new),
        NewValue::Boolean(new) => new.to_string(),
        NewValue::Code(new) => digits(new.expose_secret()),
        NewValue::Line(None) => "null".to_owned(),
        NewValue::Line(Some(LineRef::Extension { extension, location: None })) => digits(extension),
        NewValue::Line(Some(line)) => line_ref(line),
    }
}

fn in_table(text: &str, edit: &Edit, fields: Fields<'_, '_>) -> Result<(Range<usize>, String), &'static str> {
    const NEEDS_A_COLUMN: &str = "it names a location, which is in another column";
    let node = named(fields, edit.field).ok_or("its cell is empty")?;
    let range = node.span.range();
    let written = &text[range.clone()];
    let new = match &edit.value {
        NewValue::Text(new) => new.clone(),
        NewValue::Boolean(new) if written.to_uppercase() == written => new.to_string().to_uppercase(),
        NewValue::Boolean(new) => new.to_string(),
        NewValue::Code(new) => new.expose_secret().to_owned(),
        NewValue::Line(_) if matches!(node.value, Value::Map(_)) => return Err(NEEDS_A_COLUMN),
        NewValue::Line(None) => NO_LINE.to_owned(),
        NewValue::Line(Some(LineRef::Extension { location: Some(_), .. })) => return Err(NEEDS_A_COLUMN),
        NewValue::Line(Some(line)) => line.to_string(),
    };
    // Spreadsheets keep leading zeros of what is written as a formula.
    let is_formula = written.starts_with("=\"") || written.starts_with("\"=\"\"");
    let new = if is_formula { format!("\"=\"\"{new}\"\"\"") } else { csv_escape(&new) };
    let loses_quotes = written.starts_with('"') && !new.starts_with('"');
    Ok((range, if loses_quotes { format!("\"{new}\"") } else { new }))
}
