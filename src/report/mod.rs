//! Rendering for people and programs. Makes no decisions.
//!
//! | module | purpose |
//! |---|---|
//! | `view` | [`PlanView`], [`ResultView`]: grouped, sorted, access codes masked |
//! | `before_after` | the affected locations as desired-state files, before and after |
//! | `summary` | [`PlanSummary`] and others: what is counted, as it is serialized and as a sentence |
//! | `sanitize` | escapes characters that could deceive a reader |
//! | `licences` | [`LicenceNote`]: people whose licence a plan or a run may concern |
//! | `text` | terminal output |
//! | `json` | JSON documents |
//! | `documents` | the documents as types |
//! | `schema` | [`schema()`]: their JSON Schemas |
//! | `markdown` | Markdown for pull-request comments |
//! | `html` | self-contained HTML |
//! | `junit` | a result for the test page of a pipeline |
//! | `annotations` | diagnostics for the annotations of a forge |
//! | `metrics` | a status or a result for a collector of metrics |
//! | `timeline` | the time line of a run as a picture |
//! | `diff` | unified diff of desired-state files |
//! | `rehearsal` | [`RehearsalView`]: view of a rehearsal |
//! | `auth` | [`AuthView`]: view of the result of `auth check` |
//! | `organizations` | [`OrganizationView`]: the organizations that a token reaches |
//! | `overview` | [`Overview`]: one page over the documents of many runs |
//! | `pairing` | the sheet for an installer, as a table and as pages to print |
//! | `found` | [`FoundView`]: what was looked for and found |
//! | `diagnostics` | diagnostics with source snippets |
//! | `progress` | progress bar on a terminal, plain lines in a pipeline |

pub mod annotations;
mod auth;
mod before_after;
mod diagnostics;
pub mod diff;
mod documents;
mod found;
pub mod html;
pub mod json;
pub mod junit;
mod licences;
pub mod markdown;
pub mod metrics;
mod organizations;
mod overview;
pub mod pairing;
pub mod progress;
mod rehearsal;
mod sanitize;
mod schema;
mod summary;
pub mod text;
mod timeline;
mod view;

pub use crate::diagnostic::plural;
pub use auth::AuthView;
pub use diagnostics::{diagnostic_one_line, diagnostics_text};
pub use found::FoundView;
pub use licences::LicenceNote;
pub use organizations::OrganizationView;
pub use overview::{
    DocumentReport, DocumentState, LocationReport, OrganizationReport, Overview, OverviewSummary, ProblemReport,
    ReadDocument,
};
pub use rehearsal::RehearsalView;
pub use sanitize::sanitize;
pub use schema::schema;
pub use summary::{ActionCounts, PlanSummary, ResultSummary, Unmanaged};
pub use view::{
    ChangeReason, ChangeView, DeviceView, FieldView, InterimView, LocationView, NetworkChanges, NetworkView, PlanView,
    ProtectionView, ResultView, StepView,
};

/// Whether access codes are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeVisibility {
    #[default]
    Masked,
    Shown,
}
