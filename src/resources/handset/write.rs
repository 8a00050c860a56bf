//! Writes handsets into a desired-state file.

use super::entry::{LineNames, LineRef};
use super::member::Member;
use super::state::Handset;
use crate::desired::export::{Export, Exported};
use crate::desired::yaml_writer::{Purpose, YamlWriter, one_line, quoted, scalar};
use crate::model::{HandsetName, LocationId, LocationIndex, registration_time, same_member, to_minute};

impl YamlWriter {
    /// Adds the handsets of the last network, which belongs to the location `home`.
    pub(in crate::resources) fn handsets(&mut self, home: &LocationId, handsets: &[Handset], purpose: Purpose<'_>) {
        if handsets.is_empty() {
            return;
        }
        self.text.push_str("        handsets:\n");
        let (is_comparison, names) = match purpose {
            Purpose::File { lines, .. } => (false, lines),
            Purpose::Comparison => (true, &LineNames::default()),
        };
        for handset in handsets {
            let id = handset.id.as_ref().filter(|_| !is_comparison && needs_id(handset, handsets));
            let name = if is_comparison { handset.custom_name.as_deref() } else { writable_name(handset) };
            let line = |member: &Member| names.name(member, home).as_ref().map(line_ref);
            let line1 = handset.line1.as_ref().filter(|line| is_comparison || line.id.is_some());
            let mut fields: Vec<String> = Vec::new();
            fields.extend(id.map(|id| format!("id: {}", scalar(id.as_str()))));
            fields.extend(line1.and_then(line).map(|line| format!("line1: {line}")));
            fields.extend(handset.line2.as_ref().and_then(line).map(|line| format!("line2: {line}")));
            fields.extend(name.map(|name| format!("customDisplayName: {}", scalar(name))));
            let remark = remark(handset).filter(|_| purpose.has_remarks());
            let remark = remark.map(|remark| format!(" # {}", one_line(&remark))).unwrap_or_default();
            self.text.push_str(&format!("          - {{ {} }}{remark}\n", fields.join(", ")));
        }
    }
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

/// A table of the handsets that were read, with when a line was last registered.
pub(in crate::resources) fn table(export: &Export<'_>, locations: &[LocationIndex]) -> Exported {
    let remarks = ["#line1Name", "#line2Name", "#lastRegistration"];
    let columns = ["id", "line1", "line1Location", "line2", "line2Location", "customDisplayName"];
    let columns = columns.into_iter().chain(export.remarks(remarks));
    let names = LineNames::of(export.live);
    export.device_table(locations, columns, |location, network| {
        let line = |member: &Option<Member>| {
            member.as_ref().and_then(|member| names.name(member, &location.id)).map(line_cells).unwrap_or_default()
        };
        let row = |handset: &Handset| {
            let ((line1, line1_location), (line2, line2_location)) = (line(&handset.line1), line(&handset.line2));
            // Always: who changes line and name in one row means the handset of that row.
            let id = handset.id.as_ref().map(ToString::to_string).unwrap_or_default();
            let name = writable_name(handset).unwrap_or_default().to_owned();
            let cells = [id, line1, line1_location, line2, line2_location, name];
            let name_of = |member: &Option<Member>| member.as_ref().map(Member::name).unwrap_or_default();
            let registration = registration_time(handset).map(to_minute).unwrap_or_default();
            let remarks = export.remarks([name_of(&handset.line1), name_of(&handset.line2), registration]);
            cells.into_iter().chain(remarks).collect()
        };
        export.live.handsets(network).unwrap_or_default().iter().map(row).collect()
    })
}

/// A member in a table, and its location if that is not the one of the network.
fn line_cells(line: LineRef) -> (String, String) {
    match line {
        LineRef::Extension { extension, location } => (extension.to_string(), location.unwrap_or_default().to_string()),
        LineRef::Number(digits) => (format!("+{digits}"), String::new()),
        LineRef::Member(id) => (id.to_string(), String::new()),
    }
}

/// Whose lines it has, and whether it has ever registered.
fn remark(handset: &Handset) -> Option<String> {
    let names = handset.lines().map(Member::name).filter(|name| !name.is_empty());
    let never = handset.last_registration.is_none().then_some("never registered");
    let parts: Vec<String> = names.map(|name| name.to_string()).chain(never.map(str::to_owned)).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Whether the first line and the name do not tell a handset from the others of its network, or cannot be written.
fn needs_id(handset: &Handset, all: &[Handset]) -> bool {
    let same =
        |other: &&Handset| same_member(other.line1.as_ref(), handset.line1.as_ref()) && other.has_same_name(handset);
    let is_writable = writable_name(handset).is_some();
    let has_line = handset.line1.as_ref().is_some_and(|line| line.id.is_some());
    !is_writable || !has_line || all.iter().filter(same).count() > 1
}

/// Its name, if a file may have it.
fn writable_name(handset: &Handset) -> Option<&str> {
    handset.custom_name.as_deref().filter(|name| HandsetName::new(name).is_ok())
}
