//! Writes a run's journal. A line that announces a request is on disk before the request is sent.
//!
//! Lines that are written while the disk is busy are synced together (group commit), so that eight lanes cost little
//! more than one.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;

use super::entry::{Entry, RunEnd};
use super::private;
use super::seal::CodeSeal;

/// Why a journal cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("the journal {} cannot be written: {reason}", path.display())]
pub struct JournalError {
    path: PathBuf,
    reason: String,
}

/// The journal of one run.
#[derive(Debug)]
pub struct Journal(Kind);

#[derive(Debug)]
enum Kind {
    File(FileJournal),
    Memory(RefCell<Vec<Entry>>),
}

#[derive(Debug)]
struct FileJournal {
    path: PathBuf,
    file: Arc<File>,
    pending: RefCell<Vec<u8>>,
    appended: Cell<u64>,
    synced: Cell<u64>,
    broken: RefCell<Option<String>>,
    syncing: futures::lock::Mutex<()>,
    /// What seals the codes, and itself sealed with the passphrase.
    seal: Option<(CodeSeal, String)>,
}

impl Journal {
    /// A journal that is only kept in memory: for rehearsals and for the harness.
    pub const fn in_memory() -> Self {
        Self(Kind::Memory(RefCell::new(Vec::new())))
    }

    /// Creates the folder of the journals, which keeps itself out of git.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn prepare(folder: &Path) -> Result<(), JournalError> {
        private::create_folder(folder)
            .and_then(|()| private::ignore_in_git(folder))
            .map_err(|error| JournalError { path: folder.to_path_buf(), reason: error.to_string() })
    }

    /// Creates the journal of `run` in `folder`, with everything needed to find it again after a power cut. With a key,
    /// access codes in it are sealed.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(folder: &Path, run: &str, key: Option<&SecretString>) -> Result<Self, JournalError> {
        let path = folder.join(format!("{run}.jsonl"));
        let seal = CodeSeal::new();
        let seal = match key.map(|key| seal.wrapped(key)).transpose() {
            Ok(wrapped) => wrapped.map(|wrapped| (seal, wrapped)),
            Err(reason) => return Err(JournalError { path, reason }),
        };
        let create = || {
            let file = private::create_new(&path)?;
            private::sync_folder(folder)?;
            Ok(file)
        };
        match create() {
            Ok(file) => Ok(Self(Kind::File(FileJournal {
                path,
                file: Arc::new(file),
                pending: RefCell::default(),
                appended: Cell::new(0),
                synced: Cell::new(0),
                broken: RefCell::default(),
                syncing: futures::lock::Mutex::new(()),
                seal,
            }))),
            Err(error) => Err(JournalError { path, reason: io::Error::to_string(&error) }),
        }
    }

    /// Where it is, if it is a file.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::File(journal) => Some(&journal.path),
            Kind::Memory(_) => None,
        }
    }

    /// Appends a line; when this returns, it is on disk.
    ///
    /// # Errors
    /// If it could not be written. After that, every later line fails as well: a journal has no holes.
    pub async fn append(&self, entry: Entry, time: Timestamp) -> Result<(), JournalError> {
        match &self.0 {
            Kind::File(journal) => journal.append(&entry, time).await,
            Kind::Memory(entries) => {
                entries.borrow_mut().push(entry);
                Ok(())
            }
        }
    }
}

/// Adds to the journal of a run that was killed that all of it is done.
///
/// # Errors
/// If it cannot be written.
pub fn mark_finished(path: &Path, time: Timestamp) -> Result<(), JournalError> {
    let write = || {
        let text = std::fs::read(path)?;
        // A line that was cut off does not count.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
        file.set_len(whole as u64)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
        writeln!(file, "{}", Entry::End { outcome: RunEnd::Applied }.line(time, None))?;
        file.sync_all()
    };
    write().map_err(|error: io::Error| JournalError { path: path.to_path_buf(), reason: error.to_string() })
}

impl FileJournal {
    async fn append(&self, entry: &Entry, time: Timestamp) -> Result<(), JournalError> {
        let line = entry.line(time, self.seal.as_ref().map(|(seal, wrapped)| (seal, wrapped.as_str())));
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
        let written = tokio::task::spawn_blocking(write).await;
        match written.unwrap_or_else(|error| Err(io::Error::other(error))) {
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
