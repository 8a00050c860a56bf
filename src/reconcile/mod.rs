//! The story that the commands share: what goes in, what is proposed, and how it is carried out.
//!
//! | file | what it is |
//! |---|---|
//! | `inputs` | [`Inputs`]: the files as one desired state, or everything that is wrong with them |
//! | `prepare_plan` | [`PreparedPlan`]: the live state, and a plan that has been proved on it |
//! | `work` | [`ApplyWorkflow`]: proposed, shown, agreed to, carried out |
//! | `execute` | [`execute()`]: a journal, the executor, the outcome, wave by wave |
//! | `interrupted` | the plan of a run that did not come to its end |
//! | `rehearse` | [`rehearse()`]: the executor on a simulated copy, in virtual time |
//! | `status` | [`status()`]: location by location |
//! | `undo` | [`build_undo()`]: what was before a run, as a desired state |
//! | `plan_to_yaml` | [`plan_to_yaml()`]: what a plan leads to, as a desired-state file |
//! | `error` | [`Error`]: why there is no result |

mod error;
mod execute;
mod export_plan;
mod inputs;
mod prepare;
mod rehearse;
mod resume;
mod status;
mod undo;
mod workflow;

pub use error::Error;
pub use execute::{NextWave, Rollout, Run, RunFiles, WaveApproval, execute};
pub use export_plan::plan_to_yaml;
pub use inputs::{CodeResolution, InputOptions, Inputs, InvalidInput};
pub use prepare::{PreparedPlan, plan_from_live, prepare_plan, resume_saved_plan};
pub use rehearse::{Rehearsal, SimulationParams, rehearse};
pub use resume::{Unfinished, find_unfinished_run, resumed_from, undo_source_name};
pub use status::{DriftReport, LocationStatus, status};
pub use undo::{SkippedNetwork, Undo, build_undo};
pub use workflow::{ApplyOptions, ApplyWorkflow, Approval, CompletedRun, PlanSource, UserInterface};
