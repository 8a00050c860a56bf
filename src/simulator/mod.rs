//! A simulated organization: for trying the tool, for rehearsing, and for the tests.
//!
//! | file | what it is |
//! |---|---|
//! | `organization` | [`Simulated`]: the state machine; a request and a moment become an answer |
//! | `request` | [`Operation`] and [`Request`]: what can be asked |
//! | `state` | the networks, and where they come from |
//! | `rules` | what Webex demands of a write |
//! | `answers` | the JSON of answers and both shapes of errors |
//! | `limiter` | buckets and windows |
//! | `misbehaviour` | [`Misbehaviour`]: latency, locks and faults, with a seed |
//! | `direct` | the trait, in virtual time |
//! | `http` | real HTTP on loopback |
//!
//! It shares nothing with the client but the nouns: its JSON is its own, so that a mistake in one is not hidden by the
//! same mistake in the other.

mod answers;
mod direct;
pub mod http;
mod limiter;
mod misbehaviour;
mod organization;
mod request;
mod rules;
mod state;

pub use answers::Answer;
pub use direct::DirectApi;
pub use limiter::{LimitKind, Limiter};
pub use misbehaviour::{Fate, Latency, Misbehaviour};
pub use organization::{CLIENT_ID, CLIENT_SECRET, Journey, Ledger, REFRESH_TOKEN, SimEdit, Simulated, TOKEN};
pub use request::{Operation, Request};
pub use state::{State, StateError};
