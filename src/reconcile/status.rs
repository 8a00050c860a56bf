//! Drift per location, and when it was last in sync.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;

use super::drift::{BASELINE_VERSION, Baseline, BaselineKind, DriftItem, KnownDifference, LastStates};
use super::error::{Error, UnreadDevices};
use super::inputs::Inputs;
use super::prepare::{Details, Planned, PreparedPlan, checked_plan, read_details};
use crate::client::{ApiClient, Priority};
use crate::model::{LocationId, Network, NetworkIndex};
use crate::plan::model::{Change, PerKind};
use crate::plan::{self, Matches, Missing, Scope};
use crate::storage::{PlanKey, RunTarget};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationStatus {
    pub id: LocationId,
    pub name: String,
    /// Number of managed networks.
    pub managed: usize,
    /// All differences, in the order of the plan.
    pub differences: Vec<DriftItem>,
    /// When a recorded run last left all of the drifted networks in sync, if known.
    pub last_in_sync: Option<Timestamp>,
}

impl LocationStatus {
    /// Names of drifted networks: of those whose settings or devices differ, that are missing, or that should be deleted.
    /// Not of those with known differences alone.
    pub fn drifted(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for item in self.differences.iter().filter(|item| !item.is_known) {
            if !names.contains(&item.network.as_str()) {
                names.push(&item.network);
            }
        }
        names
    }
}

/// What a report of drift compares, and what it cannot.
pub struct PreparedStatus {
    pub prepared: PreparedPlan,
    /// The networks that entries or rules name.
    pub managed: HashSet<NetworkIndex>,
    /// What the inputs name and does not exist.
    pub missing: Vec<Missing>,
    /// Devices that cannot be read; they are not compared.
    pub unread: Vec<UnreadDevices>,
}

/// Prepares a plan for a report of drift. What a plan refuses, that something does not exist, is drift as well: it is taken
/// out of the inputs and returned, so that the rest is compared. Devices that cannot be read do not hide the rest, either.
///
/// # Errors
/// If a read fails or the inputs are invalid otherwise.
pub async fn prepare_status(inputs: &mut Inputs, scope: &Scope, client: &ApiClient) -> Result<PreparedStatus, Error> {
    let live = client.list_networks(Priority::Normal).await?;
    let listed = client.clock().now();
    let Details { live, unread, .. } = read_details(inputs, scope, live, client, async |_, _| Ok(())).await?;
    // What is protected is no matter of drift.
    inputs.desired.locations.iter_mut().for_each(|location| location.guarded.clear());
    let mut missing = Vec::new();
    // What hides behind one refusal is refused next.
    loop {
        match checked_plan(inputs, scope, &live, Matches::of(&inputs.desired, &live)) {
            Ok(Planned { checked, managed }) => {
                let prepared = PreparedPlan { checked, live, listed };
                return Ok(PreparedStatus { prepared, managed, missing, unread });
            }
            Err(Error::InvalidInput(invalid)) => {
                match plan::take_out_missing(&mut inputs.desired, &invalid.diagnostics, scope, &live) {
                    Some(found) => missing.extend(found),
                    None => return Err(Error::InvalidInput(invalid)),
                }
            }
            Err(error) => return Err(error),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriftReport {
    /// The managed locations.
    pub locations: Vec<LocationStatus>,
    /// What no file names: networks of the organization, and devices of the networks whose devices files name.
    pub unmanaged: PerKind<usize>,
    /// Handsets that have never registered, with their networks, of the networks whose handsets files name.
    pub never_registered: Vec<(String, String)>,
    /// Why the comparison is incomplete, or has failed.
    pub problems: Vec<String>,
}

impl DriftReport {
    /// Number of managed networks.
    pub fn managed(&self) -> usize {
        self.locations.iter().map(|location| location.managed).sum()
    }

    /// Number of drifted networks.
    pub fn drifted(&self) -> usize {
        self.locations.iter().map(|location| location.drifted().len()).sum()
    }

    /// Number of differences that the baseline has.
    pub fn known(&self) -> usize {
        self.locations.iter().flat_map(|location| &location.differences).filter(|item| item.is_known).count()
    }

    /// Number of differences that a baseline cannot have.
    pub fn not_acceptable(&self) -> usize {
        let items = self.locations.iter().flat_map(|location| &location.differences);
        items.filter(|item| !item.can_be_accepted()).count()
    }

    /// All differences as a baseline, sorted.
    pub fn to_baseline(&self) -> Baseline {
        let of_location = |location: &LocationStatus| -> Vec<KnownDifference> {
            let items = location.differences.iter().filter(|item| item.can_be_accepted());
            items.map(|item| KnownDifference::of(&location.id, item)).collect()
        };
        let mut differences: Vec<KnownDifference> = self.locations.iter().flat_map(of_location).collect();
        differences.sort();
        differences.dedup();
        Baseline { kind: BaselineKind::Baseline, format_version: BASELINE_VERSION, differences }
    }

    /// Marks the differences that a baseline has.
    pub fn mark_known(&mut self, baseline: &Baseline) {
        let known: HashSet<KnownDifference> =
            baseline.differences.iter().cloned().map(KnownDifference::unnamed).collect();
        for location in &mut self.locations {
            for item in &mut location.differences {
                let difference = KnownDifference::of(&location.id, item).unnamed();
                item.is_known = item.can_be_accepted() && known.contains(&difference);
            }
        }
    }
}

/// Compares per location; uses the journals in `journal_dir` to find when a network was last in sync.
pub fn status(
    prepared: &PreparedStatus,
    scope: &Scope,
    journal_dir: &Path,
    target: &RunTarget,
    key: Option<&PlanKey>,
) -> DriftReport {
    let PreparedStatus { prepared: PreparedPlan { checked, live, .. }, managed, missing, unread } = prepared;
    let mut changes: HashMap<&LocationId, Vec<&Change>> = HashMap::new();
    for change in &checked.plan().changes {
        changes.entry(&change.location.id).or_default().push(change);
    }
    let last = LastStates::read(journal_dir, target, key, &checked.plan().changes, !missing.is_empty());
    let mut locations = Vec::new();
    for (at, location) in live.locations().filter(|(_, location)| scope.includes_location(&location.name)) {
        let drifted = changes.remove(&location.id).unwrap_or_default();
        let is_meant = |network: &Network| {
            scope.includes_network(&network.settings, &network.settings)
                || drifted.iter().any(|change| change.network.id() == Some(&network.id))
        };
        let networks = live.networks_of(at).filter(|(network, _)| managed.contains(network));
        let missing = drifted.iter().filter(|change| change.is_network_creation());
        let managed = networks.filter(|(_, network)| is_meant(network)).count() + missing.count();
        if managed == 0 {
            continue;
        }
        let times: Option<Vec<Timestamp>> = drifted.iter().map(|change| last.in_sync_at(change)).collect();
        locations.push(LocationStatus {
            id: location.id.clone(),
            name: location.name.to_string(),
            managed,
            differences: drifted.iter().flat_map(|change| DriftItem::of(change, &last)).collect(),
            last_in_sync: times.and_then(|times| times.into_iter().min()),
        });
    }
    for Missing { location, location_name, network, handset } in missing {
        let at = locations.iter().position(|status| status.id == *location).unwrap_or_else(|| {
            let (id, name) = (location.clone(), location_name.clone());
            locations.push(LocationStatus { id, name, managed: 0, differences: Vec::new(), last_in_sync: None });
            locations.len() - 1
        });
        let status = &mut locations[at];
        // The network of a handset is counted.
        status.managed += usize::from(handset.is_none());
        let cause = if handset.is_none() { last.missing_network(location, network) } else { None };
        status.differences.push(DriftItem::missing(network.clone(), handset.clone(), cause));
        status.last_in_sync = None;
    }
    let read = live.networks().filter_map(|(at, network)| Some((network, live.handsets(at)?)));
    let never_registered = read.flat_map(|(network, handsets)| {
        let never = handsets.iter().filter(|handset| handset.last_registration.is_none());
        never.map(|handset| (network.settings.name.to_string(), handset.label()))
    });
    DriftReport {
        locations,
        unmanaged: checked.plan().counts.unmanaged,
        never_registered: never_registered.collect(),
        problems: unread.iter().map(ToString::to_string).collect(),
    }
}
