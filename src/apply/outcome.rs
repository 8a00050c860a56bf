//! The result of each change, and of the run as a whole.

use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

use super::timeline::Timeline;
use crate::client::Statistics;
use crate::model::NameKey;
use crate::plan::model::{Change, ChangeIndex, Field, FieldValue, Plan, ResourceState};
use crate::runtime::ShutdownReason;
use crate::storage::journal::RunOutcome;
use crate::webex::{ApiError, fmt_api_error};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChangeStatus {
    /// Acknowledged, or seen in a read.
    Applied,
    /// Rejected.
    Failed,
    /// Not sent, since a dependency failed.
    Skipped,
    /// Not sent, since the run stopped first.
    NotStarted,
    /// Not answered and not visible in a read; it may still be applied.
    Unknown,
}

/// Why something is not as planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    /// HTTP status of the response, if there was one.
    pub status: Option<u16>,
    pub tracking_id: Option<String>,
}

impl From<&ApiError> for Failure {
    fn from(error: &ApiError) -> Self {
        Self { message: error.message.clone(), status: error.status, tracking_id: error.tracking_id.clone() }
    }
}

impl Failure {
    /// A failure that is not a response of the API.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), status: None, tracking_id: None }
    }
}

/// The result for one change of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeResult {
    pub status: ChangeStatus,
    /// Whether the final list matches the plan; `None` if it was not read.
    pub verified: Option<bool>,
    /// The change whose failure blocked this one.
    pub blocked_by: Option<ChangeIndex>,
    /// The id of what was created, if known.
    pub id: Option<String>,
    /// What it was left as, if that is neither what it was nor what was planned.
    pub left_as: Option<ResourceState>,
    pub error: Option<Failure>,
    /// The names of the fields that the final list showed otherwise than planned.
    pub mismatched: Vec<&'static str>,
    /// What the final list showed, if it differs from the plan.
    pub found: Option<ResourceState>,
}

impl ChangeResult {
    /// A result of which nothing else is known.
    pub const fn new(status: ChangeStatus) -> Self {
        Self {
            status,
            verified: None,
            blocked_by: None,
            id: None,
            left_as: None,
            error: None,
            mismatched: Vec::new(),
            found: None,
        }
    }

    /// Whether all that differs in the final list is as before the change: the list may be late.
    pub fn is_found_as_before(&self, change: &Change) -> bool {
        let before = change.before.as_ref();
        let is_as_before = |field: &Field| field.of(self.found.as_ref()) == field.of(before);
        self.found.is_some() && self.mismatched_fields(change).all(is_as_before) && !self.is_normalized(change)
    }

    /// Whether all that differs in the final list are texts in another form, as of a server that trims, folds or cuts them: that is
    /// how the change has left it. Other values are those of another client.
    pub fn is_normalized(&self, change: &Change) -> bool {
        let (found, after) = (self.found.as_ref(), change.after.as_ref());
        let is_other_form = |field: &Field| match (field.of(after), field.of(found)) {
            (Some(FieldValue::Text(asked)), Some(FieldValue::Text(shown))) => is_form_of(&shown, &asked),
            _ => false,
        };
        found.is_some() && self.mismatched_fields(change).all(is_other_form)
    }

    fn mismatched_fields<'a>(&'a self, change: &Change) -> impl Iterator<Item = &'static Field> + 'a {
        change.kind().fields().iter().filter(|field| self.mismatched.contains(&field.name))
    }
}

/// Whether a text is another one but for case and spaces, or the beginning of it.
fn is_form_of(shown: &str, asked: &str) -> bool {
    let plain = |text: &str| NameKey::of(&text.split_whitespace().collect::<Vec<_>>().join(" ")).as_str().to_owned();
    let (shown, asked) = (plain(shown), plain(asked));
    !shown.is_empty() && asked.starts_with(&shown)
}

/// Whether and how the list was read again at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Not requested, or nothing to verify.
    Skipped,
    Completed,
    Failed(Failure),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One result per change of the plan, in its order.
    pub results: Vec<ChangeResult>,
    pub verification: Verification,
    /// Why the run stopped early, if it did.
    pub stopped: Option<ShutdownReason>,
    /// Disabled codes that Webex shows otherwise than requested, as indexes into the plan's changes.
    pub server_generated_codes: Vec<usize>,
    /// What was sent in all, lists included.
    pub statistics: Statistics,
    pub elapsed: Duration,
    pub timeline: Timeline,
}

impl Outcome {
    pub fn unchanged() -> Self {
        Self {
            results: Vec::new(),
            verification: Verification::Skipped,
            stopped: None,
            server_generated_codes: Vec::new(),
            statistics: Statistics::default(),
            elapsed: Duration::ZERO,
            timeline: Timeline::default(),
        }
    }

    pub fn count(&self, status: ChangeStatus) -> usize {
        self.results.iter().filter(|result| result.status == status).count()
    }

    /// How the run ended as a whole.
    pub fn class(&self, plan: &Plan) -> RunOutcome {
        if plan.changes.is_empty() {
            return RunOutcome::Unchanged;
        }
        if let Some(ShutdownReason::Interrupt | ShutdownReason::Terminate) = self.stopped {
            return RunOutcome::Interrupted;
        }
        let applied = self.count(ChangeStatus::Applied);
        let different = self.results.iter().any(|result| result.verified == Some(false));
        match applied {
            0 if self.count(ChangeStatus::Unknown) == 0 => RunOutcome::Failed,
            _ if applied < self.results.len() || different => RunOutcome::Partial,
            _ => RunOutcome::Applied,
        }
    }

    /// Whether the list was read at the end and shows what was written.
    pub fn is_verified(&self) -> bool {
        let is_shown = |result: &ChangeResult| result.verified != Some(false);
        self.verification == Verification::Completed && self.results.iter().all(is_shown)
    }

    /// Whether everything is as planned, as far as verification was requested.
    pub fn is_complete(&self) -> bool {
        let verified = !matches!(self.verification, Verification::Failed(_));
        verified
            && self
                .results
                .iter()
                .all(|result| result.status == ChangeStatus::Applied && result.verified != Some(false))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fmt_api_error(f, &self.message, self.status, self.tracking_id.as_deref())
    }
}
