//! A saved plan as a file: written whole or not at all, and read with suspicion.
//!
//! It holds access codes, so its mode is 0600. Without a seal its checks are against accidents, not against attackers:
//! whoever can write the file can compute its checksum.

use std::io::{self, Write};
use std::path::Path;

use secrecy::SecretString;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::SavedPlan;
use super::json::{FORMAT_VERSION, KIND, SavedPlanJson};
use crate::storage::encryption;
use crate::storage::private_file::{IfExists, resolve_target, write_private_file};

/// Why a saved plan cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// The file cannot be read or written.
    #[error("{file}: {reason}")]
    File { file: String, reason: String },
    #[error("{file} is no saved plan: {reason}")]
    InvalidSavedPlan { file: String, reason: String },
    /// It was written by another version of this tool.
    #[error("{file} has the format version {version}, this tool reads {FORMAT_VERSION}: make the plan again")]
    OtherVersion { file: String, version: u64 },
    /// It is not as it was written.
    #[error("{file} was changed or cut off after it was written: make the plan again")]
    ChecksumMismatch { file: String },
    /// It is sealed, and there is no key.
    #[error("{file} is sealed: set DECTL_PLAN_KEY to the key that it was sealed with")]
    NoKey { file: String },
    /// It is sealed with another key, or was tampered with.
    #[error(
        "{file} cannot be opened: DECTL_PLAN_KEY is not the key that it was sealed with, or the file was tampered with"
    )]
    WrongKey { file: String },
    /// It is not sealed, although it should be.
    #[error("{file} is not sealed, although DECTL_PLAN_KEY is set: somebody may have put it in place of a sealed one")]
    NotEncrypted { file: String },
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
            Some(key) => encryption::encrypt(text.as_bytes(), key).map_err(error)?,
            None => text.into_bytes(),
        };
        write_private_file(path, &bytes, IfExists::Overwrite).map_err(|failure| error(failure.to_string()))
    }

    /// Whether a plan may be written to a place: nothing is there, or another saved plan, or an empty file.
    ///
    /// # Errors
    /// If what is there is no file, or cannot be looked at.
    pub fn may_replace(path: &Path) -> io::Result<bool> {
        match std::fs::read(resolve_target(path)?) {
            Ok(bytes) => Ok(bytes.is_empty()
                || encryption::is_encrypted(&bytes)
                || Header::of(&bytes).is_ok_and(|header| header.is_ours())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
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
        match (encryption::is_encrypted(bytes), key) {
            (true, None) => Err(SavedPlanError::NoKey { file: named() }),
            (true, Some(key)) => match encryption::decrypt(bytes, key) {
                Some(text) => Self::parse(&text, file),
                None => Err(SavedPlanError::WrongKey { file: named() }),
            },
            (false, Some(_)) => Err(SavedPlanError::NotEncrypted { file: named() }),
            (false, None) => Self::parse(bytes, file),
        }
    }

    fn text(&self) -> String {
        let mut json = self.json();
        json.checksum = checksum(&json);
        // Texts, numbers and lists of them always serialize.
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
        // A fuzzer would never get past it.
        if recorded != checksum(&json) && !cfg!(fuzzing) {
            return Err(altered());
        }
        Self::from_json(json).ok_or_else(altered)
    }
}

/// What the bytes of a file are that do not read as a saved plan of ours.
fn classify_invalid_plan(bytes: &[u8], file: &str) -> SavedPlanError {
    let file = file.to_owned();
    let header = match Header::of(bytes) {
        Ok(header) => header,
        Err(error) if error.is_eof() && bytes.len() > 1 => return SavedPlanError::ChecksumMismatch { file },
        Err(error) if error.is_data() => {
            return SavedPlanError::InvalidSavedPlan { file, reason: "it has no `kind`".to_owned() };
        }
        Err(_) => return SavedPlanError::InvalidSavedPlan { file, reason: "it is not JSON".to_owned() },
    };
    let reason = match (header.kind.as_str(), header.format_version.as_u64()) {
        (Some(KIND), Some(version)) if version == u64::from(FORMAT_VERSION) => {
            return SavedPlanError::ChecksumMismatch { file };
        }
        (Some(KIND), Some(version)) => return SavedPlanError::OtherVersion { file, version },
        (Some("plan"), _) => "it is the output of `dectl plan`; --out saves a plan".to_owned(),
        (Some(kind), _) => format!("it is a document of the kind {kind:?}"),
        (None, _) => "it has no `kind`".to_owned(),
    };
    SavedPlanError::InvalidSavedPlan { file, reason }
}

/// What tells a saved plan from everything else.
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

/// Takes what is written without keeping it.
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

/// The SHA-256 of a text, as it stands in a saved plan.
pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
