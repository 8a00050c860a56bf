//! Is the organization as the files say? Location by location, and since when it is not.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use secrecy::SecretString;

use super::inputs::Inputs;
use super::propose::{Proposal, expanded};
use crate::apply::shows;
use crate::diagnostic::Diagnostics;
use crate::model::{LocationId, Network, NetworkId};
use crate::plan::plan::Change;
use crate::plan::{self, Scope};
use crate::record::{Codes, History, Runs, Touched};

/// How a location stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationStatus {
    /// Its id.
    pub id: LocationId,
    /// Its name.
    pub name: String,
    /// How many of its networks the files speak of.
    pub managed: usize,
    /// Those that are not as the files say, by name.
    pub differing: Vec<String>,
    /// When a run has left all of these as the files say now, if journals know: it has happened since.
    pub right_at: Option<Timestamp>,
}

/// How everything stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The locations that the files speak of.
    pub locations: Vec<LocationStatus>,
    /// How many networks no file speaks of, in the whole organization.
    pub unmanaged: usize,
}

impl Status {
    /// How many networks the files speak of.
    pub fn managed(&self) -> usize {
        self.locations.iter().map(|location| location.managed).sum()
    }

    /// How many networks are not as the files say.
    pub fn differing(&self) -> usize {
        self.locations.iter().map(|location| location.differing.len()).sum()
    }
}

/// Compares by location; journals in `folder` tell since when.
pub fn status(
    proposal: &Proposal,
    inputs: &Inputs,
    scope: &Scope,
    folder: &Path,
    key: Option<&SecretString>,
) -> Status {
    let Proposal { proven, live, .. } = proposal;
    let expanded = expanded(&inputs.desired, scope, live, &mut Diagnostics::new());
    let managed = plan::spoken_for(expanded.as_ref().unwrap_or(&inputs.desired), live);
    let mut changes: HashMap<&LocationId, Vec<&Change>> = HashMap::new();
    for change in &proven.plan().changes {
        changes.entry(&change.location.id).or_default().push(change);
    }
    let right = last_right(folder, key, &proven.plan().changes);
    let mut locations = Vec::new();
    for (at, location) in live.locations().filter(|(_, location)| scope.has_location(&location.name)) {
        let differing = changes.remove(&location.id).unwrap_or_default();
        let is_meant = |network: &Network| {
            scope.has_network(&network.settings, &network.settings)
                || differing.iter().any(|change| change.network == network.id)
        };
        let networks = live.networks_of(at).filter(|(network, _)| managed.contains(network));
        let managed = networks.filter(|(_, network)| is_meant(network)).count();
        if managed == 0 {
            continue;
        }
        let times: Option<Vec<Timestamp>> =
            differing.iter().map(|change| right.get(&change.network).copied()).collect();
        locations.push(LocationStatus {
            id: location.id.clone(),
            name: location.name.to_string(),
            managed,
            differing: differing.iter().map(|change| change.before.name.to_string()).collect(),
            right_at: times.and_then(|times| times.into_iter().min()),
        });
    }
    Status { locations, unmanaged: proven.plan().counts.unmanaged }
}

/// When a run has left a network as it is to be now: the newest of each.
fn last_right(folder: &Path, key: Option<&SecretString>, changes: &[Change]) -> HashMap<NetworkId, Timestamp> {
    let mut right = HashMap::new();
    let Ok(runs) = Runs::in_folder(folder) else { return right };
    if changes.is_empty() {
        return right;
    }
    let desired: HashMap<&NetworkId, &Change> = changes.iter().map(|change| (&change.network, change)).collect();
    for (_, journal, _) in runs.newest() {
        if right.len() == desired.len() {
            break;
        }
        let Ok(mut history) = History::read(&journal, Codes::NotNeeded) else { continue };
        let is_news =
            |touched: &Touched| desired.contains_key(&touched.network) && !right.contains_key(&touched.network);
        if !history.touched.iter().any(is_news) {
            continue;
        }
        // Opening sealed codes takes a second on purpose. Without its key a journal says nothing here.
        if history.is_sealed {
            let Ok(opened) = History::read(&journal, Codes::OpenedWith(key)) else { continue };
            history = opened;
        }
        for touched in &history.touched {
            let Some(change) = desired.get(&touched.network) else { continue };
            if let [left_at] = &touched.left_at[..]
                && shows(left_at, &change.after)
            {
                right.entry(touched.network.clone()).or_insert(history.began);
            }
        }
    }
    right
}
