//! An adaptive client-side rate limiter against limits that are not documented; one per process.
//!
//! | file | what it is |
//! |---|---|
//! | `adaptive` | [`RateLimiter`]: asked before every request, informed of every response |
//! | `throttle_event` | a 429 and all others of requests in flight at the same time: one decision |
//! | `request_log` | which requests the server has counted, and when, as far as known |
//! | `window` | long waits: at most so many requests in a period |
//! | `bucket` | short waits: tokens at an estimated rate |
//! | `fixed_rate` | the limit of `--rate`, on governor |
//!
//! Pure: instants come in as arguments; it never waits itself.
mod adaptive;
mod bucket;
mod fixed_rate;
mod request_log;
mod throttle_event;
mod window;

pub use adaptive::{Admission, Permit, RateLimiter, ResponseKind};
pub use fixed_rate::{Rate, RateError};
