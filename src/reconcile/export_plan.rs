//! Exports the result of a plan as a desired-state file.

use crate::desired::{YamlWriter, writable_settings};
use crate::plan::model::Plan;

/// Returns a desired-state file with the networks that `plan` changes.
pub fn plan_to_yaml(plan: &Plan, remark: &str) -> String {
    let mut file = YamlWriter::new(remark);
    let mut location = None;
    for change in &plan.changes {
        // A rename only updates.
        let (Some(network), Some(after)) = (change.network.id(), change.settings_after()) else { continue };
        if location != Some(&change.location.id) {
            file.location(&change.location.id, &change.location.name);
            location = Some(&change.location.id);
        }
        file.network(network, after, writable_settings(after, change.changed_settings), None);
    }
    file.finish()
}
