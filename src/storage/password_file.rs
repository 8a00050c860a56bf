//! Encrypted files of passwords.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::encryption::PlanKey;
use super::private_file::{IfExists, write_private_file};

const FORMAT_VERSION: u32 = 1;

/// A password that was generated, with what it belongs to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredPassword {
    pub location: String,
    pub network: String,
    pub network_id: String,
    pub generated: Timestamp,
    pub password: String,
}

/// A file of passwords. It is never plain text: it cannot be read without the key.
pub struct PasswordFile {
    path: PathBuf,
    key: PlanKey,
    passwords: Vec<StoredPassword>,
}

/// Why a file of passwords cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PasswordFileError {
    #[error("{0} exists, and passwords are never overwritten; name another file")]
    Exists(String),
    #[error("cannot write {0}: {1}")]
    NotWritten(String, String),
    #[error("cannot read {0}: {1}")]
    Unreadable(String, String),
    #[error("{0} cannot be decrypted with this DECTL_PLAN_KEY, or is no file of passwords")]
    NotDecrypted(String),
    #[error("{file} has format version {version}; this version of dectl reads {FORMAT_VERSION}")]
    OtherVersion { file: String, version: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PasswordsJson {
    kind: String,
    format_version: u32,
    passwords: Vec<StoredPassword>,
}

const KIND: &str = "passwords";

impl PasswordFile {
    /// A new file without passwords.
    ///
    /// # Errors
    /// If it exists or cannot be written.
    pub fn create(path: &Path, key: PlanKey) -> Result<Self, PasswordFileError> {
        let file = Self { path: path.to_path_buf(), key, passwords: Vec::new() };
        if path.exists() {
            return Err(PasswordFileError::Exists(path.display().to_string()));
        }
        file.write(IfExists::Fail)?;
        Ok(file)
    }

    /// Adds a password and returns when it is on disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, password: StoredPassword) -> Result<(), PasswordFileError> {
        self.passwords.push(password);
        self.write(IfExists::Overwrite)
    }

    fn write(&self, existing: IfExists) -> Result<(), PasswordFileError> {
        let name = || self.path.display().to_string();
        let passwords = self.passwords.clone();
        let json = PasswordsJson { kind: KIND.to_owned(), format_version: FORMAT_VERSION, passwords };
        let not_written = |reason: String| PasswordFileError::NotWritten(name(), reason);
        let text = serde_json::to_vec(&json).map_err(|error| not_written(error.to_string()))?;
        let encrypted = self.key.encrypt(&text).map_err(|error| not_written(error.to_string()))?;
        write_private_file(&self.path, &encrypted, existing).map_err(|error| not_written(error.to_string()))
    }

    /// The passwords of a file.
    ///
    /// # Errors
    /// If it cannot be read or decrypted, or is something else.
    pub fn read(path: &Path, key: &PlanKey) -> Result<Vec<StoredPassword>, PasswordFileError> {
        let name = path.display().to_string();
        let bytes =
            std::fs::read(path).map_err(|error| PasswordFileError::Unreadable(name.clone(), error.to_string()))?;
        let text = key.decrypt(&bytes).ok_or_else(|| PasswordFileError::NotDecrypted(name.clone()))?;
        let value: serde_json::Value =
            serde_json::from_slice(&text).map_err(|_| PasswordFileError::NotDecrypted(name.clone()))?;
        let version = value["formatVersion"].as_u64().unwrap_or_default();
        if value["kind"] == KIND && version != u64::from(FORMAT_VERSION) {
            return Err(PasswordFileError::OtherVersion { file: name, version });
        }
        match serde_json::from_value::<PasswordsJson>(value) {
            Ok(json) if json.kind == KIND => Ok(json.passwords),
            _ => Err(PasswordFileError::NotDecrypted(name)),
        }
    }
}
