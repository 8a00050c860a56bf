//! The journal of a run: every write before it is sent, and its outcome.
//!
//! | module | purpose |
//! |---|---|
//! | `entry` | [`JournalEntry`]: one line |
//! | `writer` | [`Journal`]: appends entries, each synced to disk before its request is sent |
//! | `reader` | [`RunHistory`]: parses a journal |
//! | `runs` | [`RunDirectory`]: lists, finds and prunes the journals of a directory |

mod entry;
mod reader;
mod runs;
mod writer;

pub use entry::{
    JournalEntry, JournalItem, JournalItemResult, RunIdentity, RunOutcome, RunTarget, WriteKind, WriteOutcome,
};
pub use reader::{CodeAccess, HandsetChangeTime, ModifiedNetwork, RecordedItem, RunHistory, RunHistoryError};
pub use runs::time_in_name;
pub use runs::{RunDirectory, RunDirectoryError, UndoneBy, UndoneRuns};
pub use writer::{Journal, JournalError, append_run_finished};
