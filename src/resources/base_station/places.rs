//! The order of the base stations of a location: no address is ever in two networks, and no network has more base stations
//! than its model allows.
//!
//! 1. Removals that are asked for: they need nothing.
//! 2. Replaced ones for whose successor there would be no place otherwise: free places first, then those that removals free.
//! 3. In each network the additions, each behind what frees its place and behind what removes its address elsewhere; then the
//!    other replaced ones, each behind the addition that takes its place.

use std::collections::{HashMap, HashSet};

use crate::desired::model::{BaseStationEntry, NetworkEntry};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Span};
use crate::model::{BaseStation, LiveState, LocationIndex, Mac, NetworkIndex};
use crate::plan::Scope;
use crate::plan::matching::Managed;
use crate::plan::owner::Owner;
use crate::resources::network::compare::NetworkChange;

/// A base station that is added or removed.
#[derive(Debug)]
pub(crate) struct BaseStationChange {
    pub(crate) owner: Owner,
    pub(crate) station: BaseStation,
    pub(crate) is_removal: bool,
    pub(crate) span: Span,
    /// The address that takes its place.
    pub(crate) replaced_by: Option<Mac>,
    /// Indexes of changes that must be made first.
    pub(crate) needs: Vec<Need>,
}

/// What must be done before a base station is added or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    /// The base station change with this index.
    BaseStation(usize),
    /// The network change with this index.
    Network(usize),
}

/// Where every listed base station is, and which ones files ask for, over the whole organization.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    listed: HashMap<Mac, NetworkIndex>,
    pub(crate) desired: HashMap<Mac, Span>,
}

impl Addresses {
    pub(crate) fn of(live: &LiveState) -> Self {
        let mut listed = HashMap::new();
        for (at, _) in live.networks() {
            for mac in live.base_stations(at).into_iter().flatten().filter_map(BaseStation::mac) {
                listed.entry(mac).or_insert(at);
            }
        }
        Self { listed, desired: HashMap::new() }
    }
}

/// What is asked for in one network.
pub(crate) struct NetworkPlan<'a> {
    pub(crate) owner: Owner,
    pub(crate) additions: Vec<&'a BaseStationEntry>,
    pub(crate) removals: Vec<(&'a BaseStationEntry, BaseStation)>,
    /// Base stations that are replaced, each with the address that takes its place.
    pub(crate) replaced: Vec<(&'a BaseStationEntry, BaseStation)>,
    /// How many of the additions find a place before anything is removed.
    pub(crate) free: usize,
}

/// What the order of the changes of a location depends on.
#[derive(Clone, Copy)]
pub(crate) struct Context<'r, 'a> {
    pub(crate) managed: &'r Managed<'a>,
    pub(crate) network_changes: &'r [NetworkChange<'a>],
    pub(crate) live: &'r LiveState,
    pub(crate) addresses: &'r Addresses,
    pub(crate) excluded: &'r OutOfScope<'r>,
}

/// Puts the changes of all networks of a location in order and adds what each of them needs.
pub(crate) fn arrange(
    plans: &[NetworkPlan<'_>],
    context: Context<'_, '_>,
    diagnostics: &mut Diagnostics,
) -> Vec<BaseStationChange> {
    let replaced = plans.iter().flat_map(|plan| plan.replaced.iter().map(|(_, station)| (plan.owner, station.mac())));
    let replaced = replaced.filter_map(|(owner, mac)| Some((owner, mac?))).collect();
    let mut order =
        Order { context, changes: Vec::new(), removed: HashMap::new(), replaced_early: HashMap::new(), replaced };
    plans.iter().for_each(|plan| order.remove(plan));
    plans.iter().for_each(|plan| order.replace_early(plan));
    for plan in plans {
        order.add(plan, diagnostics);
        order.replace(plan);
    }
    order.changes
}

struct Order<'r, 'a> {
    context: Context<'r, 'a>,
    changes: Vec<BaseStationChange>,
    /// The removals that are asked for, by network, with their changes.
    removed: HashMap<Owner, Vec<(Mac, usize)>>,
    /// The changes that remove a replaced base station before its successor is added, by the address of that.
    replaced_early: HashMap<(Owner, Mac), usize>,
    /// What is replaced, by network.
    replaced: HashSet<(Owner, Mac)>,
}

impl Order<'_, '_> {
    fn remove(&mut self, plan: &NetworkPlan<'_>) {
        for (entry, station) in &plan.removals {
            self.removed.entry(plan.owner).or_default().push((entry.mac.value, self.changes.len()));
            self.changes.push(removal(plan.owner, station, entry.mac.span));
        }
    }

    fn replace_early(&mut self, plan: &NetworkPlan<'_>) {
        let places = plan.free.saturating_add(plan.removals.len());
        let is_added = |entry: &BaseStationEntry| plan.additions.iter().any(|added| added.mac.value == entry.mac.value);
        let replaced = plan.replaced.iter().filter(|(entry, _)| is_added(entry));
        for (entry, station) in replaced.take(plan.additions.len().saturating_sub(places)) {
            self.replaced_early.insert((plan.owner, entry.mac.value), self.changes.len());
            let removal = removal(plan.owner, station, entry.mac.span);
            self.changes.push(BaseStationChange { replaced_by: Some(entry.mac.value), ..removal });
        }
    }

    fn add(&mut self, plan: &NetworkPlan<'_>, diagnostics: &mut Diagnostics) {
        let early = |entry: &&BaseStationEntry| self.replaced_early.get(&(plan.owner, entry.mac.value)).copied();
        let early: Vec<Option<usize>> = plan.additions.iter().map(early).collect();
        let freed: Vec<usize> = self.removed.get(&plan.owner).into_iter().flatten().map(|(_, at)| *at).collect();
        let mut additions = Vec::new();
        for (entry, place) in plan.additions.iter().zip(places(&early, plan.free, &freed)) {
            let created = match plan.owner {
                Owner::Created(network) => Some(Need::Network(network)),
                Owner::Live(_) => None,
            };
            let mut needs: Vec<Need> = created.into_iter().chain(place.map(Need::BaseStation)).collect();
            match self.mover(entry, plan.owner) {
                Ok(need) => needs.extend(need),
                Err(diagnostic) => diagnostics.push(*diagnostic),
            }
            additions.push(BaseStationChange {
                owner: plan.owner,
                station: BaseStation::new(entry.mac.value),
                is_removal: false,
                span: entry.mac.span,
                replaced_by: None,
                needs,
            });
        }
        // Those that wait for nothing fill the first batches.
        additions.sort_by_key(|addition| addition.needs.iter().any(|need| matches!(need, Need::BaseStation(_))));
        self.changes.extend(additions);
    }

    fn replace(&mut self, plan: &NetworkPlan<'_>) {
        let is_addition = |change: &&BaseStationChange| change.owner == plan.owner && !change.is_removal;
        let changes = self.changes.iter().enumerate().filter(|(_, change)| is_addition(change));
        let added: HashMap<String, usize> = changes.map(|(at, change)| (change.station.label(), at)).collect();
        for (entry, station) in &plan.replaced {
            if self.replaced_early.contains_key(&(plan.owner, entry.mac.value)) {
                continue;
            }
            // Without an addition the new one is already there.
            let addition = added.get(&entry.mac.value.to_string()).copied();
            let needs = addition.map(Need::BaseStation).into_iter().collect();
            let removal = removal(plan.owner, station, entry.mac.span);
            self.changes.push(BaseStationChange { replaced_by: Some(entry.mac.value), needs, ..removal });
        }
    }

    /// What removes a base station from the network that it is in now, if it is in another one.
    fn mover(&self, entry: &BaseStationEntry, owner: Owner) -> Result<Option<Need>, Box<Diagnostic>> {
        let (mac, context) = (entry.mac.value, self.context);
        let Some(other) = context.addresses.listed.get(&mac).copied().filter(|other| Owner::Live(*other) != owner)
        else {
            return Ok(None);
        };
        let removals = self.removed.get(&Owner::Live(other)).into_iter().flatten();
        if let Some((_, removal)) = removals.into_iter().find(|(removed, _)| *removed == mac) {
            return Ok(Some(Need::BaseStation(*removal)));
        }
        let deletes = |change: &NetworkChange<'_>| change.is_deletion() && change.network() == Some(other);
        if let Some(deletion) = context.network_changes.iter().position(deletes) {
            return Ok(Some(Need::Network(deletion)));
        }
        if let Some(giver) = context.excluded.giver(other, mac) {
            return Err(Box::new(half_move(mac, giver, entry.mac.span)));
        }
        let home: LocationIndex = context.live.location_of(other);
        let (network, place) = (&context.live.network(other).settings.name, &context.live.location(home).name);
        let message = format!("base station {mac} is in network {network:?} of {place:?}");
        let help = if self.replaced.contains(&(Owner::Live(other), mac)) {
            format!(
                "`replaces` in {network:?} keeps it until its successor is there; write `{{ mac: {mac}, state: absent }}` there \
                 instead, and the successor without `replaces`"
            )
        } else if home == context.managed.location {
            format!("add `{{ mac: {mac}, state: absent }}` to {network:?} to move it")
        } else {
            "a move between locations takes two runs: first `state: absent` there, then the addition here".to_owned()
        };
        Err(Box::new(
            Diagnostic::error(DiagnosticCode::BaseStationInOtherNetwork, message).with_span(entry.mac.span).help(help),
        ))
    }
}

/// What entries ask for in networks that are out of scope: a base station that moves needs both of its networks.
#[derive(Default)]
pub(crate) struct OutOfScope<'a> {
    /// Base stations that are to be there, with the name of their network.
    present: HashMap<Mac, &'a str>,
    /// Base stations that are removed, and networks that are deleted.
    absent: HashMap<(NetworkIndex, Mac), &'a str>,
    deleted: HashMap<NetworkIndex, &'a str>,
}

impl<'a> OutOfScope<'a> {
    pub(crate) fn of(managed: &'a Managed<'_>, scope: &Scope, live: &'a LiveState) -> Self {
        let mut excluded = Self::default();
        let location = &live.location(managed.location).name;
        let is_excluded = |entry: &NetworkEntry, name: &str| !scope.includes_any_name(location, entry.names(name));
        let networks = managed.networks.iter().map(|(at, group)| {
            let name: &str = &live.network(*at).settings.name;
            (Some(*at), name, group)
        });
        let created = managed.created.iter().map(|(_, group)| (None, group.primary.label(), group));
        for (at, name, group) in networks.chain(created).filter(|(_, name, group)| is_excluded(group.primary, name)) {
            for station in group.entries().flat_map(|entry| entry.devices.base_stations.iter().flatten()) {
                match (station.is_absent, at) {
                    (false, _) => {
                        excluded.present.insert(station.mac.value, name);
                        if let (Some(old), Some(at)) = (&station.replaces, at) {
                            excluded.absent.insert((at, old.value), name);
                        }
                    }
                    (true, Some(at)) => {
                        excluded.absent.insert((at, station.mac.value), name);
                    }
                    (true, None) => {}
                }
            }
        }
        for (at, entry) in &managed.deleted {
            let name: &str = &live.network(*at).settings.name;
            if is_excluded(entry, name) {
                excluded.deleted.insert(*at, name);
            }
        }
        excluded
    }

    /// The network out of scope that gives a base station away.
    fn giver(&self, network: NetworkIndex, mac: Mac) -> Option<&'a str> {
        self.absent.get(&(network, mac)).or_else(|| self.deleted.get(&network)).copied()
    }

    /// Reports base stations that would be removed here and that a network out of scope is waiting for.
    pub(crate) fn report_half_moves(
        &self,
        plans: &[NetworkPlan<'_>],
        network_changes: &[NetworkChange<'_>],
        live: &LiveState,
        diagnostics: &mut Diagnostics,
    ) {
        let removed = plans.iter().flat_map(|plan| &plan.removals).map(|(entry, _)| (entry.mac.value, entry.mac.span));
        let deleted = network_changes.iter().filter(|change| change.is_deletion()).flat_map(|change| {
            let stations = change.network().and_then(|at| live.base_stations(at)).unwrap_or_default();
            stations.iter().filter_map(|station| Some((station.mac()?, change.entry.span())))
        });
        for (mac, span) in removed.chain(deleted) {
            if let Some(taker) = self.present.get(&mac) {
                diagnostics.push(half_move(mac, taker, span));
            }
        }
    }
}

fn half_move(mac: Mac, other: &str, span: Span) -> Diagnostic {
    let message = format!("base station {mac} moves, but {other:?} is excluded by --location/--network");
    Diagnostic::error(DiagnosticCode::DependencyOutOfScope, message)
        .with_span(span)
        .help(format!("include it: --network {other:?}"))
}

/// What frees the place of each addition: the base station that it replaces, if that goes early; else nothing while there are
/// `free` places; else one of the changes in `freed`, each of which frees one. What is left over has none, which the check of
/// the limit has reported.
fn places(early: &[Option<usize>], free: usize, freed: &[usize]) -> Vec<Option<usize>> {
    let mut freed = freed.iter().copied();
    let mut left = free;
    let mut place = |replaced: &Option<usize>| match replaced {
        Some(replaced) => Some(*replaced),
        None if left > 0 => {
            left -= 1;
            None
        }
        None => freed.next(),
    };
    early.iter().map(&mut place).collect()
}

fn removal(owner: Owner, station: &BaseStation, span: Span) -> BaseStationChange {
    let (station, needs) = (station.clone(), Vec::new());
    BaseStationChange { owner, station, is_removal: true, span, replaced_by: None, needs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_addition_has_a_place_of_its_own() {
        type Case<'a> = (&'a [Option<usize>], usize, &'a [usize], &'a [Option<usize>]);
        #[rustfmt::skip]
        let cases: &[Case<'_>] = &[
            // replaced early, free places, removals, what each addition waits for
            (&[None, None], 2, &[], &[None, None]),
            (&[None, None], usize::MAX, &[7], &[None, None]),
            (&[None, None], 1, &[7], &[None, Some(7)]),
            (&[None, None], 0, &[7, 8], &[Some(7), Some(8)]),
            // What it replaces is its own place, and takes no free one.
            (&[Some(3), None], 1, &[7], &[Some(3), None]),
            (&[None, Some(3), None], 1, &[7], &[None, Some(3), Some(7)]),
            (&[None, None], 0, &[7], &[Some(7), None]),
        ];
        for (early, free, freed, expected) in cases {
            assert_eq!(places(early, *free, freed), *expected, "{early:?} {free} {freed:?}");
        }
    }
}
