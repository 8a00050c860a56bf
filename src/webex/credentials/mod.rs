//! The access token, and where a new one comes from.
//!
//! | file | what it is |
//! |---|---|
//! | `token` | [`Token`]: a secret that only becomes text in a header |
//! | `source` | [`Source`]: given, in a file, from a command, or granted to a service app |
//! | `token_store` | the token of this moment, and everything that must never be seen in a message |

mod token;
mod token_source;
mod token_store;

pub use token::{Token, TokenError};
pub use token_source::{ServiceApp, SourceError, TokenSource};
pub(super) use token_source::{read_token_file, run_token_command};
pub(super) use token_store::{TokenResponse, TokenStore};
