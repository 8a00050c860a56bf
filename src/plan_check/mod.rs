//! Checks that a plan is safe. Shares no code with the planner.
//!
//! | module | purpose |
//! |---|---|
//! | `check` | [`check_plan()`]: turns a plan and a state into a [`CheckedPlan`], or the first [`PlanViolation`] |
//! | `holds` | hold intervals of names and codes |
//! | `devices` | addresses and places of base stations |
//! | `handsets` | requests, names and lines of handsets |
//! | `passwords` | serviceability passwords, after all else of their networks |
//! | `violation` | [`PlanViolation`]: what can be wrong with a plan |
//!
//! The check holds for every execution order, provided that a step is sent only after its dependencies
//! were acknowledged and a network has at most one write in flight.

mod check;
mod devices;
mod handsets;
mod holds;
mod passwords;
mod violation;

pub use check::{CheckedPlan, check_plan};
pub use violation::PlanViolation;
