//! A simulated organization: for trying the tool, for rehearsing, and for the tests.
//!
//! | file | what it is |
//! |---|---|
//! | `organization` | [`Simulated`]: the state machine; a request and a moment become an answer |
//! | `operations` | what each operation does to the state, and what it answers |
//! | `others` | what somebody else does meanwhile |
//! | `request` | [`Operation`] and [`Request`]: what can be asked, and how a request over HTTP asks for it |
//! | `network` | a network, with what Webex tells of it |
//! | `state` | the networks, and where they come from |
//! | `kept` | [`Kept`]: organizations as a file |
//! | `rules` | what Webex demands of a write |
//! | `answers` | the JSON of answers and both shapes of errors |
//! | `limiter` | buckets and windows |
//! | `misbehaviour` | [`Misbehaviour`]: latency, locks and faults, with a seed |
//! | `scenario` | [`Scenario`]: misbehaviour as people write it down |
//! | `quirks` | how odd an answer may look |
//! | `tokens` | which tokens are good, and the service app |
//! | `log` | what was asked, and what a careful client would not have done |
//! | `direct` | the trait, in virtual time |
//! | `http` | real HTTP on loopback |
//!
//! It shares nothing with the client but the nouns: its JSON is its own, so that a mistake in one is not hidden by the
//! same mistake in the other.

mod answers;
mod direct;
pub mod http;
mod kept;
mod limiter;
mod log;
mod misbehaviour;
mod network;
mod operations;
mod organization;
mod others;
mod quirks;
mod request;
mod rules;
mod scenario;
mod state;
mod tokens;

pub use answers::Answer;
pub use direct::DirectApi;
pub use kept::Kept;
pub use limiter::{LimitKind, Limiter};
pub use log::Expectation;
pub use misbehaviour::{Fate, Latency, Misbehaviour};
pub use organization::{Journey, Ledger, Simulated};
pub use others::SimEdit;
pub use quirks::Quirk;
pub use request::{Operation, Query, Request};
pub use scenario::{Fault, LatencySpec, Limiting, Locks, Probability, Scenario, Time};
pub use state::{State, StateError};
pub use tokens::{CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TOKEN, Tokens};
