//! Request pipeline: rate limiting, retries, lock handling, token refresh.
//!
//! | file | what it is |
//! |---|---|
//! | `api_client` | [`ApiClient`]: one per process, for lists and writes alike |
//! | `request` | [`RequestContext`]: priority and progress of one request, and how it may end |
//! | `admission` | waits for a permit of the rate limiter |
//! | `token_refresh` | one new token for all requests that were rejected with the old one |
//! | `retry` | [`RetryPolicy`]: how often and how long; backoff delays |
//! | `locks` | which locations are locked |
//! | `overload` | when a 503 is a refusal for all requests |
//! | `handset_spacing` | from when on the handsets of a network may be changed again |
//! | `circuit_breaker` | opens after many consecutive failures |
//! | `statistics` | [`Statistics`]: what was sent |
//! | `rate_limiter` | when the next request may be sent |

mod admission;
mod api_client;
mod circuit_breaker;
mod handset_spacing;
mod locks;
mod overload;
pub mod rate_limiter;
mod request;
mod retry;
mod statistics;
mod token_refresh;

pub use api_client::{ApiClient, Wait, WaitObserver, WaitReason};
pub use request::{Priority, RequestContext, RetryEvent, SendError};
pub use retry::{LATE_WRITE_WINDOW, RetryPolicy};
pub use statistics::Statistics;
