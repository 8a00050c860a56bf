//! Carries out a plan that has been proved. Prints nothing: it tells events, and ends with an outcome.
//!
//! | file | what it is |
//! |---|---|
//! | `run` | [`run()`]: the executor, one future; locations side by side |
//! | `options` | [`Options`]: how it is to be done |
//! | `run` | what all locations of a run share |
//! | `waves` | [`Waves`]: which locations come first |
//! | `lane` | one location: one write at a time, in the order of the plan |
//! | `confirm_write` | what became of a write that nobody acknowledged |
//! | `restore_parked` | brings home who stands on a temporary name when the way on is barred |
//! | `verify` | one more list: is everything as planned? |
//! | `event` | [`Event`]: what the run tells while it goes |
//! | `outcome` | [`Outcome`]: what became of each network |

mod confirm;
mod context;
mod event;
mod location_worker;
mod options;
mod outcome;
mod restore;
mod run;
mod verify;
mod waves;

pub use confirm::matches_live;
pub use event::Event;
pub use options::Options;
pub use outcome::{Failure, NetworkResult, NetworkStatus, Outcome, OutcomeKind, Verification};
pub use run::run;
pub use waves::{Canary, Waves};
