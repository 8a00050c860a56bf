//! The journal of a run: what it was about to do, and how each write ended.
//!
//! | file | what it is |
//! |---|---|
//! | `entry` | [`JournalEntry`]: one line |
//! | `writer` | [`Journal`]: appends lines, each on disk before the request that it announces |
//! | `reader` | [`RunHistory`]: a journal read again |
//! | `runs` | [`RunDirectory`]: the journals of a directory: list, find, prune |

mod entry;
mod reader;
mod runs;
mod writer;

pub use entry::{JournalEntry, RunOutcome, WriteKind, WriteOutcome};
pub use reader::{CodeAccess, ModifiedNetwork, RunHistory, RunHistoryError};
pub use runs::{RunDirectory, RunDirectoryError};
pub use writer::{Journal, JournalError, append_run_finished};
