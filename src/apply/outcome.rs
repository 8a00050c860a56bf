//! What became of each network, and of the run as a whole.

use std::time::Duration;

use crate::client::Statistics;
use crate::model::{NetworkId, Setting, Settings};
use crate::plan::plan::Plan;
use crate::record::entry::RunEnd;
use crate::runtime::ShutdownReason;
use crate::webex::{ApiError, fmt_api_error};

/// What became of one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
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
    /// In one sentence.
    pub message: String,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// What Cisco support asks for.
    pub tracking_id: Option<String>,
}

impl From<&ApiError> for Failure {
    fn from(error: &ApiError) -> Self {
        Self { message: error.message.clone(), status: error.status, tracking_id: error.tracking_id.clone() }
    }
}

impl Failure {
    /// A failure that is not an answer of the API.
    pub fn of(message: impl Into<String>) -> Self {
        Self { message: message.into(), status: None, tracking_id: None }
    }
}

/// The result for one change of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkResult {
    /// What became of it.
    pub status: Status,
    /// Whether the list at the end shows it as planned; `None` if nobody looked.
    pub verified: Option<bool>,
    /// The network whose failure barred the way.
    pub blocked_by: Option<NetworkId>,
    /// Where it was left on something temporary.
    pub stands_at: Option<Settings>,
    /// Why it is not as wanted.
    pub error: Option<Failure>,
    /// The settings that the list at the end showed otherwise than planned.
    pub found_different: Vec<Setting>,
}

impl NetworkResult {
    /// A result of which nothing else is known.
    pub const fn new(status: Status) -> Self {
        Self { status, verified: None, blocked_by: None, stands_at: None, error: None, found_different: Vec::new() }
    }
}

/// Whether and how the list was read again at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It was not asked for, or there was nothing to verify.
    NotDone,
    /// It was.
    Done,
    /// The list could not be read.
    Impossible(Failure),
}

/// How a run ended as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeClass {
    /// All applied, none found different.
    Applied,
    /// Some applied.
    Partial,
    /// None applied.
    Failed,
    /// A signal ended it.
    Interrupted(ShutdownReason),
    /// There was nothing to do.
    Unchanged,
}

impl OutcomeClass {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        self.end().as_str()
    }

    /// The same in journals.
    pub const fn end(self) -> RunEnd {
        match self {
            Self::Applied => RunEnd::Applied,
            Self::Partial => RunEnd::Partial,
            Self::Failed => RunEnd::Failed,
            Self::Interrupted(_) => RunEnd::Interrupted,
            Self::Unchanged => RunEnd::Unchanged,
        }
    }
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// A result for every change of the plan, in its order.
    pub results: Vec<NetworkResult>,
    /// Whether the list was read again.
    pub verification: Verification,
    /// Why it stopped early, if it did.
    pub stopped: Option<ShutdownReason>,
    /// Disabled codes that Webex shows otherwise than asked for, as indexes into the plan's changes.
    pub replaced_codes: Vec<usize>,
    /// What was sent in all, lists included.
    pub statistics: Statistics,
    /// How long it took.
    pub elapsed: Duration,
}

impl Outcome {
    /// Nothing was to be done.
    pub fn unchanged() -> Self {
        Self {
            results: Vec::new(),
            verification: Verification::NotDone,
            stopped: None,
            replaced_codes: Vec::new(),
            statistics: Statistics::default(),
            elapsed: Duration::ZERO,
        }
    }

    /// How many networks have this status.
    pub fn count(&self, status: Status) -> usize {
        self.results.iter().filter(|result| result.status == status).count()
    }

    /// How the run ended as a whole.
    pub fn class(&self, plan: &Plan) -> OutcomeClass {
        if plan.changes.is_empty() {
            return OutcomeClass::Unchanged;
        }
        if let Some(reason @ (ShutdownReason::Interrupt | ShutdownReason::Terminate)) = self.stopped {
            return OutcomeClass::Interrupted(reason);
        }
        let applied = self.count(Status::Applied);
        let different = self.results.iter().any(|result| result.verified == Some(false));
        match applied {
            0 => OutcomeClass::Failed,
            _ if applied < self.results.len() || different => OutcomeClass::Partial,
            _ => OutcomeClass::Applied,
        }
    }

    /// Whether everything is as planned, as far as anybody was asked to look.
    pub fn is_complete(&self) -> bool {
        let verified = !matches!(self.verification, Verification::Impossible(_));
        verified && self.results.iter().all(|result| result.status == Status::Applied && result.verified != Some(false))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fmt_api_error(f, &self.message, self.status, self.tracking_id.as_deref())
    }
}
