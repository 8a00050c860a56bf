//! Declarative management of Webex Calling DECT networks.
//!
//! `dectl` reads the live state in one request, compares it with desired-state files, shows a plan, and sends the
//! minimum number of updates: ordered so that no two networks of a location ever share a name or an access code, rate
//! limited, and journaled so that an interrupted run can be resumed.
//!
//! # Modules
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
//! | [`runtime`] | clock, random numbers and shutdown, passed as arguments | no other module |
//! | [`model`] | ids, names, codes, settings, the live state | no other module |
//! | [`diagnostic`] | errors and warnings about input, with source locations | model |
//! | [`desired`] | parses desired-state files | model, diagnostic |
//! | [`webex`] | the Webex API: one call is one HTTP request | model, runtime |
//! | [`client`] | rate limiting, retries, locks and token refresh for one request | webex, model, runtime |
//! | [`plan`] | computes the changes and their order; no I/O | model, diagnostic, desired::model |
//! | [`plan_check`] | checks that a plan is safe | model, plan::model |
//! | [`storage`] | journals and saved plans | model, runtime, plan::model, desired::model |
//! | [`apply`] | executes a checked plan | client, webex, plan::model, plan_check, storage, model, runtime |
//! | [`simulator`] | a simulated organization | webex, model, runtime, desired, diagnostic |
//! | [`reconcile`] | use cases shared by the commands | all above; the simulator only to rehearse |
//! | [`report`] | text, JSON, Markdown, HTML and progress output | model, diagnostic, plan::model, apply, storage, reconcile, client, webex, runtime |
//!
//! `tests/architecture.rs` compares this table with the imports.

pub mod apply;
pub mod client;
pub mod desired;
pub mod diagnostic;
pub mod model;
pub mod plan;
pub mod plan_check;
pub mod reconcile;
pub mod report;
pub mod runtime;
pub mod simulator;
pub mod storage;
pub mod webex;
