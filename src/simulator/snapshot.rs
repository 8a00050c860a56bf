//! Simulated organizations as a file: the first one as a list as Webex sends it, the others beside it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::responses::NetworkListJson;
use super::state::{SimulatedState, StateError, parse_json};

#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The one that is meant if no other is named.
    pub default: SimulatedState,
    pub additional: BTreeMap<String, SimulatedState>,
}

/// A list of Webex has no field `organizations`.
#[derive(Serialize)]
struct SnapshotJson<'a> {
    #[serde(flatten)]
    default: NetworkListJson<'a>,
    #[serde(rename = "organizations", skip_serializing_if = "BTreeMap::is_empty")]
    additional: BTreeMap<&'a str, NetworkListJson<'a>>,
}

impl Snapshot {
    /// Reads what was kept, a list as Webex sends it, or a desired-state file such as `dectl export` writes; `name` is the
    /// path of the file.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn read(name: &str, text: String) -> Result<Self, StateError> {
        let start = text.trim_start_matches('\u{feff}').trim_start();
        if !start.starts_with(['{', '[']) {
            return Ok(Self { default: SimulatedState::from_file(name, text)?, additional: BTreeMap::new() });
        }
        let value = parse_json(start)?;
        let mut additional = BTreeMap::new();
        if !value["organizations"].is_null() {
            let wrong = || StateError::NotAList("its `organizations` are none".to_owned());
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
        // Texts and numbers always serialize.
        serde_json::to_string_pretty(&SnapshotJson { default: default.to_list(), additional }).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let (default, other) = (SimulatedState::generated(2, 3), SimulatedState::generated(1, 1));
        let kept = Snapshot::read("x", Snapshot::text(&default, [("acme", &other)])).expect("what was kept");
        assert_eq!((kept.default.len(), kept.additional["acme"].len()), (6, 1));
        let alone = Snapshot::text(&default, []);
        assert!(!alone.contains("organizations"));
        assert!(Snapshot::read("x", alone).expect("a list").additional.is_empty());
    }
}
