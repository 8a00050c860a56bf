//! Simulated organizations as a file: the first one as a list as Webex sends it, the others beside it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answers::ShownList;
use super::state::{State, StateError, parsed};

/// What a file says of organizations.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The one that is meant if no other is named.
    pub first: State,
    /// The others, by their ids.
    pub others: BTreeMap<String, State>,
}

/// A list of Webex has no field `organizations`.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    first: ShownList<'a>,
    #[serde(rename = "organizations", skip_serializing_if = "BTreeMap::is_empty")]
    others: BTreeMap<&'a str, ShownList<'a>>,
}

impl Kept {
    /// Reads what was kept, a list as Webex sends it, or a desired-state file such as `dectl export` writes; `name` is the
    /// path of the file.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn read(name: &str, text: String) -> Result<Self, StateError> {
        let start = text.trim_start_matches('\u{feff}').trim_start();
        if !start.starts_with(['{', '[']) {
            return Ok(Self { first: State::from_file(name, text)?, others: BTreeMap::new() });
        }
        let value = parsed(start)?;
        let mut others = BTreeMap::new();
        if !value["organizations"].is_null() {
            let wrong = || StateError::NotAList("its `organizations` are none".to_owned());
            for (id, list) in value["organizations"].as_object().ok_or_else(wrong)? {
                others.insert(id.clone(), State::from_value(list)?);
            }
        }
        Ok(Self { first: State::from_value(&value)?, others })
    }

    /// What can be read again.
    pub fn text<'a>(first: &'a State, others: impl IntoIterator<Item = (&'a str, &'a State)>) -> String {
        let others = others.into_iter().map(|(id, state)| (id, state.to_list())).collect();
        // Texts and numbers always serialize.
        serde_json::to_string_pretty(&Document { first: first.to_list(), others }).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let (first, other) = (State::generated(2, 3), State::generated(1, 1));
        let kept = Kept::read("x", Kept::text(&first, [("acme", &other)])).expect("what was kept");
        assert_eq!((kept.first.len(), kept.others["acme"].len()), (6, 1));
        let alone = Kept::text(&first, []);
        assert!(!alone.contains("organizations"));
        assert!(Kept::read("x", alone).expect("a list").others.is_empty());
    }
}
