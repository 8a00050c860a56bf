//! A plan as a file: what was reviewed, and everything needed to carry out exactly that.
//!
//! It holds access codes, so its mode is 0600. Without a seal its checks are against accidents, not against attackers:
//! whoever can write the file can compute its checksum.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::document::SettingsDocument;
use super::{private, seal};
use crate::model::{LocationId, NetworkId, Setting, SettingSet};
use crate::plan::plan::{Because, Change, Counts, Neighbour, Plan, Step, StepKind, Warning, Where};

/// The version of the document.
const FORMAT_VERSION: u32 = 1;

/// Its kind.
const KIND: &str = "saved-plan";

/// Why a saved plan cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// The file cannot be read or written.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// It is something else.
    #[error("{file} is no saved plan: {reason}")]
    NotASavedPlan {
        /// The file.
        file: String,
        /// What it is instead.
        reason: String,
    },
    /// It was written by another version of this tool.
    #[error("{file} has the format version {version}, this tool reads {FORMAT_VERSION}: make the plan again")]
    OtherVersion {
        /// The file.
        file: String,
        /// Its version.
        version: u64,
    },
    /// It is not as it was written.
    #[error("{file} was changed or cut off after it was written: make the plan again")]
    Altered {
        /// The file.
        file: String,
    },
    /// It is sealed, and there is no key.
    #[error("{file} is sealed: set DECTL_PLAN_KEY to the key that it was sealed with")]
    NoKey {
        /// The file.
        file: String,
    },
    /// It is sealed with another key, or was tampered with.
    #[error(
        "{file} cannot be opened: DECTL_PLAN_KEY is not the key that it was sealed with, or the file was tampered with"
    )]
    WrongKey {
        /// The file.
        file: String,
    },
    /// It is not sealed, although it should be.
    #[error("{file} is not sealed, although DECTL_PLAN_KEY is set: somebody may have put it in place of a sealed one")]
    NotSealed {
        /// The file.
        file: String,
    },
}

/// A plan with what is known of how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPlan {
    /// The plan.
    pub plan: Plan,
    /// When it was made.
    pub created: Timestamp,
    /// The organization it was made for, if one was named.
    pub org: Option<String>,
    /// The word about its size, if it was said.
    pub max_changes: Option<String>,
    /// The texts that it comes from, with their SHA-256.
    pub sources: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    format_version: u32,
    kind: String,
    tool: String,
    created: Timestamp,
    org: Option<String>,
    max_changes: Option<String>,
    sources: Vec<SourceDocument>,
    counts: CountsDocument,
    minimal: bool,
    warnings: Vec<WarningDocument>,
    locations: Vec<LocationDocument>,
    changes: Vec<ChangeDocument>,
    steps: Vec<StepDocument>,
    neighbours: Vec<NeighbourDocument>,
    /// Last, and not part of itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    checksum: String,
}

#[derive(Serialize, Deserialize)]
struct SourceDocument {
    file: String,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CountsDocument {
    locations: usize,
    networks: usize,
    unchanged: usize,
    unmanaged: usize,
    left_out: usize,
}

#[derive(Serialize, Deserialize)]
struct WarningDocument {
    code: Arc<str>,
    message: Arc<str>,
    file: Option<Arc<str>>,
    line: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct LocationDocument {
    id: String,
    name: Arc<str>,
}

#[derive(Serialize, Deserialize)]
struct ChangeDocument {
    location: usize,
    network: String,
    before: SettingsDocument,
    after: SettingsDocument,
    changed: Vec<String>,
    because: BecauseDocument,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum BecauseDocument {
    File { file: Arc<str>, line: u32 },
}

#[derive(Serialize, Deserialize)]
struct StepDocument {
    change: usize,
    kind: KindDocument,
    settings: SettingsDocument,
    set: Vec<String>,
    after: Vec<usize>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KindDocument {
    Final,
    Interim,
}

#[derive(Serialize, Deserialize)]
struct NeighbourDocument {
    location: String,
    network: String,
    settings: SettingsDocument,
}

impl SavedPlan {
    /// Writes it to a file that only its owner can read, sealed if there is a key.
    ///
    /// The file is complete or not there at all: it is written beside its place and then moved.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path, key: Option<&SecretString>) -> Result<(), SavedPlanError> {
        let error = |reason: String| SavedPlanError::File { file: path.display().to_string(), reason };
        let text = self.text();
        let bytes = match key {
            Some(key) => seal::seal(text.as_bytes(), key).map_err(error)?,
            None => text.into_bytes(),
        };
        let beside = path.with_file_name(format!(
            ".{}.{}",
            path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default(),
            std::process::id()
        ));
        let write = || {
            let mut file = private::create_new(&beside)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&beside, path)
        };
        write().map_err(|failure| {
            let _left_behind = std::fs::remove_file(&beside);
            error(failure.to_string())
        })
    }

    /// Reads one.
    ///
    /// # Errors
    /// If it is none, was altered, or does not open with the key.
    pub fn read(path: &Path, key: Option<&SecretString>) -> Result<Self, SavedPlanError> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|error| SavedPlanError::File { file: file.clone(), reason: error.to_string() })?;
        Self::open(&bytes, key, &file)
    }

    /// Reads the bytes of a file that is called `file` in messages.
    ///
    /// # Errors
    /// If it is none, was altered, or does not open with the key.
    pub fn open(bytes: &[u8], key: Option<&SecretString>, file: &str) -> Result<Self, SavedPlanError> {
        let named = || file.to_owned();
        match (seal::is_sealed(bytes), key) {
            (true, None) => Err(SavedPlanError::NoKey { file: named() }),
            (true, Some(key)) => match seal::open(bytes, key) {
                Some(text) => Self::parse(&text, file),
                None => Err(SavedPlanError::WrongKey { file: named() }),
            },
            (false, Some(_)) => Err(SavedPlanError::NotSealed { file: named() }),
            (false, None) => Self::parse(bytes, file),
        }
    }

    fn text(&self) -> String {
        let mut document = self.document();
        document.checksum = checksum(&document);
        // Texts, numbers and lists of them always serialize.
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }

    fn parse(bytes: &[u8], file: &str) -> Result<Self, SavedPlanError> {
        let not_one = |reason: String| SavedPlanError::NotASavedPlan { file: file.to_owned(), reason };
        let altered = || SavedPlanError::Altered { file: file.to_owned() };
        let value: serde_json::Value = match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(error) if error.is_eof() && bytes.len() > 1 => return Err(altered()),
            Err(_) => return Err(not_one("it is not JSON".to_owned())),
        };
        match (value["kind"].as_str(), value["formatVersion"].as_u64()) {
            (Some(KIND), Some(version)) if version == u64::from(FORMAT_VERSION) => {}
            (Some(KIND), Some(version)) => return Err(SavedPlanError::OtherVersion { file: file.to_owned(), version }),
            (Some("plan"), _) => {
                return Err(not_one("it is the output of `dectl plan`; --out saves a plan".to_owned()));
            }
            (Some(kind), _) => return Err(not_one(format!("it is a document of the kind {kind:?}"))),
            (None, _) => return Err(not_one("it has no `kind`".to_owned())),
        }
        let mut document: Document = serde_json::from_value(value).map_err(|_| altered())?;
        let said = std::mem::take(&mut document.checksum);
        if said != checksum(&document) {
            return Err(altered());
        }
        Self::from_document(document).ok_or_else(altered)
    }

    fn document(&self) -> Document {
        let mut locations: Vec<&Where> = Vec::new();
        let changes = self.plan.changes.iter().map(|change| {
            let location = locations.iter().position(|known| **known == change.location).unwrap_or_else(|| {
                locations.push(&change.location);
                locations.len() - 1
            });
            let Because::File { file, line } = &change.because;
            ChangeDocument {
                location,
                network: change.network.to_string(),
                before: (&change.before).into(),
                after: (&change.after).into(),
                changed: names(change.changed),
                because: BecauseDocument::File { file: file.clone(), line: *line },
            }
        });
        let changes = changes.collect();
        let counts = self.plan.counts;
        Document {
            format_version: FORMAT_VERSION,
            kind: KIND.to_owned(),
            tool: concat!("dectl ", env!("CARGO_PKG_VERSION")).to_owned(),
            created: self.created,
            org: self.org.clone(),
            max_changes: self.max_changes.clone(),
            sources: self
                .sources
                .iter()
                .map(|(file, sha256)| SourceDocument { file: file.clone(), sha256: sha256.clone() })
                .collect(),
            counts: CountsDocument {
                locations: counts.locations,
                networks: counts.networks,
                unchanged: counts.unchanged,
                unmanaged: counts.unmanaged,
                left_out: counts.left_out,
            },
            minimal: self.plan.minimal,
            warnings: self
                .plan
                .warnings
                .iter()
                .map(|warning| WarningDocument {
                    code: warning.code.clone(),
                    message: warning.message.clone(),
                    file: warning.file.clone(),
                    line: warning.line,
                })
                .collect(),
            locations: locations
                .into_iter()
                .map(|location| LocationDocument { id: location.id.to_string(), name: location.name.clone() })
                .collect(),
            changes,
            steps: self
                .plan
                .steps
                .iter()
                .map(|step| StepDocument {
                    change: step.change,
                    kind: match step.kind {
                        StepKind::Final => KindDocument::Final,
                        StepKind::Interim => KindDocument::Interim,
                    },
                    settings: (&step.settings).into(),
                    set: names(step.set),
                    after: step.after.clone(),
                })
                .collect(),
            neighbours: self
                .plan
                .neighbours
                .iter()
                .map(|neighbour| NeighbourDocument {
                    location: neighbour.location.to_string(),
                    network: neighbour.network.to_string(),
                    settings: (&neighbour.settings).into(),
                })
                .collect(),
            checksum: String::new(),
        }
    }

    fn from_document(document: Document) -> Option<Self> {
        let locations: Vec<Where> = document
            .locations
            .into_iter()
            .map(|location| Where { id: LocationId::new(location.id), name: location.name })
            .collect();
        let changes = document.changes.into_iter().map(|change| {
            let BecauseDocument::File { file, line } = change.because;
            Some(Change {
                location: locations.get(change.location)?.clone(),
                network: NetworkId::new(change.network),
                before: change.before.into(),
                after: change.after.into(),
                changed: settings(&change.changed)?,
                because: Because::File { file, line },
            })
        });
        let steps = document.steps.into_iter().map(|step| {
            Some(Step {
                change: step.change,
                kind: match step.kind {
                    KindDocument::Final => StepKind::Final,
                    KindDocument::Interim => StepKind::Interim,
                },
                settings: step.settings.into(),
                set: settings(&step.set)?,
                after: step.after,
            })
        });
        let counts = document.counts;
        Some(Self {
            plan: Plan {
                changes: changes.collect::<Option<_>>()?,
                steps: steps.collect::<Option<_>>()?,
                neighbours: document
                    .neighbours
                    .into_iter()
                    .map(|neighbour| Neighbour {
                        location: LocationId::new(neighbour.location),
                        network: NetworkId::new(neighbour.network),
                        settings: neighbour.settings.into(),
                    })
                    .collect(),
                counts: Counts {
                    locations: counts.locations,
                    networks: counts.networks,
                    unchanged: counts.unchanged,
                    unmanaged: counts.unmanaged,
                    left_out: counts.left_out,
                },
                minimal: document.minimal,
                warnings: document
                    .warnings
                    .into_iter()
                    .map(|warning| Warning {
                        code: warning.code,
                        message: warning.message,
                        file: warning.file,
                        line: warning.line,
                    })
                    .collect(),
            },
            created: document.created,
            org: document.org,
            max_changes: document.max_changes,
            sources: document.sources.into_iter().map(|source| (source.file, source.sha256)).collect(),
        })
    }
}

fn names(set: SettingSet) -> Vec<String> {
    set.iter().map(|setting| setting.api_name().to_owned()).collect()
}

fn settings(names: &[String]) -> Option<SettingSet> {
    names.iter().map(|name| Setting::ALL.into_iter().find(|setting| setting.api_name() == name)).collect()
}

/// The SHA-256 of a document without its checksum.
fn checksum(document: &Document) -> String {
    hex(&Sha256::digest(serde_json::to_vec(document).unwrap_or_default()))
}

/// The SHA-256 of a text, as it stands in a saved plan.
pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
