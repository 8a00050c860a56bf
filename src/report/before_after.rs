//! The locations that a plan affects as desired-state files, before and after it.

use std::collections::HashMap;

use super::{CodeVisibility, plural};
use crate::desired::{NetworkHead, Purpose, WritableSettings, Written, YamlWriter};
use crate::model::{LocationId, NaturalName, Setting, Settings};
use crate::plan::model::{ChangeAction, ChangeIndex, LocationRef, NetworkRef, Plan, ResourceKind, ResourceState};

/// Something before and after; `None` where it does not exist.
type Sides<T> = [Option<T>; 2];

/// A network of an affected location.
struct NetworkSides<'a> {
    id: Option<&'a str>,
    reference: NetworkRef,
    settings: Sides<&'a Settings>,
    /// Of one that is created or deleted.
    model: Option<&'a str>,
    /// Number of handsets that are deleted with it.
    handsets: usize,
}

/// The files before and after: all networks of the affected locations, in the same order in both, with the lists of
/// devices that change.
pub(super) fn of(plan: &Plan, codes: CodeVisibility) -> [String; 2] {
    let devices = ResourceKind::OF_NETWORK.map(|kind| device_sides(plan, kind));
    let locations = affected(plan);
    [0, 1].map(|side| {
        let mut file = YamlWriter::default();
        for (location, networks) in &locations {
            file.location(&location.id, &location.name);
            for network in networks {
                let Some(settings) = network.settings[side] else { continue };
                write_network(&mut file, network, settings, side, codes);
                let lists = devices.iter().filter_map(|lists| lists.get(&network.reference)).flatten();
                let listed = lists.filter_map(|sides| sides[side].clone());
                file.devices(&location.id, &listed.collect(), Purpose::Comparison);
            }
        }
        file.finish()
    })
}

fn write_network(
    file: &mut YamlWriter,
    network: &NetworkSides<'_>,
    settings: &Settings,
    side: usize,
    codes: CodeVisibility,
) {
    let remark = network.id.and(network.model).map(|model| match network.handsets {
        0 => model.to_owned(),
        handsets => format!("{model}, with {}", plural(handsets, "handset")),
    });
    let head = match network.id {
        Some(id) => NetworkHead::Id(id),
        None => NetworkHead::Model(network.model.unwrap_or_default()),
    };
    file.network(head, remark.as_deref());
    let is_new_code = match network.settings {
        [Some(before), Some(after)] => side == 1 && before.changed_in(after).has(Setting::Code),
        _ => false,
    };
    let written = |setting| match (setting, codes) {
        (Setting::Code, CodeVisibility::Masked) if is_new_code => Written::MaskedNew,
        (Setting::Code, CodeVisibility::Masked) => Written::Masked,
        _ => Written::Value,
    };
    let all: WritableSettings = Setting::ALL.into_iter().map(|setting| (setting, written(setting))).collect();
    file.settings(settings, all);
}

/// The affected locations with all of their networks, sorted by previous name.
fn affected(plan: &Plan) -> Vec<(&LocationRef, Vec<NetworkSides<'_>>)> {
    let mut locations: Vec<(&LocationRef, Vec<NetworkSides<'_>>)> = Vec::new();
    for (at, change) in plan.indexed_changes() {
        if locations.last().is_none_or(|(location, _)| **location != change.location) {
            locations.push((&change.location, Vec::new()));
        }
        let Some((_, networks)) = locations.last_mut().filter(|_| change.kind() == ResourceKind::Network) else {
            continue;
        };
        networks.push(NetworkSides {
            id: change.network.id().map(|id| id.as_str()),
            reference: change.network.id().map_or(NetworkRef::Created(at), |id| NetworkRef::Live(id.clone())),
            settings: [change.settings_before(), change.settings_after()],
            model: match change.state() {
                Some(ResourceState::Network { model, .. }) => model.as_deref(),
                _ => None,
            },
            handsets: change.contents.iter().filter(|thing| thing.kind() == ResourceKind::Handset).count(),
        });
    }
    let mut others: HashMap<&LocationId, Vec<NetworkSides<'_>>> = HashMap::new();
    for other in &plan.unchanged_networks {
        others.entry(&other.location).or_default().push(NetworkSides {
            id: Some(other.network.as_str()),
            reference: NetworkRef::Live(other.network.clone()),
            settings: [Some(&other.settings), Some(&other.settings)],
            model: None,
            handsets: 0,
        });
    }
    for (location, networks) in &mut locations {
        networks.extend(others.remove(&location.id).into_iter().flatten());
        networks.sort_by_cached_key(|network| {
            let [before, after] = network.settings;
            let name = before.or(after).map_or("", |settings| &settings.name);
            (NaturalName::of(name), network.id.map(str::to_owned))
        });
    }
    locations
}

/// The devices of one kind of every network that has some changed, sorted by previous label.
fn device_sides(plan: &Plan, kind: ResourceKind) -> HashMap<NetworkRef, Vec<Sides<ResourceState>>> {
    let mut lists: HashMap<NetworkRef, Vec<Sides<ResourceState>>> = HashMap::new();
    let is_deletion =
        |at: ChangeIndex| plan[at].kind() == ResourceKind::Network && plan[at].action() == ChangeAction::Delete;
    for (at, change) in plan.indexed_changes() {
        if change.kind() == kind || is_deletion(at) {
            lists.entry(change.network.clone()).or_default();
        }
    }
    for devices in &plan.devices {
        let Some(list) = lists.get_mut(&NetworkRef::Live(devices.network.clone())) else { continue };
        let states = ResourceState::all_of(&devices.devices, kind);
        list.extend(states.into_iter().map(|state| [Some(state.clone()), Some(state)]));
    }
    for change in plan.changes.iter().filter(|change| change.kind() == kind) {
        let list = lists.entry(change.network.clone()).or_default();
        let is_it = |[known, _]: &&mut Sides<ResourceState>| match (known, &change.before) {
            (Some(known), Some(before)) => known.is_same_thing(before),
            _ => false,
        };
        match list.iter_mut().find(is_it) {
            Some([_, after]) => after.clone_from(&change.after),
            None => list.push([change.before.clone(), change.after.clone()]),
        }
    }
    for list in lists.values_mut() {
        list.sort_by_cached_key(|[before, after]| {
            NaturalName::of(&before.as_ref().or(after.as_ref()).map(ResourceState::label).unwrap_or_default())
        });
    }
    lists
}
