//! Shows that a plan is safe, knowing nothing of how it was made.
//!
//! | file | what it is |
//! |---|---|
//! | `prove` | [`prove()`]: a plan and a state become a [`CheckedPlan`], or the first [`PlanViolation`] |
//! | `hold` | who holds which name or code between which steps |
//! | `violation` | what can be wrong with a plan |
//!
//! The proof speaks of acknowledged writes: whatever order the executor takes, as long as a step is sent only after the
//! steps it waits for were acknowledged and a location has one write in flight at a time.

mod check;
mod holds;
mod violation;

pub use check::{CheckedPlan, check_plan};
pub use violation::PlanViolation;
