//! The way back from a run, as a desired state like any other.

use std::collections::BTreeMap;

use crate::apply::shows;
use crate::desired::{YamlWriter, writable_settings};
use crate::model::{LiveState, LocationId, NetworkId, SettingSet};
use crate::record::{History, Touched};

/// The way back.
#[derive(Clone, Debug)]
pub struct WayBack {
    /// A desired-state file that asks for what was before.
    pub text: String,
    /// How many networks it speaks of.
    pub networks: usize,
    /// Networks that are not as the run left them: somebody has changed or deleted them since, so they stay.
    pub left_alone: Vec<LeftAlone>,
}

/// A network that is not touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// Its id.
    pub network: NetworkId,
    /// What it is called now; `None` if it is gone.
    pub name: Option<String>,
}

/// Asks for what was before a run, for every network that is still as the run has left it.
pub fn way_back(history: &History, live: &LiveState) -> WayBack {
    let mut left_alone = Vec::new();
    let mut by_location: BTreeMap<&LocationId, Vec<(&Touched, SettingSet)>> = BTreeMap::new();
    for touched in &history.touched {
        let Some(now) = live.find(&touched.network).map(|at| &live.network(at).settings) else {
            left_alone.push(LeftAlone { network: touched.network.clone(), name: None });
            continue;
        };
        match touched.left_at.iter().find(|left_at| shows(now, left_at)) {
            Some(left_at) => {
                let changed = touched.before.diff(left_at);
                if !changed.is_empty() {
                    by_location.entry(&touched.location).or_default().push((touched, changed));
                }
            }
            None => left_alone.push(LeftAlone { network: touched.network.clone(), name: Some(now.name.to_string()) }),
        }
    }
    let networks = by_location.values().map(Vec::len).sum();
    let mut file = YamlWriter::new(&format!("The way back from the run {}.", history.run));
    for (location, touched) in by_location {
        let name = live.find_location(location).map(|at| live.location(at).name.to_string()).unwrap_or_default();
        file.location(location, &name);
        for (touched, changed) in touched {
            file.network(&touched.network, &touched.before, writable_settings(&touched.before, changed), None);
        }
    }
    WayBack { text: file.finish(), networks, left_alone }
}
