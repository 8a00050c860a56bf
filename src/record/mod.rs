//! What is kept on disk. Everything here may hold access codes, so every file has mode 0600.
//!
//! | file | what it is |
//! |---|---|
//! | `private` | files and folders that nobody else may read |
//! | `document` | the JSON of settings, codes in the clear |
//! | `entry` | one line of a journal |
//! | `journal` | writes lines, and has them on disk before the request that they announce |

mod document;
pub mod entry;
pub mod journal;
mod private;

pub use entry::Entry;
pub use journal::{Journal, JournalError};
