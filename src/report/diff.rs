//! A plan as a unified diff between the export before and after it.

use similar::TextDiff;

use super::sanitize::sanitize;
use super::view::PlanView;

pub fn plan(view: &PlanView) -> String {
    let [before, after] = view.files.each_ref().map(|file| shown(file));
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
