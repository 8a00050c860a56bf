//! When the next request may go: one pacer for the whole process.
//!
//! | file | what it is |
//! |---|---|
//! | `pacer` | [`Pacer`]: asked before every request, told of every answer |
//! | `ceiling` | the user's own limit, `--rate`, on governor |
//!
//! Pure: it is asked with a moment and answers with one; it never waits itself.

mod ceiling;
#[expect(clippy::module_inception, reason = "the pacer itself, next to what it is made of")]
mod pacer;

pub use ceiling::{Rate, RateError};
pub use pacer::{Answer, Pacer, Ticket, Turn};
