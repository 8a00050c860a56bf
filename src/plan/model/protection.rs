//! What files protect or freeze: its updates and deletions are refused unless they are allowed by name.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, ChangeSource, LocationRef, NetworkRef};
use crate::model::{NameKey, NetworkId};
use crate::plan::is_temporary;

/// What keeps the networks of a location, or one of them, from being changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Protection {
    pub location: LocationRef,
    /// Absent if it is about the whole location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<ProtectedNetwork>,
    /// When a freeze ends; absent for what is protected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// Why it is frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    pub source: ChangeSource,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProtectedNetwork {
    pub id: NetworkId,
    pub name: Arc<str>,
}

impl Protection {
    /// What is protected, to a reader and for `--allow`.
    pub fn name(&self) -> &str {
        self.network.as_ref().map_or(&self.location.name, |network| &network.name)
    }

    /// Whether it keeps a change from being made. What is created was not there to be protected, and a network with a temporary
    /// name is in the middle of a change that was allowed.
    fn is_about(&self, change: &Change) -> bool {
        let NetworkRef::Live(id) = &change.network else { return false };
        if is_temporary(&change.network_name) {
            return false;
        }
        self.location.id == change.location.id && self.network.as_ref().is_none_or(|network| network.id == *id)
    }

    /// Whether it still holds.
    fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether a name allows a change all the same: that of what is protected, or of the network that changes, alone or after
    /// the name of its location and a slash. Its new name does, too, unless another network has that now.
    fn is_allowed(&self, change: &Change, changes: &[Change], name: &str) -> bool {
        let name = NameKey::of(name);
        let is_held = |after: &&Arc<str>| {
            changes.iter().any(|other| {
                other.location.id == change.location.id
                    && other.network != change.network
                    && NameKey::of(&other.network_name) == NameKey::of(after)
            })
        };
        let is_named = |network: &Arc<str>| {
            name == NameKey::of(network) || name == NameKey::of(&format!("{}/{network}", change.location.name))
        };
        let after = change.settings_after().map(|after| &after.name);
        // Looking for who holds the name is last, since it asks all changes.
        name == NameKey::of(self.name())
            || is_named(&change.network_name)
            || after.is_some_and(|after| is_named(after) && !is_held(&after))
    }
}

impl fmt::Display for Protection {
    /// `"Oslo HQ" is frozen until 2027-01-04T00:00:00Z (holidays; networks.yaml:3)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason.as_deref().map(|reason| format!("{reason}; ")).unwrap_or_default();
        match self.until {
            Some(until) => write!(f, "{:?} is frozen until {until} ({reason}{})", self.name(), self.source),
            None => write!(f, "{:?} is protected ({})", self.name(), self.source),
        }
    }
}

/// What a plan changes although it is protected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Protections {
    /// Those that the plan meets.
    pub met: Vec<Protection>,
    /// What was allowed by name.
    pub allowed: Vec<Arc<str>>,
}

impl Protections {
    pub const fn is_empty(&self) -> bool {
        self.met.is_empty()
    }

    /// Allows what has these names.
    pub fn allow(&mut self, names: &[String]) {
        self.allowed.extend(names.iter().map(|name| name.as_str().into()));
    }

    /// Adds those of another plan, and what was allowed for it.
    pub fn join(&mut self, other: Self) {
        for protection in other.met {
            if !self.met.contains(&protection) {
                self.met.push(protection);
            }
        }
        self.allowed.extend(other.allowed);
    }

    /// Keeps those that hold and that some of these changes meet.
    pub fn retain_met(&mut self, changes: &[Change], now: Timestamp) {
        self.met.retain(|protection| protection.holds(now) && changes.iter().any(|change| protection.is_about(change)));
    }

    /// Each protection that some of these changes meet, with how many of them it refuses at `now`.
    pub fn refused<'a>(
        &'a self,
        changes: &'a [Change],
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a Protection, usize)> + 'a {
        self.met.iter().filter(move |protection| protection.holds(now)).map(move |protection| {
            let is_allowed =
                |change: &&Change| self.allowed.iter().any(|name| protection.is_allowed(change, changes, name));
            let met = changes.iter().filter(|change| protection.is_about(change));
            (protection, met.filter(|change| !is_allowed(change)).count())
        })
    }

    /// The names that would allow what is refused, each once, freezes that may have ended until then included.
    pub fn refused_names<'a>(&'a self, changes: &'a [Change]) -> Vec<&'a str> {
        let refused = self.refused(changes, Timestamp::MIN).filter(|(_, refused)| *refused > 0);
        let mut names: Vec<&str> = Vec::new();
        for (protection, _) in refused {
            if !names.contains(&protection.name()) {
                names.push(protection.name());
            }
        }
        names
    }

    /// The allowed names that allow none of these changes, as a misspelled one does.
    pub fn unused<'a>(&'a self, changes: &'a [Change]) -> impl Iterator<Item = &'a Arc<str>> + 'a {
        self.allowed.iter().filter(move |name| {
            let allows = |protection: &Protection| {
                let mut met = changes.iter().filter(|change| protection.is_about(change));
                met.any(|change| protection.is_allowed(change, changes, name))
            };
            !self.met.iter().any(allows)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LocationId, Settings};

    fn settings(name: &str) -> Settings {
        Settings { name: name.into(), display_name: None, code_enabled: None, code: None }
    }

    fn change(location: &str, id: &str, before: &str, after: &str) -> Change {
        let location = LocationRef { id: LocationId::new(location), name: location.into() };
        let source = ChangeSource::File { file: "f.yaml".into(), line: 1 };
        Change::update(location, NetworkId::new(id), settings(before), settings(after), source)
    }

    fn protection(network: Option<&str>, until: Option<&str>) -> Protection {
        Protection {
            location: LocationRef { id: LocationId::new("Oslo"), name: "Oslo".into() },
            network: network.map(|id| ProtectedNetwork { id: NetworkId::new(id), name: "Ward 1".into() }),
            until: until.map(|until| until.parse().expect("a time")),
            reason: None,
            source: ChangeSource::File { file: "f.yaml".into(), line: 3 },
        }
    }

    #[test]
    fn what_is_refused_and_which_names_allow_it() {
        let now: Timestamp = "2026-12-24T12:00:00Z".parse().expect("a time");
        let changes = [
            change("Oslo", "1", "Ward 1", "Ward 01"),
            change("Oslo", "2", "Ward 2", "Ward 02"),
            change("Bergen", "3", "Ward 1", "Ward 01"),
        ];
        let ended = Some("2026-12-24T12:00:00Z");
        for (network, until, allowed, refused) in [
            (None, None, None, 2),
            (None, None, Some("oslo"), 0),
            (None, None, Some("Ward 02"), 1),
            (None, None, Some("Oslo/Ward 2"), 1),
            (None, None, Some("Bergen/Ward 2"), 2),
            (Some("1"), None, None, 1),
            (Some("1"), None, Some("Ward 1"), 0),
            (Some("1"), None, Some("Ward 2"), 1),
            // Who allows a location has not allowed what is protected by itself.
            (Some("1"), None, Some("Oslo"), 1),
            (Some("1"), Some("2026-12-24T12:00:01Z"), None, 1),
        ] {
            let allowed = allowed.into_iter().map(Arc::from).collect();
            let protections = Protections { met: vec![protection(network, until)], allowed };
            let found: Vec<usize> = protections.refused(&changes, now).map(|(_, count)| count).collect();
            assert_eq!(found, [refused], "{network:?} {until:?} {:?}", protections.allowed);
        }
        let mut over = Protections { met: vec![protection(None, ended)], allowed: Vec::new() };
        assert_eq!(over.refused(&changes, now).count(), 0, "a freeze ends at its time");
        over.retain_met(&changes, now);
        assert!(over.is_empty());
        let mut elsewhere = Protections { met: vec![protection(Some("9"), None)], allowed: Vec::new() };
        elsewhere.retain_met(&changes, now);
        assert!(elsewhere.is_empty());
    }
}
