//! Compares desired with listed base stations: additions, removals, replacements and moves of a location, in an order in
//! which no address is ever in two networks and no network exceeds the limit of its model.

use std::collections::{HashMap, HashSet};

use super::compare::NetworkChange;
use super::matching::{EntryGroup, Managed};
use super::scope::Scope;
use crate::desired::model::{BaseStationEntry, NetworkEntry};
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
    let excluded = OutOfScope::of(managed, scope, live);
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
    excluded.report_half_moves(&plans, network_changes, live, diagnostics);
    let context = Arrangement { managed, network_changes, live, addresses, excluded: &excluded };
    (arrange(&plans, context, diagnostics), unmanaged)
}

/// What entries ask for in networks that are out of scope: a base station that moves needs both of its networks.
#[derive(Default)]
struct OutOfScope<'a> {
    /// Base stations that are to be there, with the name of their network.
    present: HashMap<Mac, &'a str>,
    /// Base stations that are removed, and networks that are deleted.
    absent: HashMap<(NetworkIndex, Mac), &'a str>,
    deleted: HashMap<NetworkIndex, &'a str>,
}

impl<'a> OutOfScope<'a> {
    fn of(managed: &'a Managed<'_>, scope: &Scope, live: &'a LiveState) -> Self {
        let mut excluded = Self::default();
        let location = &live.location(managed.location).name;
        let is_excluded = |entry: &NetworkEntry, name: &str| !scope.includes_any_name(location, entry.names(name));
        let networks = managed.networks.iter().map(|(at, group)| {
            let name: &str = &live.network(*at).settings.name;
            (Some(*at), name, group)
        });
        let created = managed.created.iter().map(|(_, group)| (None, group.primary.label(), group));
        for (at, name, group) in networks.chain(created).filter(|(_, name, group)| is_excluded(group.primary, name)) {
            for station in group.entries().flat_map(|entry| entry.base_stations.iter().flatten()) {
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
    fn report_half_moves(
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
        let mut replacing: HashMap<Mac, &BaseStationEntry> = HashMap::new();
        for entry in &entries {
            let Some(old) = &entry.replaces else { continue };
            if let Some(first) = replacing.insert(old.value, entry).and_then(|first| first.replaces.as_ref()) {
                self.replaced_twice(old.value, old.span, first.span);
            }
        }
        let mut seen: HashMap<Mac, &BaseStationEntry> = HashMap::new();
        for entry in &entries {
            if let Some(first) = seen.insert(entry.mac.value, entry) {
                self.duplicate(entry.mac.value, entry.mac.span, first.mac.span);
                continue;
            }
            let found = by_mac.get(&entry.mac.value);
            match (entry.is_absent, found) {
                // The same said twice: it is replaced, which is no deletion.
                (true, _) if replacing.contains_key(&entry.mac.value) => {}
                (true, Some(station)) => plan.removals.extend(self.removal(entry, station, entry.mac.span)),
                (true, None) => {
                    let message = format!("base station {} is not in {:?}", entry.mac.value, group.primary.label());
                    self.diagnostics
                        .warning(DiagnosticCode::AlreadyAbsent, entry.mac.span, message)
                        .help("remove the entry");
                }
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
            if let Some(other) = seen.get(&old.value).filter(|other| !other.is_absent) {
                self.replaced_and_present(old.value, old.span, other.mac.span);
            } else if let Some(station) = by_mac.get(&old.value)
                && replaced.insert(old.value)
            {
                plan.replaced.extend(self.removal(entry, station, old.span));
            } else if !by_mac.contains_key(&old.value) && plan.additions.iter().any(|added| added.mac == entry.mac) {
                let message = format!(
                    "no base station of {:?} has the address {}: nothing is replaced",
                    group.primary.label(),
                    old.value
                );
                let help =
                    "check the address: what is not replaced stays in use; without `replaces` the entry only adds";
                let warning = Diagnostic::warning(DiagnosticCode::NothingReplaced, message);
                self.diagnostics.push(warning.with_span(old.span).help(help));
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
        self.diagnostics
            .error(DiagnosticCode::MissingId, span, message)
            .help("remove it in Control Hub, or remove the entry");
        None
    }

    fn duplicate(&mut self, mac: Mac, span: Span, first: Span) {
        self.diagnostics
            .error(DiagnosticCode::DuplicateBaseStation, span, format!("base station {mac} is named twice"))
            .with_related(first, "first occurrence")
            .help("a base station belongs to one network, and is either there or removed; remove one of them");
    }

    fn replaced_twice(&mut self, mac: Mac, span: Span, first: Span) {
        self.diagnostics
            .error(DiagnosticCode::DuplicateBaseStation, span, format!("base station {mac} is replaced twice"))
            .with_related(first, "first replacement")
            .help("one base station takes the place of another; correct or remove one `replaces`");
    }

    fn replaced_and_present(&mut self, mac: Mac, span: Span, present: Span) {
        let message = format!("base station {mac} is replaced, but another entry says that it is there");
        self.diagnostics
            .error(DiagnosticCode::DuplicateBaseStation, span, message)
            .with_related(present, "this entry")
            .help("remove the entry of the base station that is replaced, or the `replaces`");
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
        let is_listed = |mac: Mac| listed.iter().any(|station| station.mac() == Some(mac));
        let replaced = plan.additions.iter().filter_map(|entry| entry.replaces.as_ref());
        let unknown = replaced.map(|old| old.value).find(|old| !is_listed(*old));
        let listed = listed.len();
        let span = plan.additions[plan.additions.len() - 1].mac.span;
        if after > max {
            let message =
                format!("{label:?} would have {}, a {model} has at most {max}", plural(after, "base station"));
            self.diagnostics.error(DiagnosticCode::TooManyBaseStations, span, message).help(match listed {
                1..=4 if unknown.is_some() => {
                    let unknown = unknown.map(|mac| mac.to_string()).unwrap_or_default();
                    format!("`replaces: {unknown}` names none of its base stations; it has {}", named.join(", "))
                }
                0 => "spread them over several networks".to_owned(),
                1..=4 => format!("it has {}; add `replaces` or `state: absent` for some", named.join(", ")),
                _ => "remove some of them with `state: absent` or `replaces`, or spread them over several networks"
                    .to_owned(),
            });
        } else if after > model.doubtful_base_stations() {
            let (count, limit) = (plural(after, "base station"), model.doubtful_base_stations());
            let message = format!("{label:?} would have {count}; some documents of Cisco mention a limit of {limit}");
            self.diagnostics
                .warning(DiagnosticCode::TooManyBaseStations, span, message)
                .help("Webex decides; the result of each base station is reported");
        }
    }
}

/// What the order of the changes of a location depends on.
#[derive(Clone, Copy)]
struct Arrangement<'r, 'a> {
    managed: &'r Managed<'a>,
    network_changes: &'r [NetworkChange<'a>],
    live: &'r LiveState,
    addresses: &'r Addresses,
    excluded: &'r OutOfScope<'r>,
}

/// Puts the changes of all networks of a location in order and adds what each of them needs.
fn arrange(
    plans: &[NetworkPlan<'_>],
    context: Arrangement<'_, '_>,
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
            match context.mover(entry, plan.owner, &removed_from) {
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

impl Arrangement<'_, '_> {
    /// What removes a base station from the network that it is in now, if it is in another one.
    fn mover(
        self,
        entry: &BaseStationEntry,
        owner: Owner,
        removed_from: &HashMap<(Owner, Mac), usize>,
    ) -> Result<Option<Need>, Box<Diagnostic>> {
        let mac = entry.mac.value;
        let Some(other) = self.addresses.listed.get(&mac).copied().filter(|other| Owner::Live(*other) != owner) else {
            return Ok(None);
        };
        if let Some(removal) = removed_from.get(&(Owner::Live(other), mac)) {
            return Ok(Some(Need::BaseStation(*removal)));
        }
        let deletes = |change: &NetworkChange<'_>| change.is_deletion() && change.network() == Some(other);
        if let Some(deletion) = self.network_changes.iter().position(deletes) {
            return Ok(Some(Need::Network(deletion)));
        }
        if let Some(giver) = self.excluded.giver(other, mac) {
            return Err(Box::new(half_move(mac, giver, entry.mac.span)));
        }
        let home: LocationIndex = self.live.location_of(other);
        let (network, place) = (&self.live.network(other).settings.name, &self.live.location(home).name);
        let message = format!("base station {mac} is in network {network:?} of {place:?}");
        let help = if home == self.managed.location {
            format!("add `{{ mac: {mac}, state: absent }}` to {network:?} to move it")
        } else {
            "a move between locations takes two runs: first `state: absent` there, then the addition here".to_owned()
        };
        Err(Box::new(
            Diagnostic::error(DiagnosticCode::BaseStationInOtherNetwork, message).with_span(entry.mac.span).help(help),
        ))
    }
}
