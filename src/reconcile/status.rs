//! Is the organization as the files say? Location by location, and since when it is not.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use secrecy::SecretString;

use super::inputs::Inputs;
use super::prepare::{PreparedPlan, expand_rules};
use crate::apply::matches_live;
use crate::diagnostic::Diagnostics;
use crate::model::{LocationId, Network, NetworkId};
use crate::plan::model::Change;
use crate::plan::{self, Scope};
use crate::storage::journal::ModifiedNetwork;
use crate::storage::{CodeAccess, RunDirectory, RunHistory};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationStatus {
    pub id: LocationId,
    pub name: String,
    /// How many of its networks the files speak of.
    pub managed: usize,
    /// Those that are not as the files say, by name.
    pub drifted: Vec<String>,
    /// When a run has left all of these as the files say now, if journals know: it has happened since.
    pub last_in_sync: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriftReport {
    /// The locations that the files speak of.
    pub locations: Vec<LocationStatus>,
    /// How many networks no file speaks of, in the whole organization.
    pub unmanaged: usize,
}

impl DriftReport {
    /// How many networks the files speak of.
    pub fn managed(&self) -> usize {
        self.locations.iter().map(|location| location.managed).sum()
    }

    /// How many networks are not as the files say.
    pub fn drifted(&self) -> usize {
        self.locations.iter().map(|location| location.drifted.len()).sum()
    }
}

/// Compares by location; journals in `journal_dir` tell since when.
pub fn status(
    prepare_wave: &PreparedPlan,
    inputs: &Inputs,
    scope: &Scope,
    journal_dir: &Path,
    key: Option<&SecretString>,
) -> DriftReport {
    let PreparedPlan { checked, live, .. } = prepare_wave;
    let expand_rules = expand_rules(&inputs.desired, scope, live, &mut Diagnostics::new());
    let managed = plan::managed_networks(expand_rules.as_ref().unwrap_or(&inputs.desired), live);
    let mut changes: HashMap<&LocationId, Vec<&Change>> = HashMap::new();
    for change in &checked.plan().changes {
        changes.entry(&change.location.id).or_default().push(change);
    }
    let right = last_in_sync_times(journal_dir, key, &checked.plan().changes);
    let mut locations = Vec::new();
    for (at, location) in live.locations().filter(|(_, location)| scope.includes_location(&location.name)) {
        let drifted = changes.remove(&location.id).unwrap_or_default();
        let is_meant = |network: &Network| {
            scope.includes_network(&network.settings, &network.settings)
                || drifted.iter().any(|change| change.network == network.id)
        };
        let networks = live.networks_of(at).filter(|(network, _)| managed.contains(network));
        let managed = networks.filter(|(_, network)| is_meant(network)).count();
        if managed == 0 {
            continue;
        }
        let times: Option<Vec<Timestamp>> = drifted.iter().map(|change| right.get(&change.network).copied()).collect();
        locations.push(LocationStatus {
            id: location.id.clone(),
            name: location.name.to_string(),
            managed,
            drifted: drifted.iter().map(|change| change.before.name.to_string()).collect(),
            last_in_sync: times.and_then(|times| times.into_iter().min()),
        });
    }
    DriftReport { locations, unmanaged: checked.plan().counts.unmanaged }
}

/// When a run has left a network as it is to be now: the newest of each.
fn last_in_sync_times(
    journal_dir: &Path,
    key: Option<&SecretString>,
    changes: &[Change],
) -> HashMap<NetworkId, Timestamp> {
    let mut right = HashMap::new();
    let Ok(runs) = RunDirectory::open(journal_dir) else { return right };
    if changes.is_empty() {
        return right;
    }
    let desired: HashMap<&NetworkId, &Change> = changes.iter().map(|change| (&change.network, change)).collect();
    for (_, journal, _) in runs.recent() {
        if right.len() == desired.len() {
            break;
        }
        let Ok(mut history) = RunHistory::read(&journal, CodeAccess::Skip) else { continue };
        let is_news =
            |touched: &ModifiedNetwork| desired.contains_key(&touched.network) && !right.contains_key(&touched.network);
        if !history.modified.iter().any(is_news) {
            continue;
        }
        // Opening sealed codes takes a second on purpose. Without its key a journal says nothing here.
        if history.is_encrypted {
            let Ok(opened) = RunHistory::read(&journal, CodeAccess::Decrypt(key)) else { continue };
            history = opened;
        }
        for touched in &history.modified {
            let Some(change) = desired.get(&touched.network) else { continue };
            if let [left_at] = &touched.final_states[..]
                && matches_live(left_at, &change.after)
            {
                right.entry(touched.network.clone()).or_insert(history.started_at);
            }
        }
    }
    right
}
