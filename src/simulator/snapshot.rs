//! Saves simulated organizations to a file: the default one in the format of a Webex list, the others next to it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::responses::{NetworkListJson, SnapshotNetworkJson};
use super::state::{SimulatedState, StateError, parse_json};

#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The default organization.
    pub default: SimulatedState,
    pub additional: BTreeMap<String, SimulatedState>,
}

/// Absent in a list of Webex.
#[derive(Serialize)]
struct SnapshotJson<'a> {
    #[serde(flatten)]
    default: NetworkListJson<SnapshotNetworkJson<'a>>,
    #[serde(rename = "organizations", skip_serializing_if = "BTreeMap::is_empty")]
    additional: BTreeMap<&'a str, NetworkListJson<SnapshotNetworkJson<'a>>>,
}

impl Snapshot {
    /// Parses a snapshot, a list of Webex, or a desired-state file as written by `dectl export`; `name` is the
    /// path of the file.
    ///
    /// # Errors
    /// If it is in none of these formats.
    pub fn read(name: &str, text: String) -> Result<Self, StateError> {
        let start = text.trim_start_matches('\u{feff}').trim_start();
        if !start.starts_with(['{', '[']) {
            return Ok(Self { default: SimulatedState::from_file(name, text)?, additional: BTreeMap::new() });
        }
        let value = parse_json(start)?;
        let mut additional = BTreeMap::new();
        if !value["organizations"].is_null() {
            let wrong = || StateError::NotAList("invalid `organizations`".to_owned());
            for (id, list) in value["organizations"].as_object().ok_or_else(wrong)? {
                additional.insert(id.clone(), SimulatedState::from_value(list)?);
            }
        }
        Ok(Self { default: SimulatedState::from_value(&value)?, additional })
    }

    pub fn text<'a>(
        default: &'a SimulatedState,
        additional: impl IntoIterator<Item = (&'a str, &'a SimulatedState)>,
    ) -> String {
        let additional = additional.into_iter().map(|(id, state)| (id, state.to_list())).collect();
        // Strings and numbers always serialize.
        serde_json::to_string_pretty(&SnapshotJson { default: default.to_list(), additional }).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_round_trips() {
        let (default, other) = (SimulatedState::generated(2, 3), SimulatedState::generated(1, 1));
        let kept = Snapshot::read("x", Snapshot::text(&default, [("acme", &other)])).expect("what was kept");
        assert_eq!((kept.default.len(), kept.additional["acme"].len()), (6, 1));
        let alone = Snapshot::text(&default, []);
        assert!(!alone.contains("organizations"));
        assert!(Snapshot::read("x", alone).expect("a list").additional.is_empty());
    }
}
