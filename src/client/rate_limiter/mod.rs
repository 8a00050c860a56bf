//! An adaptive client-side rate limiter against limits that are not documented; one per process.
//!
//! | file | what it is |
//! |---|---|
//! | `adaptive` | [`RateLimiter`]: asked before every request, informed of every response |
//! | `throttle_event` | a 429 and all others of requests in flight at the same time: one decision |
//! | `request_log` | which requests the server has counted, and when, as far as known |
//! | `concurrency` | how many requests may be in flight while no limit says so |
//! | `limits` | all limits that have shown themselves, side by side |
//! | `availability` | when the limits let a request through |
//! | `window` | long waits: at most so many requests in a period |
//! | `bucket` | short waits: a copy of the server's bucket |
//! | `bucket_fit` | its rate and burst, from all that was let in and refused |
//! | `short_window` | a window of a second or two, told from a bucket by the same |
//! | `pace` | an even pace beside a window, for short waits that it does not explain |
//! | `in_flight` | a limit on the number of requests in flight, told from a bucket by the same |
//! | `explanation` | how well a limit of so many requests explains what was let in and refused |
//! | `fixed_rate` | the limit of `--rate`, on governor |
//!
//! Pure: instants come in as arguments; it never waits itself.
mod adaptive;
mod availability;
mod bucket;
mod bucket_fit;
mod concurrency;
mod explanation;
mod fixed_rate;
mod in_flight;
mod limits;
mod pace;
mod request_log;
mod short_window;
mod throttle_event;
mod window;

/// Slower or faster rates are not considered, in requests per second.
const RATES: (f64, f64) = (0.02, 1_000.0);

/// So many refusals by a limit are looked back on.
const MEMORY: usize = 8;

/// No limit is taken to be slower than this share of what it has let in.
const LEAST_SHARE: f64 = 0.8;

/// So many requests that are let in beyond what is assumed show that there is room for one more.
const ONE_MORE_AFTER: u32 = 40;

pub use adaptive::{Admission, Permit, RateLimiter, RequestClass, ResponseKind};
pub use concurrency::{DEFAULT_CONCURRENCY, MAX_CONCURRENCY};
pub use fixed_rate::{Rate, RateError};
