//! Time, chance and the wish to stop: what a run is given from outside and never takes for itself.
//!
//! | file | what it is |
//! |---|---|
//! | `moment` | [`Moment`]: a point in time |
//! | `clock` | [`Clock`]: the real one, or a virtual one that jumps |
//! | `virtual_clock` | the virtual clock's queue of sleepers and the loop that drives one future |
//! | `chance` | [`Chance`]: random numbers that repeat from a seed |
//! | `bell` | [`Bell`]: something has changed, look again |
//! | `stop` | [`Stop`]: none, then gracefully (and why), then now |

mod bell;
mod chance;
mod clock;
mod moment;
mod stop;
mod virtual_clock;
mod written;

pub use bell::Bell;
pub use chance::Chance;
pub use clock::{Clock, Sleep};
pub use moment::Moment;
pub use stop::{Stop, StopLevel, StopReason};
pub use written::parse_duration;
