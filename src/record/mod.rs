//! What is kept on disk. Everything here may hold access codes, so every file has mode 0600.
//!
//! | file | what it is |
//! |---|---|
//! | `private` | files and folders that nobody else may read |
//! | `saved_plan` | [`SavedPlan`]: exactly what was reviewed |
//! | `plan_file` | a saved plan as a file |
//! | `plan_document` | the JSON of a saved plan |
//! | `seal` | encrypted and authenticated by a passphrase |
//! | `document` | the JSON of settings, codes in the clear |
//! | `entry` | one line of a journal |
//! | `history` | [`History`]: a journal read again: what a run has done |
//! | `runs` | the runs of a folder: list, find, prune |
//! | `journal` | writes lines, and has them on disk before the request that they announce |

mod document;
pub mod entry;
mod history;
pub mod journal;
mod plan_document;
mod plan_file;
mod private;
mod runs;
mod saved_plan;
mod seal;

pub use entry::Entry;
pub use history::{Codes, History, HistoryError, Touched};
pub use journal::{Journal, JournalError, mark_finished};
pub use plan_file::{SavedPlanError, sha256};
pub use private::{Existing, create_folder, write_private};
pub use runs::{Runs, RunsError};
pub use saved_plan::SavedPlan;
