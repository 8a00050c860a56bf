//! Clock, randomness and shutdown signal: passed to a run as arguments.
//!
//! | file | what it is |
//! |---|---|
//! | `instant` | [`Instant`]: a point in time |
//! | `clock` | [`Clock`]: the real one, or a virtual one |
//! | `virtual_clock` | the timers of the virtual clock and the loop that drives one future |
//! | `duration` | [`parse_duration()`]: human-readable durations |
//! | `rng` | [`SeededRng`]: random numbers that repeat from a seed |
//! | `alongside` | [`alongside()`]: work with something that runs next to it |
//! | `shutdown` | [`Shutdown`]: the graceful-shutdown signal and its reason |

mod alongside;
mod clock;
mod duration;
mod instant;
mod rng;
mod shutdown;
mod virtual_clock;

pub use alongside::alongside;
pub use clock::{Clock, Sleep};
pub use duration::parse_duration;
pub use instant::Instant;
pub use rng::SeededRng;
pub use shutdown::{Shutdown, ShutdownLevel, ShutdownReason};
// Of tokio no other part is used by the modules that also run in virtual time.
pub use tokio::sync::Notify;
