//! Computes the steps from the live to the desired state. No clock, no I/O.
//!
//! | module | purpose |
//! |---|---|
//! | `model` | [`model::Plan`]: the plan as data |
//! | `planner` | [`build()`]: entry point, from the desired state to a plan |
//! | `matching` | [`Matches`]: matches entries to live networks |
//! | `reads` | [`required_reads()`]: what must be read beside the list |
//! | `temporary` | temporary names, and how the next run recognizes them |
//! | `near_names` | whether two names are probably the same one misspelled |
//! | `compare` | compares desired with current networks |
//! | `base_stations` | compares desired with listed base stations |
//! | `places` | orders base stations, so that each has a place |
//! | `handsets` | compares desired with listed handsets |
//! | `serviceability` | compares whether serviceability passwords are enabled |
//! | `members` | finds the members that files name |
//! | `missing` | networks that files name and that do not exist |
//! | `conflicts` | requested names and codes that are already used |
//! | `dependencies` | dependency graph of a location |
//! | `schedule` | orders the steps so that no name or code is ever used twice |
//! | `interim` | settings of interim steps |
//! | `lines` | orders handset changes so that a line is given up before it is taken |
//! | `resume` | [`resume()`]: the remaining part of a saved plan, or what has drifted |
//! | `subset` | [`restrict_to_locations()`]: the part of a plan for some locations |
//! | `scope` | [`Scope`]: limits a run to some locations and networks |
//! | `change_limit` | change limit for unattended runs |
//! | `feedback_vertex_set` | the minimum number of temporary renames |

mod base_stations;
mod change_limit;
mod compare;
mod conflicts;
mod dependencies;
mod differences;
pub mod feedback_vertex_set;
mod handsets;
mod interim;
mod lines;
mod matching;
mod members;
mod missing;
pub mod model;
mod near_names;
mod places;
mod planner;
mod protections;
mod reads;
mod resume;
mod samples;
mod schedule;
mod scope;
mod serviceability;
mod subset;
mod temporary;

pub use change_limit::{MaxChanges, TooManyChanges, check_deletions, describe_deletions, exceeded_limits};
pub use differences::{Difference, differences};
pub use matching::Matches;
pub use members::unknown_line_locations;
pub use missing::{Missing, take_out_missing};
pub use planner::{MAX_BATCH, build, build_scoped, warning};
pub use protections::protections;
pub use reads::{RequiredReads, locations_without_networks, required_members, required_reads};
pub use resume::{Drift, reconstruct_base_state, resume, resume_reads};
pub use scope::{Scope, ScopeError};
pub use subset::restrict_to_locations;
pub use temporary::is_temporary;
