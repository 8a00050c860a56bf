//! One line of a journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{LocationId, NetworkId, Settings};
use crate::plan::model::{Plan, StepKind};
use crate::storage::encryption::CodeCipher;
use crate::storage::settings_json::SettingsJson;

pub(super) const FORMAT_VERSION: u32 = 1;

/// Something that a run did or is about to do. Holds access codes.
#[derive(Clone, Debug)]
pub enum JournalEntry {
    RunStarted {
        /// Its name, which is also that of its files.
        run: String,
        /// How many networks it is to change.
        changes: usize,
        steps: usize,
    },
    /// A write is about to be sent, when the pace and the locks let it go.
    WriteStarted {
        location: LocationId,
        network: NetworkId,
        kind: WriteKind,
        /// What the network is like before it, as far as is known.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteKind {
    /// The network gets what it is to have.
    Final,
    Interim,
    /// It gets back what it had, since its way on is barred.
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
    /// It was acknowledged, or seen to be applied.
    Applied,
    /// It was refused, or seen not to be applied.
    Failed,
    NotSent,
    Unknown,
}

/// How a run ended as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunOutcome {
    Applied,
    Partial,
    Failed,
    Interrupted,
    Unchanged,
    /// In a way that this version does not know.
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

    /// Whether all that it was about was done.
    pub const fn is_complete(self) -> bool {
        match self {
            Self::Applied | Self::Unchanged => true,
            Self::Partial | Self::Failed | Self::Interrupted | Self::Unknown => false,
        }
    }
}

impl JournalEntry {
    pub fn run_started(run: impl Into<String>, plan: &Plan) -> Self {
        Self::RunStarted { run: run.into(), changes: plan.changes.len(), steps: plan.steps.len() }
    }

    /// The line, without its line break; `cipher` seals its codes and goes into the first line.
    pub(super) fn line(&self, time: Timestamp, cipher: Option<(&CodeCipher, &str)>) -> String {
        let codes = cipher.map(|(codes, _)| codes);
        let document = match self {
            Self::RunStarted { run, changes, steps } => JournalLineJson::RunStarted {
                format_version: FORMAT_VERSION,
                generator: concat!("dectl ", env!("CARGO_PKG_VERSION")).to_owned(),
                run: run.clone(),
                changes: *changes,
                steps: *steps,
                cipher: cipher.map(|(_, encrypted_key)| encrypted_key.to_owned()),
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
        // Texts, numbers and lists of them always serialize.
        serde_json::to_string(&Line { time, document }).unwrap_or_default()
    }
}

/// A line as it stands in the file.
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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cipher: Option<String>,
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
    /// The same with its codes opened; nothing if one does not open.
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
