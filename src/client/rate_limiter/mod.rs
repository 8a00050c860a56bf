//! When the next request may go: one pacer for the whole process, against a limiter that nobody has described.
//!
//! | file | what it is |
//! |---|---|
//! | `rate_limiter` | [`RateLimiter`]: asked before every request, told of every answer |
//! | `throttle_event` | a refusal and all others of requests that were in the air with it: one decision |
//! | `log` | what the limiter has counted, and when, as far as we can tell |
//! | `window` | long waits: never more than so many requests in so much time |
//! | `bucket` | short waits: tokens that come in at a learned rate |
//! | `fixed_rate` | the user's own limit, `--rate`, on governor |
//!
//! Pure: it is asked with a moment and answers with one; it never waits itself.

#[expect(clippy::module_inception, reason = "the pacer itself, next to what it is made of")]
mod adaptive;
mod bucket;
mod fixed_rate;
mod request_log;
mod throttle_event;
mod window;

pub use adaptive::{Admission, Permit, RateLimiter, ResponseKind};
pub use fixed_rate::{Rate, RateError};
