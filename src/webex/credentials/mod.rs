//! Access tokens and their sources.
//!
//! | module | purpose |
//! |---|---|
//! | `token` | [`Token`]: a secret that is exposed only in the request header |
//! | `token_source` | [`TokenSource`]: literal, file, command or service app |
//! | `token_store` | the current token, and the secrets to redact from messages |

mod token;
mod token_source;
mod token_store;

pub use token::{Token, TokenError};
pub use token_source::{ServiceApp, SourceError, TokenSource};
pub(super) use token_source::{read_token_file, run_token_command};
pub(super) use token_store::{TokenResponse, TokenStore};
