//! The access token, and where a new one comes from.
//!
//! | file | what it is |
//! |---|---|
//! | `token` | [`Token`]: a secret that only becomes text in a header |
//! | `source` | [`Source`]: given, in a file, from a command, or granted to a service app |
//! | `keeper` | the token of this moment, and everything that must never be seen in a message |

mod keeper;
mod source;
mod token;

pub(super) use keeper::{Granted, Keeper};
pub use source::{ServiceApp, Source, SourceError};
pub(super) use source::{of_command, of_file};
pub use token::{Token, TokenError};
