//! Files on disk: journals and saved plans. They contain access codes, so every file has mode 0600.
//!
//! | module | purpose |
//! |---|---|
//! | `journal` | journals: written before each request, read to resume and undo |
//! | `saved_plan` | [`SavedPlan`]: reviewed plans |
//! | `encryption` | [`PlanKey`]: authenticated encryption, in the age format |
//! | `password_file` | [`PasswordFile`]: encrypted files of passwords |
//! | `state_json` | JSON form of states, including access codes |
//! | `private_file` | files and directories that only their owner can read |

mod encryption;
pub mod journal;
mod password_file;
mod private_file;
mod saved_plan;
mod state_json;

pub use encryption::{PlanKey, PlanKeyError};
pub use journal::{
    CodeAccess, Journal, JournalEntry, JournalError, RunDirectory, RunHistory, RunIdentity, RunOutcome, RunTarget,
    append_run_finished,
};
pub use password_file::{PasswordFile, PasswordFileError, StoredPassword};
pub use private_file::{IfExists, create_private_dir, rewrite_files, write_private_file, write_public_file};
pub use saved_plan::{SavedPlan, SavedPlanError, saved_plan_schema, sha256};
