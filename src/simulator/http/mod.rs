//! The simulated organization over real HTTP, on loopback only.
//!
//! | module | purpose |
//! |---|---|
//! | `server` | [`Server`]: maps HTTP requests to operations |
//! | `connection` | connections that can be reset |

mod connection;
mod server;

pub use server::{Server, ServerClock, SharedOrganization};
