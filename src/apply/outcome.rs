//! What became of each network, and of the run as a whole.

use std::time::Duration;

use crate::client::Statistics;
use crate::model::{NetworkId, Setting, Settings};
use crate::plan::model::Plan;
use crate::runtime::ShutdownReason;
use crate::storage::journal::RunOutcome;
use crate::webex::{ApiError, fmt_api_error};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkStatus {
    /// It is as wanted: acknowledged, or seen so.
    Applied,
    /// A write was refused, or seen not to be applied.
    Failed,
    /// Not tried, since a network that it waits for failed.
    Skipped,
    /// Not tried, since the run stopped before.
    NotStarted,
    /// Neither an answer nor a read could tell.
    Unknown,
}

/// Why a network is not as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    pub tracking_id: Option<String>,
}

impl From<&ApiError> for Failure {
    fn from(error: &ApiError) -> Self {
        Self { message: error.message.clone(), status: error.status, tracking_id: error.tracking_id.clone() }
    }
}

impl Failure {
    /// A failure that is not an answer of the API.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), status: None, tracking_id: None }
    }
}

/// The result for one change of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkResult {
    pub status: NetworkStatus,
    /// Whether the list at the end shows it as planned; `None` if nobody looked.
    pub verified: Option<bool>,
    /// The network whose failure barred the way.
    pub blocked_by: Option<NetworkId>,
    /// Where it was left on something temporary.
    pub current_settings: Option<Settings>,
    pub error: Option<Failure>,
    /// The settings that the list at the end showed otherwise than planned.
    pub mismatched_settings: Vec<Setting>,
}

impl NetworkResult {
    /// A result of which nothing else is known.
    pub const fn new(status: NetworkStatus) -> Self {
        Self {
            status,
            verified: None,
            blocked_by: None,
            current_settings: None,
            error: None,
            mismatched_settings: Vec::new(),
        }
    }
}

/// Whether and how the list was read again at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It was not asked for, or there was nothing to verify.
    Skipped,
    Completed,
    Failed(Failure),
}

/// How a run ended as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    Applied,
    Partial,
    Failed,
    Interrupted(ShutdownReason),
    Unchanged,
}

impl OutcomeKind {
    pub const fn as_str(self) -> &'static str {
        self.end().as_str()
    }

    pub const fn end(self) -> RunOutcome {
        match self {
            Self::Applied => RunOutcome::Applied,
            Self::Partial => RunOutcome::Partial,
            Self::Failed => RunOutcome::Failed,
            Self::Interrupted(_) => RunOutcome::Interrupted,
            Self::Unchanged => RunOutcome::Unchanged,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// A result for every change of the plan, in its order.
    pub results: Vec<NetworkResult>,
    pub verification: Verification,
    /// Why it stopped early, if it did.
    pub stopped: Option<ShutdownReason>,
    /// Disabled codes that Webex shows otherwise than asked for, as indexes into the plan's changes.
    pub server_generated_codes: Vec<usize>,
    /// What was sent in all, lists included.
    pub statistics: Statistics,
    pub elapsed: Duration,
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
        }
    }

    pub fn count(&self, status: NetworkStatus) -> usize {
        self.results.iter().filter(|result| result.status == status).count()
    }

    /// How the run ended as a whole.
    pub fn class(&self, plan: &Plan) -> OutcomeKind {
        if plan.changes.is_empty() {
            return OutcomeKind::Unchanged;
        }
        if let Some(reason @ (ShutdownReason::Interrupt | ShutdownReason::Terminate)) = self.stopped {
            return OutcomeKind::Interrupted(reason);
        }
        let applied = self.count(NetworkStatus::Applied);
        let different = self.results.iter().any(|result| result.verified == Some(false));
        match applied {
            0 => OutcomeKind::Failed,
            _ if applied < self.results.len() || different => OutcomeKind::Partial,
            _ => OutcomeKind::Applied,
        }
    }

    /// Whether everything is as planned, as far as anybody was asked to look.
    pub fn is_complete(&self) -> bool {
        let verified = !matches!(self.verification, Verification::Failed(_));
        verified
            && self
                .results
                .iter()
                .all(|result| result.status == NetworkStatus::Applied && result.verified != Some(false))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fmt_api_error(f, &self.message, self.status, self.tracking_id.as_deref())
    }
}
