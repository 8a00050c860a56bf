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
    /// How many of what.
    pub counts: Counts,
    /// Whether no smaller number of steps could do.
    pub is_minimal: bool,
    /// What is odd, but no reason to stop.
    pub warnings: Vec<Warning>,
}

impl Plan {
    /// How many steps are interim.
    pub fn interim(&self) -> usize {
        self.steps.iter().filter(|step| step.kind == StepKind::Interim).count()
    }
}

/// How many of what, beyond changes and steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Locations that were listed.
    pub locations: usize,
    /// Networks that were listed.
    pub networks: usize,
    /// Networks that are as the file says already.
    pub unchanged: usize,
    /// Networks that no entry speaks of.
    pub unmanaged: usize,
    /// Networks that would change, and that the run was narrowed to leave out.
    pub out_of_scope: usize,
}

/// A location as a plan names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LocationRef {
    /// Its id.
    pub id: LocationId,
    /// Its name.
    pub name: Arc<str>,
}

/// What changes on one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The location of the network.
    pub location: LocationRef,
    /// Its id.
    pub network: NetworkId,
    /// What it is like now.
    pub before: Settings,
    /// What it will be like.
    pub after: Settings,
    /// Which settings differ.
    pub changed_settings: SettingSet,
    /// Who wants it so.
    pub source: ChangeSource,
}

/// Who wants a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChangeSource {
    /// An entry of a file.
    File {
        /// The file as it was named.
        file: Arc<str>,
        /// The line of the entry, from 1.
        line: u32,
    },
    /// A rule computed it.
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

/// One request.
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

/// What a step is for.
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
    /// Its location.
    pub location: LocationId,
    /// Its id.
    pub network: NetworkId,
    /// What it is like.
    pub settings: Settings,
}

/// Something odd.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Warning {
    /// What kind of finding it is.
    pub code: Arc<str>,
    /// What is odd.
    pub message: Arc<str>,
    /// The file it is about.
    pub file: Option<Arc<str>>,
    /// The line it is about, from 1.
    pub line: Option<u32>,
}
