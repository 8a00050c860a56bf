//! Lists, finds and prunes the runs of a journal directory.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::entry::RunTarget;
use super::reader::{CodeAccess, RunHistory, RunHistoryError};

#[derive(Debug, thiserror::Error)]
pub enum RunDirectoryError {
    #[error("cannot read the journals in {}: {reason}", dir.display())]
    Unreadable { dir: PathBuf, reason: String },
    #[error("no run {wanted:?} in {}; list runs with `dectl runs`, the newest one is `last`", dir.display())]
    Unknown { dir: PathBuf, wanted: String },
    #[error("ambiguous run {wanted:?}: {}", found.join(", "))]
    Ambiguous { wanted: String, found: Vec<String> },
}

/// Maximum number of runs scanned.
const MAX_RUNS_SCANNED: usize = 100;

/// Longer than the interval between changes of handsets, in which a run writes nothing.
const WRITES_WITHIN: Duration = Duration::from_secs(120);

/// No run waits so long between two entries.
const NEVER_SO_LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// What the lock of a journal says about its run.
enum LockState {
    Held,
    Free,
    /// The file system has no locks, and the run is unfinished.
    NoLocks {
        /// How long ago; `None` if that is not known.
        last_write: Option<Duration>,
    },
}

const TIME_FORMAT: &str = "%Y%m%dT%H%M%S.%3fZ";

/// The first part of the name of a run; names sort by it.
pub fn time_in_name(time: Timestamp) -> String {
    time.strftime(TIME_FORMAT).to_string()
}

/// The time in the name of a run; `None` if it is no such name.
fn started_at(name: &str) -> Option<Timestamp> {
    let (time, _) = name.split_once('-')?;
    let time = jiff::civil::DateTime::strptime(TIME_FORMAT, time).ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(time).ok()
}

#[derive(Clone, Debug)]
pub struct RunDirectory {
    dir: PathBuf,
    names: Vec<String>,
}

impl RunDirectory {
    /// Lists a directory; a missing one has no runs.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(dir: &Path) -> Result<Self, RunDirectoryError> {
        let unreadable =
            |error: io::Error| RunDirectoryError::Unreadable { dir: dir.to_path_buf(), reason: error.to_string() };
        let mut names = Vec::new();
        match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(error)),
            Ok(entries) => {
                for entry in entries {
                    let path = entry.map_err(unreadable)?.path();
                    let is_journal = path.extension().is_some_and(|extension| extension == "jsonl");
                    if let Some(name) = path.file_stem().and_then(|name| name.to_str()).filter(|_| is_journal) {
                        names.push(name.to_owned());
                    }
                }
            }
        }
        // Run ids start with a timestamp.
        names.sort_by(|one, other| other.cmp(one));
        Ok(Self { dir: dir.to_path_buf(), names })
    }

    /// The name of a run that begins now: `wanted`, or, if a run in the directory is not older by its name, the next
    /// millisecond after that one. So the names are in the order of the runs even if a clock was set back.
    pub fn next_name(&self, wanted: &str) -> String {
        let newest = self.names.iter().find_map(|name| Some((name, started_at(name)?)));
        match newest {
            Some((newest, time)) if **newest >= *wanted => {
                let suffix = wanted.rsplit_once('-').map_or(wanted, |(_, suffix)| suffix);
                format!(
                    "{}-{suffix}",
                    time_in_name(time.saturating_add(SignedDuration::from_millis(1)).unwrap_or(time))
                )
            }
            _ => wanted.to_owned(),
        }
    }

    /// Whether a run is in progress: its process holds the lock of the journal. Where a file system has no locks, an unfinished
    /// run that has written something lately may be in progress.
    pub fn is_running(&self, run: &str) -> bool {
        match self.lock_state(run) {
            LockState::Held => true,
            LockState::Free => false,
            LockState::NoLocks { last_write } => last_write.is_none_or(|since| since < WRITES_WITHIN),
        }
    }

    fn lock_state(&self, run: &str) -> LockState {
        let path = self.journal_path(run);
        let Ok(file) = fs::File::open(&path) else { return LockState::Free };
        match file.try_lock_shared() {
            Ok(()) => LockState::Free,
            Err(fs::TryLockError::WouldBlock) => LockState::Held,
            Err(fs::TryLockError::Error(_)) => match RunHistory::read(&path, CodeAccess::Skip) {
                Ok(history) if history.outcome.is_some() => LockState::Free,
                _ => {
                    let modified = file.metadata().and_then(|data| data.modified()).ok();
                    LockState::NoLocks { last_write: modified.and_then(|time| time.elapsed().ok()) }
                }
            },
        }
    }

    /// A run about this organization that is in progress.
    pub fn running(&self, target: &RunTarget) -> Option<&str> {
        self.recent().map(|(run, ..)| run).filter(|run| self.is_running(run)).find(|run| {
            RunHistory::read(&self.journal_path(run), CodeAccess::Skip)
                .is_ok_and(|history| history.identity.target.may_be_same(target))
        })
    }

    /// The newest run about this organization that is not an undo and that `concerns` accepts, with its newest undo that
    /// was not undone itself.
    pub fn last(
        &self,
        target: &RunTarget,
        concerns: impl Fn(&RunHistory) -> bool,
    ) -> Option<(RunHistory, Option<RunHistory>)> {
        let (mut undone, mut undos) = (UndoneRuns::default(), HashMap::new());
        for history in self.histories() {
            if !history.identity.target.is_same(target) || !history.has_written() {
                continue;
            }
            let undo = undone.pass(&history);
            if history.identity.undoes.is_some() {
                undos.insert(history.run.clone(), history);
                continue;
            }
            let undo = undo.and_then(|undo| undos.get(&undo.run));
            // An undo may have deleted all that its run had left.
            if concerns(&history) || undo.is_some_and(&concerns) {
                return Some((history, undo.cloned()));
            }
        }
        None
    }

    /// The newest undo of a run that was not undone itself.
    pub fn undo_of(&self, run: &str, target: &RunTarget) -> Option<RunHistory> {
        let mut undone = UndoneRuns::default();
        let ours = self.histories().filter(|history| history.identity.target.is_same(target));
        let (undo, _) = ours.map(|history| (undone.pass(&history), history.run)).find(|(_, older)| older == run)?;
        let undo = undo?;
        RunHistory::read(&self.journal_path(&undo.run), CodeAccess::Skip).ok()
    }

    pub fn all(&self) -> impl Iterator<Item = Result<RunHistory, RunHistoryError>> + '_ {
        self.names.iter().map(|name| RunHistory::read(&self.journal_path(name), CodeAccess::Skip))
    }

    /// Iterates over the newest runs: id, journal and saved plan of each.
    pub fn recent(&self) -> impl Iterator<Item = (&str, PathBuf, PathBuf)> + '_ {
        self.names
            .iter()
            .take(MAX_RUNS_SCANNED)
            .map(|name| (name.as_str(), self.journal_path(name), self.plan_path(name)))
    }

    /// The journals of the newest runs that can be read, without their codes.
    pub fn histories(&self) -> impl Iterator<Item = RunHistory> + '_ {
        self.recent().filter_map(|(_, journal, _)| RunHistory::read(&journal, CodeAccess::Skip).ok())
    }

    /// Finds a run by id or by a prefix of it.
    ///
    /// # Errors
    /// If there is no such run, or more than one.
    pub fn find(&self, wanted: &str) -> Result<PathBuf, RunDirectoryError> {
        let found: Vec<&String> = match self.names.iter().find(|name| *name == wanted) {
            Some(exact) => vec![exact],
            None => self.names.iter().filter(|name| !wanted.is_empty() && name.starts_with(wanted)).collect(),
        };
        match found[..] {
            [one] => Ok(self.journal_path(one)),
            [] => Err(RunDirectoryError::Unknown { dir: self.dir.clone(), wanted: wanted.to_owned() }),
            _ => {
                let found = found.into_iter().cloned().collect();
                Err(RunDirectoryError::Ambiguous { wanted: wanted.to_owned(), found })
            }
        }
    }

    /// Whether a run surely is not in progress. Without locks it may be, for as long as a wave may wait for the next one.
    fn is_over(&self, run: &str) -> bool {
        match self.lock_state(run) {
            LockState::Held => false,
            LockState::Free => true,
            LockState::NoLocks { last_write } => last_write.is_some_and(|since| since > NEVER_SO_LONG),
        }
    }

    /// Deletes all but the newest `keep` runs and returns the ids of the deleted ones.
    ///
    /// # Errors
    /// If a file cannot be deleted.
    pub fn prune(&self, keep: usize) -> Result<Vec<String>, RunDirectoryError> {
        let old: Vec<String> = self.names.iter().skip(keep).filter(|run| self.is_over(run)).cloned().collect();
        for name in &old {
            for path in [self.journal_path(name), self.plan_path(name)] {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        let reason = format!("cannot delete {}: {error}", path.display());
                        return Err(RunDirectoryError::Unreadable { dir: self.dir.clone(), reason });
                    }
                    _ => {}
                }
            }
        }
        Ok(old)
    }

    pub fn plan_path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.plan.json"))
    }

    pub fn journal_path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.jsonl"))
    }
}

/// Which runs are undone, told from the newest run to the oldest: an undo that was undone itself does not count.
#[derive(Debug, Default)]
pub struct UndoneRuns(HashMap<String, UndoneBy>);

/// What has undone a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneBy {
    /// The newest undo of it.
    pub run: String,
    /// Whether an undo of all of it was finished.
    pub is_whole: bool,
}

impl UndoneRuns {
    /// Goes on to the next older run; returns what has undone that one.
    pub fn pass(&mut self, history: &RunHistory) -> Option<UndoneBy> {
        let by = self.0.get(&history.run).cloned();
        if !by.as_ref().is_some_and(|by| by.is_whole) && history.has_written() {
            let is_whole = history.is_finished() && history.identity.scope.is_none();
            for undone in history.identity.undoes.iter().chain(&history.identity.undoes_with) {
                let newest = UndoneBy { run: history.run.clone(), is_whole };
                self.0.entry(undone.clone()).or_insert(newest).is_whole |= is_whole;
            }
        }
        by
    }
}
