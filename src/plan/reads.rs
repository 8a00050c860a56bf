//! What must be read beside the list before a plan can be made.

use std::collections::HashSet;

use super::matching::{EntryGroup, Matches, creates_networks};
use super::members;
use super::model::ResourceKind;
use super::scope::Scope;
use crate::desired::model::{Desired, DesiredLocation, NetworkEntry};
use crate::model::{LiveState, LocationId, NameKey, Network, NetworkIndex};

/// What must be read beside the list before a plan can be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequiredReads {
    /// Networks whose base stations must be known.
    pub base_stations: Vec<NetworkIndex>,
    /// Networks whose handsets must be known.
    pub handsets: Vec<NetworkIndex>,
}

impl RequiredReads {
    /// The devices of these kinds of those networks that have some; one without is not asked for them.
    pub fn of_kinds(kinds: &[ResourceKind], networks: &[NetworkIndex], live: &LiveState) -> Self {
        let with_some = |kind: ResourceKind, count: fn(&Network) -> Option<u64>| {
            let networks = networks.iter().copied().filter(|_| kinds.contains(&kind));
            networks.filter(|at| count(live.network(*at)) != Some(0)).collect()
        };
        Self {
            base_stations: with_some(ResourceKind::BaseStation, |network| network.base_stations),
            handsets: with_some(ResourceKind::Handset, |network| network.handsets),
        }
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

/// What must be read beside the list: nothing, unless files speak of devices or of deletions.
pub fn required_reads(matches: &Matches<'_>, scope: &Scope, live: &LiveState) -> RequiredReads {
    let mut reads = RequiredReads::default();
    for managed in &matches.managed {
        let location = &live.location(managed.location).name;
        // A base station may move out of a network that is out of scope, which must be noticed.
        let in_scope = |at: NetworkIndex, entry: &NetworkEntry| {
            scope.includes_any_name(location, entry.names(&live.network(at).settings.name))
        };
        let lists = |group: &EntryGroup<'_>| group.entries().any(|entry| entry.base_stations.is_some());
        let created = managed.created.iter().any(|(_, group)| {
            lists(group) && scope.includes_any_name(location, group.primary.names(group.primary.label()))
        });
        let adds = created || managed.networks.iter().any(|(at, group)| lists(group) && in_scope(*at, group.primary));
        for (at, group) in &managed.networks {
            let at = *at;
            if group.entries().any(|entry| entry.handsets.is_some()) && in_scope(at, group.primary) {
                reads.handsets.push(at);
            }
            if lists(group) && (adds || in_scope(at, group.primary)) {
                reads.base_stations.push(at);
            }
        }
        for (at, entry) in managed.deleted.iter().copied() {
            if adds || in_scope(at, entry) {
                reads.base_stations.push(at);
            }
            if in_scope(at, entry) {
                reads.handsets.push(at);
            }
        }
    }
    reads
}

/// The locations whose members must be read before a plan can be made: those of lines that are on no handset that was
/// read.
pub fn required_members(matches: &Matches<'_>, scope: &Scope, live: &LiveState) -> Vec<LocationId> {
    let lists_handsets = matches.entries().any(|entry| entry.handsets.is_some());
    if lists_handsets { members::locations_to_read(&matches.managed, scope, live) } else { Vec::new() }
}
