//! The DECT operations of the Webex Calling API: one call of [`DectApi`] is one HTTP request.
//!
//! | file | what it is |
//! |---|---|
//! | `api` | [`DectApi`]: list, get, update, renew; no waiting, no retry |
//! | `error` | [`ApiError`]: what became of a request that did not succeed |
//! | `response` | pure: status, headers and body become a value or an error |
//! | `retry_after` | the header that says how long to wait |
//! | `wire` | the JSON, liberal when reading, strict when sending |
//! | `http` | the real thing, on reqwest with its own retries and redirects off |
//! | `credentials` | the token, and where a new one comes from |

mod api;
pub mod credentials;
mod error;
mod http;
pub mod response;
mod retry_after;
mod wire;

pub use api::{ApiFuture, DectApi, TokenOwner, TokenRefresh, UpdateAck};
pub use error::{ApiError, ErrorClass, MaybeApplied, fmt_api_error};
pub use http::{HttpApi, HttpConfig, HttpSetupError};
pub use retry_after::RetryAfter;
