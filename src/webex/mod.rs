//! DECT operations of the Webex Calling API: one call of [`DectApi`] is one HTTP request.
//!
//! | module | purpose |
//! |---|---|
//! | `api` | [`DectApi`]: list, get, update, refresh the token; no waiting, no retry |
//! | `error` | [`ApiError`]: errors of API requests |
//! | `response` | parses status, headers and body into a value or an error; no I/O |
//! | `retry_after` | parses `Retry-After` |
//! | `wire` | JSON: lenient when reading, strict when writing |
//! | `http` | [`HttpApi`]: the API over HTTP |
//! | `credentials` | access tokens and their sources |

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
