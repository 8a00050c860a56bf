//! Adds the changes of one location to a plan, and the steps in their order: networks first, then each kind of devices, then
//! deletions that nothing has waited for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::model::{
    Change, ChangeIndex, ChangeSource, Dependency, LocationRef, NetworkDevices, NetworkRef, Plan, ResourceKind,
    ResourceState, Step, StepIndex, StepItem, UnchangedNetwork,
};
use super::owner::Owner;
use super::schedule::Schedule;
use crate::desired::model::Origin;
use crate::diagnostic::{Diagnostics, Sources, Span};
use crate::model::{Devices, LiveState, LocationIndex, NetworkIndex};
use crate::resources::network::compare::NetworkChange;

/// The largest number of devices in one request: that of handsets as Webex documents it; none is documented for base
/// stations.
pub const MAX_BATCH: usize = 50;

/// What changes of one kind in a location, and the requests that do it.
pub(crate) trait DeviceChanges {
    fn kind(&self) -> ResourceKind;

    /// How many are listed that no file names, in networks whose entries speak of this kind.
    fn unmanaged(&self) -> usize {
        0
    }

    fn is_empty(&self) -> bool;

    /// What changes, in the order of the plan.
    fn changes(&self) -> Vec<DeviceChange>;

    /// Adds the requests; `first` is the index of the first of the changes.
    fn add_steps(&self, first: ChangeIndex, planner: &mut LocationPlanner<'_, '_>, diagnostics: &mut Diagnostics);
}

/// Something of a network that is added, updated or removed.
pub(crate) struct DeviceChange {
    pub(crate) owner: Owner,
    pub(crate) before: Option<ResourceState>,
    pub(crate) after: Option<ResourceState>,
    /// The entry that asks for it.
    pub(crate) span: Span,
    /// What takes its place.
    pub(crate) replaced_by: Option<Arc<str>>,
}

/// All changes of a location.
pub(super) struct LocationChanges<'a> {
    pub(super) location: LocationIndex,
    pub(super) networks: Vec<NetworkChange<'a>>,
    pub(super) devices: Vec<Box<dyn DeviceChanges>>,
}

impl LocationChanges<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.devices.iter().all(|devices| devices.is_empty())
    }
}

/// Adds the changes and steps of one location to a plan.
pub(crate) struct LocationPlanner<'p, 'a> {
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
    pub(super) fn new(
        plan: &'p mut Plan,
        changes: &'p LocationChanges<'a>,
        live: &'p LiveState,
        sources: &'p Sources,
    ) -> Self {
        let location = live.location(changes.location);
        let location = LocationRef { id: location.id.clone(), name: location.name.clone() };
        let first_change = plan.changes.len();
        Self { plan, changes, live, sources, location, first_change, last_step: HashMap::new() }
    }

    pub(super) fn add(mut self, schedule: Schedule, diagnostics: &mut Diagnostics) {
        self.plan.is_minimal &= schedule.is_minimal;
        let devices: Vec<Vec<DeviceChange>> = self.changes.devices.iter().map(|devices| devices.changes()).collect();
        self.add_unchanged_networks(devices.iter().flatten());
        self.add_network_changes();
        let firsts: Vec<ChangeIndex> = devices.into_iter().map(|changes| self.add_device_changes(changes)).collect();
        self.add_network_steps(schedule);
        for (devices, first) in self.changes.devices.iter().zip(firsts) {
            devices.add_steps(first, &mut self, diagnostics);
        }
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

    fn add_unchanged_networks<'d>(&mut self, devices: impl Iterator<Item = &'d DeviceChange>) {
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
        let changed = devices.filter_map(|change| match change.owner {
            Owner::Live(network) => Some(network),
            Owner::Created(_) => None,
        });
        let deleted = self.changes.networks.iter().filter(|change| change.is_deletion());
        let with_devices = changed.chain(deleted.filter_map(NetworkChange::network));
        self.plan.devices.extend(NetworkDevices::of(with_devices, self.live));
    }

    fn add_network_changes(&mut self) {
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
    }

    /// Adds what changes of a kind of devices; returns the index of the first change.
    fn add_device_changes(&mut self, changes: Vec<DeviceChange>) -> ChangeIndex {
        let first = ChangeIndex(self.plan.changes.len());
        for DeviceChange { owner, before, after, span, replaced_by } in changes {
            let (network, network_name) = match owner {
                Owner::Live(at) => {
                    let network = self.live.network(at);
                    (NetworkRef::Live(network.id.clone()), network.settings.name.clone())
                }
                Owner::Created(at) => {
                    (NetworkRef::Created(self.network_change(at)), self.changes.networks[at].name().into())
                }
            };
            self.plan.changes.push(Change {
                location: self.location.clone(),
                network,
                network_name,
                before,
                after,
                contents: Vec::new(),
                replaced_by,
                source: file_source(span, self.sources),
            });
        }
        first
    }

    /// The next step.
    pub(crate) const fn next_step(&self) -> StepIndex {
        StepIndex(self.plan.steps.len())
    }

    pub(crate) fn push_step(&mut self, items: Vec<StepItem>, depends_on: Vec<Dependency>) {
        let at = self.next_step();
        self.last_step.extend(items.iter().map(|item| (item.change, at)));
        self.plan.steps.push(Step { items, depends_on });
    }

    /// The whole of a change as an item of a step.
    pub(crate) fn whole(&self, change: ChangeIndex) -> StepItem {
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

    /// That an item needs a change of a network: its creation, or its deletion, which is sent now unless it was already.
    pub(crate) fn needs_network(&mut self, item: ChangeIndex, at: usize) -> Option<Dependency> {
        if self.changes.networks[at].is_deletion() {
            self.delete_network(at);
        }
        self.needs(item, self.network_change(at))
    }

    /// That an item needs the network that it belongs to, if the plan creates that.
    pub(crate) fn needs_owner(&mut self, item: ChangeIndex, owner: Owner) -> Option<Dependency> {
        match owner {
            Owner::Live(_) => None,
            Owner::Created(network) => self.needs_network(item, network),
        }
    }

    /// That an item needs the last step of a change, if it has one.
    pub(crate) fn needs(&self, item: ChangeIndex, change: ChangeIndex) -> Option<Dependency> {
        self.last_step.get(&change).map(|step| Dependency { item, step: *step, change })
    }

    /// What the networks hold that the plan deletes, each with the index of its change.
    pub(crate) fn deleted_networks(&self) -> impl Iterator<Item = (usize, &'p Devices)> {
        let (changes, live) = (self.changes, self.live);
        let deleted = changes.networks.iter().enumerate().filter(|(_, change)| change.is_deletion());
        deleted.filter_map(|(at, change)| Some((at, live.devices(change.network()?))))
    }

    pub(crate) fn is_minimal_only_if(&mut self, is_minimal: bool) {
        self.plan.is_minimal &= is_minimal;
    }

    fn delete_network(&mut self, at: usize) {
        let change = self.network_change(at);
        if !self.last_step.contains_key(&change) {
            self.push_step(vec![self.whole(change)], Vec::new());
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
