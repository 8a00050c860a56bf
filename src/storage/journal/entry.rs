//! One line of a journal.

use schemars::JsonSchema;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{LocationId, NetworkId, Settings};
use crate::plan::model::{LocationRef, Operation, Plan, ResourceState, StepKind};
use crate::storage::encryption::PlanKey;
use crate::storage::state_json::{SettingsJson, StateJson};

pub(super) const FORMAT_VERSION: u32 = 1;

/// One journal entry: something that a run did or is about to do. Contains access codes.
#[derive(Clone, Debug)]
pub enum JournalEntry {
    RunStarted {
        /// Run id, also the file stem.
        run: String,
        /// Number of networks to change.
        changes: usize,
        steps: usize,
        identity: RunIdentity,
    },
    /// An operation that creates or deletes something is about to be sent.
    OperationStarted {
        location: LocationRef,
        operation: Operation,
        /// The network that it is about; `None` if it is created.
        network: Option<NetworkId>,
        items: Vec<JournalItem>,
    },
    OperationFinished {
        operation: Operation,
        results: Vec<JournalItemResult>,
    },
    /// A request that changes handsets or lines of a network is sent now, so that the next one must wait.
    HandsetsChanging {
        network: NetworkId,
    },
    /// A write is about to be sent, as soon as rate limits and locks permit.
    WriteStarted {
        location: LocationId,
        network: NetworkId,
        kind: WriteKind,
        /// Settings before the write, as far as known.
        before: Settings,
        settings: Settings,
    },
    WriteFinished {
        network: NetworkId,
        kind: WriteKind,
        end: WriteOutcome,
    },
    RunFinished {
        outcome: RunOutcome,
    },
}

/// What the key of an item begins with that is put back where the run had removed it.
pub const REVERT_PREFIX: &str = "revert ";

/// One thing that an operation creates or deletes.
#[derive(Clone, Debug)]
pub struct JournalItem {
    /// What tells it from the other changes of the run.
    pub key: String,
    pub before: Option<ResourceState>,
    pub after: Option<ResourceState>,
    /// What goes with a deleted network.
    pub contents: Vec<ResourceState>,
    /// The address of the base station that takes the place of a removed one.
    pub replaced_by: Option<String>,
}

/// What became of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalItemResult {
    pub key: String,
    pub end: WriteOutcome,
    /// The id of what was created, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The organization that a run is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunTarget {
    /// Base URL of the API.
    pub api: String,
    /// Organization id, if one was specified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// Whether the organization is embedded in the process and gone with it.
    #[serde(default)]
    pub simulated: bool,
}

impl RunTarget {
    /// Whether a run about `other` can concern this organization. An embedded organization never outlives its run.
    pub fn is_same(&self, other: &Self) -> bool {
        !self.simulated && !other.simulated && self == other
    }

    /// Like [`Self::is_same`], but an organization that is not specified on one side may be the one of the other.
    pub fn may_be_same(&self, other: &Self) -> bool {
        let known = |target: &Self| target.org.clone();
        let same_org = known(self).zip(known(other)).is_none_or(|(one, other)| one == other);
        !self.simulated && !other.simulated && self.api == other.api && same_org
    }
}

/// What a run is about, and its relation to earlier runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunIdentity {
    #[serde(default)]
    pub target: RunTarget,
    /// Digest of the inputs (files, or the arguments of a rename).
    #[serde(default)]
    pub inputs: String,
    /// What it was limited to, as options; `None` if to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The run that this one resumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<String>,
    /// The run that this one undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
}

impl RunIdentity {
    /// Whether a run of the same inputs was about everything that the other one was about.
    pub fn covers(&self, other: &Self) -> bool {
        self.inputs == other.inputs && (self.scope.is_none() || self.scope == other.scope)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteKind {
    /// Sets the final state.
    Final,
    Interim,
    /// Reverts a temporary rename, since the final state cannot be reached.
    Revert,
}

impl From<StepKind> for WriteKind {
    fn from(kind: StepKind) -> Self {
        match kind {
            StepKind::Final => Self::Final,
            StepKind::Interim => Self::Interim,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteOutcome {
    /// Acknowledged, or observed to be applied.
    Applied,
    /// Rejected, or observed not to be applied.
    Failed,
    NotSent,
    Unknown,
}

/// Overall outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RunOutcome {
    Applied,
    Partial,
    Failed,
    Interrupted,
    Unchanged,
    /// An outcome that this version does not know.
    #[serde(other)]
    Unknown,
}

impl RunOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Unchanged => "unchanged",
            Self::Unknown => "unknown",
        }
    }

    /// Whether everything was applied.
    pub const fn is_complete(self) -> bool {
        match self {
            Self::Applied | Self::Unchanged => true,
            Self::Partial | Self::Failed | Self::Interrupted | Self::Unknown => false,
        }
    }
}

impl JournalEntry {
    pub fn run_started(run: impl Into<String>, plan: &Plan, identity: RunIdentity) -> Self {
        Self::RunStarted { run: run.into(), changes: plan.changes.len(), steps: plan.steps.len(), identity }
    }

    /// The line, without its line break; `key` encrypts its codes.
    pub(super) fn line(&self, time: Timestamp, key: Option<&PlanKey>) -> String {
        let document = match self {
            Self::RunStarted { run, changes, steps, identity } => JournalLineJson::RunStarted {
                format_version: FORMAT_VERSION,
                generator: concat!("dectl ", env!("CARGO_PKG_VERSION")).to_owned(),
                run: run.clone(),
                changes: *changes,
                steps: *steps,
                identity: identity.clone(),
                encrypted: key.is_some(),
            },
            Self::OperationStarted { location, operation, network, items } => JournalLineJson::OperationStarted {
                location: location.id.to_string(),
                location_name: location.name.clone(),
                operation: operation.as_str().to_owned(),
                network: network.as_ref().map(ToString::to_string),
                items: items.iter().map(|item| JournalItemJson::of(item, key)).collect(),
            },
            Self::OperationFinished { operation, results } => JournalLineJson::OperationFinished {
                operation: operation.as_str().to_owned(),
                results: results.clone(),
            },
            Self::WriteStarted { location, network, kind, before, settings } => JournalLineJson::WriteStarted {
                location: location.to_string(),
                network: network.to_string(),
                write: *kind,
                before: SettingsJson::from(before).encrypted(key),
                settings: SettingsJson::from(settings).encrypted(key),
            },
            Self::WriteFinished { network, kind, end } => {
                JournalLineJson::WriteFinished { network: network.to_string(), write: *kind, end: *end }
            }
            Self::HandsetsChanging { network } => JournalLineJson::HandsetsChanging { network: network.to_string() },
            Self::RunFinished { outcome } => JournalLineJson::RunFinished { outcome: *outcome },
        };
        // Strings, numbers and lists of them always serialize.
        serde_json::to_string(&Line { time, document }).unwrap_or_default()
    }
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) time: Timestamp,
    #[serde(flatten)]
    pub(super) document: JournalLineJson,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum JournalLineJson {
    RunStarted {
        format_version: u32,
        generator: String,
        run: String,
        changes: usize,
        steps: usize,
        #[serde(flatten)]
        identity: RunIdentity,
        /// Whether its access codes are encrypted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        encrypted: bool,
    },
    OperationStarted {
        location: String,
        location_name: Arc<str>,
        operation: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<String>,
        items: Vec<JournalItemJson>,
    },
    OperationFinished {
        operation: String,
        results: Vec<JournalItemResult>,
    },
    HandsetsChanging {
        network: String,
    },
    WriteStarted {
        location: String,
        network: String,
        write: WriteKind,
        before: SettingsJson,
        settings: SettingsJson,
    },
    WriteFinished {
        network: String,
        write: WriteKind,
        end: WriteOutcome,
    },
    RunFinished {
        outcome: RunOutcome,
    },
}

impl JournalLineJson {
    /// The same with its codes decrypted; `None` if one cannot be decrypted.
    pub(super) fn decrypted(self, key: &PlanKey) -> Option<Self> {
        Some(match self {
            Self::WriteStarted { location, network, write, before, settings } => Self::WriteStarted {
                location,
                network,
                write,
                before: before.decrypted(key)?,
                settings: settings.decrypted(key)?,
            },
            Self::OperationStarted { location, location_name, operation, network, items } => Self::OperationStarted {
                location,
                location_name,
                operation,
                network,
                items: items.into_iter().map(|item| item.decrypted(key)).collect::<Option<_>>()?,
            },
            other => other,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JournalItemJson {
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<StateJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<StateJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) contents: Vec<StateJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) replaced_by: Option<String>,
}

impl JournalItemJson {
    fn of(item: &JournalItem, key: Option<&PlanKey>) -> Self {
        let state = |state: &ResourceState| StateJson::from(state).encrypted(key);
        Self {
            key: item.key.clone(),
            before: item.before.as_ref().map(state),
            after: item.after.as_ref().map(state),
            contents: item.contents.iter().map(state).collect(),
            replaced_by: item.replaced_by.clone(),
        }
    }

    fn decrypted(self, key: &PlanKey) -> Option<Self> {
        let state = |state: Option<StateJson>| match state {
            Some(state) => state.decrypted(key).map(Some),
            None => Some(None),
        };
        Some(Self { before: state(self.before)?, after: state(self.after)?, ..self })
    }
}
