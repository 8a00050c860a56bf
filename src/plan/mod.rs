//! From a desired and a live state to the steps between them. Pure: no clock, no network, no terminal.
//!
//! | file | what it is |
//! |---|---|
//! | `plan` | [`plan::Plan`]: data only, what everybody else knows of this room |
//! | `build` | [`build()`]: the public story, from wishes to a plan |
//! | `identity` | which live network an entry means |
//! | `temporary` | temporary names, and how the next run recognises them |
//! | `compare` | what would change on each network |
//! | `conflicts` | wanted names and codes that somebody keeps |
//! | `waits` | who waits for whom |
//! | `order` | the steps in an order that never clashes |
//! | `interim` | what a network that must step aside is set to meanwhile |
//! | `resume` | [`resume()`]: what of a saved plan is done, left, or moved |
//! | `part` | [`part()`]: some locations of a plan |
//! | `apply_scope` | [`Scope`]: some locations and networks only |
//! | `safety` | how many changes are too many for nobody to have looked |
//! | `feedback` | the fewest networks that must step aside, on bare integers |

mod change_limit;
mod compare;
mod conflicts;
mod dependencies;
pub mod feedback_vertex_set;
mod interim;
mod matching;
pub mod model;
mod planner;
mod resume;
mod schedule;
mod scope;
mod subset;
mod temporary;

pub use change_limit::{MaxChanges, TooManyChanges, check_change_limit};
pub use planner::{build, build_scoped, managed_networks, warning};
pub use resume::{Drift, reconstruct_base_state, resume};
pub use scope::{Scope, ScopeError};
pub use subset::restrict_to_locations;
pub use temporary::is_temporary;
