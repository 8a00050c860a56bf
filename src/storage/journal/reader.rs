//! Parses a journal: what a run has changed.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::entry::{
    FORMAT_VERSION, JournalItem, JournalItemResult, JournalLineJson, Line, RunIdentity, RunOutcome, ShownJson,
    WriteKind, WriteOutcome,
};
use crate::model::{LocationId, NetworkId, Settings};
use crate::plan::model::{ChangeAction, ChangeKey, Operation, ResourceKind, ResourceState};
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
    /// Whether the list has shown at its end what it had written.
    pub is_verified: bool,
    /// Modified networks, in the order of their first write.
    pub modified: Vec<ModifiedNetwork>,
    /// What the run has created or deleted, or may have, in the order of the requests.
    pub items: Vec<RecordedItem>,
    /// The networks whose handsets the run has changed, or may have.
    pub handset_changes: HashMap<NetworkId, HandsetChangeTime>,
    /// Passwords that were asked for. They cannot be taken back.
    pub passwords: usize,
    /// Number of networks whose final state was acknowledged or observed.
    pub networks_written: usize,
    /// The same for all things, base stations and handsets included.
    pub changes_written: usize,
    /// Number of changes that were about to be sent, and whose result was not recorded.
    pub changes_open: usize,
}

/// When a run has last changed the handsets of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandsetChangeTime {
    /// When the request was sent, or when its outcome was known.
    pub at: Timestamp,
    /// Whether handsets may have been added that no list has shown yet.
    pub may_come_late: bool,
}

/// A change that a run has made, or tried to: of anything but the settings of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedItem {
    pub key: ChangeKey,
    pub location: LocationId,
    pub location_name: Arc<str>,
    /// The network that it belonged to or that it was; `None` if the run had created it.
    pub network: Option<NetworkId>,
    /// `None` if it was created.
    pub before: Option<ResourceState>,
    /// On the way, if it was sent in two steps: a handset that gave up its second line before it took another one.
    pub interim: Option<ResourceState>,
    /// `None` if it was deleted.
    pub after: Option<ResourceState>,
    /// What went with a deleted network.
    pub contents: Vec<ResourceState>,
    /// The address of the base station that has taken the place of a removed one.
    pub replaced_by: Option<String>,
    /// `None` if the outcome was never recorded. A change that was applied in part counts as applied.
    pub end: Option<WriteOutcome>,
    /// The id of what was created, if known.
    pub id: Option<String>,
    /// Whether the run has taken it back.
    pub is_reverted: bool,
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
    /// The temporary settings that it was given on the way.
    pub interim_states: Vec<Settings>,
    /// Whether it had its final settings when the run ended.
    pub is_final: bool,
    /// Whether a write to it may have been applied; not if all of them were refused or never sent.
    pub may_be_written: bool,
}

impl RecordedItem {
    pub fn is(&self, kind: ResourceKind, action: ChangeAction) -> bool {
        self.key.operation == Operation { kind, action }
    }

    /// Whether it may have added something.
    pub fn may_have_added(&self) -> bool {
        self.before.is_none() && self.after.is_some() && self.may_be_applied()
    }

    /// Whether it has added a handset that no list has shown yet: without one it has no id.
    pub fn is_unlisted_handset(&self) -> bool {
        let is_added = self.end == Some(WriteOutcome::Applied) && !self.is_reverted;
        is_added && self.id.is_none() && self.is(ResourceKind::Handset, ChangeAction::Create)
    }

    /// Whether it may have been applied.
    pub fn may_be_applied(&self) -> bool {
        !matches!(self.end, Some(WriteOutcome::NotSent | WriteOutcome::Failed))
    }
}

impl RunHistory {
    /// Whether the run has sent anything that may have changed something.
    pub fn has_written(&self) -> bool {
        self.modified.iter().any(|modified| modified.may_be_written)
            || self.items.iter().any(RecordedItem::may_be_applied)
    }

    /// Whether it may have changed anything, or generated passwords.
    pub fn may_have_changed(&self) -> bool {
        self.has_written() || self.passwords > 0
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
            identity: *identity,
            run,
            started_at: time,
            last_entry_at: time,
            is_encrypted,
            is_verified: false,
            changes,
            outcome: None,
            modified: Vec::new(),
            items: Vec::new(),
            handset_changes: HashMap::new(),
            passwords: 0,
            networks_written: 0,
            changes_written: 0,
            changes_open: 0,
        };
        let mut replay = Replay {
            history,
            place: HashMap::new(),
            open: HashMap::new(),
            written: HashSet::new(),
            passwords_generated: 0,
        };
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

/// Follows a journal line by line.
///
/// What undoes a run must know two things of a change: what was there before its first write, and what may be there after
/// its last one. A write that is announced and has no outcome may have been applied, whichever way the run ended.
struct Replay {
    history: RunHistory,
    /// Index of each updated network in the history.
    place: HashMap<NetworkId, usize>,
    /// Writes that were started and have not finished.
    open: HashMap<ChangeKey, OpenWrite>,
    /// Networks that have their final settings.
    written: HashSet<NetworkId>,
    passwords_generated: usize,
}

struct OpenWrite {
    network: Option<NetworkId>,
    item: JournalItem,
}

impl OpenWrite {
    /// Whether it adds a handset, of which a list may show nothing for a while.
    fn adds_handset(&self) -> bool {
        self.item.from.is_none() && self.item.key.operation.kind == ResourceKind::Handset
    }
}

impl Replay {
    fn apply(&mut self, document: JournalLineJson, time: Timestamp) {
        match document {
            JournalLineJson::RunStarted { .. } => {}
            JournalLineJson::HandsetsChanging { network } => {
                let network = NetworkId::new(network);
                let mut open = self.open.values().filter(|open| {
                    open.network.as_ref() == Some(&network) && open.item.key.operation.kind == ResourceKind::Handset
                });
                // Only an addition that is executed late makes a list incomplete.
                let may_come_late = open.next().is_none_or(OpenWrite::adds_handset);
                self.history.handset_changes.insert(network, HandsetChangeTime { at: time, may_come_late });
            }
            JournalLineJson::WriteStarted { location, location_name, network, items } => {
                let location = LocationId::new(location);
                let network = network.and_then(NetworkId::non_empty);
                for item in items.into_iter().map(JournalItem::from) {
                    self.start(&location, &location_name, network.as_ref(), &item);
                    self.open.insert(item.key.clone(), OpenWrite { network: network.clone(), item });
                }
            }
            JournalLineJson::WriteFinished { results } => {
                for result in results {
                    let open = self.open.remove(&result.key);
                    self.finish(result, open, time);
                }
            }
            JournalLineJson::Shown { states } => {
                for ShownJson { key, state } in states {
                    self.shown(&key, state.into());
                }
            }
            JournalLineJson::PasswordRequested { .. } => self.history.passwords += 1,
            JournalLineJson::PasswordEnded { end, .. } => {
                self.passwords_generated += usize::from(end == WriteOutcome::Applied);
            }
            JournalLineJson::RunFinished { outcome, verified } => {
                self.history.outcome = Some(outcome);
                self.history.is_verified = verified;
            }
        }
    }

    fn start(
        &mut self,
        location: &LocationId,
        location_name: &Arc<str>,
        network: Option<&NetworkId>,
        item: &JournalItem,
    ) {
        if let (SETTINGS, Some(network), Some(from)) = (item.key.operation, network, &item.from) {
            let modified = &mut self.history.modified;
            if let (Entry::Vacant(place), Some(before)) = (self.place.entry(network.clone()), from.settings()) {
                place.insert(modified.len());
                modified.push(ModifiedNetwork {
                    location: location.clone(),
                    network: network.clone(),
                    before: before.clone(),
                    final_states: vec![before.clone()],
                    interim_states: Vec::new(),
                    is_final: false,
                    may_be_written: false,
                });
            }
            if let (WriteKind::Interim, Some(at), Some(to)) = (item.write, self.place.get(network), &item.to) {
                modified[*at].interim_states.extend(to.settings().cloned());
            }
            return;
        }
        if item.write == WriteKind::Revert {
            return;
        }
        let items = &mut self.history.items;
        let known = items.iter().rposition(|known| known.key == item.key).map(|at| items.remove(at));
        items.push(RecordedItem {
            key: item.key.clone(),
            location: location.clone(),
            location_name: location_name.clone(),
            network: network.cloned(),
            before: item.before.clone(),
            interim: match (item.write, &item.before) {
                (WriteKind::Interim, Some(_)) => item.to.clone(),
                _ => known.as_ref().and_then(|known| known.interim.clone()),
            },
            after: item.after.clone(),
            contents: item.contents.clone(),
            replaced_by: item.replaced_by.clone(),
            // What was applied in part stays, whatever becomes of the rest.
            end: known.as_ref().and_then(|known| known.end).filter(|end| *end == WriteOutcome::Applied),
            id: known.and_then(|known| known.id),
            is_reverted: false,
        });
    }

    fn finish(&mut self, result: JournalItemResult, open: Option<OpenWrite>, time: Timestamp) {
        let (end, write) = (result.end, open.as_ref().map(|open| open.item.write));
        if result.key.operation == SETTINGS {
            let Some(OpenWrite { network: Some(network), item }) = open else {
                return self.found_applied(NetworkId::new(result.key.network), end);
            };
            match (item.write, end) {
                (WriteKind::Final, WriteOutcome::Applied) => {
                    self.written.insert(network.clone());
                }
                // Another write to the network was sent, so it is not known to have its final settings any more.
                (WriteKind::Interim | WriteKind::Revert, WriteOutcome::Applied | WriteOutcome::Unknown) => {
                    self.written.remove(&network);
                }
                _ => {}
            }
            if let Some(settings) = item.to.as_ref().and_then(ResourceState::settings) {
                self.final_states(&network, settings.clone(), end);
            }
            return;
        }
        let Some(known) = self.history.items.iter_mut().rev().find(|known| known.key == result.key) else { return };
        if write == Some(WriteKind::Revert) {
            known.is_reverted |= end == WriteOutcome::Applied;
            known.id = result.id.or(known.id.take());
            return;
        }
        if known.end != Some(WriteOutcome::Applied) {
            known.end = Some(end);
        }
        known.id = result.id.or(known.id.take());
        let changed = known.network.as_ref().and_then(|id| self.history.handset_changes.get_mut(id));
        if let (Some(change), Some(open)) = (changed, open) {
            let is_unknown = end == WriteOutcome::Unknown && open.adds_handset();
            let may_come_late = is_unknown || change.may_come_late && change.at == time;
            *change = HandsetChangeTime { at: time, may_come_late };
        }
    }

    /// The final list has shown other values than those that were sent.
    fn shown(&mut self, key: &ChangeKey, state: ResourceState) {
        if key.operation == SETTINGS {
            let modified = self.place.get(&NetworkId::new(key.network.as_str()));
            if let Some((at, settings)) = modified.zip(state.settings()) {
                self.history.modified[*at].final_states.insert(0, settings.clone());
            }
            return;
        }
        let known = self.history.items.iter_mut().rev().find(|known| known.key == *key);
        if let Some(after) = known.and_then(|known| known.after.as_mut()) {
            match (after, state) {
                // Of a network that was created, its settings are shown.
                (ResourceState::Network { settings, .. }, ResourceState::Network { settings: shown, .. }) => {
                    *settings = shown;
                }
                (after, state) => *after = state,
            }
        }
    }

    /// The final list has shown that a network is as planned, whatever the responses were.
    fn found_applied(&mut self, network: NetworkId, end: WriteOutcome) {
        let modified = self.place.get(&network).map(|at| &mut self.history.modified[*at]);
        if let (Some(modified), WriteOutcome::Applied) = (modified, end) {
            modified.may_be_written = true;
            self.written.insert(network);
        }
    }

    /// A write that was started and never finished may have been applied.
    fn end(mut self) -> RunHistory {
        self.history.changes_open = self.open.len();
        for (key, open) in std::mem::take(&mut self.open) {
            let settings = open.item.to.as_ref().and_then(ResourceState::settings).cloned();
            if let (SETTINGS, Some(network), Some(settings)) = (key.operation, open.network, settings) {
                self.final_states(&network, settings, WriteOutcome::Unknown);
            }
        }
        let is_applied = |item: &&RecordedItem| item.end == Some(WriteOutcome::Applied) && !item.is_reverted;
        let applied: Vec<&RecordedItem> = self.history.items.iter().filter(is_applied).collect();
        let networks = applied.iter().filter(|item| item.key.operation.kind == ResourceKind::Network).count();
        let (networks, changes) = (self.written.len() + networks, self.written.len() + applied.len());
        for modified in &mut self.history.modified {
            modified.is_final = self.written.contains(&modified.network);
        }
        let passwords = self.passwords_generated;
        (self.history.networks_written, self.history.changes_written) = (networks + passwords, changes + passwords);
        self.history
    }

    fn final_states(&mut self, network: &NetworkId, settings: Settings, end: WriteOutcome) {
        let Some(modified) = self.place.get(network).map(|at| &mut self.history.modified[*at]) else { return };
        modified.may_be_written |= matches!(end, WriteOutcome::Applied | WriteOutcome::Unknown);
        match end {
            WriteOutcome::Applied => modified.final_states = vec![settings],
            WriteOutcome::Unknown | WriteOutcome::Failed => modified.final_states.insert(0, settings),
            WriteOutcome::NotSent => {}
        }
    }
}

/// An update of the settings of a network.
const SETTINGS: Operation = Operation::new(ResourceKind::Network, ChangeAction::Update);

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = r#"{"time":"2026-11-23T10:00:00Z","event":"runStarted","formatVersion":1,"generator":"dectl","run":"r1","changes":1,"steps":1}"#;
    const SENDING: &str = r#"{"time":"2026-11-23T10:00:01Z","event":"writeStarted","location":"l","locationName":"L","network":"n","items":[{"key":{"kind":"network","action":"update","location":"l","network":"n"},"write":"final","from":{"kind":"network","settings":{"name":"Old"}},"to":{"kind":"network","settings":{"name":"New"}}}]}"#;
    const ENDED: &str = r#"{"time":"2026-11-23T10:00:02Z","event":"writeFinished","results":[{"key":{"kind":"network","action":"update","location":"l","network":"n"},"end":"applied"}]}"#;

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
