//! One line of a journal.

use schemars::JsonSchema;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::NetworkId;
use crate::plan::model::{Change, ChangeAction, ChangeKey, LocationRef, Plan, ResourceState, StepItem};
use crate::storage::encryption::PlanKey;
use crate::storage::state_json::StateJson;

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
    /// A request is about to be sent, as soon as rate limits and locks permit.
    WriteStarted {
        location: LocationRef,
        /// The network that it is about; `None` if it is created.
        network: Option<NetworkId>,
        items: Vec<JournalItem>,
    },
    /// What became of it; or, for an addition that was finished before, the id that a list has shown.
    WriteFinished { results: Vec<JournalItemResult> },
    /// The final list has shown other values than the acknowledged ones, as of a server that normalizes them: that is how the run has
    /// left these things.
    Shown { states: Vec<(ChangeKey, ResourceState)> },
    /// A request that changes handsets or lines of a network is sent now, so that the next one must wait.
    HandsetsChanging { network: NetworkId },
    /// A password of a network is about to be generated. What it is, no journal knows.
    PasswordRequested { location: LocationRef, network: NetworkId, name: Arc<str> },
    /// What became of it.
    PasswordEnded { network: NetworkId, end: WriteOutcome },
    RunFinished {
        outcome: RunOutcome,
        /// Whether the list has shown at the end what was written.
        is_verified: bool,
    },
}

/// What a request does to one thing: its change, and how far it takes it.
#[derive(Clone, Debug)]
pub struct JournalItem {
    pub key: ChangeKey,
    /// The state before the change.
    pub before: Option<ResourceState>,
    /// The state after the change.
    pub after: Option<ResourceState>,
    /// What goes with a deleted network.
    pub contents: Vec<ResourceState>,
    /// The address of the base station that takes the place of a removed one.
    pub replaced_by: Option<String>,
    pub write: WriteKind,
    /// The state before the request, as far as known.
    pub from: Option<ResourceState>,
    /// The state after the request.
    pub to: Option<ResourceState>,
}

impl JournalItem {
    /// A request about `change` that takes it as far as `item` says.
    pub fn of(change: &Change, item: &StepItem, write: WriteKind) -> Self {
        Self {
            key: change.key(),
            before: change.before.clone(),
            after: change.after.clone(),
            contents: change.contents.clone(),
            replaced_by: change.replaced_by.as_deref().map(str::to_owned),
            write,
            from: item.from.clone(),
            to: item.to.clone(),
        }
    }
}

/// What became of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalItemResult {
    pub key: ChangeKey,
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
    /// What was run, for the list of runs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// The names of the locations that it was to change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Arc<str>>,
    /// The run that this one resumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<String>,
    /// The run that this one undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The interrupted runs that it undoes together with that one, which had continued them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undoes_with: Vec<String>,
}

impl RunIdentity {
    /// Whether it undoes a run, perhaps together with another one.
    pub fn has_undone(&self, run: &str) -> bool {
        self.undoes.iter().chain(&self.undoes_with).any(|undone| undone == run)
    }

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
                identity: Box::new(identity.clone()),
                encrypted: key.is_some(),
            },
            Self::WriteStarted { location, network, items } => JournalLineJson::WriteStarted {
                location: location.id.to_string(),
                location_name: location.name.clone(),
                network: network.as_ref().map(ToString::to_string),
                items: items.iter().map(|item| JournalItemJson::of(item, key)).collect(),
            },
            Self::WriteFinished { results } => JournalLineJson::WriteFinished { results: results.clone() },
            Self::Shown { states } => JournalLineJson::Shown {
                states: states
                    .iter()
                    .map(|(change, state)| ShownJson {
                        key: change.clone(),
                        state: StateJson::from(state).encrypted(key),
                    })
                    .collect(),
            },
            Self::HandsetsChanging { network } => JournalLineJson::HandsetsChanging { network: network.to_string() },
            Self::PasswordRequested { location, network, name } => JournalLineJson::PasswordRequested {
                location: location.id.to_string(),
                location_name: location.name.clone(),
                network: network.to_string(),
                name: name.clone(),
            },
            Self::PasswordEnded { network, end } => {
                JournalLineJson::PasswordEnded { network: network.to_string(), end: *end }
            }
            Self::RunFinished { outcome, is_verified } => {
                JournalLineJson::RunFinished { outcome: *outcome, verified: *is_verified }
            }
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
        identity: Box<RunIdentity>,
        /// Whether its access codes are encrypted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        encrypted: bool,
    },
    WriteStarted {
        location: String,
        location_name: Arc<str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<String>,
        items: Vec<JournalItemJson>,
    },
    WriteFinished {
        results: Vec<JournalItemResult>,
    },
    Shown {
        states: Vec<ShownJson>,
    },
    HandsetsChanging {
        network: String,
    },
    PasswordRequested {
        location: String,
        location_name: Arc<str>,
        network: String,
        name: Arc<str>,
    },
    PasswordEnded {
        network: String,
        end: WriteOutcome,
    },
    RunFinished {
        outcome: RunOutcome,
        #[serde(default)]
        verified: bool,
    },
}

impl JournalLineJson {
    /// The same with its codes decrypted; `None` if one cannot be decrypted.
    pub(super) fn decrypted(self, key: &PlanKey) -> Option<Self> {
        Some(match self {
            Self::WriteStarted { location, location_name, network, items } => Self::WriteStarted {
                location,
                location_name,
                network,
                items: items.into_iter().map(|item| item.decrypted(key)).collect::<Option<_>>()?,
            },
            Self::Shown { states } => Self::Shown {
                states: states
                    .into_iter()
                    .map(|shown| Some(ShownJson { state: shown.state.decrypted(key)?, ..shown }))
                    .collect::<Option<_>>()?,
            },
            other => other,
        })
    }
}

/// What the final list has shown of a change.
#[derive(Serialize, Deserialize)]
pub(super) struct ShownJson {
    pub(super) key: ChangeKey,
    pub(super) state: StateJson,
}

/// States of the change that are those of the request are left out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JournalItemJson {
    key: ChangeKey,
    write: WriteKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<StateJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<StateJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<StateJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<StateJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contents: Vec<StateJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced_by: Option<String>,
}

impl JournalItemJson {
    fn of(item: &JournalItem, key: Option<&PlanKey>) -> Self {
        let state = |state: &ResourceState| StateJson::from(state).encrypted(key);
        Self {
            key: item.key.clone(),
            write: item.write,
            before: item.before.as_ref().filter(|before| Some(*before) != item.from.as_ref()).map(state),
            after: item.after.as_ref().filter(|after| Some(*after) != item.to.as_ref()).map(state),
            from: item.from.as_ref().map(state),
            to: item.to.as_ref().map(state),
            contents: item.contents.iter().map(state).collect(),
            replaced_by: item.replaced_by.clone(),
        }
    }

    fn decrypted(self, key: &PlanKey) -> Option<Self> {
        let state = |state: Option<StateJson>| match state {
            Some(state) => state.decrypted(key).map(Some),
            None => Some(None),
        };
        Some(Self {
            before: state(self.before)?,
            after: state(self.after)?,
            from: state(self.from)?,
            to: state(self.to)?,
            ..self
        })
    }
}

impl From<JournalItemJson> for JournalItem {
    fn from(json: JournalItemJson) -> Self {
        let state = |state: Option<StateJson>| state.map(ResourceState::from);
        let (from, to) = (state(json.from), state(json.to));
        // What is left out is that of the request, unless there is none by the nature of the change.
        let (is_created, is_deleted) =
            (json.key.operation.action == ChangeAction::Create, json.key.operation.action == ChangeAction::Delete);
        Self {
            before: state(json.before).or_else(|| from.clone()).filter(|_| !is_created),
            after: state(json.after).or_else(|| to.clone()).filter(|_| !is_deleted),
            key: json.key,
            contents: json.contents.into_iter().map(Into::into).collect(),
            replaced_by: json.replaced_by,
            write: json.write,
            from,
            to,
        }
    }
}
