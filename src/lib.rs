//! Declarative management of Webex Calling DECT networks.
//!
//! `dectl` reads the live state in one request, compares it with desired-state files, shows a plan, and sends the
//! minimum number of updates: ordered so that no two networks of a location ever share a name or an access code, rate
//! limited, and journaled so that an interrupted run can be resumed.
//!
//! Another program reads files, plans against the live state and applies the plan with its own event sink like this:
//!
//! ```
//! use std::{path::PathBuf, rc::Rc};
//!
//! use dectl::{
//!     ApiClient, Clock, CodeResolution, Event, HttpApi, HttpConfig, InputOptions, Inputs, Journal, Options,
//!     ProcessEnvironment, RateLimiter, RetryPolicy, Scope, SeededRng, Shutdown, Token, TokenSource, prepare_plan, run,
//! };
//!
//! async fn reconcile(url: &str, token: &str, files: &[PathBuf]) -> Result<usize, Box<dyn std::error::Error>> {
//!     let source = TokenSource::Literal { token: Token::new(token)?, origin: "the caller".to_owned() };
//!     let api = Rc::new(HttpApi::new(HttpConfig::new(url, source, "run-1"))?);
//!     let (clock, random) = (Clock::real(), SeededRng::from_entropy());
//!     let limiter = RateLimiter::new(None, None);
//!     let client = ApiClient::new(api, clock, random, limiter, RetryPolicy::default(), Shutdown::new());
//!     client.acquire_token().await?;
//!
//!     let options = InputOptions { strict: true, resolve: CodeResolution::Resolve(&ProcessEnvironment) };
//!     let inputs = Inputs::read(files, &mut std::io::stdin(), options)?;
//!     let planned = prepare_plan(&inputs, &Scope::default(), &client).await?;
//!
//!     let sink = |event: &Event| if let Event::Written { subject, .. } = event { println!("{subject}") };
//!     let outcome = run(&planned.checked, &client, &Journal::in_memory(), Options::default(), &sink).await;
//!     Ok(outcome.results.len())
//! }
//! # use dectl::simulator::{FaultConfig, SimulatedOrganization, SimulatedState, TOKEN, http::Server};
//! # use std::sync::{Arc, Mutex};
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
//! # let changed = runtime.block_on(async {
//! #     let organization = SimulatedOrganization::new(SimulatedState::built_in(), FaultConfig::default());
//! #     let server = Server::bind(Arc::new(Mutex::new(organization)), 0).await.expect("a port");
//! #     let url = server.base();
//! #     tokio::spawn(server.serve());
//! #     reconcile(&url, TOKEN, &["examples/networks.yaml".into()]).await
//! # });
//! # assert_eq!(changed.expect("everything is applied"), 9);
//! ```
//!
//! What this needs is re-exported here and is the public interface. The modules are those of the program: its command line
//! and its tests use them, and they may change in any version. With [`Journal::create`] instead of a journal in memory
//! `dectl undo` takes back what the run did; `dectl::simulator`, used by the tests of this crate, is an organization to try
//! a program on.
//!
//! # Modules of the program
//!
//! ```text
//!  files ──► desired ─┐                              ┌─► storage
//!                     ├─► plan ─► plan_check ─► apply ─► client ─► webex (PUT)
//!  webex ──► client ──┘     └──────────┬─────────┘
//!   (list)                           report
//! ```
//!
//! | module | purpose | may import |
//! |---|---|---|
//! | `runtime` | clock, random numbers and shutdown, passed as arguments | no other module |
//! | `model` | ids, names, codes, settings, the live state | no other module |
//! | `diagnostic` | errors and warnings about input, with source locations | model |
//! | `desired` | parses desired-state files | model, diagnostic |
//! | `webex` | the Webex API: one call is one HTTP request | model, runtime |
//! | `client` | rate limiting, retries, locks and token refresh for one request | webex, model, runtime |
//! | `plan` | computes the changes and their order; no I/O | model, diagnostic, desired::model |
//! | `plan_check` | checks that a plan is safe | model, plan::model |
//! | `storage` | journals and saved plans | model, runtime, plan::model, desired::model |
//! | `apply` | executes a checked plan | client, webex, plan::model, plan_check, storage, model, runtime |
//! | `simulator` | a simulated organization | webex, model, runtime, desired, diagnostic |
//! | `reconcile` | use cases shared by the commands | all above; the simulator only to rehearse |
//! | `report` | text, JSON, Markdown, HTML and progress output | model, diagnostic, desired, plan::model, apply, storage, reconcile, client, webex, runtime |
//!
//! `resources` has a directory for each kind of thing. Its files are parts of these modules: which, the table in
//! `resources/mod.rs` says.
//!
//! `tests/architecture.rs` compares both tables with the imports.

#[doc(hidden)]
pub mod apply;
#[doc(hidden)]
pub mod client;
#[doc(hidden)]
pub mod desired;
#[doc(hidden)]
pub mod diagnostic;
#[doc(hidden)]
pub mod model;
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod plan_check;
#[doc(hidden)]
pub mod reconcile;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod resources;
#[doc(hidden)]
pub mod runtime;
#[doc(hidden)]
pub mod simulator;
#[doc(hidden)]
pub mod storage;
#[doc(hidden)]
pub mod webex;

pub use apply::{ChangeResult, ChangeStatus, Event, Options, Outcome, Verification, run};
pub use client::rate_limiter::{Rate, RateLimiter};
pub use client::{ApiClient, RetryPolicy, SendError};
pub use desired::ProcessEnvironment;
pub use diagnostic::{Diagnostic, Diagnostics};
pub use plan::Scope;
pub use plan::model::{Change, Plan};
pub use plan_check::CheckedPlan;
pub use reconcile::{CodeResolution, Error, InputOptions, Inputs, InvalidInput, PreparedPlan, prepare_plan};
pub use runtime::{Clock, SeededRng, Shutdown, ShutdownLevel, ShutdownReason};
pub use storage::{Journal, RunOutcome};
pub use webex::credentials::{ServiceApp, Token, TokenSource};
pub use webex::{ApiError, HttpApi, HttpConfig, HttpSetupError};
