//! What must be read beside the list before a plan can be made.

use std::collections::HashSet;

use super::matching::{EntryGroup, Matches, creates_networks};
use super::model::{PerKind, ResourceKind};
use super::scope::Scope;
use crate::desired::model::{Desired, DesiredLocation, NetworkEntry};
use crate::model::{LiveState, LocationId, NameKey, NetworkIndex};
use crate::resources::handset::members;

/// What must be read beside the list before a plan can be made: the networks whose devices of a kind must be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequiredReads(PerKind<Vec<NetworkIndex>>);

impl RequiredReads {
    /// The devices of these kinds of those networks that have some; one without is not asked for them.
    pub fn of_kinds(kinds: &[ResourceKind], networks: &[NetworkIndex], live: &LiveState) -> Self {
        let has_some = |kind: ResourceKind, at: &NetworkIndex| live.network(*at).number_of(kind) != Some(0);
        Self(PerKind::from_fn(|kind| match kinds.contains(&kind) && ResourceKind::OF_NETWORK.contains(&kind) {
            true => networks.iter().copied().filter(|at| has_some(kind, at)).collect(),
            false => Vec::new(),
        }))
    }

    /// The networks whose devices of a kind are read.
    pub fn of(&self, kind: ResourceKind) -> &[NetworkIndex] {
        &self.0[kind]
    }

    pub fn add(&mut self, kind: ResourceKind, network: NetworkIndex) {
        self.0[kind].push(network);
    }

    /// Keeps those of a kind for which `is_kept` says so.
    pub fn retain(&mut self, kind: ResourceKind, is_kept: impl FnMut(&NetworkIndex) -> bool) {
        self.0[kind].retain(is_kept);
    }

    /// Each network once, in their order.
    pub fn sorted(mut self) -> Self {
        for kind in ResourceKind::ALL {
            self.0[kind].sort_unstable();
            self.0[kind].dedup();
        }
        self
    }

    /// Every read: of which kind, and of which network.
    pub fn iter(&self) -> impl Iterator<Item = (ResourceKind, NetworkIndex)> {
        ResourceKind::OF_NETWORK.into_iter().flat_map(|kind| self.0[kind].iter().map(move |at| (kind, *at)))
    }
}

/// The desired locations that have no networks yet and that are to get some.
pub fn locations_without_networks<'a>(
    desired: &'a Desired,
    live: &'a LiveState,
) -> impl Iterator<Item = &'a DesiredLocation> {
    let names: HashSet<NameKey> = live.locations().map(|(_, location)| NameKey::of(&location.name)).collect();
    desired.locations.iter().filter(|location| creates_networks(location)).filter(move |location| {
        match (&location.id, &location.name) {
            (Some(id), _) => live.find_location(&id.value).is_none(),
            (None, Some(name)) => !names.contains(&NameKey::of(&name.value)),
            (None, None) => false,
        }
    })
}

/// What must be read beside the list: nothing, unless files speak of what belongs to networks, or of deletions.
pub fn required_reads(matches: &Matches<'_>, scope: &Scope, live: &LiveState) -> RequiredReads {
    let mut reads = RequiredReads::default();
    for managed in &matches.managed {
        let location = &live.location(managed.location).name;
        // A base station may move out of a network that is out of scope, which must be noticed.
        let in_scope = |at: NetworkIndex, entry: &NetworkEntry| {
            scope.includes_any_name(location, entry.names(&live.network(at).settings.name))
        };
        let lists =
            |group: &EntryGroup<'_>, kind: ResourceKind| group.entries().any(|entry| entry.devices.speak_of(kind));
        let lists_stations = |group: &EntryGroup<'_>| lists(group, ResourceKind::BaseStation);
        let created = managed.created.iter().any(|(_, group)| {
            lists_stations(group) && scope.includes_any_name(location, group.primary.names(group.primary.label()))
        });
        let mut networks = managed.networks.iter();
        let adds = created || networks.any(|(at, group)| lists_stations(group) && in_scope(*at, group.primary));
        for kind in ResourceKind::OF_NETWORK {
            let is_read = |at: NetworkIndex, entry: &NetworkEntry| {
                in_scope(at, entry) || kind == ResourceKind::BaseStation && adds
            };
            for (at, group) in managed.networks.iter().filter(|(_, group)| lists(group, kind)) {
                if is_read(*at, group.primary) {
                    reads.add(kind, *at);
                }
            }
            // What goes with a network must be known.
            let deleted = managed.deleted.iter().filter(|_| ResourceKind::DEVICES.contains(&kind));
            for (at, entry) in deleted {
                if is_read(*at, entry) {
                    reads.add(kind, *at);
                }
            }
        }
    }
    reads
}

/// The locations whose members must be read before a plan can be made: those of lines that are on no handset that was
/// read.
pub fn required_members(matches: &Matches<'_>, scope: &Scope, live: &LiveState) -> Vec<LocationId> {
    let lists_handsets = matches.entries().any(|entry| entry.devices.handsets.is_some());
    if lists_handsets { members::locations_to_read(&matches.managed, scope, live) } else { Vec::new() }
}
