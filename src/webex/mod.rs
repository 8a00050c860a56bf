//! DECT operations of the Webex Calling API: one call is one HTTP request.
//!
//! | module | purpose |
//! |---|---|
//! | `api` | [`DectApi`]: sends one request; no waiting, no retry |
//! | `calls` | [`calls::Call`]: a request as a value, and those of the API |
//! | `error` | [`ApiError`]: errors of API requests |
//! | `response` | parses status, headers and body into a value or an error; no I/O |
//! | `retry_after` | parses `Retry-After` |
//! | `wire` | JSON: lenient when reading, strict when writing |
//! | `http` | [`HttpApi`]: the API over HTTP |
//! | `credentials` | access tokens and their sources |

mod api;
pub mod calls;
pub mod credentials;
mod error;
mod http;
pub mod response;
mod retry_after;
pub(crate) mod wire;

pub use api::{
    ApiRequest, DectApi, ItemResult, Method, Organization, RawResponse, ResponseHead, ResponseReader, TokenOwner,
    TokenRefresh, WriteAck,
};
pub use calls::NetworkPath;
pub use error::{ApiError, ErrorClass, MaybeApplied, fmt_api_error};
pub use http::{HttpApi, HttpConfig, HttpSetupError};
pub use retry_after::RetryAfter;
