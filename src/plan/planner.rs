//! Entry point of the planner: computes a plan, or reports everything that prevents one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::conflicts;
use super::matching::Matches;
use super::model::{
    Change, ChangeAction, ChangeIndex, ChangeSource, Counts, Dependency, LocationRef, NetworkDevices, NetworkRef,
    PerKind, Plan, ResourceState, Step, StepIndex, StepItem, UnchangedNetwork, Warning,
};
use super::owner::Owner;
use super::schedule::{Schedule, schedule};
use super::scope::{Scope, apply_scope};
use crate::desired::model::{Desired, Origin};
use crate::diagnostic::{Diagnostic, Diagnostics, Sources, Span};
use crate::model::{HANDSET_INTERVAL, Handset, LiveState, LocationIndex, NetworkIndex, nfc};
use crate::resources::base_station::compare as base_stations;
use crate::resources::base_station::places::{Addresses, BaseStationChange, Need};
use crate::resources::handset::compare::{self as handsets, HandsetChange};
use crate::resources::handset::lines::{Giver, LineOrder, Part};
use crate::resources::handset::members::Members;
use crate::resources::network::compare::{self as networks, NetworkChange};
use crate::resources::serviceability_password::compare::{self as passwords, PasswordChange};

/// The largest number of devices in one request: that of handsets as Webex documents it; none is documented for base
/// stations.
pub const MAX_BATCH: usize = 50;

/// Plans the changes from `live` to `desired`.
///
/// # Errors
/// All diagnostics, if one of them is an error: ambiguous or unknown networks, names and codes that are already used,
/// updates that lack a required setting. Warnings alone become part of the plan.
pub fn build(desired: &Desired, live: &LiveState, sources: &Sources) -> Result<Plan, Diagnostics> {
    build_scoped(&Matches::of(desired, live), &Scope::default(), live, sources)
}

/// The same from entries that were matched with `live`, limited to a scope.
///
/// # Errors
/// As [`build`]; also if a change depends on one that is out of scope.
pub fn build_scoped(
    matches: &Matches<'_>,
    scope: &Scope,
    live: &LiveState,
    sources: &Sources,
) -> Result<Plan, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut plan = Plan {
        counts: Counts {
            locations: live.locations().len(),
            listed: PerKind {
                network: live.len(),
                ..PerKind::from_fn(|kind| live.networks().filter_map(|(at, _)| live.devices(at).count(kind)).sum())
            },
            unmanaged: PerKind { network: live.len(), ..PerKind::default() },
            ..Counts::default()
        },
        is_minimal: true,
        handset_interval: HANDSET_INTERVAL,
        ..Plan::default()
    };
    let located = compare_locations(matches, scope, live, &mut diagnostics);
    if diagnostics.has_errors() {
        diagnostics.sort();
        return Err(diagnostics);
    }
    for (changes, counts) in located {
        plan.counts.unmanaged.network -= counts.managed;
        plan.counts.unmanaged.base_station += counts.unmanaged_base_stations;
        plan.counts.unmanaged.handset += counts.unmanaged_handsets;
        plan.counts.unchanged += counts.unchanged;
        plan.counts.out_of_scope += counts.out_of_scope;
        if changes.is_empty() {
            continue;
        }
        if let Some(schedule) = schedule(changes.location, &changes.networks, live, &mut diagnostics) {
            let lines = changes.line_order(live, &mut diagnostics);
            LocationPlanner::new(&mut plan, &changes, live, sources).add(schedule, &lines);
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    plan.warnings = diagnostics.iter().map(|diagnostic| warning(diagnostic, sources)).collect();
    Ok(plan)
}

/// What the comparison of a location has counted.
pub(super) struct LocationCounts {
    /// Networks that files name.
    managed: usize,
    unchanged: usize,
    out_of_scope: usize,
    unmanaged_base_stations: usize,
    unmanaged_handsets: usize,
}

/// All changes of the managed locations, before they are ordered.
pub(super) fn compare_locations<'a>(
    matches: &Matches<'a>,
    scope: &Scope,
    live: &'a LiveState,
    diagnostics: &mut Diagnostics,
) -> Vec<(LocationChanges<'a>, LocationCounts)> {
    diagnostics.extend(matches.diagnostics.iter().cloned());
    let mut located = Vec::new();
    let mut addresses = Addresses::of(live);
    let members = Members::of(live);
    for managed in &matches.managed {
        let (changes, unchanged) = networks::compare(managed, live, diagnostics);
        if managed.complete {
            conflicts::find(managed.location, &changes, live, diagnostics);
        }
        let (networks, out_of_scope) = apply_scope(managed.location, changes, scope, live, diagnostics);
        let (base_stations, unmanaged_base_stations) =
            base_stations::compare(managed, &networks, scope, live, &mut addresses, diagnostics);
        let (handsets, unmanaged_handsets) = handsets::compare(managed, &networks, scope, live, &members, diagnostics);
        let passwords = passwords::compare(managed, &networks, scope, live, diagnostics);
        let managed_networks = managed.networks.len() + managed.deleted.len();
        located.push((
            LocationChanges { location: managed.location, networks, base_stations, handsets, passwords },
            LocationCounts {
                managed: managed_networks,
                unchanged,
                out_of_scope,
                unmanaged_base_stations,
                unmanaged_handsets,
            },
        ));
    }
    located
}

/// All changes of a location.
pub(super) struct LocationChanges<'a> {
    pub(super) location: LocationIndex,
    pub(super) networks: Vec<NetworkChange<'a>>,
    pub(super) base_stations: Vec<BaseStationChange>,
    pub(super) handsets: Vec<HandsetChange>,
    pub(super) passwords: Vec<PasswordChange>,
}

impl LocationChanges<'_> {
    const fn is_empty(&self) -> bool {
        self.networks.is_empty()
            && self.base_stations.is_empty()
            && self.handsets.is_empty()
            && self.passwords.is_empty()
    }

    /// The order of the handset changes.
    fn line_order(&self, live: &LiveState, diagnostics: &mut Diagnostics) -> LineOrder {
        let deleted = self.networks.iter().enumerate().filter(|(_, change)| change.is_deletion());
        let held = deleted.filter_map(|(at, change)| Some((at, live.handsets(change.network()?)?)));
        let order = LineOrder::of(&self.handsets, &held.collect::<Vec<_>>());
        order.warn(&self.handsets, diagnostics);
        order
    }
}

/// Adds the changes and steps of one location to a plan.
struct LocationPlanner<'p, 'a> {
    plan: &'p mut Plan,
    changes: &'p LocationChanges<'a>,
    live: &'p LiveState,
    sources: &'p Sources,
    location: LocationRef,
    first_change: usize,
    /// The last step of each change that has one.
    last_step: HashMap<ChangeIndex, StepIndex>,
}

impl<'p, 'a> LocationPlanner<'p, 'a> {
    fn new(plan: &'p mut Plan, changes: &'p LocationChanges<'a>, live: &'p LiveState, sources: &'p Sources) -> Self {
        let location = live.location(changes.location);
        let location = LocationRef { id: location.id.clone(), name: location.name.clone() };
        let first_change = plan.changes.len();
        Self { plan, changes, live, sources, location, first_change, last_step: HashMap::new() }
    }

    fn add(mut self, schedule: Schedule, lines: &LineOrder) {
        self.plan.is_minimal &= schedule.is_minimal && lines.is_minimal();
        self.add_unchanged_networks();
        self.add_changes();
        self.add_network_steps(schedule);
        self.add_base_station_steps();
        self.add_handset_steps(lines);
        self.add_password_steps();
        // What no step has waited for is deleted last.
        let deletions = self.changes.networks.iter().enumerate().filter(|(_, change)| change.is_deletion());
        let deletions: Vec<usize> = deletions.map(|(at, _)| at).collect();
        for deletion in deletions {
            self.delete_network(deletion);
        }
    }

    fn network_change(&self, at: usize) -> ChangeIndex {
        ChangeIndex(self.first_change + at)
    }

    fn base_station_change(&self, at: usize) -> ChangeIndex {
        ChangeIndex(self.first_change + self.changes.networks.len() + at)
    }

    fn handset_change(&self, at: usize) -> ChangeIndex {
        ChangeIndex(self.first_change + self.changes.networks.len() + self.changes.base_stations.len() + at)
    }

    fn password_change(&self, at: usize) -> ChangeIndex {
        ChangeIndex(self.handset_change(self.changes.handsets.len()).0 + at)
    }

    fn add_unchanged_networks(&mut self) {
        let changed: HashSet<NetworkIndex> = self.changes.networks.iter().filter_map(NetworkChange::network).collect();
        for (at, network) in self.live.networks_of(self.changes.location) {
            if !changed.contains(&at) {
                self.plan.unchanged_networks.push(UnchangedNetwork {
                    location: self.location.id.clone(),
                    network: network.id.clone(),
                    settings: network.settings.clone(),
                });
            }
        }
        let owners = self.changes.base_stations.iter().map(|change| change.owner);
        let owners = owners.chain(self.changes.handsets.iter().map(|change| change.owner));
        let owners = owners.chain(self.changes.passwords.iter().map(|change| change.owner));
        let changed = owners.filter_map(|owner| match owner {
            Owner::Live(network) => Some(network),
            Owner::Created(_) => None,
        });
        let deleted = self.changes.networks.iter().filter(|change| change.is_deletion());
        let with_devices = changed.chain(deleted.filter_map(NetworkChange::network));
        self.plan.devices.extend(NetworkDevices::of(with_devices, self.live));
    }

    fn add_changes(&mut self) {
        for (at, change) in self.changes.networks.iter().enumerate() {
            let source = source(&change.entry.origin, self.sources);
            let name: Arc<str> = change.name().into();
            let state = |settings: &crate::model::Settings, model: Option<Arc<str>>| ResourceState::Network {
                settings: settings.clone(),
                model,
            };
            let live = change.network().map(|network| self.live.network(network));
            let is_update = live.is_some() && change.after.is_some();
            self.plan.changes.push(Change {
                location: self.location.clone(),
                network: match live {
                    Some(network) => NetworkRef::Live(network.id.clone()),
                    None => NetworkRef::Created(self.network_change(at)),
                },
                network_name: name,
                before: live.map(|live| state(&live.settings, live.model.clone().filter(|_| !is_update))),
                after: change
                    .after
                    .as_ref()
                    .map(|after| state(after, change.model.map(|model| model.api_name().into()))),
                contents: change
                    .network()
                    .filter(|_| change.is_deletion())
                    .map_or_else(Vec::new, |at| ResourceState::all(self.live.devices(at))),
                replaced_by: None,
                source,
            });
        }
        for change in &self.changes.base_stations {
            let station = ResourceState::BaseStation(change.station.clone());
            let (before, after) = if change.is_removal { (Some(station), None) } else { (None, Some(station)) };
            let replaced_by = change.replaced_by.map(|mac| mac.to_string().into());
            let change = self.device_change(change.owner, before, after, change.span);
            self.plan.changes.push(Change { replaced_by, ..change });
        }
        for change in &self.changes.handsets {
            let state = |handset: &Option<Handset>| handset.clone().map(ResourceState::from);
            let change = self.device_change(change.owner, state(&change.before), state(&change.after), change.span);
            self.plan.changes.push(change);
        }
        for change in &self.changes.passwords {
            let [before, after] = [change.before, change.after].map(ResourceState::ServiceabilityPassword);
            let change = self.device_change(change.owner, Some(before), Some(after), change.span);
            self.plan.changes.push(change);
        }
    }

    fn device_change(
        &self,
        owner: Owner,
        before: Option<ResourceState>,
        after: Option<ResourceState>,
        span: Span,
    ) -> Change {
        let (network, network_name) = match owner {
            Owner::Live(at) => {
                let network = self.live.network(at);
                (NetworkRef::Live(network.id.clone()), network.settings.name.clone())
            }
            Owner::Created(at) => {
                (NetworkRef::Created(self.network_change(at)), self.changes.networks[at].name().into())
            }
        };
        Change {
            location: self.location.clone(),
            network,
            network_name,
            before,
            after,
            contents: Vec::new(),
            replaced_by: None,
            source: file_source(span, self.sources),
        }
    }

    fn push_step(&mut self, items: Vec<StepItem>, depends_on: Vec<Dependency>) {
        let at = StepIndex(self.plan.steps.len());
        self.last_step.extend(items.iter().map(|item| (item.change, at)));
        self.plan.steps.push(Step { items, depends_on });
    }

    /// The whole of a change as an item of a step.
    fn whole(&self, change: ChangeIndex) -> StepItem {
        StepItem::whole(change, &self.plan[change])
    }

    fn add_network_steps(&mut self, schedule: Schedule) {
        let first_step = self.plan.steps.len();
        let mut current: HashMap<ChangeIndex, Option<ResourceState>> = HashMap::new();
        let of_step: Vec<usize> = schedule.steps.iter().map(|step| step.of).collect();
        for step in schedule.steps {
            let change = self.network_change(step.of);
            let mut item = self.whole(change);
            if let Some(settings) = step.interim {
                item.to = Some(ResourceState::Network { settings, model: None });
            }
            if let Some(from) = current.insert(change, item.to.clone()) {
                item.from = from;
            }
            let depends_on = step.depends_on.into_iter().map(|at| Dependency {
                item: change,
                step: StepIndex(first_step + at),
                change: self.network_change(of_step[at]),
            });
            let depends_on = depends_on.collect();
            self.push_step(vec![item], depends_on);
        }
    }

    fn delete_network(&mut self, at: usize) {
        let change = self.network_change(at);
        if !self.last_step.contains_key(&change) {
            self.push_step(vec![self.whole(change)], Vec::new());
        }
    }

    /// In the order of `lines`, in as few requests as possible.
    fn add_handset_steps(&mut self, order: &LineOrder) {
        let changes = &self.changes.handsets;
        // Results of additions are told apart by name.
        let added_name = |at: usize| {
            let change = &changes[at];
            let name = change.after.as_ref()?.custom_name.as_deref()?;
            (change.action() == ChangeAction::Create).then(|| nfc(name))
        };
        // What goes in one request if it fits.
        let key = |part: &Part| match *part {
            Part::Whole(at) if changes[at].action() != ChangeAction::Update => {
                (Ok(changes[at].owner), changes[at].action())
            }
            Part::Whole(at) | Part::Interim(at) => (Err(*part), changes[at].action()),
        };
        let mut done: HashMap<Part, StepIndex> = HashMap::new();
        for same in order.parts.chunk_by(|one, other| key(one) == key(other)) {
            let names: Vec<Option<String>> = same.iter().map(|part| added_name(part.change())).collect();
            for batch in handsets::batches(&names, MAX_BATCH) {
                let parts: Vec<Part> = batch.into_iter().map(|at| same[at]).collect();
                let depends_on = parts.iter().flat_map(|part| self.line_dependencies(*part, order, &done)).collect();
                let at = StepIndex(self.plan.steps.len());
                done.extend(parts.iter().map(|part| (*part, at)));
                let items = parts.into_iter().map(|part| self.handset_item(part, order)).collect();
                self.push_step(items, depends_on);
            }
        }
    }

    /// A request about a handset as an item of a step.
    fn handset_item(&self, part: Part, order: &LineOrder) -> StepItem {
        let at = part.change();
        let mut item = self.whole(self.handset_change(at));
        let half = order.interim(at, &self.changes.handsets[at]).map(ResourceState::from);
        match part {
            Part::Interim(_) => item.to = half,
            Part::Whole(_) => item.from = half.or(item.from),
        }
        item
    }

    /// What must be done before a request about a handset: the creation of its network, its interim step, and whatever has a
    /// line that it takes.
    fn line_dependencies(&mut self, part: Part, order: &LineOrder, done: &HashMap<Part, StepIndex>) -> Vec<Dependency> {
        let at = part.change();
        let item = self.handset_change(at);
        let mut needed: Vec<(ChangeIndex, Option<StepIndex>)> = Vec::new();
        if let Owner::Created(network) = self.changes.handsets[at].owner {
            let creation = self.network_change(network);
            needed.push((creation, self.last_step.get(&creation).copied()));
        }
        if let Part::Whole(_) = part {
            needed.push((item, done.get(&Part::Interim(at)).copied()));
        }
        for giver in order.givers(part) {
            needed.push(match giver {
                Giver::Handset(other) => (self.handset_change(other.change()), done.get(&other).copied()),
                Giver::Network(network) => {
                    self.delete_network(network);
                    let change = self.network_change(network);
                    (change, self.last_step.get(&change).copied())
                }
            });
        }
        needed.into_iter().filter_map(|(change, step)| Some(Dependency { item, step: step?, change })).collect()
    }

    /// Behind everything else that is sent about their networks, which they may reboot.
    fn add_password_steps(&mut self) {
        for at in 0..self.changes.passwords.len() {
            let item = self.password_change(at);
            let depends_on = match self.changes.passwords[at].owner {
                Owner::Live(_) => None,
                Owner::Created(network) => {
                    let change = self.network_change(network);
                    self.last_step.get(&change).map(|step| Dependency { item, step: *step, change })
                }
            };
            self.push_step(vec![self.whole(item)], depends_on.into_iter().collect());
        }
    }

    fn add_base_station_steps(&mut self) {
        let changes = self.changes;
        let mut at = 0;
        while let Some(first) = changes.base_stations.get(at) {
            let same_batch =
                |change: &&BaseStationChange| !change.is_removal && change.owner == first.owner && !first.is_removal;
            let batch = changes.base_stations[at..].iter().take_while(same_batch).count().clamp(1, MAX_BATCH);
            let mut depends_on = Vec::new();
            for (place, change) in changes.base_stations.iter().enumerate().skip(at).take(batch) {
                let item = self.base_station_change(place);
                for need in &change.needs {
                    let needed = match need {
                        Need::BaseStation(needed) => self.base_station_change(*needed),
                        Need::Network(needed) => {
                            if changes.networks[*needed].is_deletion() {
                                self.delete_network(*needed);
                            }
                            self.network_change(*needed)
                        }
                    };
                    let step = self.last_step.get(&needed).copied();
                    depends_on.extend(step.map(|step| Dependency { item, step, change: needed }));
                }
            }
            let items = (at..at + batch).map(|place| self.whole(self.base_station_change(place))).collect();
            self.push_step(items, depends_on);
            at += batch;
        }
    }
}

fn source(origin: &Origin, sources: &Sources) -> ChangeSource {
    match origin {
        Origin::File(span) => file_source(*span, sources),
        Origin::Rule { label, .. } => ChangeSource::Rule { rule: label.clone() },
    }
}

pub(super) fn file_source(span: Span, sources: &Sources) -> ChangeSource {
    let place = sources.resolve(span);
    ChangeSource::File { file: place.file, line: place.line }
}

/// Converts a warning for the plan.
pub fn warning(diagnostic: &Diagnostic, sources: &Sources) -> Warning {
    let place = diagnostic.span.map(|span| sources.resolve(span));
    Warning {
        code: diagnostic.code.as_str().into(),
        message: diagnostic.message.as_str().into(),
        file: place.as_ref().map(|place| place.file.clone()),
        line: place.map(|place| place.line),
    }
}
