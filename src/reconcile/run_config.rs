//! How one run is planned, approved, executed and recorded.

use std::path::Path;
use std::time::Duration;

use crate::apply::{Options, Waves};
use crate::plan::{MaxChanges, Scope};
use crate::storage::{PlanKey, RunTarget};

/// How one run is planned, approved, executed and recorded.
#[derive(Clone, Debug)]
pub struct RunConfig<'a> {
    pub scope: Scope,
    /// Fails if a live network is in no file.
    pub fail_on_unmanaged: bool,
    /// Resume an interrupted run first if its temporary names affect these rules.
    pub resume_interrupted: bool,
    pub approval: Approval,
    /// The value of `--max-changes`: the limit of an unattended run, saved with the plan.
    pub max_changes: Option<MaxChanges>,
    /// The value of `--max-deletes`, saved with the plan.
    pub max_deletes: Option<usize>,
    pub options: Options,
    pub waves: Waves,
    /// Wait time between waves.
    pub soak: Duration,
    pub journal_dir: &'a Path,
    /// The name of the run.
    pub run: &'a str,
    /// What was run, for the list of runs.
    pub command: String,
    pub target: RunTarget,
    pub org: Option<String>,
    /// The run that this one resumes.
    pub resumes: Option<String>,
    /// The run that this one undoes.
    pub undoes: Option<String>,
    /// The interrupted runs that it undoes together with that one.
    pub undoes_with: Vec<String>,
    /// Key that encrypts plans and journals.
    pub key: Option<&'a PlanKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    Prompt,
    /// No prompt; the limits of changes and deletions apply.
    Automatic,
}
