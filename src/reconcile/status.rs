//! Drift per location, and when it was last in sync.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;

use super::error::Error;
use super::error::UnreadDevices;
use super::inputs::Inputs;
use super::prepare::{PreparedPlan, checked_plan, expand_rules, read_details};
use crate::apply::matches_live;
use crate::client::{ApiClient, Priority};
use crate::diagnostic::Diagnostics;
use crate::model::{LocationId, Network, NetworkId};
use crate::plan::model::{Change, ChangeAction, PerKind, ResourceKind};
use crate::plan::{self, Missing, Scope};
use crate::storage::journal::ModifiedNetwork;
use crate::storage::{CodeAccess, PlanKey, RunDirectory, RunHistory, RunTarget};
use crate::webex::calls;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationStatus {
    pub id: LocationId,
    pub name: String,
    /// Number of managed networks.
    pub managed: usize,
    /// Names of drifted networks: of those whose settings or devices differ, that are missing, or that should be deleted.
    pub drifted: Vec<String>,
    /// When a recorded run last left all of the drifted networks in sync, if known.
    pub last_in_sync: Option<Timestamp>,
}

/// What a report of drift compares, and what it cannot.
pub struct PreparedStatus {
    pub prepared: PreparedPlan,
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
    let live = client.read(&calls::list_networks(), Priority::Normal).await?;
    let listed = client.clock().now();
    let (live, unread) = read_details(inputs, scope, live, client).await?;
    let mut missing = Vec::new();
    // What hides behind one refusal is refused next.
    loop {
        match checked_plan(inputs, scope, &live) {
            Ok(checked) => {
                let prepared = PreparedPlan { checked, live, listed };
                return Ok(PreparedStatus { prepared, missing, unread });
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
}

impl DriftReport {
    /// Number of managed networks.
    pub fn managed(&self) -> usize {
        self.locations.iter().map(|location| location.managed).sum()
    }

    /// Number of drifted networks.
    pub fn drifted(&self) -> usize {
        self.locations.iter().map(|location| location.drifted.len()).sum()
    }
}

/// Compares per location; uses the journals in `journal_dir` to find when a network was last in sync.
pub fn status(
    prepared: &PreparedPlan,
    missing: &[Missing],
    inputs: &Inputs,
    scope: &Scope,
    journal_dir: &Path,
    target: &RunTarget,
    key: Option<&PlanKey>,
) -> DriftReport {
    let PreparedPlan { checked, live, .. } = prepared;
    let expanded = expand_rules(&inputs.desired, scope, live, &mut Diagnostics::new());
    let managed = plan::managed_networks(expanded.as_ref().unwrap_or(&inputs.desired), live);
    let mut changes: HashMap<&LocationId, Vec<&Change>> = HashMap::new();
    for change in &checked.plan().changes {
        changes.entry(&change.location.id).or_default().push(change);
    }
    let right = last_in_sync_times(journal_dir, target, key, &checked.plan().changes);
    let mut locations = Vec::new();
    for (at, location) in live.locations().filter(|(_, location)| scope.includes_location(&location.name)) {
        let drifted = changes.remove(&location.id).unwrap_or_default();
        let is_meant = |network: &Network| {
            scope.includes_network(&network.settings, &network.settings)
                || drifted.iter().any(|change| change.network.id() == Some(&network.id))
        };
        let networks = live.networks_of(at).filter(|(network, _)| managed.contains(network));
        let missing = drifted
            .iter()
            .filter(|change| change.kind() == ResourceKind::Network && change.action() == ChangeAction::Create);
        let managed = networks.filter(|(_, network)| is_meant(network)).count() + missing.count();
        if managed == 0 {
            continue;
        }
        let times: Option<Vec<Timestamp>> =
            drifted.iter().map(|change| right.get(change.network.id()?).copied()).collect();
        locations.push(LocationStatus {
            id: location.id.clone(),
            name: location.name.to_string(),
            managed,
            drifted: drifted_names(&drifted),
            last_in_sync: times.and_then(|times| times.into_iter().min()),
        });
    }
    for Missing { location, location_name, network, handset } in missing {
        let at = locations.iter().position(|status| status.id == *location).unwrap_or_else(|| {
            let (id, name) = (location.clone(), location_name.clone());
            locations.push(LocationStatus { id, name, managed: 0, drifted: Vec::new(), last_in_sync: None });
            locations.len() - 1
        });
        let status = &mut locations[at];
        // The network of a handset is counted.
        status.managed += usize::from(handset.is_none());
        if !status.drifted.contains(network) {
            status.drifted.push(network.clone());
        }
        status.last_in_sync = None;
    }
    let read = live.networks().filter_map(|(at, network)| Some((network, live.handsets(at)?)));
    let never_registered = read.flat_map(|(network, handsets)| {
        let never = handsets.iter().filter(|handset| handset.last_registration.is_none());
        never.map(|handset| (network.settings.name.to_string(), handset.label()))
    });
    DriftReport { locations, unmanaged: checked.plan().counts.unmanaged, never_registered: never_registered.collect() }
}

/// The names of the networks that differ from the files, or whose devices do.
fn drifted_names(changes: &[&Change]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for change in changes {
        let name = change.network_name.to_string();
        if names.last() != Some(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The latest time a run left each network in its desired state.
fn last_in_sync_times(
    journal_dir: &Path,
    target: &RunTarget,
    key: Option<&PlanKey>,
    changes: &[Change],
) -> HashMap<NetworkId, Timestamp> {
    let mut right = HashMap::new();
    let Ok(runs) = RunDirectory::open(journal_dir) else { return right };
    if changes.is_empty() {
        return right;
    }
    let updates = changes.iter().filter(|change| change.action() == ChangeAction::Update);
    let desired: HashMap<&NetworkId, &Change> =
        updates.filter_map(|change| Some((change.network.id()?, change))).collect();
    for (_, journal, _) in runs.recent() {
        if right.len() == desired.len() {
            break;
        }
        let Ok(mut history) = RunHistory::read(&journal, CodeAccess::Skip) else { continue };
        let is_news =
            |touched: &ModifiedNetwork| desired.contains_key(&touched.network) && !right.contains_key(&touched.network);
        if !history.identity.target.is_same(target) || !history.modified.iter().any(is_news) {
            continue;
        }
        // Decrypting takes a second by design, so encrypted journals are skipped.
        if history.is_encrypted {
            let Ok(opened) = RunHistory::read(&journal, CodeAccess::Decrypt(key)) else { continue };
            history = opened;
        }
        for touched in &history.modified {
            let Some(change) = desired.get(&touched.network) else { continue };
            if let [left_at] = &touched.final_states[..]
                && change.settings_after().is_some_and(|after| matches_live(left_at, after))
            {
                right.entry(touched.network.clone()).or_insert(history.started_at);
            }
        }
    }
    right
}
