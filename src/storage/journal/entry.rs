//! One line of a journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{LocationId, NetworkId, Settings};
use crate::plan::model::{Plan, StepKind};
use crate::storage::encryption::CodeCipher;
use crate::storage::settings_json::SettingsJson;

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
    /// The run that this one resumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<String>,
    /// The run that this one undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    /// The line, without its line break; `cipher` encrypts its codes; its encrypted key goes into the first line.
    pub(super) fn line(&self, time: Timestamp, cipher: Option<(&CodeCipher, &str)>) -> String {
        let codes = cipher.map(|(codes, _)| codes);
        let document = match self {
            Self::RunStarted { run, changes, steps, identity } => JournalLineJson::RunStarted {
                format_version: FORMAT_VERSION,
                generator: concat!("dectl ", env!("CARGO_PKG_VERSION")).to_owned(),
                run: run.clone(),
                changes: *changes,
                steps: *steps,
                identity: identity.clone(),
                encrypted_key: cipher.map(|(_, encrypted_key)| encrypted_key.to_owned()),
            },
            Self::WriteStarted { location, network, kind, before, settings } => JournalLineJson::WriteStarted {
                location: location.to_string(),
                network: network.to_string(),
                write: *kind,
                before: SettingsJson::from(before).encrypted(codes),
                settings: SettingsJson::from(settings).encrypted(codes),
            },
            Self::WriteFinished { network, kind, end } => {
                JournalLineJson::WriteFinished { network: network.to_string(), write: *kind, end: *end }
            }
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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encrypted_key: Option<String>,
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
    pub(super) fn decrypted(self, cipher: &CodeCipher) -> Option<Self> {
        Some(match self {
            Self::WriteStarted { location, network, write, before, settings } => Self::WriteStarted {
                location,
                network,
                write,
                before: before.decrypted(cipher)?,
                settings: settings.decrypted(cipher)?,
            },
            other => other,
        })
    }
}
