//! Shows that a plan is safe, knowing nothing of how it was made.
//!
//! | file | what it is |
//! |---|---|
//! | `prove` | [`prove()`]: a plan and a state become a [`Proven`], or the first [`Flaw`] |
//! | `tenure` | who holds which name or code between which steps |
//! | `flaw` | what can be wrong with a plan |
//!
//! The proof speaks of acknowledged writes: whatever order the executor takes, as long as a step is sent only after the
//! steps it waits for were acknowledged and a location has one write in flight at a time.

mod flaw;
mod prove;
mod tenure;

pub use flaw::Flaw;
pub use prove::{Proven, prove};
