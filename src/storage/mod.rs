//! What is kept on disk. Everything here may hold access codes, so every file has mode 0600.
//!
//! | file | what it is |
//! |---|---|
//! | `journal` | what a run did, line by line: written before each request, read again to resume and undo |
//! | `saved_plan` | [`SavedPlan`]: exactly what was reviewed |
//! | `encryption` | encrypted and authenticated with a passphrase, in the format of age |
//! | `settings_json` | the JSON of settings, codes in the clear |
//! | `private_file` | files and directories that only their owner can read |

mod encryption;
pub mod journal;
mod private_file;
mod saved_plan;
mod settings_json;

pub use journal::{CodeAccess, Journal, JournalEntry, JournalError, RunDirectory, RunHistory, append_run_finished};
pub use private_file::{IfExists, create_private_dir, write_private_file};
pub use saved_plan::{SavedPlan, SavedPlanError, sha256};
