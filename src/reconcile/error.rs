//! Why there is no result. No write was sent.

use super::inputs::InvalidInput;
use crate::client::SendError;
use crate::plan::{Drift, TooManyChanges};
use crate::plan_check::PlanViolation;
use crate::storage::{JournalError, SavedPlanError};
use crate::webex::{ApiError, ErrorClass};

/// Why a command ends before anything is written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The files, or the files and the live state together, are wrong.
    #[error("{}", .0.summary())]
    InvalidInput(Box<InvalidInput>),
    #[error("the DECT networks cannot be listed: {error}{}", .hint.map(|hint| format!("; {hint}")).unwrap_or_default())]
    ListFailed { error: ApiError, hint: Option<&'static str> },
    #[error("stopped before anything was written")]
    Stopped,
    /// A plan that cannot be shown to be safe.
    #[error("this plan is not carried out, since it cannot be shown to be safe: {0}; please report this")]
    PlanCheckFailed(#[from] PlanViolation),
    /// The organization is not as a saved plan knows it.
    #[error("the organization has moved since the plan was made, so nothing was changed: {}; make the plan again",
        summarize_drift(.0))]
    Drift(Vec<Drift>),
    /// A saved plan cannot be read or written.
    #[error("{0}")]
    SavedPlan(#[from] SavedPlanError),
    /// Nobody was asked, and the plan is large.
    #[error("{0}")]
    TooManyChanges(#[from] TooManyChanges),
    /// There are networks that no file speaks of.
    #[error("{0} live networks are in no file (--fail-on-unmanaged)")]
    Unmanaged(usize),
    /// The pattern for the first locations is misspelt.
    #[error("no location that this plan changes matches --canary: nothing was changed")]
    CanaryMatchesNothing,
    /// A run of the same wishes was not finished, and its plan cannot be read.
    #[error(
        "the run {run} of the same rename was not finished, and its plan cannot be read: {reason}. With the right \
         DECTL_PLAN_KEY it goes on; --anew computes the rename anew"
    )]
    SavedPlanUnreadable { run: String, reason: SavedPlanError },
    /// Somebody was asked, and did not agree.
    #[error("not confirmed: nothing was changed")]
    NotConfirmed,
    /// What is to be done cannot be recorded.
    #[error("{0}; nothing was written, since a run that leaves no journal cannot be undone")]
    Journal(#[from] JournalError),
}

/// Some of what has moved, in one line; more than that nobody reads.
fn summarize_drift(moved: &[Drift]) -> String {
    const MOST: usize = 10;
    let mut parts: Vec<String> = moved.iter().take(MOST).map(Drift::describe).collect();
    if moved.len() > MOST {
        parts.push(format!("and {} more", moved.len() - MOST));
    }
    parts.join("; ")
}

impl From<SendError> for Error {
    fn from(send_error: SendError) -> Self {
        match send_error {
            SendError::Cancelled => Self::Stopped,
            SendError::Failed(error) => Self::ListFailed { hint: hint(&error), error },
        }
    }
}

fn hint(error: &ApiError) -> Option<&'static str> {
    match (error.class, error.status) {
        (_, Some(401)) => Some(
            "the access token is not valid or has expired: `dectl auth check` says what the credentials are good for",
        ),
        (_, Some(403)) => Some(
            "reading needs the scope spark-admin:telephony_config_read and an administrator's role, \
             writing spark-admin:telephony_config_write",
        ),
        (ErrorClass::NotFound, _) => Some("check the API address and the organization"),
        (ErrorClass::Transient, None) => Some("check the connection, the proxy and the API address"),
        _ => None,
    }
}
