//! Parses a journal: what a run has changed.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::entry::{
    FORMAT_VERSION, JournalLineJson, Line, REVERT_PREFIX, RunIdentity, RunOutcome, WriteKind, WriteOutcome,
};
use crate::model::{LocationId, NetworkId, Settings};
use crate::plan::model::{Operation, ResourceState};
use crate::storage::encryption::PlanKey;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunHistoryError {
    #[error("cannot read {file}: {reason}")]
    Unreadable { file: String, reason: String },
    /// Not a journal, or damaged.
    #[error("{file}: line {line} is not a journal entry")]
    InvalidJournal {
        file: String,
        /// Line number, 1-based.
        line: usize,
    },
    /// The codes are encrypted, and the key is missing or wrong.
    #[error("the access codes in {file} are encrypted; set DECTL_PLAN_KEY to the key of that run")]
    Encrypted { file: String },
    /// Written by another version of dectl.
    #[error("{file} has format version {version}, expected {FORMAT_VERSION}")]
    OtherVersion { file: String, version: u32 },
}

/// Whether access codes are needed, and the key to decrypt them.
#[derive(Clone, Copy, Debug)]
pub enum CodeAccess<'a> {
    /// Decrypt with this key if necessary.
    Decrypt(Option<&'a PlanKey>),
    Skip,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunHistory {
    pub run: String,
    pub identity: RunIdentity,
    pub started_at: Timestamp,
    /// When it has written to its journal for the last time.
    pub last_entry_at: Timestamp,
    /// Whether the codes are encrypted and were not decrypted.
    pub is_encrypted: bool,
    /// Number of networks that the run was to change.
    pub changes: usize,
    /// Outcome; `None` if the run was killed.
    pub outcome: Option<RunOutcome>,
    /// Modified networks, in the order of their first write.
    pub modified: Vec<ModifiedNetwork>,
    /// What the run has created or deleted, or may have, in the order of the requests.
    pub items: Vec<RecordedItem>,
    /// The networks whose handsets the run has changed, or may have.
    pub handset_changes: HashMap<NetworkId, HandsetChangeTime>,
    /// Number of networks whose final state was acknowledged or observed.
    pub networks_written: usize,
    /// The same for all things, base stations and handsets included.
    pub changes_written: usize,
}

/// When a run has last changed the handsets of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandsetChangeTime {
    /// When the request was sent, or when its outcome was known.
    pub at: Timestamp,
    /// Whether handsets may have been added that no list has shown yet.
    pub may_come_late: bool,
}

/// A thing that a run has created or deleted, or tried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedItem {
    /// What tells it from the other changes of the run.
    pub key: String,
    pub location: LocationId,
    pub location_name: Arc<str>,
    /// The network that it belonged to or that it was; `None` if the run had created it.
    pub network: Option<NetworkId>,
    pub operation: Operation,
    /// `None` if it was created.
    pub before: Option<ResourceState>,
    /// `None` if it was deleted.
    pub after: Option<ResourceState>,
    /// What went with a deleted network.
    pub contents: Vec<ResourceState>,
    /// The address of the base station that has taken the place of a removed one.
    pub replaced_by: Option<String>,
    /// `None` if the outcome was never recorded.
    pub end: Option<WriteOutcome>,
    /// The id of what was created, if known.
    pub id: Option<String>,
}

/// A network modified by a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifiedNetwork {
    pub location: LocationId,
    pub network: NetworkId,
    /// Settings before the run.
    pub before: Settings,
    /// Possible settings after the run, last write first; more than one if the outcome of a write is unknown.
    pub final_states: Vec<Settings>,
    /// Whether it had its final settings when the run ended.
    pub is_final: bool,
}

impl RecordedItem {
    /// Whether it may have been applied.
    pub fn may_be_applied(&self) -> bool {
        !matches!(self.end, Some(WriteOutcome::NotSent | WriteOutcome::Failed))
    }
}

impl RunHistory {
    /// Whether the run has sent anything that may have changed something.
    pub fn has_written(&self) -> bool {
        !self.modified.is_empty() || self.items.iter().any(|item| item.end != Some(WriteOutcome::NotSent))
    }

    /// Whether everything was applied in the end.
    pub fn is_finished(&self) -> bool {
        self.outcome.is_some_and(RunOutcome::is_complete)
    }

    /// Reads a journal from a file.
    ///
    /// A last line that was truncated by a power failure is ignored: its request was not sent.
    ///
    /// # Errors
    /// If it is not a valid journal.
    pub fn read(path: &Path, codes: CodeAccess<'_>) -> Result<Self, RunHistoryError> {
        let file = path.display().to_string();
        let text = std::fs::read(path)
            .map_err(|error| RunHistoryError::Unreadable { file: file.clone(), reason: error.to_string() })?;
        Self::parse(&text, &file, codes)
    }

    /// Parses the content of a journal; `file` is its name in messages.
    ///
    /// # Errors
    /// If it is not a valid journal.
    pub fn parse(text: &[u8], file: &str, codes: CodeAccess<'_>) -> Result<Self, RunHistoryError> {
        let not_a_journal = |line: usize| RunHistoryError::InvalidJournal { file: file.to_owned(), line };
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &text[..end]);
        let mut lines = whole.split(|byte| *byte == b'\n').enumerate();
        let first = lines.next().and_then(|(_, line)| serde_json::from_slice::<Line>(line).ok());
        let Some(Line {
            time,
            document: JournalLineJson::RunStarted { format_version, run, changes, encrypted, identity, .. },
        }) = first
        else {
            return Err(not_a_journal(1));
        };
        if format_version != FORMAT_VERSION {
            return Err(RunHistoryError::OtherVersion { file: file.to_owned(), version: format_version });
        }
        let unreadable = || RunHistoryError::Encrypted { file: file.to_owned() };
        let is_encrypted = encrypted && matches!(codes, CodeAccess::Skip);
        let key = match codes {
            CodeAccess::Decrypt(None) if encrypted => return Err(unreadable()),
            CodeAccess::Decrypt(key) => key.filter(|_| encrypted),
            CodeAccess::Skip => None,
        };
        let history = Self {
            identity,
            run,
            started_at: time,
            last_entry_at: time,
            is_encrypted,
            changes,
            outcome: None,
            modified: Vec::new(),
            items: Vec::new(),
            handset_changes: HashMap::new(),
            networks_written: 0,
            changes_written: 0,
        };
        let mut replay = Replay { history, place: HashMap::new(), open: HashMap::new(), written: HashSet::new() };
        for (at, line) in lines {
            let line: Line = serde_json::from_slice(line).map_err(|_| not_a_journal(at + 1))?;
            let document = match key {
                Some(key) => line.document.decrypted(key).ok_or_else(unreadable)?,
                None => line.document,
            };
            replay.history.last_entry_at = line.time;
            replay.apply(document, line.time);
        }
        Ok(replay.end())
    }
}

struct Replay {
    history: RunHistory,
    /// Index of each network in the history.
    place: HashMap<NetworkId, usize>,
    /// Writes that were started and have not finished.
    open: HashMap<NetworkId, Settings>,
    /// Networks that have their final settings.
    written: HashSet<NetworkId>,
}

impl Replay {
    fn apply(&mut self, document: JournalLineJson, time: Timestamp) {
        match document {
            JournalLineJson::RunStarted { .. } => {}
            JournalLineJson::HandsetsChanging { network } => {
                let network = NetworkId::new(network);
                // Only an addition that is executed late makes a list incomplete; what is open is the last item.
                let is_open = |item: &&RecordedItem| item.network.as_ref() == Some(&network) && item.end.is_none();
                let open = self.history.items.iter().rev().find(is_open);
                let may_come_late = open.is_none_or(|item| item.operation == Operation::AddHandsets);
                self.history.handset_changes.insert(network, HandsetChangeTime { at: time, may_come_late });
            }
            JournalLineJson::WriteStarted { location, network, before, settings, .. } => {
                let network = NetworkId::new(network);
                let modified = &mut self.history.modified;
                self.place.entry(network.clone()).or_insert_with(|| {
                    let before: Settings = before.into();
                    modified.push(ModifiedNetwork {
                        location: LocationId::new(location),
                        network: network.clone(),
                        final_states: vec![before.clone()],
                        before,
                        is_final: false,
                    });
                    modified.len() - 1
                });
                self.open.insert(network, settings.into());
            }
            JournalLineJson::WriteFinished { network, write, end } => {
                let network = NetworkId::new(network);
                match (write, end) {
                    (WriteKind::Final, WriteOutcome::Applied) => {
                        self.written.insert(network.clone());
                    }
                    // Another write to the network was sent, so it is not known to have its final settings any more.
                    (WriteKind::Interim | WriteKind::Revert, WriteOutcome::Applied | WriteOutcome::Unknown) => {
                        self.written.remove(&network);
                    }
                    _ => {}
                }
                if let Some(settings) = self.open.remove(&network) {
                    self.final_states(&network, settings, end);
                }
            }
            JournalLineJson::OperationStarted { location, location_name, operation, network, items } => {
                let Some(operation) = Operation::parse(&operation) else { return };
                let network = network.and_then(NetworkId::non_empty);
                for item in items {
                    // A second attempt is about the same thing.
                    self.history.items.retain(|known| known.key != item.key || known.operation != operation);
                    self.history.items.push(RecordedItem {
                        key: item.key.clone(),
                        location: LocationId::new(location.as_str()),
                        location_name: location_name.clone(),
                        network: network.clone(),
                        operation,
                        before: item.before.map(Into::into),
                        after: item.after.map(Into::into),
                        contents: item.contents.into_iter().map(Into::into).collect(),
                        replaced_by: item.replaced_by,
                        end: None,
                        id: None,
                    });
                }
            }
            JournalLineJson::OperationFinished { operation, results } => {
                for result in results {
                    let known = self
                        .history
                        .items
                        .iter_mut()
                        .rev()
                        .find(|known| known.key == result.key && known.operation.as_str() == operation);
                    let Some(known) = known else { continue };
                    // The id of an added handset is recorded when the run has verified it.
                    let is_news = known.end != Some(WriteOutcome::Applied);
                    known.end = Some(result.end);
                    known.id = result.id.or(known.id.take());
                    let changed = known.network.as_ref().and_then(|id| self.history.handset_changes.get_mut(id));
                    if let Some(change) = changed.filter(|_| is_news) {
                        let is_unknown = result.end == WriteOutcome::Unknown && operation == "addHandsets";
                        *change = HandsetChangeTime {
                            at: time,
                            may_come_late: is_unknown || change.may_come_late && change.at == time,
                        };
                    }
                }
            }
            JournalLineJson::RunFinished { outcome } => self.history.outcome = Some(outcome),
        }
    }

    /// A write that was started and never finished may have been applied.
    fn end(mut self) -> RunHistory {
        for (network, settings) in std::mem::take(&mut self.open) {
            self.final_states(&network, settings, WriteOutcome::Unknown);
        }
        let is_applied = |item: &&RecordedItem| item.end == Some(WriteOutcome::Applied);
        let applied = || self.history.items.iter().filter(is_applied);
        // What was put back is as it was before.
        let taken_back: HashSet<&str> = applied().filter_map(|item| item.key.strip_prefix(REVERT_PREFIX)).collect();
        let is_left =
            |item: &&RecordedItem| !item.key.starts_with(REVERT_PREFIX) && !taken_back.contains(item.key.as_str());
        let is_network =
            |item: &&RecordedItem| matches!(item.operation, Operation::CreateNetwork | Operation::DeleteNetwork);
        let networks = self.written.len() + applied().filter(is_left).filter(is_network).count();
        let changes = self.written.len() + applied().filter(is_left).count();
        for modified in &mut self.history.modified {
            modified.is_final = self.written.contains(&modified.network);
        }
        (self.history.networks_written, self.history.changes_written) = (networks, changes);
        self.history
    }

    fn final_states(&mut self, network: &NetworkId, settings: Settings, end: WriteOutcome) {
        let Some(modified) = self.place.get(network).map(|at| &mut self.history.modified[*at]) else { return };
        match end {
            WriteOutcome::Applied => modified.final_states = vec![settings],
            WriteOutcome::Unknown | WriteOutcome::Failed => modified.final_states.insert(0, settings),
            WriteOutcome::NotSent => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = r#"{"time":"2026-11-23T10:00:00Z","event":"runStarted","formatVersion":1,"generator":"dectl","run":"r1","changes":1,"steps":1}"#;
    const SENDING: &str = r#"{"time":"2026-11-23T10:00:01Z","event":"writeStarted","location":"l","network":"n","write":"final","before":{"name":"Old"},"settings":{"name":"New"}}"#;
    const ENDED: &str =
        r#"{"time":"2026-11-23T10:00:02Z","event":"writeFinished","network":"n","write":"final","end":"applied"}"#;

    #[test]
    fn a_line_that_was_cut_off_does_not_count() {
        let text = format!("{BEGIN}\n{SENDING}\n{}", &ENDED[..40]);
        let history = RunHistory::parse(text.as_bytes(), "x", CodeAccess::Skip).expect("a journal");
        let names: Vec<_> = history.modified[0].final_states.iter().map(|settings| settings.name.to_string()).collect();
        assert_eq!(names, ["New", "Old"], "it may have been applied");
        assert_eq!(history.outcome, None);
    }

    #[test]
    fn an_acknowledged_write_leaves_no_doubt() {
        let text = format!("{BEGIN}\n{SENDING}\n{ENDED}\n");
        let history = RunHistory::parse(text.as_bytes(), "x", CodeAccess::Skip).expect("a journal");
        assert_eq!(history.modified[0].final_states.len(), 1);
        assert_eq!(&*history.modified[0].final_states[0].name, "New");
    }

    #[test]
    fn invalid_journals_are_rejected() {
        let line = |line| Err(RunHistoryError::InvalidJournal { file: "x".to_owned(), line });
        assert_eq!(RunHistory::parse(b"", "x", CodeAccess::Skip), line(1));
        assert_eq!(RunHistory::parse(b"hello\n", "x", CodeAccess::Skip), line(1));
        assert_eq!(RunHistory::parse(format!("{BEGIN}\n{{}}\n").as_bytes(), "x", CodeAccess::Skip), line(2));
        let later = BEGIN.replace("\"formatVersion\":1", "\"formatVersion\":7");
        let other = RunHistoryError::OtherVersion { file: "x".to_owned(), version: 7 };
        assert_eq!(RunHistory::parse(format!("{later}\n").as_bytes(), "x", CodeAccess::Skip), Err(other));
    }
}
