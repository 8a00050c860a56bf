//! The DECT operations of the Webex Calling API: one call of [`DectApi`] is one HTTP request.
//!
//! | file | what it is |
//! |---|---|
//! | `api` | [`DectApi`]: list, get, update, renew; no waiting, no retry |
//! | `error` | [`CallError`]: what became of a request that did not succeed |
//! | `answer` | pure: status, headers and body become a value or an error |
//! | `retry_after` | the header that says how long to wait |
//! | `wire` | the JSON, liberal when reading, strict when sending |
//! | `http` | the real thing, on reqwest with its own retries and redirects off |
//! | `credentials` | the token, and where a new one comes from |

pub mod answer;
mod api;
pub mod credentials;
mod error;
mod http;
mod retry_after;
mod wire;

pub use api::{Acceptance, DectApi, Me, Renewal, Reply};
pub use error::{Applied, CallError, ErrorClass, write_failure};
pub use http::{HttpApi, HttpConfig, HttpSetupError};
pub use retry_after::RetryAfter;
