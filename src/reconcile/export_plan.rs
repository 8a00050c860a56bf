//! Exports the result of a plan as a desired-state file.

use crate::desired::{YamlWriter, writable_settings};
use crate::plan::model::Plan;

/// Returns a desired-state file with the networks that `plan` changes.
pub fn plan_to_yaml(plan: &Plan, remark: &str) -> String {
    let mut file = YamlWriter::new(remark);
    let mut location = None;
    for change in &plan.changes {
        if location != Some(&change.location.id) {
            file.location(&change.location.id, &change.location.name);
            location = Some(&change.location.id);
        }
        file.network(&change.network, &change.after, writable_settings(&change.after, change.changed_settings), None);
    }
    file.finish()
}
