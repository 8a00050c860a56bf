//! Saved plans: a reviewed plan with everything that is needed to apply exactly this plan.

mod file;
mod json;

pub use file::{SavedPlanError, sha256};
pub use json::saved_plan_schema;

use jiff::Timestamp;

use crate::plan::model::Plan;

/// A plan with its provenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPlan {
    pub plan: Plan,
    pub created: Timestamp,
    /// The organization, if one was specified.
    pub org: Option<String>,
    /// The value of `--max-changes`, if set.
    pub max_changes: Option<String>,
    /// The value of `--max-deletes`, if set.
    pub max_deletes: Option<usize>,
    /// The run that the plan undoes, if it is an undo.
    pub undoes: Option<String>,
    /// The interrupted runs that it undoes together with that one.
    pub undoes_with: Vec<String>,
    /// The sources of the plan with their SHA-256.
    pub sources: Vec<(String, String)>,
}
