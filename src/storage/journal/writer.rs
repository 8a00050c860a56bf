//! Writes the journal of a run. An entry is synced to disk before its request is sent.
//!
//! Entries that arrive while a sync is running are synced together (group commit), so that concurrent workers cost
//! little more than one.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::runtime::Handle;

use super::entry::{JournalEntry, RunOutcome};
use crate::storage::encryption::PlanKey;
use crate::storage::private_file;

#[derive(Debug, thiserror::Error)]
#[error("cannot write the journal {}: {reason}", path.display())]
pub struct JournalError {
    path: PathBuf,
    reason: String,
}

#[derive(Debug)]
pub struct Journal(JournalBackend);

#[derive(Debug)]
enum JournalBackend {
    File(FileJournal),
    Memory(RefCell<Vec<JournalEntry>>),
}

#[derive(Debug)]
struct FileJournal {
    path: PathBuf,
    is_locked: bool,
    file: Arc<File>,
    pending: RefCell<Vec<u8>>,
    appended: Cell<u64>,
    synced: Cell<u64>,
    broken: RefCell<Option<String>>,
    syncing: futures::lock::Mutex<()>,
    /// The cipher of the codes, and its encrypted key.
    key: Option<PlanKey>,
}

impl Journal {
    /// A journal in memory, for rehearsals and tests.
    pub const fn in_memory() -> Self {
        Self(JournalBackend::Memory(RefCell::new(Vec::new())))
    }

    /// Creates the journal directory with a `.gitignore`.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn prepare(dir: &Path) -> Result<(), JournalError> {
        private_file::create_private_dir(dir)
            .and_then(|()| private_file::write_gitignore(dir))
            .map_err(|error| JournalError { path: dir.to_path_buf(), reason: error.to_string() })
    }

    /// Creates the journal of `run` in `dir` and syncs the directory. With a key,
    /// access codes are encrypted.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(dir: &Path, run: &str, key: Option<&PlanKey>) -> Result<Self, JournalError> {
        let path = dir.join(format!("{run}.jsonl"));
        let create = || {
            let file = private_file::create_new(&path)?;
            // Held until the process ends, so that others recognize a running run. Some file systems know no locks.
            let is_locked = file.try_lock().is_ok();
            private_file::sync_dir(dir)?;
            Ok((file, is_locked))
        };
        match create() {
            Ok((file, is_locked)) => Ok(Self(JournalBackend::File(FileJournal {
                path,
                is_locked,
                file: Arc::new(file),
                pending: RefCell::default(),
                appended: Cell::new(0),
                synced: Cell::new(0),
                broken: RefCell::default(),
                syncing: futures::lock::Mutex::new(()),
                key: key.cloned(),
            }))),
            Err(error) => Err(JournalError { path, reason: io::Error::to_string(&error) }),
        }
    }

    /// Creates the journal of `run` in `dir`, as [`Self::create`], with its first entry. Without that it would be none, so nothing is left
    /// of it then.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn begin(
        dir: &Path,
        run: &str,
        key: Option<&PlanKey>,
        entry: JournalEntry,
        time: Timestamp,
    ) -> Result<Self, JournalError> {
        let journal = Self::create(dir, run, key)?;
        journal.append(entry, time).await.inspect_err(|_| {
            let _of_no_use = journal.path().map(std::fs::remove_file);
        })?;
        Ok(journal)
    }

    /// Whether other processes recognize this run as running: the file system of the journal has locks.
    pub fn is_locked(&self) -> bool {
        match &self.0 {
            JournalBackend::File(journal) => journal.is_locked,
            JournalBackend::Memory(_) => true,
        }
    }

    /// Holds a prepared directory for one process at a time, as long as the result lives; `None` if its file system has no
    /// locks. What is locked is the file that every such directory has.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn hold_directory(dir: &Path) -> Result<Option<std::fs::File>, JournalError> {
        let path = dir.join(".gitignore");
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        let file = file.map_err(|error| JournalError { path, reason: error.to_string() })?;
        Ok(file.lock().is_ok().then_some(file))
    }

    /// Path, if the journal is a file.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            JournalBackend::File(journal) => Some(&journal.path),
            JournalBackend::Memory(_) => None,
        }
    }

    /// Appends an entry and returns when it is on disk.
    ///
    /// # Errors
    /// If it cannot be written. Every later append then fails as well, so that a journal has no gaps.
    pub async fn append(&self, entry: JournalEntry, time: Timestamp) -> Result<(), JournalError> {
        match &self.0 {
            JournalBackend::File(journal) => journal.append(&entry, time).await,
            JournalBackend::Memory(entries) => {
                entries.borrow_mut().push(entry);
                Ok(())
            }
        }
    }
}

/// Marks the journal of a killed run as complete.
///
/// # Errors
/// If it cannot be written.
pub fn append_run_finished(path: &Path, time: Timestamp) -> Result<(), JournalError> {
    let write = || {
        let text = std::fs::read(path)?;
        // A truncated line is ignored.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
        file.set_len(whole as u64)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
        let end = JournalEntry::RunFinished { outcome: RunOutcome::Applied, is_verified: true };
        writeln!(file, "{}", end.line(time, None))?;
        file.sync_all()
    };
    write().map_err(|error: io::Error| JournalError { path: path.to_path_buf(), reason: error.to_string() })
}

impl FileJournal {
    async fn append(&self, entry: &JournalEntry, time: Timestamp) -> Result<(), JournalError> {
        let line = entry.line(time, self.key.as_ref());
        let mut pending = self.pending.take();
        pending.extend_from_slice(line.as_bytes());
        pending.push(b'\n');
        self.pending.replace(pending);
        let mine = self.appended.get() + 1;
        self.appended.set(mine);

        let _alone = self.syncing.lock().await;
        self.check()?;
        if self.synced.get() >= mine {
            return Ok(());
        }
        let (bytes, up_to) = (self.pending.take(), self.appended.get());
        let file = Arc::clone(&self.file);
        let write = move || (&*file).write_all(&bytes).and_then(|()| file.sync_data());
        let written = match Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(write).await.unwrap_or_else(|error| Err(io::Error::other(error))),
            // In virtual time nothing else is going on that a write could hold up.
            Err(_) => write(),
        };
        match written {
            Ok(()) => self.synced.set(up_to),
            Err(error) => {
                self.broken.replace(Some(error.to_string()));
            }
        }
        self.check()
    }

    fn check(&self) -> Result<(), JournalError> {
        match &*self.broken.borrow() {
            Some(reason) => Err(JournalError { path: self.path.clone(), reason: reason.clone() }),
            None => Ok(()),
        }
    }
}
