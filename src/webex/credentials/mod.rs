//! The access token, and where a new one comes from.
//!
//! | file | what it is |
//! |---|---|
//! | `token` | [`Token`]: a secret that only becomes text in a header |

mod token;

pub use token::{Token, TokenError};
