//! The story that the commands share: what goes in, what is proposed, and how it is carried out.
//!
//! | file | what it is |
//! |---|---|
//! | `inputs` | [`Inputs`]: the files as one desired state, or everything that is wrong with them |
//! | `propose` | [`Proposal`]: the live state, and a plan that has been proved on it |
//! | `carry_out` | [`carry_out()`]: a journal, the executor, the outcome |
//! | `undo` | [`way_back()`]: what was before a run, as a desired state |
//! | `error` | [`Error`]: why there is no result |

mod carry_out;
mod error;
mod inputs;
mod propose;
mod undo;

pub use carry_out::{Records, Run, carry_out};
pub use error::Error;
pub use inputs::{InputOptions, Inputs, Rejected, Resolve};
pub use propose::{Proposal, go_on_with, plan_for, propose};
pub use undo::{LeftAlone, WayBack, way_back};
