//! A simulated organization, for trial runs, rehearsals and tests.
//!
//! | module | purpose |
//! |---|---|
//! | `organization` | [`SimulatedOrganization`]: the state machine; maps a request at a point in time to a response |
//! | `operations` | the effect and the response of each operation |
//! | `base_stations` | the base stations of networks |
//! | `handsets` | the handsets of networks |
//! | `members` | people, workspaces and virtual lines that are available for handsets |
//! | `directory` | the lists of them, and in which networks their lines are |
//! | `serviceability` | the serviceability password of networks |
//! | `member` | one of them |
//! | `json` | JSON as Webex writes it |
//! | `external_edits` | edits by another client |
//! | `request` | [`Operation`] and [`Request`]: operations, and parsing them from HTTP requests |
//! | `network` | a simulated network with its devices |
//! | `state` | the networks, and the formats to load them from |
//! | `snapshot` | [`Snapshot`]: saves organizations to a file |
//! | `rules` | validation of writes as documented by Webex |
//! | `responses` | JSON of responses and of both error formats |
//! | `limiter` | server-side rate limiters |
//! | `faults` | [`FaultConfig`]: latency, locks and faults |
//! | `scenario` | [`Scenario`]: fault injection from a file or options |
//! | `response_quirks` | unusual but valid responses |
//! | `tokens` | accepted tokens, and the service app |
//! | `server_log` | request log and client-rule violations |
//! | `in_process` | the API trait in virtual time |
//! | `http` | HTTP server on loopback |
//!
//! Shares only identifiers with the client and has its own JSON types, so that an error in one is not hidden by the
//! same error in the other.

mod base_stations;
mod directory;
mod external_edits;
mod faults;
mod handsets;
pub mod http;
mod in_process;
mod json;
mod limiter;
mod member;
mod members;
mod network;
mod operations;
mod organization;
mod request;
mod response_quirks;
mod responses;
mod rules;
mod scenario;
mod server_log;
mod serviceability;
mod snapshot;
mod state;
mod tokens;

pub use external_edits::ExternalEdit;
pub use faults::{ExclusiveWrites, FaultConfig, Latency, RequestFault, RetryAfterHeader};
pub use in_process::InProcessApi;
pub use limiter::{Limit, LimitKind, Limiter};

pub use organization::{Counters, InFlightRequest, SimulatedOrganization};
pub use request::{MemberKind, MemberQuery, NetworkOperation, Operation, Page, Place, Query, Request};
pub use response_quirks::Quirk;
pub use responses::SimulatedResponse;
pub use scenario::{DurationSpec, Fault, HeaderSpec, LatencySpec, LimiterSpec, LockSpec, Probability, Scenario};
pub use server_log::ClientRule;
pub use snapshot::Snapshot;
pub use state::{SimulatedState, StateError};
pub use tokens::{CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TOKEN, Tokens};
