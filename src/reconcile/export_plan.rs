//! Exports the result of a plan as a desired-state file.

use crate::desired::model::LineNames;
use crate::desired::{NetworkHead, Purpose, YamlWriter, table, writable_settings};
use crate::model::{Handset, NetworkId, Setting};
use crate::plan::model::{Change, Plan, ResourceState};

/// Returns a table of the networks or handsets that `plan` renames.
pub fn plan_to_csv(plan: &Plan) -> String {
    let id = |change: &Change| change.network.id().map(ToString::to_string);
    let location = |change: &Change| (Some(change.location.name.to_string()), Some(change.location.id.to_string()));
    if plan.changes.iter().any(|change| change.handset().is_some()) {
        let columns =
            ["location", "network", "#line", "#before", "customDisplayName", "line1", "locationId", "networkId", "id"];
        return table(
            columns,
            plan.changes.iter().map(|change| {
                let (name, location) = location(change);
                let after = change.handset_after();
                let handset = after.and_then(|handset| handset.id.as_ref()).map(ToString::to_string);
                let custom = after.and_then(|handset| handset.custom_name.as_ref()).map(ToString::to_string);
                let before = change.handset_before();
                let line = before.and_then(|handset| handset.line1.as_ref()).map(|line| line.line().to_owned());
                let old = before.and_then(|handset| handset.display_name()).map(ToString::to_string);
                let network = Some(change.network_name.to_string());
                [name, network, line, old, custom, None, location, id(change), handset]
            }),
        );
    }
    let columns = ["location", "#before", "name", "displayName", "locationId", "id"];
    table(
        columns,
        plan.changes.iter().map(|change| {
            let (name, location) = location(change);
            let after = change.settings_after();
            let changed = |setting| after.filter(|_| change.changed_settings().has(setting));
            let new_name = changed(Setting::Name).map(|after| after.name.to_string());
            let display_name =
                changed(Setting::DisplayName).and_then(|after| Some(after.display_name.as_ref()?.to_string()));
            [name, Some(change.network_name.to_string()), new_name, display_name, location, id(change)]
        }),
    )
}

/// Returns a desired-state file with the networks and handsets that `plan` changes.
pub fn plan_to_yaml(plan: &Plan, remark: &str) -> String {
    let mut file = YamlWriter::new(remark, None);
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
            file.network(NetworkHead::Id(network.as_str()), None);
            file.settings(after, writable_settings(after, change.changed_settings()));
        } else if change.handset_after().is_some() && handsets_of != Some(network) {
            let same = plan.changes.iter().filter(|other| other.network.id() == Some(network));
            // A name alone: its id says which one it is.
            let renamed = same.filter_map(|other| other.handset_after());
            let renamed = renamed.map(|after| Handset { line1: None, line2: None, ..after.clone() });
            file.network(NetworkHead::Id(network.as_str()), Some(&change.network_name));
            let devices = renamed.map(ResourceState::from).collect();
            file.devices(
                &change.location.id,
                &devices,
                Purpose::File { with_remarks: false, lines: &LineNames::default() },
            );
            handsets_of = Some(network);
        }
    }
    file.finish()
}
