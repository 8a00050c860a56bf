//! A simulated organization: for trying the tool, for rehearsing, and for the tests.
//!
//! | file | what it is |
//! |---|---|
//! | `organization` | [`SimulatedOrganization`]: the state machine; a request and a moment become an answer |
//! | `operations` | what each operation does to the state, and what it answers |
//! | `others` | what somebody else does meanwhile |
//! | `request` | [`Operation`] and [`Request`]: what can be asked, and how a request over HTTP asks for it |
//! | `network` | a network, with what Webex tells of it |
//! | `state` | the networks, and where they come from |
//! | `kept` | [`Snapshot`]: organizations as a file |
//! | `rules` | what Webex demands of a write |
//! | `answers` | the JSON of answers and both shapes of errors |
//! | `limiter` | buckets and windows |
//! | `faults` | [`FaultConfig`]: latency, locks and faults, with a seed |
//! | `scenario` | [`Scenario`]: misbehaviour as people write it down |
//! | `quirks` | how odd an answer may look |
//! | `tokens` | which tokens are good, and the service app |
//! | `log` | what was asked, and what a careful client would not have done |
//! | `direct` | the trait, in virtual time |
//! | `http` | real HTTP on loopback |
//!
//! It shares nothing with the client but the nouns: its JSON is its own, so that a mistake in one is not hidden by the
//! same mistake in the other.

mod external_edits;
mod faults;
pub mod http;
mod in_process;
mod limiter;
mod network;
mod operations;
mod organization;
mod request;
mod response_quirks;
mod responses;
mod rules;
mod scenario;
mod server_log;
mod snapshot;
mod state;
mod tokens;

pub use external_edits::ExternalEdit;
pub use faults::{FaultConfig, Latency, RequestFault};
pub use in_process::InProcessApi;
pub use limiter::{LimitKind, Limiter};
pub use organization::{Counters, InFlightRequest, SimulatedOrganization};
pub use request::{Operation, Query, Request};
pub use response_quirks::Quirk;
pub use responses::SimulatedResponse;
pub use scenario::{DurationSpec, Fault, LatencySpec, LimiterSpec, LockSpec, Probability, Scenario};
pub use server_log::ClientRule;
pub use snapshot::Snapshot;
pub use state::{SimulatedState, StateError};
pub use tokens::{CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TOKEN, Tokens};
