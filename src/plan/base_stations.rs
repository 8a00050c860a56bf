//! Compares desired with listed base stations: additions, removals, replacements and moves of a location, in an order in
//! which no address is ever in two networks and no network exceeds the limit of its model.

use std::collections::{HashMap, HashSet};

use super::compare::NetworkChange;
use super::matching::{EntryGroup, Managed};
use super::scope::Scope;
use crate::desired::model::BaseStationEntry;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Span, plural};
use crate::model::{BaseStation, LiveState, LocationIndex, Mac, NetworkIndex, NetworkModel};

/// The network that a base station belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Live(NetworkIndex),
    /// The network that the network change with this index creates.
    Created(usize),
}

/// A base station that is added or removed.
#[derive(Debug)]
pub(super) struct BaseStationChange {
    pub(super) owner: Owner,
    pub(super) station: BaseStation,
    pub(super) is_removal: bool,
    pub(super) span: Span,
    /// The address that takes its place.
    pub(super) replaced_by: Option<Mac>,
    /// Indexes of changes that must be made first.
    pub(super) needs: Vec<Need>,
}

/// What must be done before a base station is added or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Need {
    /// The base station change with this index.
    BaseStation(usize),
    /// The network change with this index.
    Network(usize),
}

/// Where every listed base station is, and which ones files ask for, over the whole organization.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    listed: HashMap<Mac, NetworkIndex>,
    desired: HashMap<Mac, Span>,
}

impl Addresses {
    pub(super) fn of(live: &LiveState) -> Self {
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
struct NetworkPlan<'a> {
    owner: Owner,
    additions: Vec<&'a BaseStationEntry>,
    removals: Vec<(&'a BaseStationEntry, BaseStation)>,
    /// Base stations that are replaced, each with the address that takes its place.
    replaced: Vec<(&'a BaseStationEntry, BaseStation)>,
    /// How many of the additions find a place before anything is removed.
    free: usize,
}

/// The changes of a location in the order of their requests, and the number of listed base stations that no file names.
pub(super) fn compare(
    managed: &Managed<'_>,
    network_changes: &[NetworkChange<'_>],
    scope: &Scope,
    live: &LiveState,
    addresses: &mut Addresses,
    diagnostics: &mut Diagnostics,
) -> (Vec<BaseStationChange>, usize) {
    let mut unmanaged = 0;
    let mut plans = Vec::new();
    let location = &live.location(managed.location).name;
    let includes = |name: &str, group: &EntryGroup<'_>| scope.includes_any_name(location, group.primary.names(name));
    for (at, group) in &managed.networks {
        let network = live.network(*at);
        // Not read where it is out of scope.
        let Some(listed) = live.base_stations(*at).filter(|_| includes(&network.settings.name, group)) else {
            continue;
        };
        let mut comparison = Comparison { addresses, diagnostics };
        let model = network.known_model();
        plans.extend(comparison.network(Owner::Live(*at), model, listed, group, &mut unmanaged));
    }
    for (model, group) in managed.created.iter().filter(|(_, group)| includes(group.primary.label(), group)) {
        let is_its = |change: &NetworkChange<'_>| change.before.is_none() && std::ptr::eq(change.entry, group.primary);
        let Some(at) = network_changes.iter().position(is_its) else { continue };
        let mut comparison = Comparison { addresses, diagnostics };
        plans.extend(comparison.network(Owner::Created(at), Some(*model), &[], group, &mut unmanaged));
    }
    (arrange(&plans, managed, network_changes, live, addresses, diagnostics), unmanaged)
}

struct Comparison<'r> {
    addresses: &'r mut Addresses,
    diagnostics: &'r mut Diagnostics,
}

impl Comparison<'_> {
    /// Compares the lists of one network; `None` if no entry speaks of its base stations.
    fn network<'a>(
        &mut self,
        owner: Owner,
        model: Option<NetworkModel>,
        listed: &[BaseStation],
        group: &EntryGroup<'a>,
        unmanaged: &mut usize,
    ) -> Option<NetworkPlan<'a>> {
        let lists: Vec<&'a Vec<BaseStationEntry>> =
            group.entries().filter_map(|entry| entry.base_stations.as_ref()).collect();
        if lists.is_empty() {
            return None;
        }
        let by_mac: HashMap<Mac, &BaseStation> =
            listed.iter().filter_map(|station| Some((station.mac()?, station))).collect();
        let mut plan =
            NetworkPlan { owner, additions: Vec::new(), removals: Vec::new(), replaced: Vec::new(), free: usize::MAX };
        let entries: Vec<&'a BaseStationEntry> = lists.into_iter().flatten().collect();
        let mut seen: HashMap<Mac, &BaseStationEntry> = HashMap::new();
        for entry in &entries {
            if let Some(first) = seen.insert(entry.mac.value, entry) {
                self.duplicate(entry.mac.value, entry.mac.span, first.mac.span);
                continue;
            }
            let found = by_mac.get(&entry.mac.value);
            match (entry.is_absent, found) {
                (true, Some(station)) => plan.removals.extend(self.removal(entry, station, entry.mac.span)),
                (true, None) => self.diagnostics.push(
                    Diagnostic::warning(
                        DiagnosticCode::AlreadyAbsent,
                        format!("base station {} is not in {:?}", entry.mac.value, group.primary.label()),
                    )
                    .with_span(entry.mac.span)
                    .help("remove the entry"),
                ),
                (false, _) => {
                    if let Some(first) = self.addresses.desired.insert(entry.mac.value, entry.mac.span) {
                        self.duplicate(entry.mac.value, entry.mac.span, first);
                    } else if found.is_none() {
                        plan.additions.push(entry);
                    }
                }
            }
        }
        let mut replaced = HashSet::new();
        for (entry, old) in entries.iter().filter_map(|entry| Some((entry, entry.replaces.as_ref()?))) {
            if let Some(other) = seen.get(&old.value) {
                if !other.is_absent {
                    self.duplicate(old.value, old.span, other.mac.span);
                }
            } else if let Some(station) = by_mac.get(&old.value)
                && replaced.insert(old.value)
            {
                plan.replaced.extend(self.removal(entry, station, old.span));
            }
        }
        let named = |station: &&BaseStation| {
            station.mac().is_some_and(|mac| seen.contains_key(&mac) || replaced.contains(&mac))
        };
        *unmanaged += listed.iter().filter(|station| !named(station)).count();
        if let Some(model) = model {
            self.check_limit(model, listed, &plan, group);
            plan.free = model.max_base_stations().saturating_sub(listed.len());
        }
        Some(plan)
    }

    fn removal<'a>(
        &mut self,
        entry: &'a BaseStationEntry,
        station: &BaseStation,
        span: Span,
    ) -> Option<(&'a BaseStationEntry, BaseStation)> {
        if station.id.is_some() {
            return Some((entry, station.clone()));
        }
        let message = format!("base station {} cannot be removed: Webex lists it without an id", station.label());
        self.diagnostics.push(
            Diagnostic::error(DiagnosticCode::MissingId, message)
                .with_span(span)
                .help("remove it in Control Hub, or remove the entry"),
        );
        None
    }

    fn duplicate(&mut self, mac: Mac, span: Span, first: Span) {
        self.diagnostics.push(
            Diagnostic::error(DiagnosticCode::DuplicateBaseStation, format!("base station {mac} is named twice"))
                .with_span(span)
                .with_related(first, "first occurrence")
                .help("a base station belongs to one network, and is either there or removed; remove one of them"),
        );
    }

    fn check_limit(
        &mut self,
        model: NetworkModel,
        listed: &[BaseStation],
        plan: &NetworkPlan<'_>,
        group: &EntryGroup<'_>,
    ) {
        if plan.additions.is_empty() {
            return;
        }
        let after = (listed.len() + plan.additions.len()).saturating_sub(plan.removals.len() + plan.replaced.len());
        let (label, max) = (group.primary.label(), model.max_base_stations());
        let named: Vec<String> = listed.iter().take(4).map(BaseStation::label).collect();
        let listed = listed.len();
        let span = plan.additions[plan.additions.len() - 1].mac.span;
        if after > max {
            let message =
                format!("{label:?} would have {}, a {model} has at most {max}", plural(after, "base station"));
            self.diagnostics.push(
                Diagnostic::error(DiagnosticCode::TooManyBaseStations, message).with_span(span).help(match listed {
                    0 => "spread them over several networks".to_owned(),
                    1..=4 => format!("it has {}; add `replaces` or `state: absent` for some", named.join(", ")),
                    _ => "remove some of them with `state: absent` or `replaces`, or spread them over several networks"
                        .to_owned(),
                }),
            );
        } else if after > model.doubtful_base_stations() {
            let (count, limit) = (plural(after, "base station"), model.doubtful_base_stations());
            let message = format!("{label:?} would have {count}; some documents of Cisco mention a limit of {limit}");
            self.diagnostics.push(
                Diagnostic::warning(DiagnosticCode::TooManyBaseStations, message)
                    .with_span(span)
                    .help("Webex decides; the result of each base station is reported"),
            );
        }
    }
}

/// Puts the changes of all networks of a location in order and adds what each of them needs.
fn arrange(
    plans: &[NetworkPlan<'_>],
    managed: &Managed<'_>,
    network_changes: &[NetworkChange<'_>],
    live: &LiveState,
    addresses: &Addresses,
    diagnostics: &mut Diagnostics,
) -> Vec<BaseStationChange> {
    let mut changes: Vec<BaseStationChange> = Vec::new();
    let removed = |owner: Owner, station: &BaseStation, span: Span| BaseStationChange {
        owner,
        station: station.clone(),
        is_removal: true,
        span,
        replaced_by: None,
        needs: Vec::new(),
    };
    // Removals that are asked for need nothing; the networks that they free a place in, or that take the base station, do.
    let mut removed_from: HashMap<(Owner, Mac), usize> = HashMap::new();
    let mut places: HashMap<Owner, Vec<usize>> = HashMap::new();
    for plan in plans {
        for (entry, station) in &plan.removals {
            removed_from.insert((plan.owner, entry.mac.value), changes.len());
            places.entry(plan.owner).or_default().push(changes.len());
            changes.push(removed(plan.owner, station, entry.mac.span));
        }
    }
    // Where there is no place for the new base station, the old one goes first.
    let mut early: HashMap<(Owner, Mac), usize> = HashMap::new();
    for plan in plans {
        let freed = plan.free.saturating_add(plan.removals.len());
        let missing = plan.additions.len().saturating_sub(freed);
        let is_added = |entry: &BaseStationEntry| plan.additions.iter().any(|added| added.mac.value == entry.mac.value);
        let first = plan.replaced.iter().filter(|(entry, _)| is_added(entry)).take(missing);
        for (entry, station) in first {
            early.insert((plan.owner, entry.mac.value), changes.len());
            let removal = removed(plan.owner, station, entry.mac.span);
            changes.push(BaseStationChange { replaced_by: Some(entry.mac.value), ..removal });
        }
    }
    for plan in plans {
        let first_addition = changes.len();
        let mut free = plan.free;
        let mut freed = places.remove(&plan.owner).unwrap_or_default().into_iter();
        let mut additions = Vec::new();
        for entry in &plan.additions {
            let mut needs = Vec::new();
            if let Owner::Created(network) = plan.owner {
                needs.push(Need::Network(network));
            }
            if let Some(old) = early.get(&(plan.owner, entry.mac.value)) {
                needs.push(Need::BaseStation(*old));
            } else if free > 0 {
                free -= 1;
            } else if let Some(place) = freed.next() {
                needs.push(Need::BaseStation(place));
            }
            match mover(entry, plan.owner, managed, network_changes, live, addresses, &removed_from) {
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
        changes.extend(additions);
        let added: HashMap<String, usize> =
            changes.iter().enumerate().skip(first_addition).map(|(at, change)| (change.station.label(), at)).collect();
        for (entry, station) in &plan.replaced {
            if early.contains_key(&(plan.owner, entry.mac.value)) {
                continue;
            }
            // Without an addition the new one is already there.
            let addition = added.get(&entry.mac.value.to_string()).copied();
            let needs = addition.map(Need::BaseStation).into_iter().collect();
            let removal = removed(plan.owner, station, entry.mac.span);
            changes.push(BaseStationChange { replaced_by: Some(entry.mac.value), needs, ..removal });
        }
    }
    changes
}

/// What removes a base station from the network that it is in now, if it is in another one.
fn mover(
    entry: &BaseStationEntry,
    owner: Owner,
    managed: &Managed<'_>,
    network_changes: &[NetworkChange<'_>],
    live: &LiveState,
    addresses: &Addresses,
    removed_from: &HashMap<(Owner, Mac), usize>,
) -> Result<Option<Need>, Box<Diagnostic>> {
    let mac = entry.mac.value;
    let Some(other) = addresses.listed.get(&mac).copied().filter(|other| Owner::Live(*other) != owner) else {
        return Ok(None);
    };
    if let Some(removal) = removed_from.get(&(Owner::Live(other), mac)) {
        return Ok(Some(Need::BaseStation(*removal)));
    }
    let deletes = |change: &NetworkChange<'_>| change.is_deletion() && change.network() == Some(other);
    if let Some(deletion) = network_changes.iter().position(deletes) {
        return Ok(Some(Need::Network(deletion)));
    }
    let home: LocationIndex = live.location_of(other);
    let (network, place) = (&live.network(other).settings.name, &live.location(home).name);
    let message = format!("base station {mac} is in network {network:?} of {place:?}");
    let help = if home == managed.location {
        format!("add `{{ mac: {mac}, state: absent }}` to {network:?} to move it")
    } else {
        "a move between locations takes two runs: first `state: absent` there, then the addition here".to_owned()
    };
    Err(Box::new(
        Diagnostic::error(DiagnosticCode::BaseStationInOtherNetwork, message).with_span(entry.mac.span).help(help),
    ))
}
