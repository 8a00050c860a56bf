//! The networks that devices belong to: existing ones, and those that the plan creates.

use super::matching::{EntryGroup, Managed};
use super::scope::Scope;
use crate::model::{LiveState, NetworkIndex, NetworkModel};
use crate::resources::network::compare::NetworkChange;

/// The network that something belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    Live(NetworkIndex),
    /// The network that the network change with this index creates.
    Created(usize),
}

impl Owner {
    /// What messages call it: the name that its entry gives it, or else its live one.
    pub(crate) fn label<'l>(self, group: &EntryGroup<'l>, live: &'l LiveState) -> &'l str {
        match (self, &group.primary.desired.name) {
            (Self::Live(at), None) => &live.network(at).settings.name,
            _ => group.primary.label(),
        }
    }
}

/// The networks in scope that files name, each with its model and its entries: those that exist, and those that are created.
pub(crate) fn named_networks<'m, 'a>(
    managed: &'m Managed<'a>,
    network_changes: &[NetworkChange<'_>],
    scope: &Scope,
    live: &LiveState,
) -> Vec<(Owner, Option<NetworkModel>, &'m EntryGroup<'a>)> {
    let location = &live.location(managed.location).name;
    let includes = |name: &str, group: &EntryGroup<'_>| scope.includes_any_name(location, group.primary.names(name));
    let existing = managed.networks.iter().filter_map(|(at, group)| {
        let network = live.network(*at);
        includes(&network.settings.name, group).then(|| (Owner::Live(*at), network.known_model(), group))
    });
    let created = managed.created.iter().filter(|(_, group)| includes(group.primary.label(), group));
    let created = created.filter_map(|(model, group)| {
        let is_its = |change: &NetworkChange<'_>| change.before.is_none() && std::ptr::eq(change.entry, group.primary);
        let at = network_changes.iter().position(is_its)?;
        Some((Owner::Created(at), Some(*model), group))
    });
    existing.chain(created).collect()
}
