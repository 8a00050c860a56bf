//! One request until it has an end, for every command: at the pace that the API allows, again where that helps.
//!
//! | file | what it is |
//! |---|---|
//! | `call` | [`Call`]: one call, how it goes, and how it may end |
//! | `sender` | [`Sender`]: one a process, for lists and writes alike |
//! | `turn` | whose turn it is, and what is in the air |
//! | `renewal` | a new token, once for everybody |
//! | `retries` | [`Bounds`]: how often and how long; what to wait before the next attempt |
//! | `locks` | which locations ask to be left alone |
//! | `breaker` | stops asking when nothing but errors comes back |
//! | `statistics` | [`Statistics`]: what was sent |
//! | `pacer` | when the next request may go |

mod breaker;
mod call;
mod locks;
pub mod pacer;
mod renewal;
mod retries;
mod sender;
mod statistics;
mod turn;

pub use call::{Call, CallEvent, GaveUp, Urgency};
pub use retries::Bounds;
pub use sender::Sender;
pub use statistics::Statistics;
