//! The story that the commands share: what goes in, what is proposed, and how it is carried out.
//!
//! | file | what it is |
//! |---|---|
//! | `inputs` | [`Inputs`]: the files as one desired state, or everything that is wrong with them |
//! | `propose` | [`Proposal`]: the live state, and a plan that has been proved on it |
//! | `work` | [`Work`]: proposed, shown, agreed to, carried out |
//! | `carry_out` | [`carry_out()`]: a journal, the executor, the outcome, wave by wave |
//! | `interrupted` | the plan of a run that did not come to its end |
//! | `rehearse` | [`rehearse()`]: the executor on a simulated copy, in virtual time |
//! | `status` | [`status()`]: location by location |
//! | `undo` | [`way_back()`]: what was before a run, as a desired state |
//! | `as_file` | [`as_file()`]: what a plan leads to, as a desired-state file |
//! | `error` | [`Error`]: why there is no result |

mod as_file;
mod carry_out;
mod error;
mod inputs;
mod interrupted;
mod propose;
mod rehearse;
mod status;
mod undo;
mod work;

pub use as_file::as_file;
pub use carry_out::{Gate, NextWave, Pieces, Records, Run, carry_out};
pub use error::Error;
pub use inputs::{InputOptions, Inputs, Rejected, Resolve};
pub use interrupted::{GoingOn, goes_on_from, going_on, undo_of};
pub use propose::{Proposal, go_on_with, plan_for, propose};
pub use rehearse::{Conditions, Rehearsal, rehearse};
pub use status::{LocationStatus, Status, status};
pub use undo::{LeftAlone, WayBack, way_back};
pub use work::{Audience, Consent, Done, Terms, Wishes, Work};
