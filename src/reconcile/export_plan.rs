//! Exports the result of a plan as a desired-state file.

use crate::desired::{HandsetLine, YamlWriter, writable_settings};
use crate::model::NetworkId;
use crate::plan::model::Plan;

/// Returns a desired-state file with the networks and handsets that `plan` changes.
pub fn plan_to_yaml(plan: &Plan, remark: &str) -> String {
    let mut file = YamlWriter::new(remark);
    let mut location = None;
    let mut handsets_of: Option<&NetworkId> = None;
    for change in &plan.changes {
        // A rename only updates.
        let Some(network) = change.network.id() else { continue };
        if location != Some(&change.location.id) {
            file.location(&change.location.id, &change.location.name);
            location = Some(&change.location.id);
        }
        if let Some(after) = change.settings_after() {
            file.network(network, after, writable_settings(after, change.changed_settings), None);
        } else if change.handset_after().is_some() && handsets_of != Some(network) {
            let same = plan.changes.iter().filter(|other| other.network.id() == Some(network));
            let handsets = same.filter_map(|other| other.handset_after()).map(|after| HandsetLine {
                id: after.id.clone(),
                name: after.custom_name.as_deref(),
                ..HandsetLine::default()
            });
            file.network_devices(network, Some(&change.network_name));
            file.handsets(&change.location.id, handsets);
            handsets_of = Some(network);
        }
    }
    file.finish()
}
