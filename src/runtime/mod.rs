//! Time, chance and the wish to stop: what a run is given from outside and never takes for itself.
//!
//! | file | what it is |
//! |---|---|
//! | `instant` | [`Instant`]: a point in time |
//! | `clock` | [`Clock`]: the real one, or a virtual one that jumps |
//! | `virtual_clock` | the virtual clock's queue of sleepers and the loop that drives one future |
//! | `rng` | [`SeededRng`]: random numbers that repeat from a seed |
//! | `notify` | [`Wakeup`]: something has changed, look again |
//! | `shutdown` | [`Shutdown`]: none, then gracefully (and why), then now |

mod clock;
mod duration;
mod instant;
mod notify;
mod rng;
mod shutdown;
mod virtual_clock;

pub use clock::{Clock, Sleep};
pub use duration::parse_duration;
pub use instant::Instant;
pub use notify::Wakeup;
pub use rng::SeededRng;
pub use shutdown::{Shutdown, ShutdownLevel, ShutdownReason};
