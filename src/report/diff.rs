//! A plan as a unified diff between the export before and after it.

use std::borrow::Cow;

use similar::{ChangeTag, TextDiff};

use super::sanitize::sanitize;
use super::view::PlanView;
use super::{CodeVisibility, before_after};
use crate::desired::{SourceFormat, redacted_lines};
use crate::plan::model::Plan;
use crate::reconcile::AcceptedFile;

/// The affected locations as files; `view` is that of the plan.
pub fn plan(plan: &Plan, view: &PlanView, codes: CodeVisibility) -> String {
    let [before, after] = before_after::of(plan, codes).map(|file| shown(&file));
    // What stands before the header is no part of the diff.
    let warnings = view.warnings.iter().map(|warning| format!("# warning: {}\n", sanitize(&warning.message)));
    let notes: String = warnings.chain(view.notes().iter().map(|note| format!("# note: {note}\n"))).collect();
    let diff = TextDiff::from_lines(&before, &after);
    notes + &diff.unified_diff().context_radius(3).header("live", "planned").to_string()
}

/// A file without what could deceive a reader.
fn shown(file: &str) -> String {
    let line = |line: &str| {
        let text = line.trim_start_matches(' ');
        format!("{}{}\n", &line[..line.len() - text.len()], sanitize(text))
    };
    file.lines().map(line).collect()
}

/// Files before and after an edit, each as a unified diff. What may be an access code is masked unless codes are shown.
pub fn files(files: &[AcceptedFile], codes: CodeVisibility) -> String {
    files.iter().map(|file| edited_file(file, codes)).collect()
}

fn edited_file(file: &AcceptedFile, codes: CodeVisibility) -> String {
    const CONTEXT: usize = 3;
    let (before, after) = (with_line_feeds(&file.before), with_line_feeds(&file.after));
    let lines = |text: &str| match codes {
        CodeVisibility::Masked => redacted_lines(text, SourceFormat::of(&file.name)),
        CodeVisibility::Shown => text.lines().map(str::to_owned).collect(),
    };
    let (shown_before, shown_after) = (lines(&before), lines(&after));
    let diff = TextDiff::from_lines(&*before, &*after);
    let name = sanitize(&file.name);
    let mut out = format!("--- {name}\n+++ {name}\n");
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        out.push_str(&format!("{}\n", hunk.header()));
        for change in hunk.iter_changes() {
            let (mark, line) = match (change.tag(), change.old_index(), change.new_index()) {
                (ChangeTag::Delete, Some(at), _) => ('-', shown_before.get(at)),
                (ChangeTag::Insert, _, Some(at)) => ('+', shown_after.get(at)),
                (_, Some(at), _) => (' ', shown_before.get(at)),
                _ => (' ', None),
            };
            out.push_str(&format!("{mark}{}\n", edited_line(line.map_or("", String::as_str))));
            if change.missing_newline() {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
    out
}

/// The text with lines that a diff tells apart: carriage returns alone end lines, too.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if !text.replace("\r\n", "").contains('\r') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// A line without what could deceive a reader, but with its tabs and spaces, so that a diff can be applied.
fn edited_line(line: &str) -> String {
    let part = |part: &str| {
        let core = part.trim_matches(' ');
        let first = part.len() - part.trim_start_matches(' ').len();
        let last = if core.is_empty() { 0 } else { part.len() - part.trim_end_matches(' ').len() };
        format!("{}{}{}", " ".repeat(first), sanitize(core), " ".repeat(last))
    };
    line.trim_end_matches(['\n', '\r']).split('\t').map(part).collect::<Vec<_>>().join("\t")
}
