//! `dectl` keeps the DECT networks of a Webex Calling organization as a YAML file says they should be.
//!
//! It reads the whole current state in one call, prints what would change and, once told to, sends only the updates
//! that are needed: in an order in which no two networks ever hold the same name or access code, at the pace that the
//! API allows, without losing track of anything when something fails.
//!
//! # The rooms
//!
//! Data goes one way, from a file and a list to a plan, from a proved plan to requests, and from there to a report:
//!
//! ```text
//!  file ──► desired ─┐                      ┌─► storage
//!                    ├─► plan ─► plan_check ─► apply ─► client ─► webex (PUT)
//!  webex ◄─ client ────┘     └──────┬─────────┘
//!   (list)                     report
//! ```
//!
//! | room | what it is for | may import |
//! |---|---|---|
//! | [`runtime`] | clock, chance and the wish to stop, as arguments | nothing of ours |
//! | [`model`] | ids, names, codes, settings, the live organization | nothing of ours |
//! | [`diagnostic`] | what is wrong, where, what to do | model |
//! | [`desired`] | the text of a file as wishes | model, diagnostic |
//! | [`webex`] | one call is one HTTP request | model, runtime |
//! | [`client`] | one request until it has an end | webex, model, runtime |
//! | [`plan`] | pure: who is who, what changes, in which order | model, diagnostic, desired::model |
//! | [`plan_check`] | shows that a plan is safe | model, plan::model |
//! | [`storage`] | what is kept on disk | model, runtime, plan::model, desired::model |
//! | [`apply`] | carries out a proved plan | client, webex, plan::model, plan_check, storage, model, runtime |
//! | [`simulator`] | a simulated organization | webex, model, runtime, desired, diagnostic: the last two to read states |
//! | [`reconcile`] | the story that commands share | all above: the simulator only to rehearse |
//! | [`report`] | text, documents, progress | model, diagnostic, plan::model, apply, storage, reconcile, client, webex, runtime: their data |
//!
//! `tests/house.rs` reads this table and the imports, and fails on an arrow that the table does not have.

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
