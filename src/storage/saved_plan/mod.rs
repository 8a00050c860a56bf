//! A plan as it is kept: what was reviewed, and everything needed to carry out exactly that.

mod file;
mod json;

pub use file::{SavedPlanError, sha256};

use jiff::Timestamp;

use crate::plan::model::Plan;

/// A plan with what is known of how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPlan {
    pub plan: Plan,
    pub created: Timestamp,
    /// The organization it was made for, if one was named.
    pub org: Option<String>,
    /// The word about its size, if it was said.
    pub max_changes: Option<String>,
    /// The texts that it comes from, with their SHA-256.
    pub sources: Vec<(String, String)>,
}
