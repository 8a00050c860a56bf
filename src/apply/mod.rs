//! Applies a checked plan. Prints nothing: it emits events and returns an outcome.
//!
//! | file | what it is |
//! |---|---|
//! | `run` | [`run()`]: the executor, one future; groups of steps run side by side |
//! | `groups` | which steps depend on each other or are about one network |
//! | `admission` | which group of a location may start, and which may write now |
//! | `options` | [`Options`]: how a plan is applied |
//! | `context` | what all workers share |
//! | `waves` | [`Waves`]: which locations come first |
//! | `group_worker` | one group: one write at a time, in the order of the plan |
//! | `write` | one request of any kind: announced, guarded, sent, settled |
//! | `write_result` | what a request is to do, and what has become of its items |
//! | `operation` | how an operation of a kind is described: `resources/<kind>/operations` |
//! | `observe` | what reads show of a request whose response does not tell |
//! | `restore` | finishes or reverts temporary renames when a run stops early or a dependency failed |
//! | `late_writes` | sends the final update again where an unanswered write was applied later |
//! | `verify` | reads the list again and compares it with the plan |
//! | `event` | [`Event`]: progress events |
//! | `timeline` | [`Timeline`]: when what happened |
//! | `outcome` | [`Outcome`]: the result of each change |

mod admission;
mod context;
mod event;
mod group_worker;
mod groups;
mod late_writes;
mod observe;
pub(crate) mod operation;
mod options;
mod outcome;
mod restore;
mod run;
mod timeline;
mod verify;
mod waves;
mod write;
mod write_result;

pub use event::Event;
pub use options::Options;
pub use outcome::{ChangeResult, ChangeStatus, Failure, Outcome, Verification};
pub use run::run;
pub use timeline::Timeline;
pub use waves::{Canary, Waves};
