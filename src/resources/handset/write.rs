//! Writes handsets into a desired-state file.

use super::entry::LineRef;
use super::member::Member;
use crate::desired::yaml_writer::{YamlWriter, one_line, quoted, scalar};
use crate::model::{HandsetId, LocationId};

/// A handset as a file names it.
#[derive(Clone, Debug, Default)]
pub struct HandsetLine<'a> {
    pub id: Option<HandsetId>,
    pub line1: Option<&'a Member>,
    pub line2: Option<&'a Member>,
    pub name: Option<&'a str>,
    /// A comment at the end of the line.
    pub remark: Option<String>,
}

impl YamlWriter {
    /// Adds handsets to the last network, which belongs to the location `home`.
    pub fn handsets<'a>(&mut self, home: &LocationId, handsets: impl IntoIterator<Item = HandsetLine<'a>>) {
        let mut handsets = handsets.into_iter().peekable();
        if handsets.peek().is_none() {
            return;
        }
        self.text.push_str("        handsets:\n");
        for handset in handsets {
            let mut fields: Vec<String> = Vec::new();
            fields.extend(handset.id.map(|id| format!("id: {}", scalar(id.as_str()))));
            fields.extend(handset.line1.and_then(|member| line(member, home)).map(|line| format!("line1: {line}")));
            fields.extend(handset.line2.and_then(|member| line(member, home)).map(|line| format!("line2: {line}")));
            fields.extend(handset.name.map(|name| format!("customDisplayName: {}", scalar(name))));
            let remark = handset.remark.map(|remark| format!(" # {}", one_line(&remark))).unwrap_or_default();
            self.text.push_str(&format!("          - {{ {} }}{remark}\n", fields.join(", ")));
        }
    }
}

/// A member in a network of the location `home`.
fn line(member: &Member, home: &LocationId) -> Option<String> {
    LineRef::of(member, home).as_ref().map(line_ref)
}

pub(crate) fn line_ref(line: &LineRef) -> String {
    match line {
        LineRef::Extension { extension, location: None } => quoted(extension),
        LineRef::Extension { extension, location: Some(location) } => {
            format!("{{ extension: {}, location: {} }}", quoted(extension), scalar(location))
        }
        LineRef::Number(digits) => quoted(&format!("+{digits}")),
        LineRef::Member(id) => quoted(id.as_str()),
    }
}
