//! One line of a journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::document::SettingsDocument;
use super::seal::CodeSeal;
use crate::model::{LocationId, NetworkId, Settings};
use crate::plan::plan::{Plan, StepKind};

/// The version of the journal's lines.
pub const FORMAT_VERSION: u32 = 1;

/// Something that a run did or is about to do. Holds access codes.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A run begins.
    Begin {
        /// Its name, which is also that of its files.
        run: String,
        /// How many networks it is to change.
        changes: usize,
        /// How many writes that takes.
        steps: usize,
    },
    /// A write is about to be sent, when the pace and the locks let it go.
    Sending {
        /// The location of the network.
        location: LocationId,
        /// The network.
        network: NetworkId,
        /// What the write is for.
        kind: WriteKind,
        /// What the network is like before it, as far as is known.
        before: Settings,
        /// What is sent.
        settings: Settings,
    },
    /// A write came to an end.
    Ended {
        /// The network.
        network: NetworkId,
        /// What the write was for.
        kind: WriteKind,
        /// How it ended.
        end: WriteEnd,
    },
    /// The run ends.
    End {
        /// How.
        outcome: RunEnd,
    },
}

/// What a write is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteKind {
    /// The network gets what it is to have.
    Final,
    /// It steps aside.
    Interim,
    /// It gets back what it had, since its way on is barred.
    Back,
}

impl From<StepKind> for WriteKind {
    fn from(kind: StepKind) -> Self {
        match kind {
            StepKind::Final => Self::Final,
            StepKind::Interim => Self::Interim,
        }
    }
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteEnd {
    /// It was acknowledged, or seen to be applied.
    Applied,
    /// It was refused, or seen not to be applied.
    Failed,
    /// It was not sent after all.
    NotSent,
    /// Nobody knows.
    Unknown,
}

/// How a run ended as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunEnd {
    /// All applied, none found different.
    Applied,
    /// Some applied.
    Partial,
    /// None applied.
    Failed,
    /// A signal ended it.
    Interrupted,
    /// There was nothing to do.
    Unchanged,
    /// In a way that this version does not know.
    #[serde(other)]
    Unknown,
}

impl RunEnd {
    /// The word in documents and journals.
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

impl Entry {
    /// The first line of a run.
    pub fn begin(run: impl Into<String>, plan: &Plan) -> Self {
        Self::Begin { run: run.into(), changes: plan.changes.len(), steps: plan.steps.len() }
    }

    /// The line, without its line break; `seal` seals its codes and goes into the first line.
    pub(super) fn line(&self, time: Timestamp, seal: Option<(&CodeSeal, &str)>) -> String {
        let codes = seal.map(|(codes, _)| codes);
        let document = match self {
            Self::Begin { run, changes, steps } => Document::Begin {
                format_version: FORMAT_VERSION,
                tool: concat!("dectl ", env!("CARGO_PKG_VERSION")).to_owned(),
                run: run.clone(),
                changes: *changes,
                steps: *steps,
                seal: seal.map(|(_, wrapped)| wrapped.to_owned()),
            },
            Self::Sending { location, network, kind, before, settings } => Document::Sending {
                location: location.to_string(),
                network: network.to_string(),
                write: *kind,
                before: SettingsDocument::from(before).sealed(codes),
                settings: SettingsDocument::from(settings).sealed(codes),
            },
            Self::Ended { network, kind, end } => {
                Document::Ended { network: network.to_string(), write: *kind, end: *end }
            }
            Self::End { outcome } => Document::End { outcome: *outcome },
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
    pub(super) document: Document,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Document {
    Begin {
        format_version: u32,
        tool: String,
        run: String,
        changes: usize,
        steps: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seal: Option<String>,
    },
    Sending {
        location: String,
        network: String,
        write: WriteKind,
        before: SettingsDocument,
        settings: SettingsDocument,
    },
    Ended {
        network: String,
        write: WriteKind,
        end: WriteEnd,
    },
    End {
        outcome: RunEnd,
    },
}

impl Document {
    /// The same with its codes opened; nothing if one does not open.
    pub(super) fn opened(self, seal: &CodeSeal) -> Option<Self> {
        Some(match self {
            Self::Sending { location, network, write, before, settings } => Self::Sending {
                location,
                network,
                write,
                before: before.opened(seal)?,
                settings: settings.opened(seal)?,
            },
            other => other,
        })
    }
}
