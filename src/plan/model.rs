//! The plan: pure data that people read, store, compare, prove and carry out. It does not know how it was made.

use std::fmt;
use std::sync::Arc;

use crate::model::{LocationId, NetworkId, SettingSet, Settings};

/// What would be done, and everything needed to check it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The networks that change, grouped by location.
    pub changes: Vec<Change>,
    /// The requests, in an order that is safe; those of a location stand together.
    pub steps: Vec<Step>,
    /// The networks of the locations that are touched which themselves stay as they are.
    pub unchanged_networks: Vec<UnchangedNetwork>,
    pub counts: Counts,
    /// Whether no smaller number of steps could do.
    pub is_minimal: bool,
    /// What is odd, but no reason to stop.
    pub warnings: Vec<Warning>,
}

impl Plan {
    pub fn interim(&self) -> usize {
        self.steps.iter().filter(|step| step.kind == StepKind::Interim).count()
    }
}

/// How many of what, beyond changes and steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub locations: usize,
    pub networks: usize,
    /// Networks that are as the file says already.
    pub unchanged: usize,
    pub unmanaged: usize,
    /// Networks that would change, and that the run was narrowed to leave out.
    pub out_of_scope: usize,
}

/// A location as a plan names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LocationRef {
    pub id: LocationId,
    pub name: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub location: LocationRef,
    pub network: NetworkId,
    pub before: Settings,
    pub after: Settings,
    pub changed_settings: SettingSet,
    pub source: ChangeSource,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChangeSource {
    File {
        file: Arc<str>,
        /// The line of the entry, from 1.
        line: u32,
    },
    Rule {
        /// The rule: where it stands in a file, or the command that it was given to.
        rule: Arc<str>,
    },
}

impl fmt::Display for ChangeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Rule { rule } => write!(f, "rule {rule}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which of the plan's changes it belongs to.
    pub change: usize,
    /// Whether the network reaches its final state by it.
    pub kind: StepKind,
    /// All four settings, as they are sent.
    pub settings: Settings,
    /// What differs from where the network stands before this step.
    pub changes: SettingSet,
    /// The steps that must have been acknowledged first, as indexes into the plan's steps.
    pub depends_on: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// The network gets what it is to have.
    Final,
    /// The network steps aside, so that others can move.
    Interim,
}

/// A network that stays as it is, in a location where others change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnchangedNetwork {
    pub location: LocationId,
    pub network: NetworkId,
    pub settings: Settings,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Warning {
    pub code: Arc<str>,
    pub message: Arc<str>,
    pub file: Option<Arc<str>>,
    /// The line it is about, from 1.
    pub line: Option<u32>,
}
