//! A plan as a unified diff between the export before and after it.

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
    let lines = |text: &str| match codes {
        CodeVisibility::Masked => redacted_lines(text, SourceFormat::of(&file.name)),
        CodeVisibility::Shown => text.lines().map(str::to_owned).collect(),
    };
    let (before, after) = (lines(&file.before), lines(&file.after));
    let diff = TextDiff::from_lines(&file.before, &file.after);
    let name = sanitize(&file.name);
    let mut out = format!("--- {name}\n+++ {name}\n");
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        out.push_str(&format!("{}\n", hunk.header()));
        for change in hunk.iter_changes() {
            let (mark, line) = match (change.tag(), change.old_index(), change.new_index()) {
                (ChangeTag::Delete, Some(at), _) => ('-', before.get(at)),
                (ChangeTag::Insert, _, Some(at)) => ('+', after.get(at)),
                (_, Some(at), _) => (' ', before.get(at)),
                _ => (' ', None),
            };
            out.push_str(&format!("{mark}{}\n", shown(line.map_or("", String::as_str)).trim_end_matches('\n')));
        }
    }
    out
}
