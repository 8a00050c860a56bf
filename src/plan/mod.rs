//! Computes the steps from the live to the desired state. No clock, no I/O.
//!
//! | module | purpose |
//! |---|---|
//! | `model` | [`model::Plan`]: the plan as data |
//! | `planner` | [`build()`]: entry point, from the desired state to a plan |
//! | `location_planner` | adds the changes and the steps of a location to a plan |
//! | `matching` | [`Matches`]: matches entries to live networks |
//! | `reads` | [`required_reads()`]: what must be read beside the list |
//! | `temporary` | temporary names, and how the next run recognizes them |
//! | `near_names` | whether two names are probably the same one misspelled |
//! | `owner` | the networks that devices belong to |
//! | `missing` | networks that files name and that do not exist |
//! | `conflicts` | requested names and codes that are already used |
//! | `dependencies` | dependency graph of a location |
//! | `schedule` | orders the steps so that no name or code is ever used twice |
//! | `interim` | settings of interim steps |
//! | `resume` | [`resume()`]: the remaining part of a saved plan, or what has drifted |
//! | `subset` | [`restrict_to_locations()`]: the part of a plan for some locations |
//! | `scope` | [`Scope`]: limits a run to some locations and networks |
//! | `change_limit` | change limit for unattended runs |
//! | `feedback_vertex_set` | the minimum number of temporary renames |

mod change_limit;
mod conflicts;
mod dependencies;
mod differences;
pub mod feedback_vertex_set;
mod interim;
pub(crate) mod location_planner;
pub(crate) mod matching;
mod missing;
pub mod model;
mod near_names;
pub(crate) mod owner;
mod planner;
mod protections;
mod reads;
mod resume;
pub(crate) mod samples;
mod schedule;
mod scope;
mod subset;
mod temporary;

pub use crate::resources::handset::members::unknown_line_locations;
pub use change_limit::{MaxChanges, TooManyChanges, check_deletions, describe_deletions, exceeded_limits};
pub use differences::{Difference, differences};
pub use location_planner::MAX_BATCH;
pub use matching::Matches;
pub use missing::{Missing, take_out_missing};
pub use planner::{build, build_scoped, warning};
pub use protections::protections;
pub use reads::{RequiredReads, locations_without_networks, required_members, required_reads};
pub use resume::{Drift, reconstruct_base_state, resume, resume_reads};
pub use scope::{Scope, ScopeError};
pub use subset::restrict_to_locations;
pub use temporary::is_temporary;
