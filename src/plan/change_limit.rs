//! Change limit for unattended runs.

use std::fmt;
use std::str::FromStr;

use super::model::Plan;

/// More changes require confirmation, regardless of the size of the organization.
const UNATTENDED_MAX_CHANGES: usize = 100;

/// Up to this many changes, the fraction is not checked.
const SMALL_PLAN: usize = 10;

/// Maximum fraction of the organization, in percent.
const UNATTENDED_MAX_PERCENT: usize = 30;

/// The value of `--max-changes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxChanges {
    Number(usize),
    All,
}

impl FromStr for MaxChanges {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            _ => text.parse().map(Self::Number).map_err(|_| "use a number or `all`".to_owned()),
        }
    }
}

impl fmt::Display for MaxChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::All => f.write_str("all"),
        }
    }
}

/// The plan exceeds the change limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "refusing to change {changes} of {networks} networks without confirmation; pass --max-changes {changes} to allow it"
)]
pub struct TooManyChanges {
    pub changes: usize,
    pub networks: usize,
}

/// Checks whether a plan may be applied without confirmation.
///
/// # Errors
/// If it changes more than 100 networks, or more than 10 that are also more than 30 % of all, unless
/// `max_changes` allows it. An explicit number always applies.
pub fn check_change_limit(plan: &Plan, max_changes: Option<MaxChanges>) -> Result<(), TooManyChanges> {
    let (changes, networks) = (plan.changes.len(), plan.counts.networks);
    let allowed = match max_changes {
        Some(MaxChanges::All) => true,
        Some(MaxChanges::Number(number)) => changes <= number,
        None => {
            changes <= UNATTENDED_MAX_CHANGES
                && (changes <= SMALL_PLAN || changes * 100 <= networks * UNATTENDED_MAX_PERCENT)
        }
    };
    if allowed { Ok(()) } else { Err(TooManyChanges { changes, networks }) }
}

#[cfg(test)]
mod tests {
    use super::super::model::{Change, ChangeSource, Counts, LocationRef};
    use super::*;
    use crate::model::{LocationId, NetworkId, SettingSet, Settings};

    fn plan(changes: usize, networks: usize) -> Plan {
        let settings = Settings { name: "x".into(), display_name: None, code_enabled: None, code: None };
        let change = Change {
            location: LocationRef { id: LocationId::new("l"), name: "l".into() },
            network: NetworkId::new("n"),
            before: settings.clone(),
            after: settings,
            changed_settings: SettingSet::NONE,
            source: ChangeSource::File { file: "f".into(), line: 1 },
        };
        Plan { changes: vec![change; changes], counts: Counts { networks, ..Counts::default() }, ..Plan::default() }
    }

    #[test]
    fn few_changes_are_allowed() {
        assert!(check_change_limit(&plan(10, 10), None).is_ok());
        assert!(check_change_limit(&plan(30, 100), None).is_ok());
        assert!(check_change_limit(&plan(31, 100), None).is_err());
        assert!(check_change_limit(&plan(100, 10_000), None).is_ok());
        assert!(check_change_limit(&plan(101, 10_000), None).is_err());
    }

    #[test]
    fn max_changes_is_enforced() {
        assert!(check_change_limit(&plan(101, 200), Some(MaxChanges::Number(101))).is_ok());
        assert!(check_change_limit(&plan(3, 200), Some(MaxChanges::Number(2))).is_err());
        assert!(check_change_limit(&plan(9_999, 9_999), Some(MaxChanges::All)).is_ok());
    }
}
