//! Errors that end a command before any write.

use jiff::Timestamp;

use super::inputs::InvalidInput;
use crate::apply::Failure;
use crate::client::SendError;
use crate::diagnostic::plural;
use crate::model::{LiveState, quotes_hint};
use crate::plan::model::{Plan, ResourceKind};
use crate::plan::{Drift, MaxChanges, Scope, TooManyChanges, exceeded_limits};
use crate::plan_check::PlanViolation;
use crate::storage::journal::RunHistoryError;
use crate::storage::{JournalError, SavedPlanError};
use crate::webex::{ApiError, ErrorClass};

/// An error that ends a command before any write.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The files are invalid, by themselves or for the live state.
    #[error("{}", .0.summary())]
    InvalidInput(Box<InvalidInput>),
    #[error("cannot list the DECT networks: {error}{}", .hint.map(|hint| format!("; {hint}")).unwrap_or_default())]
    ListFailed { error: ApiError, hint: Option<&'static str> },
    /// Devices or locations cannot be read.
    #[error("cannot read the current state: {0}; no changes were made")]
    ReadFailed(ApiError),
    /// The devices of these networks cannot be read.
    #[error("{}; no changes were made", unread(.0))]
    DevicesUnreadable(Vec<UnreadDevices>),
    #[error("interrupted; no changes were made")]
    Stopped,
    /// The plan failed its safety check.
    #[error("internal error: plan failed its safety check: {0}; please report this bug")]
    PlanCheckFailed(#[from] PlanViolation),
    /// What a saved plan does is not possible any more, since the organization has changed beside it.
    #[error("live state changed since the plan was created: {0}; no changes were made, create a new plan")]
    PlanOutdated(PlanViolation),
    /// The live state differs from a saved plan.
    #[error("live state changed since the plan was created: {}; no changes were made, create a new plan",
        summarize_drift(.0))]
    Drift(Vec<Drift>),
    /// A saved plan is for another organization.
    #[error("the plan is for the organization {plan}, but this one is {reached}; check --org and the token")]
    OtherOrganization { plan: String, reached: String },
    /// A saved plan knows nothing of this organization.
    #[error(
        "none of the networks of the plan exists here: it is probably for another organization; check --org \
         and the token"
    )]
    ForeignPlan,
    /// The token does not reach the organization of the options.
    #[error("the token does not reach the organization {0:?} of --org; `dectl orgs` lists those that it reaches")]
    UnreachedOrganization(String),
    /// The owner of the token has no organization.
    #[error("cannot find out the organization of the token; pass its id with --org")]
    UnknownOrganization,
    /// A saved plan cannot be read or written.
    #[error("{0}")]
    SavedPlan(#[from] SavedPlanError),
    /// The change limit of an unattended run is exceeded.
    #[error("{0}")]
    TooManyChanges(#[from] TooManyChanges),
    /// Files protect what the plan changes.
    #[error("refusing to change what is protected: {}", .0.join("; "))]
    Protected(Vec<String>),
    /// There are unmanaged networks.
    #[error("{} not in any file (--fail-on-unmanaged)", plural(*.0, "live network"))]
    Unmanaged(usize),
    /// Several reasons to refuse a plan.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; and "))]
    Refused(Vec<Self>),
    /// A pattern of the scope matches nothing.
    #[error(
        "{option} {pattern:?} matches no {}{}; no changes were made",
        if *.option == "--location" { "location with DECT networks" } else { "network in scope" },
        quotes_hint(.pattern).map(|hint| format!(" ({hint})")).unwrap_or_default()
    )]
    EmptyScope { option: &'static str, pattern: String },
    /// The pattern of `--canary` matches no location that is asked for.
    #[error("--canary matches no location that this plan is about; no changes were made")]
    CanaryMatchesNothing,
    /// The plan of an unfinished run of the same inputs cannot be read.
    #[error(
        "the plan of unfinished run {run} of this rename cannot be read: {reason}; set the right DECTL_PLAN_KEY to resume \
         it, or use --restart to recompute the rename"
    )]
    SavedPlanUnreadable { run: String, reason: SavedPlanError },
    /// Another process is applying a plan to the same organization.
    #[error("run {run} is applying a plan to the same organization; no changes were made, wait until it has ended")]
    AnotherRun { run: String },
    /// A run has written since the live state was read.
    #[error(
        "run {run} has changed the same organization since its state was read; no changes were made, repeat the command"
    )]
    StateIsOutdated { run: String },
    /// The confirmation was declined.
    #[error("not confirmed; no changes were made")]
    NotConfirmed,
    /// The journal cannot be created.
    #[error("{0}; no changes were made")]
    Journal(#[from] JournalError),
    #[error(transparent)]
    RunHistory(#[from] RunHistoryError),
}

/// Summarizes what has drifted in one line.
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

impl Error {
    /// Checks that every pattern of the scope matches something that is there or that is asked for by a name.
    ///
    /// # Errors
    /// The first one that matches nothing.
    pub fn check_scope<'n>(
        scope: &Scope,
        live: &LiveState,
        requested_names: impl IntoIterator<Item = &'n str, IntoIter: Clone>,
    ) -> Result<(), Self> {
        match scope.unmatched(live, requested_names.into_iter()) {
            Some((option, pattern)) => Err(Self::EmptyScope { option, pattern: pattern.to_owned() }),
            None => Ok(()),
        }
    }

    /// Checks what refuses a plan without a prompt: its limits and networks that no file names.
    ///
    /// # Errors
    /// All that refuses it, at once.
    pub fn check_unattended(
        plan: &Plan,
        max_changes: Option<MaxChanges>,
        max_deletes: Option<usize>,
        fail_on_unmanaged: bool,
    ) -> Result<(), Self> {
        let limits = exceeded_limits(plan, max_changes, max_deletes).into_iter().map(Self::from);
        Self::all(limits.chain(Self::check_managed(plan, fail_on_unmanaged).err()))
    }

    /// All of these, if there are any.
    pub(super) fn all(refusals: impl IntoIterator<Item = Self>) -> Result<(), Self> {
        let mut refusals: Vec<Self> = refusals.into_iter().collect();
        match refusals.len() {
            0 => Ok(()),
            1 => Err(refusals.remove(0)),
            _ => Err(Self::Refused(refusals)),
        }
    }

    /// Refuses a plan that changes what is protected and not allowed.
    ///
    /// # Errors
    /// If it does, with every protection that refuses something.
    pub fn check_protections(plan: &Plan) -> Result<(), Self> {
        let refused = plan.protections.refused(&plan.changes, Timestamp::now()).filter(|(_, count)| *count > 0);
        let refused: Vec<String> = refused
            .map(|(protection, count)| {
                let (name, changes) = (protection.name(), plural(count, "change"));
                format!("{protection}, which refuses {changes}; pass --allow {name:?} to allow it")
            })
            .collect();
        if refused.is_empty() { Ok(()) } else { Err(Self::Protected(refused)) }
    }

    /// `--fail-on-unmanaged`: refuses a plan that leaves live networks unmanaged.
    ///
    /// # Errors
    /// If it does.
    pub fn check_managed(plan: &Plan, fail_on_unmanaged: bool) -> Result<(), Self> {
        match plan.counts.unmanaged.network {
            unmanaged if unmanaged > 0 && fail_on_unmanaged => Err(Self::Unmanaged(unmanaged)),
            _ => Ok(()),
        }
    }

    /// What could not be read, for a run that has written already.
    pub(super) fn failed_read(&self) -> Failure {
        match self {
            Self::ListFailed { error, .. } | Self::ReadFailed(error) => Failure::from(error),
            Self::DevicesUnreadable(networks) => Failure::new(unread(networks)),
            other => Failure::new(other.to_string()),
        }
    }

    /// A failure to read more than the list of networks.
    pub(super) fn reading(error: SendError) -> Self {
        match error {
            SendError::Cancelled => Self::Stopped,
            SendError::Failed(error) => Self::ReadFailed(error),
        }
    }
}

/// Most networks that one message names.
const MOST_NAMED: usize = 5;

/// Base stations or handsets of a network that cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot read the {}s of {network}: {error}", kind.noun())]
pub struct UnreadDevices {
    pub(super) kind: ResourceKind,
    /// Its name, and that of its location.
    pub(super) network: String,
    pub(super) error: ApiError,
}

fn unread(networks: &[UnreadDevices]) -> String {
    let mut shown: Vec<String> = networks.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    if networks.len() > MOST_NAMED {
        shown.push(format!("and {} more", networks.len() - MOST_NAMED));
    }
    let hint = networks.first().and_then(|network| match network.error.class {
        ErrorClass::NotFound => Some("it may have been deleted since the networks were listed; try again in a moment"),
        _ => hint(&network.error),
    });
    shown.extend(hint.map(str::to_owned));
    shown.join("; ")
}

fn hint(error: &ApiError) -> Option<&'static str> {
    match (error.class, error.status) {
        (_, Some(401)) => Some("the access token is invalid or has expired; check it with `dectl auth check`"),
        (_, Some(403)) => Some(
            "reading requires the scope spark-admin:telephony_config_read and an administrator role, writing \
             spark-admin:telephony_config_write; a location administrator passes --location-id, or writes the ids of all \
             locations in the files",
        ),
        (ErrorClass::NotFound, _) => Some("check the API address and the organization"),
        (ErrorClass::Transient, None) => Some("check the connection, the proxy and the API address"),
        _ => None,
    }
}
