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
//! | `narrow` | [`Scope`]: some locations and networks only |
//! | `safety` | how many changes are too many for nobody to have looked |
//! | `feedback` | the fewest networks that must step aside, on bare integers |

mod build;
mod compare;
mod conflicts;
pub mod feedback;
mod identity;
mod interim;
mod narrow;
mod order;
mod part;
#[expect(clippy::module_inception, reason = "the plan itself, next to what makes it")]
pub mod plan;
mod resume;
mod safety;
mod temporary;
mod waits;

pub use build::{build, build_within, spoken_for, warning};
pub use narrow::{Scope, ScopeError};
pub use part::part;
pub use resume::{Moved, recorded_state, resume};
pub use safety::{MaxChanges, TooManyChanges, check_size};
pub use temporary::is_temporary;
