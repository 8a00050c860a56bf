//! The plan as data, independent of how it was computed.

use std::fmt;
use std::sync::Arc;

use crate::model::{LocationId, NetworkId, SettingSet, Settings};

/// A plan, and everything that is needed to check it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The networks that change, grouped by location.
    pub changes: Vec<Change>,
    /// The requests in a safe order, grouped by location.
    pub steps: Vec<Step>,
    /// Unchanged networks of the affected locations.
    pub unchanged_networks: Vec<UnchangedNetwork>,
    pub counts: Counts,
    /// Whether the number of steps is proven minimal.
    pub is_minimal: bool,
    /// Warnings that do not prevent the apply.
    pub warnings: Vec<Warning>,
}

impl Plan {
    pub fn interim(&self) -> usize {
        self.steps.iter().filter(|step| step.kind == StepKind::Interim).count()
    }
}

/// Further counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub locations: usize,
    pub networks: usize,
    /// Managed networks that are already in sync.
    pub unchanged: usize,
    pub unmanaged: usize,
    /// Networks that would change but are out of scope.
    pub out_of_scope: usize,
}

/// Reference to a location.
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
        /// The line of the entry, 1-based.
        line: u32,
    },
    Rule {
        /// The rule: its position in a file, or the command.
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
    /// Index of the change.
    pub change: usize,
    /// Whether this step reaches the final state.
    pub kind: StepKind,
    /// All four settings, as they are sent.
    pub settings: Settings,
    /// Settings that differ from the state before this step.
    pub changes: SettingSet,
    /// Indexes of the steps that must be acknowledged first.
    pub depends_on: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// Sets the final state.
    Final,
    /// A temporary rename that releases a name or code for another network.
    Interim,
}

/// An unchanged network of an affected location.
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
    /// The line, 1-based.
    pub line: Option<u32>,
}
