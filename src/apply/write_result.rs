//! What a request is to do, and what has become of each of its items.

use super::operation::Refusal;
use super::outcome::{ChangeResult, ChangeStatus, Failure};
use crate::client::Priority;
use crate::plan::model::{ChangeIndex, StepItem};
use crate::storage::journal::WriteOutcome;
use crate::webex::{ApiError, ErrorClass};

/// What a request is to do.
#[derive(Clone, Copy)]
pub(super) struct WriteRequest<'a> {
    pub(super) items: &'a [StepItem],
    /// Whether it puts back what the run had changed, since the final state cannot be reached.
    pub(super) is_revert: bool,
    pub(super) priority: Priority,
    /// Whether it deletes what nothing depends on, which the rest of the location comes before.
    pub(super) is_late: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StepState {
    Done,
    Failed,
    NotSent,
    /// Refused by a lock to the end: it may be sent once more, to restore what is half-way.
    Locked,
    Unknown,
    /// Skipped, since the change with this index failed.
    Skipped(ChangeIndex),
}

/// The result of one item.
pub(super) struct WriteResult {
    pub(super) progress: StepState,
    pub(super) result: ChangeResult,
    pub(super) error: Option<ApiError>,
    /// Whether another way is to be tried.
    pub(super) is_deferred: bool,
}

impl WriteResult {
    pub(super) fn applied(id: Option<String>) -> Self {
        let result = ChangeResult { id, ..ChangeResult::new(ChangeStatus::Applied) };
        Self { progress: StepState::Done, result, error: None, is_deferred: false }
    }

    pub(super) fn not_started(failure: Option<Failure>) -> Self {
        let result = ChangeResult { error: failure, ..ChangeResult::new(ChangeStatus::NotStarted) };
        Self { progress: StepState::NotSent, result, error: None, is_deferred: false }
    }

    /// Refused before it was looked at: as if it had not been sent.
    pub(super) fn refused(error: ApiError) -> Self {
        Self { error: Some(error.clone()), ..Self::not_started(Some((&error).into())) }
    }

    pub(super) fn failed(error: ApiError) -> Self {
        let result = failed_with(ChangeStatus::Failed, (&error).into());
        Self { progress: StepState::Failed, result, error: Some(error), is_deferred: false }
    }

    pub(super) fn unknown(error: ApiError) -> Self {
        let result = failed_with(ChangeStatus::Unknown, (&error).into());
        Self { progress: StepState::Unknown, result, error: Some(error), is_deferred: false }
    }

    pub(super) fn of(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Changed(message) | Refusal::StopRun(message) => Self {
                progress: StepState::Failed,
                result: failed_with(ChangeStatus::Failed, Failure::new(message)),
                error: None,
                is_deferred: false,
            },
            Refusal::Cancelled => Self::not_started(None),
            Refusal::Failed(error) => Self::failed(error),
        }
    }

    pub(super) fn outcome(&self) -> WriteOutcome {
        match self.progress {
            StepState::Done => WriteOutcome::Applied,
            StepState::Failed | StepState::Locked | StepState::Skipped(_) => WriteOutcome::Failed,
            StepState::NotSent => WriteOutcome::NotSent,
            StepState::Unknown => WriteOutcome::Unknown,
        }
    }
}

fn failed_with(status: ChangeStatus, failure: Failure) -> ChangeResult {
    ChangeResult { error: Some(failure), ..ChangeResult::new(status) }
}

pub(super) fn is_lock(error: &ApiError) -> bool {
    error.class == ErrorClass::Locked
}
