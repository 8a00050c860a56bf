//! Change limit for unattended runs.

use std::fmt;
use std::str::FromStr;

use super::model::{Change, ChangeAction, Plan, ResourceKind};
use crate::diagnostic::plural;

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
pub enum TooManyChanges {
    #[error("refusing to change {things} without confirmation (at most {most}); pass --max-changes {all} to allow it")]
    Changes {
        /// What is changed, counted, and of how many.
        things: String,
        /// How many may be.
        most: String,
        /// The number of all changes of the plan.
        all: usize,
    },
    /// More is deleted than `--max-deletes` allows.
    #[error("refusing to delete {deletions}; pass --max-deletes {number} to allow it{}", if *.allowed > 0 { format!(" (allowed: {allowed})") } else { String::new() })]
    Deletions {
        /// What is deleted, counted.
        deletions: String,
        number: usize,
        allowed: usize,
    },
}

/// The limits of an unattended run that a plan exceeds, all at once.
pub fn exceeded_limits(
    plan: &Plan,
    max_changes: Option<MaxChanges>,
    max_deletes: Option<usize>,
) -> Vec<TooManyChanges> {
    let checked = [check_deletions(plan, max_deletes), check_change_limit(plan, max_changes)];
    checked.into_iter().filter_map(Result::err).collect()
}

/// Checks whether a plan may be applied without confirmation.
///
/// # Errors
/// If it changes more than 100 things, or more than 10 of one kind that are also more than 30 % of those that were read,
/// unless `max_changes` allows it. An explicit number always applies.
pub(super) fn check_change_limit(plan: &Plan, max_changes: Option<MaxChanges>) -> Result<(), TooManyChanges> {
    let all = plan.changes.len();
    let exceeds = |kind: ResourceKind| {
        let read = plan.counts.listed[kind];
        let changes = plan.changes.iter().filter(|change| change.kind() == kind).count();
        // What is created is no part of what is there; a site that opens is not a fleet that is overwritten.
        let touched = changes - plan.count(kind, ChangeAction::Create);
        let is_large = touched > SMALL_PLAN && touched * 100 > read * UNATTENDED_MAX_PERCENT;
        let things = || format!("{touched} of {}", plural(read, kind.noun()));
        is_large.then(|| TooManyChanges::Changes { things: things(), most: format!("{UNATTENDED_MAX_PERCENT} %"), all })
    };
    let allowed = match max_changes {
        Some(MaxChanges::All) => true,
        Some(MaxChanges::Number(number)) => all <= number,
        None => {
            if let Some(refusal) = ResourceKind::ALL.into_iter().find_map(exceeds) {
                return Err(refusal);
            }
            all <= UNATTENDED_MAX_CHANGES
        }
    };
    if allowed {
        return Ok(());
    }
    let is_creation = |change: &&Change| change.action() == ChangeAction::Create;
    let is_only_networks = plan.changes.iter().all(|change| change.kind() == ResourceKind::Network);
    let things = if is_only_networks && !plan.changes.iter().any(|change| is_creation(&change)) {
        format!("{all} of {}", plural(plan.counts.listed.network, "network"))
    } else {
        let created = plan.changes.iter().filter(is_creation).count();
        format!("{} ({created} created)", plural(all, "thing"))
    };
    let most = max_changes.map_or_else(|| UNATTENDED_MAX_CHANGES.to_string(), |most| most.to_string());
    Err(TooManyChanges::Changes { things, most, all })
}

/// Checks whether a plan may delete as much as it does.
///
/// # Errors
/// If it deletes more than `max_deletes` things; the default is none.
pub fn check_deletions(plan: &Plan, max_deletes: Option<usize>) -> Result<(), TooManyChanges> {
    let (number, allowed) = (plan.deleted().len(), max_deletes.unwrap_or(0));
    if number <= allowed {
        return Ok(());
    }
    Err(TooManyChanges::Deletions { deletions: describe_deletions(plan), number, allowed })
}

/// What a plan deletes, counted by kind: `1 network, 3 base stations and 14 handsets`.
pub fn describe_deletions(plan: &Plan) -> String {
    let deleted = plan.deleted();
    let count = |kind: ResourceKind| deleted.iter().filter(|state| state.kind() == kind).count();
    let counted = ResourceKind::ALL.map(|kind| (count(kind), kind));
    let parts: Vec<String> =
        counted.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| plural(*count, kind.noun())).collect();
    match &parts[..] {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{ChangeSource, Counts, LocationRef, PerKind};
    use super::*;
    use crate::model::{LocationId, NetworkId, Settings};

    fn plan(changes: usize, networks: usize) -> Plan {
        let settings = Settings { name: "x".into(), display_name: None, code_enabled: None, code: None };
        let location = LocationRef { id: LocationId::new("l"), name: "l".into() };
        let source = ChangeSource::File { file: "f".into(), line: 1 };
        let change = Change::update(location, NetworkId::new("n"), settings.clone(), settings, source);
        let listed = PerKind { network: networks, ..PerKind::default() };
        Plan { changes: vec![change; changes], counts: Counts { listed, ..Counts::default() }, ..Plan::default() }
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
