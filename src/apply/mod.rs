//! Applies a checked plan. Prints nothing: it emits events and returns an outcome.
//!
//! | file | what it is |
//! |---|---|
//! | `run` | [`run()`]: the executor, one future; locations run concurrently |
//! | `options` | [`Options`]: how a plan is applied |
//! | `context` | what the workers of all locations share |
//! | `waves` | [`Waves`]: which locations come first |
//! | `location_worker` | one location: one write at a time, in the order of the plan |
//! | `write` | one request of any kind: announced, guarded, sent, settled |
//! | `operations` | the kinds of operation, one file each |
//! | `confirm` | what reads show of an update |
//! | `restore` | finishes or reverts temporary renames when a run stops early or a dependency failed |
//! | `late_writes` | sends the final update again where an unanswered write was applied later |
//! | `verify` | reads the list again and compares it with the plan |
//! | `event` | [`Event`]: progress events |
//! | `timeline` | [`Timeline`]: when what happened |
//! | `outcome` | [`Outcome`]: the result of each change |

mod confirm;
mod context;
mod event;
mod late_writes;
mod location_worker;
mod operations;
mod options;
mod outcome;
mod restore;
mod run;
mod timeline;
mod verify;
mod waves;
mod write;

pub use confirm::matches_live;
pub use event::Event;
pub use options::Options;
pub use outcome::{ChangeResult, ChangeStatus, Failure, Outcome, Verification};
pub use run::run;
pub use timeline::Timeline;
pub use waves::{Canary, Waves};
