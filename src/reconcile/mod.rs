//! Use cases shared by the commands: load inputs, prepare a plan, confirm, execute.
//!
//! | module | purpose |
//! |---|---|
//! | `inputs` | [`Inputs`]: loads the desired state, or reports everything that is wrong with it |
//! | `organization` | [`Reached`]: the organization of a token, and whether files and plans are for it |
//! | `prepare` | [`PreparedPlan`]: the live state, and a plan that was checked on it |
//! | `read_devices` | reads what a plan needs beside the list |
//! | `handset_interval` | what earlier runs mean for the handsets of this one |
//! | `last_run` | what lists must show of the last run, as long as they may lag |
//! | `run_config` | [`RunConfig`]: how one run is planned, approved, executed and recorded |
//! | `workflow` | [`ApplyWorkflow`]: prepare, show, confirm, execute |
//! | `execute` | executes an approved plan, wave by wave |
//! | `resume` | finds and resumes an unfinished run |
//! | `rehearse` | [`rehearse()`]: simulates an apply in virtual time |
//! | `status` | [`status()`]: drift per location |
//! | `drift` | [`DriftItem`]: what differs and why, and [`Baseline`]: what of it is known |
//! | `undo` | [`prepare_undo()`]: the state before a run, as a desired state |
//! | `undo_reads` | reads what an undo must know |
//! | `undo_builder` | collects what is undone of each kind, and why something is left alone |
//! | `undo_chain` | which interrupted runs are undone together with a run |
//! | `undo_choice` | [`choose_undo()`]: which run an undo is about |
//! | `undo_refused` | leaves out of an undo what the planner refuses since the run |
//! | `made_again` | the ids of what undos have created again |
//! | `recorded_ids` | finds what an interrupted run has added without recording its id |
//! | `find` | [`find()`]: networks and devices by whatever is known of them |
//! | `password` | [`generate_passwords()`]: an act, not a state |
//! | `pairing` | [`read_pairing()`]: what an installer needs |
//! | `probe` | [`probe()`]: the shapes of what an organization answers |
//! | `accept` | [`accept_live()`]: takes live values over into files |
//! | `export_plan` | [`plan_to_yaml()`]: exports the result of a plan |
//! | `error` | [`Error`]: errors that end a command before any write |

mod accept;
mod drift;
mod error;
mod execute;
mod export_plan;
mod find;
mod handset_interval;
mod inputs;
mod last_run;
mod made_again;
mod organization;
mod pairing;
mod password;
mod prepare;
mod probe;
mod read_devices;
mod recorded_ids;
mod rehearse;
mod resume;
mod run_config;
mod status;
mod undo;
pub(crate) mod undo_builder;
mod undo_chain;
mod undo_choice;
mod undo_reads;
mod undo_refused;
mod workflow;

pub use accept::{Accepted, AcceptedFile, accept, accept_live};
pub use drift::{Baseline, BaselineKind, DriftCause, DriftItem, KnownDifference};
pub use error::{Error, UnreadDevices};
pub use export_plan::{plan_to_csv, plan_to_yaml};
pub use find::{Found, SearchResult, find};
pub use handset_interval::heed_earlier_runs;
pub use inputs::{CodeResolution, InputOptions, Inputs, InvalidInput};
pub use last_run::expect_last_run;
pub use organization::{Reached, check_organization, check_plan_organization};
pub use pairing::{PairingNetwork, read_pairing};
pub use password::{PasswordOptions, PasswordResult, PasswordTarget, generate_passwords, password_targets};
pub use prepare::{PreparedPlan, plan_from_live, prepare_from_list, prepare_plan, protections_of, resume_saved_plan};
pub use probe::probe;
pub use read_devices::{read_devices, read_readable_devices};
pub use rehearse::{Rehearsal, SimulationParams, rehearse};
pub use resume::{Unfinished, complete_if_done, find_unfinished_run};
pub use run_config::{Approval, RunConfig};
pub use status::{DriftReport, LocationStatus, PreparedStatus, prepare_status, status};
pub use undo::{Undo, prepare_undo};
pub use undo_builder::RecreatedNetwork;
pub use undo_choice::{UndoChoice, choose_undo};
pub use workflow::{ApplyWorkflow, CompletedRun, Executed, PlanSource, UserInterface};
