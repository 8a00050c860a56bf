//! Builds the undo of a run as a desired state.

use std::collections::BTreeMap;

use crate::apply::matches_live;
use crate::desired::{YamlWriter, writable_settings};
use crate::model::{LiveState, LocationId, NetworkId, SettingSet};
use crate::storage::RunHistory;
use crate::storage::journal::ModifiedNetwork;

#[derive(Clone, Debug)]
pub struct Undo {
    /// A desired-state file with the previous settings.
    pub yaml: String,
    pub networks: usize,
    /// Networks that were changed or deleted since the run, which are not touched.
    pub skipped: Vec<SkippedNetwork>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedNetwork {
    pub network: NetworkId,
    pub name: String,
    /// Its name now; `None` if it no longer exists.
    pub current_name: Option<String>,
}

/// Builds the previous settings of every network that is still as the run left it.
pub fn build_undo(history: &RunHistory, live: &LiveState) -> Undo {
    let mut skipped = Vec::new();
    let mut by_location: BTreeMap<&LocationId, Vec<(&ModifiedNetwork, SettingSet)>> = BTreeMap::new();
    for modified in &history.modified {
        let Some(now) = live.find(&modified.network).map(|at| &live.network(at).settings) else {
            skipped.push(SkippedNetwork {
                network: modified.network.clone(),
                name: modified.before.name.to_string(),
                current_name: None,
            });
            continue;
        };
        match modified.final_states.iter().find(|state| matches_live(now, state)) {
            Some(state) => {
                let changed = modified.before.diff(state);
                if !changed.is_empty() {
                    by_location.entry(&modified.location).or_default().push((modified, changed));
                }
            }
            None => skipped.push(SkippedNetwork {
                network: modified.network.clone(),
                name: modified.before.name.to_string(),
                current_name: Some(now.name.to_string()),
            }),
        }
    }
    let networks = by_location.values().map(Vec::len).sum();
    let mut file = YamlWriter::new(&format!("Undo of run {}.", history.run));
    for (location, modified) in by_location {
        let name = live.find_location(location).map(|at| live.location(at).name.to_string()).unwrap_or_default();
        file.location(location, &name);
        for (modified, changed) in modified {
            file.network(&modified.network, &modified.before, writable_settings(&modified.before, changed), None);
        }
    }
    Undo { yaml: file.finish(), networks, skipped }
}
