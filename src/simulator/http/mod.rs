//! The simulated organization over real HTTP, on loopback only.
//!
//! | file | what it is |
//! |---|---|
//! | `server` | [`Server`]: requests become operations, answers become responses |
//! | `connection` | connections that can be broken off in the middle of an exchange |

mod connection;
mod server;

pub use server::{Server, ServerClock, SharedOrganization};
