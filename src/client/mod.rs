//! One request until it has an end, for every command: at the pace that the API allows, again where that helps.
//!
//! | file | what it is |
//! |---|---|
//! | `call` | [`Call`]: one call, how it goes, and how it may end |
//! | `client` | [`ApiClient`]: one a process, for lists and writes alike |
//! | `turn` | whose turn it is, and what is in the air |
//! | `renewal` | a new token, once for everybody |
//! | `retries` | [`RetryPolicy`]: how often and how long; what to wait before the next attempt |
//! | `locks` | which locations ask to be left alone |
//! | `breaker` | stops asking when nothing but errors comes back |
//! | `statistics` | [`Statistics`]: what was sent |
//! | `rate_limiter` | when the next request may go |

mod admission;
mod api_client;
mod circuit_breaker;
mod locks;
pub mod rate_limiter;
mod request;
mod retry;
mod statistics;
mod token_refresh;

pub use api_client::ApiClient;
pub use request::{Priority, RequestContext, RetryEvent, SendError};
pub use retry::RetryPolicy;
pub use statistics::Statistics;
