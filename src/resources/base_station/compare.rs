//! Compares desired with listed base stations: additions, removals, replacements and moves of a location.

use std::collections::{HashMap, HashSet};

use super::entry::{named_twice, replaced_and_present, replaced_twice};
use super::places::{Addresses, Context, NetworkPlan, OutOfScope, arrange};
use super::steps::BaseStationChanges;
use crate::desired::model::BaseStationEntry;
use crate::diagnostic::{DiagnosticCode, Diagnostics, Span, plural};
use crate::model::{BaseStation, LiveState, Mac, NetworkModel};
use crate::plan::Scope;
use crate::plan::matching::{EntryGroup, Managed};
use crate::plan::owner::{Owner, named_networks};
use crate::resources::network::compare::NetworkChange;

/// The changes of a location in the order of their requests, and the number of listed base stations that no file names.
pub(crate) fn compare(
    managed: &Managed<'_>,
    network_changes: &[NetworkChange<'_>],
    scope: &Scope,
    live: &LiveState,
    addresses: &mut Addresses,
    diagnostics: &mut Diagnostics,
) -> BaseStationChanges {
    let mut unmanaged = 0;
    let mut plans = Vec::new();
    let excluded = OutOfScope::of(managed, scope, live);
    for (owner, model, group) in named_networks(managed, network_changes, scope, live) {
        let listed = match owner {
            Owner::Live(at) => live.base_stations(at),
            Owner::Created(_) => Some(&[][..]),
        };
        let Some(listed) = listed else { continue };
        let mut comparison = Comparison { label: owner.label(group, live), addresses, diagnostics };
        plans.extend(comparison.network(owner, model, listed, group, &mut unmanaged));
    }
    excluded.report_half_moves(&plans, network_changes, live, diagnostics);
    let context = Context { managed, network_changes, live, addresses, excluded: &excluded };
    BaseStationChanges { changes: arrange(&plans, context, diagnostics), unmanaged }
}

struct Comparison<'r> {
    /// The name of the network in messages.
    label: &'r str,
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
            group.entries().filter_map(|entry| entry.devices.base_stations.as_ref()).collect();
        if lists.is_empty() {
            return None;
        }
        let by_mac: HashMap<Mac, &BaseStation> =
            listed.iter().filter_map(|station| Some((station.mac()?, station))).collect();
        let mut plan =
            NetworkPlan { owner, additions: Vec::new(), removals: Vec::new(), replaced: Vec::new(), free: usize::MAX };
        let entries: Vec<&'a BaseStationEntry> = lists.into_iter().flatten().collect();
        let replacing = self.replacements(&entries);
        let seen = self.find_listed(&entries, &replacing, &by_mac, &mut plan);
        let replaced = self.find_replaced(&entries, &seen, &by_mac, &mut plan);
        let named = |station: &&BaseStation| {
            station.mac().is_some_and(|mac| seen.contains_key(&mac) || replaced.contains(&mac))
        };
        *unmanaged += listed.iter().filter(|station| !named(station)).count();
        if let Some(model) = model {
            self.check_limit(model, listed, &plan);
            plan.free = model.max_base_stations().saturating_sub(listed.len());
        }
        Some(plan)
    }

    /// The addresses that are replaced, each by the last entry that says so; reports those that several replace.
    fn replacements(&mut self, entries: &[&BaseStationEntry]) -> HashSet<Mac> {
        let mut replacing: HashMap<Mac, Span> = HashMap::new();
        for old in entries.iter().filter_map(|entry| entry.replaces.as_ref()) {
            if let Some(first) = replacing.insert(old.value, old.span) {
                replaced_twice(old.value, old.span, first, self.diagnostics);
            }
        }
        replacing.into_keys().collect()
    }

    /// What is added and removed; returns the entry of each address.
    fn find_listed<'a>(
        &mut self,
        entries: &[&'a BaseStationEntry],
        replacing: &HashSet<Mac>,
        by_mac: &HashMap<Mac, &BaseStation>,
        plan: &mut NetworkPlan<'a>,
    ) -> HashMap<Mac, &'a BaseStationEntry> {
        let mut seen: HashMap<Mac, &BaseStationEntry> = HashMap::new();
        for entry in entries.iter().copied() {
            if let Some(first) = seen.insert(entry.mac.value, entry) {
                named_twice(entry.mac.value, entry.mac.span, first.mac.span, self.diagnostics);
                continue;
            }
            let found = by_mac.get(&entry.mac.value);
            match (entry.is_absent, found) {
                // The same said twice: it is replaced, which is no deletion.
                (true, _) if replacing.contains(&entry.mac.value) => {}
                (true, Some(station)) => plan.removals.extend(self.removal(entry, station, entry.mac.span)),
                (true, None) => {
                    let message = format!("base station {} is not in {:?}", entry.mac.value, self.label);
                    self.diagnostics
                        .warning(DiagnosticCode::AlreadyAbsent, entry.mac.span, message)
                        .help("remove the entry");
                }
                (false, _) => {
                    if let Some(first) = self.addresses.desired.insert(entry.mac.value, entry.mac.span) {
                        named_twice(entry.mac.value, entry.mac.span, first, self.diagnostics);
                    } else if found.is_none() {
                        plan.additions.push(entry);
                    }
                }
            }
        }
        seen
    }

    /// What is replaced; returns its addresses.
    fn find_replaced<'a>(
        &mut self,
        entries: &[&'a BaseStationEntry],
        seen: &HashMap<Mac, &BaseStationEntry>,
        by_mac: &HashMap<Mac, &BaseStation>,
        plan: &mut NetworkPlan<'a>,
    ) -> HashSet<Mac> {
        let mut replaced = HashSet::new();
        for (entry, old) in entries.iter().copied().filter_map(|entry| Some((entry, entry.replaces.as_ref()?))) {
            if let Some(other) = seen.get(&old.value).filter(|other| !other.is_absent) {
                replaced_and_present(old.value, old.span, other.mac.span, self.diagnostics);
            } else if let Some(station) = by_mac.get(&old.value)
                && replaced.insert(old.value)
            {
                plan.replaced.extend(self.removal(entry, station, old.span));
            } else if !by_mac.contains_key(&old.value) && plan.additions.iter().any(|added| added.mac == entry.mac) {
                let (label, mac) = (self.label, old.value);
                let message = format!("no base station of {label:?} has the address {mac}: nothing is replaced");
                self.diagnostics.warning(DiagnosticCode::NothingReplaced, old.span, message).help(
                    "check the address: what is not replaced stays in use; without `replaces` the entry only adds",
                );
            }
        }
        replaced
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

    fn check_limit(&mut self, model: NetworkModel, listed: &[BaseStation], plan: &NetworkPlan<'_>) {
        if plan.additions.is_empty() {
            return;
        }
        let after = (listed.len() + plan.additions.len()).saturating_sub(plan.removals.len() + plan.replaced.len());
        let (label, max) = (self.label, model.max_base_stations());
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
