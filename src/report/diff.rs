//! A plan as a unified diff between the export before and after it.

use similar::TextDiff;

use super::sanitize::sanitize;
use super::view::PlanView;

pub fn plan(view: &PlanView) -> String {
    let (before, after) = (text(view, |line| &line.before), text(view, |line| &line.after));
    // What stands before the header is no part of the diff.
    let warnings = view.warnings.iter().map(|warning| format!("# warning: {}\n", sanitize(&warning.message)));
    let notes: String = warnings.chain(view.notes().iter().map(|note| format!("# note: {note}\n"))).collect();
    let diff = TextDiff::from_lines(&before, &after);
    notes + &diff.unified_diff().context_radius(3).header("live", "planned").to_string()
}

fn text(view: &PlanView, side: impl Fn(&super::view::DiffLine) -> &Option<String>) -> String {
    let mut text = "version: 1\nlocations:\n".to_owned();
    for line in &view.lines {
        if let Some(line) = side(line) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
