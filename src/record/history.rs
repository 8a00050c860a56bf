//! A journal read again: what a run has done to whom.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use secrecy::SecretString;

use super::entry::{Document, FORMAT_VERSION, Line, RunEnd, WriteEnd};
use super::seal::CodeSeal;
use crate::model::{LocationId, NetworkId, Settings};

/// Why a journal cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be read.
    #[error("{file} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// It is no journal, or one that was tampered with.
    #[error("{file}: line {line} is no line of a journal")]
    NotAJournal {
        /// The file.
        file: String,
        /// Which line, from 1.
        line: usize,
    },
    /// Its codes are sealed, and there is no key, or another one.
    #[error("the access codes in {file} are sealed: set DECTL_PLAN_KEY to the key of that run")]
    Sealed {
        /// The file.
        file: String,
    },
    /// It was written by another version of this tool.
    #[error("{file} has the format version {version}, this tool reads {FORMAT_VERSION}")]
    OtherVersion {
        /// The file.
        file: String,
        /// Its version.
        version: u32,
    },
}

/// Whether access codes are needed, and how they open.
#[derive(Clone, Copy, Debug)]
pub enum Codes<'a> {
    /// They are, with this key if they are sealed.
    OpenedWith(Option<&'a SecretString>),
    /// They are not: to list runs.
    NotNeeded,
}

/// What a run has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Its name.
    pub run: String,
    /// When it began.
    pub began: Timestamp,
    /// Whether its codes are sealed, and were left so.
    pub is_sealed: bool,
    /// How many networks it was to change.
    pub changes: usize,
    /// How it ended; `None` if it was killed.
    pub outcome: Option<RunEnd>,
    /// The networks that it has written to, in the order of their first write.
    pub touched: Vec<Touched>,
}

/// A network that a run has written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Its location.
    pub location: LocationId,
    /// Its id.
    pub network: NetworkId,
    /// What it was like before the run.
    pub before: Settings,
    /// What the run may have left it at, the last write first: more than one where an end is not known.
    pub left_at: Vec<Settings>,
}

impl History {
    /// Whether everything that it was about was done in the end.
    pub fn is_finished(&self) -> bool {
        self.outcome.is_some_and(RunEnd::is_complete)
    }

    /// Reads a journal.
    ///
    /// A last line that was cut off by a power failure is left out: the request it announces was not sent.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(path: &Path, codes: Codes<'_>) -> Result<Self, HistoryError> {
        let file = path.display().to_string();
        let text = std::fs::read(path)
            .map_err(|error| HistoryError::Unreadable { file: file.clone(), reason: error.to_string() })?;
        Self::parse(&text, &file, codes)
    }

    /// Reads the text of a journal that is called `file` in messages.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &[u8], file: &str, codes: Codes<'_>) -> Result<Self, HistoryError> {
        let not_a_journal = |line: usize| HistoryError::NotAJournal { file: file.to_owned(), line };
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &text[..end]);
        let mut lines = whole.split(|byte| *byte == b'\n').enumerate();
        let first = lines.next().and_then(|(_, line)| serde_json::from_slice::<Line>(line).ok());
        let Some(Line { time, document: Document::Begin { format_version, run, changes, seal, .. } }) = first else {
            return Err(not_a_journal(1));
        };
        if format_version != FORMAT_VERSION {
            return Err(HistoryError::OtherVersion { file: file.to_owned(), version: format_version });
        }
        let sealed = || HistoryError::Sealed { file: file.to_owned() };
        let is_sealed = seal.is_some() && matches!(codes, Codes::NotNeeded);
        let seal = match (seal, codes) {
            (Some(wrapped), Codes::OpenedWith(Some(key))) => Some(CodeSeal::unwrap(&wrapped, key).ok_or_else(sealed)?),
            (Some(_), Codes::OpenedWith(None)) => return Err(sealed()),
            (_, Codes::NotNeeded) | (None, _) => None,
        };
        let history = Self { run, began: time, is_sealed, changes, outcome: None, touched: Vec::new() };
        let mut replay = Replay { history, place: HashMap::new(), open: HashMap::new() };
        for (at, line) in lines {
            let line: Line = serde_json::from_slice(line).map_err(|_| not_a_journal(at + 1))?;
            let document = match &seal {
                Some(seal) => line.document.opened(seal).ok_or_else(|| not_a_journal(at + 1))?,
                None => line.document,
            };
            replay.take_in(document);
        }
        Ok(replay.end())
    }
}

/// A journal that is being read.
struct Replay {
    history: History,
    /// Where each network stands in the history.
    place: HashMap<NetworkId, usize>,
    /// What was announced, and has not ended yet.
    open: HashMap<NetworkId, Settings>,
}

impl Replay {
    fn take_in(&mut self, document: Document) {
        match document {
            Document::Begin { .. } => {}
            Document::Sending { location, network, before, settings, .. } => {
                let network = NetworkId::new(network);
                let touched = &mut self.history.touched;
                self.place.entry(network.clone()).or_insert_with(|| {
                    let before: Settings = before.into();
                    touched.push(Touched {
                        location: LocationId::new(location),
                        network: network.clone(),
                        left_at: vec![before.clone()],
                        before,
                    });
                    touched.len() - 1
                });
                self.open.insert(network, settings.into());
            }
            Document::Ended { network, end, .. } => {
                let network = NetworkId::new(network);
                if let Some(settings) = self.open.remove(&network) {
                    self.left_at(&network, settings, end);
                }
            }
            Document::End { outcome } => self.history.outcome = Some(outcome),
        }
    }

    /// What was announced and never ended may have been applied.
    fn end(mut self) -> History {
        for (network, settings) in std::mem::take(&mut self.open) {
            self.left_at(&network, settings, WriteEnd::Unknown);
        }
        self.history
    }

    fn left_at(&mut self, network: &NetworkId, settings: Settings, end: WriteEnd) {
        let Some(touched) = self.place.get(network).map(|at| &mut self.history.touched[*at]) else { return };
        match end {
            WriteEnd::Applied => touched.left_at = vec![settings],
            WriteEnd::Unknown | WriteEnd::Failed => touched.left_at.insert(0, settings),
            WriteEnd::NotSent => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = r#"{"time":"2026-11-23T10:00:00Z","event":"begin","formatVersion":1,"tool":"dectl","run":"r1","changes":1,"steps":1}"#;
    const SENDING: &str = r#"{"time":"2026-11-23T10:00:01Z","event":"sending","location":"l","network":"n","write":"final","before":{"name":"Old"},"settings":{"name":"New"}}"#;
    const ENDED: &str =
        r#"{"time":"2026-11-23T10:00:02Z","event":"ended","network":"n","write":"final","end":"applied"}"#;

    #[test]
    fn a_line_that_was_cut_off_does_not_count() {
        let text = format!("{BEGIN}\n{SENDING}\n{}", &ENDED[..40]);
        let history = History::parse(text.as_bytes(), "x", Codes::NotNeeded).expect("a journal");
        let names: Vec<_> = history.touched[0].left_at.iter().map(|settings| settings.name.to_string()).collect();
        assert_eq!(names, ["New", "Old"], "it may have been applied");
        assert_eq!(history.outcome, None);
    }

    #[test]
    fn an_acknowledged_write_leaves_no_doubt() {
        let text = format!("{BEGIN}\n{SENDING}\n{ENDED}\n");
        let history = History::parse(text.as_bytes(), "x", Codes::NotNeeded).expect("a journal");
        assert_eq!(history.touched[0].left_at.len(), 1);
        assert_eq!(&*history.touched[0].left_at[0].name, "New");
    }

    #[test]
    fn what_is_no_journal_is_refused() {
        let line = |line| Err(HistoryError::NotAJournal { file: "x".to_owned(), line });
        assert_eq!(History::parse(b"", "x", Codes::NotNeeded), line(1));
        assert_eq!(History::parse(b"hello\n", "x", Codes::NotNeeded), line(1));
        assert_eq!(History::parse(format!("{BEGIN}\n{{}}\n").as_bytes(), "x", Codes::NotNeeded), line(2));
        let later = BEGIN.replace("\"formatVersion\":1", "\"formatVersion\":7");
        let other = HistoryError::OtherVersion { file: "x".to_owned(), version: 7 };
        assert_eq!(History::parse(format!("{later}\n").as_bytes(), "x", Codes::NotNeeded), Err(other));
    }
}
