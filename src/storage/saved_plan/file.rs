//! Saved plans as files: written atomically, and validated when read.
//!
//! A saved plan contains access codes, so its mode is 0600. Without encryption, the checksum protects against accidents,
//! not against attackers.

use std::io::{self, Write};
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::SavedPlan;
use super::json::{FORMAT_VERSION, KIND, SavedPlanJson};
use crate::model::{is_journal, utf8_text};
use crate::storage::encryption::{self, PlanKey};
use crate::storage::private_file::{IfExists, resolve_target, write_private_file};

/// Errors of reading or writing a saved plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// I/O error.
    #[error("{file}: {reason}")]
    File { file: String, reason: String },
    #[error("{file} is not a saved plan: {reason}")]
    InvalidSavedPlan { file: String, reason: String },
    /// Written by another version of dectl.
    #[error("{file} has format version {version}, expected {FORMAT_VERSION}; create a new plan")]
    OtherVersion { file: String, version: u64 },
    /// The checksum does not match.
    #[error("{file} was modified or truncated after it was written; create a new plan")]
    ChecksumMismatch { file: String },
    /// Encrypted, but no key is set.
    #[error("{file} is encrypted; set DECTL_PLAN_KEY to the key it was encrypted with")]
    NoKey { file: String },
    /// Encrypted with another key, or tampered with.
    #[error(
        "cannot decrypt {file}: DECTL_PLAN_KEY is not the key it was encrypted with, or the file was tampered with"
    )]
    WrongKey { file: String },
    /// Not encrypted, although a key is set.
    #[error("{file} is not encrypted, but DECTL_PLAN_KEY is set; refusing a possibly substituted plan")]
    NotEncrypted { file: String },
}

impl SavedPlan {
    /// Writes the plan to a file that only its owner can read, encrypted if there is a key.
    ///
    /// The file is written atomically.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path, key: Option<&PlanKey>) -> Result<(), SavedPlanError> {
        let error = |reason: String| SavedPlanError::File { file: path.display().to_string(), reason };
        let text = self.text();
        let bytes = match key {
            Some(key) => key.encrypt(text.as_bytes()).map_err(error)?,
            None => text.into_bytes(),
        };
        write_private_file(path, &bytes, IfExists::Overwrite).map_err(|failure| error(failure.to_string()))
    }

    /// Checks that a plan may be written to a path: it does not exist, is empty, or is a saved plan.
    ///
    /// # Errors
    /// If it is another file, or cannot be read.
    pub fn may_replace(path: &Path) -> io::Result<bool> {
        match std::fs::read(resolve_target(path)?) {
            Ok(bytes) => Ok(bytes.is_empty()
                || encryption::is_encrypted(&bytes)
                || Header::of(&bytes).is_ok_and(|header| header.is_ours())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Reads a saved plan.
    ///
    /// # Errors
    /// If it is not a saved plan, was modified, or cannot be decrypted.
    pub fn read(path: &Path, key: Option<&PlanKey>) -> Result<Self, SavedPlanError> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|error| SavedPlanError::File { file: file.clone(), reason: error.to_string() })?;
        Self::open(&bytes, key, &file)
    }

    /// Parses the content of a file; `file` is its name in messages.
    ///
    /// # Errors
    /// If it is not a saved plan, was modified, or cannot be decrypted.
    pub fn open(bytes: &[u8], key: Option<&PlanKey>, file: &str) -> Result<Self, SavedPlanError> {
        let named = || file.to_owned();
        match (encryption::is_encrypted(bytes), key) {
            (true, None) => Err(SavedPlanError::NoKey { file: named() }),
            (true, Some(key)) => match key.decrypt(bytes) {
                Some(text) => Self::parse(&text, file),
                None => Err(SavedPlanError::WrongKey { file: named() }),
            },
            (false, Some(_)) => Err(SavedPlanError::NotEncrypted { file: named() }),
            (false, None) => match utf8_text(bytes) {
                Ok(text) => Self::parse(text.as_bytes(), file),
                Err(error) => Err(SavedPlanError::InvalidSavedPlan { file: named(), reason: format!("it {error}") }),
            },
        }
    }

    fn text(&self) -> String {
        let mut json = self.json();
        json.checksum = checksum(&json);
        // Strings, numbers and lists of them always serialize.
        let mut text = serde_json::to_string_pretty(&json).unwrap_or_default();
        text.push('\n');
        text
    }

    fn parse(bytes: &[u8], file: &str) -> Result<Self, SavedPlanError> {
        let altered = || SavedPlanError::ChecksumMismatch { file: file.to_owned() };
        let mut json: SavedPlanJson = match serde_json::from_slice(bytes) {
            Ok(json) if SavedPlanJson::is_ours(&json) => json,
            _ => return Err(classify_invalid_plan(bytes, file)),
        };
        let recorded = std::mem::take(&mut json.checksum);
        // A fuzzer would never pass it.
        if recorded != checksum(&json) && !cfg!(fuzzing) {
            return Err(altered());
        }
        Self::from_json(json).ok_or_else(altered)
    }
}

/// Explains why the content is not a saved plan.
fn classify_invalid_plan(bytes: &[u8], file: &str) -> SavedPlanError {
    let file = file.to_owned();
    let header = match Header::of(bytes) {
        Ok(header) => header,
        Err(error) if error.is_eof() && bytes.len() > 1 => return SavedPlanError::ChecksumMismatch { file },
        Err(error) if error.is_data() => {
            return SavedPlanError::InvalidSavedPlan { file, reason: "no `kind`".to_owned() };
        }
        Err(_) => {
            let reason = match bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii() {
                b"" => "it is empty",
                text if is_journal(text) => "it is the journal of a run, which `dectl undo RUN` undoes",
                _ => "not JSON",
            };
            return SavedPlanError::InvalidSavedPlan { file, reason: reason.to_owned() };
        }
    };
    let reason = match (header.kind.as_str(), header.format_version.as_u64()) {
        (Some(KIND), Some(version)) if version == u64::from(FORMAT_VERSION) => {
            return SavedPlanError::ChecksumMismatch { file };
        }
        (Some(KIND), Some(version)) => return SavedPlanError::OtherVersion { file, version },
        (Some("plan"), _) => "this is the output of `dectl plan`; save a plan with --out".to_owned(),
        (Some(kind), _) => format!("this is a document of kind {kind:?}"),
        (None, _) => "no `kind`".to_owned(),
    };
    SavedPlanError::InvalidSavedPlan { file, reason }
}

/// The fields that identify a saved plan.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Header {
    kind: serde_json::Value,
    format_version: serde_json::Value,
}

impl Header {
    fn of(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    fn is_ours(&self) -> bool {
        self.kind == KIND
    }
}

/// The SHA-256 of a document without its checksum.
fn checksum(json: &SavedPlanJson) -> String {
    let mut hasher = HashWriter(Sha256::new());
    // Texts, numbers and lists of them always serialize, and a hash takes everything.
    let _infallible = serde_json::to_writer(&mut hasher, json);
    hex(&hasher.0.finalize())
}

/// Hashes what is written to it.
struct HashWriter(Sha256);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The SHA-256 of a text in hexadecimal.
pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
