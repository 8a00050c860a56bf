//! When the next request may go: one pacer for the whole process, against a limiter that nobody has described.
//!
//! | file | what it is |
//! |---|---|
//! | `pacer` | [`Pacer`]: asked before every request, told of every answer |
//! | `episode` | a refusal and all others of requests that were in the air with it: one decision |
//! | `sends` | what the limiter has counted, and when, as far as we can tell |
//! | `window` | long waits: never more than so many requests in so much time |
//! | `bucket` | short waits: tokens that come in at a learned rate |
//! | `ceiling` | the user's own limit, `--rate`, on governor |
//!
//! Pure: it is asked with a moment and answers with one; it never waits itself.

mod bucket;
mod ceiling;
mod episode;
#[expect(clippy::module_inception, reason = "the pacer itself, next to what it is made of")]
mod pacer;
mod sends;
mod window;

pub use ceiling::{Rate, RateError};
pub use pacer::{Answer, Pacer, Ticket, Turn};
