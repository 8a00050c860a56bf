//! Exit codes, and errors that end the program.

use std::io::Write;
use std::process::ExitCode;

use dectl::apply::Outcome;
use dectl::plan::ScopeError;
use dectl::plan::model::Plan;
use dectl::reconcile::{Error, InvalidInput};
use dectl::report::json;
use dectl::runtime::ShutdownReason;
use dectl::storage::RunOutcome;
use dectl::storage::SavedPlanError;
use dectl::storage::journal::{RunDirectoryError, RunHistoryError};
use dectl::webex::HttpSetupError;

/// Exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// Success, or nothing to do.
    Success,
    /// Error; no write was sent.
    Error,
    /// There are differences (`--detailed-exitcode`, `status`).
    Drift,
    /// Writes were sent, and the plan is not completely applied.
    Incomplete,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl From<ExitStatus> for ExitCode {
    fn from(exit: ExitStatus) -> Self {
        Self::from(match exit {
            ExitStatus::Success => 0,
            ExitStatus::Error => 1,
            ExitStatus::Drift => 2,
            ExitStatus::Incomplete => 3,
            ExitStatus::Interrupted => 130,
            ExitStatus::Terminated => 143,
        })
    }
}

impl ExitStatus {
    /// That of a command that a signal has stopped.
    pub(crate) const fn of_signal(reason: Option<ShutdownReason>) -> Option<Self> {
        match reason {
            Some(ShutdownReason::Terminate) => Some(Self::Terminated),
            Some(ShutdownReason::Interrupt) => Some(Self::Interrupted),
            _ => None,
        }
    }

    /// The exit status of an outcome.
    pub(crate) fn of(outcome: &Outcome, plan: &Plan) -> Self {
        match outcome.class(plan) {
            RunOutcome::Unchanged => Self::Success,
            RunOutcome::Interrupted => Self::of_signal(outcome.stopped).unwrap_or(Self::Interrupted),
            _ if outcome.is_complete() => Self::Success,
            _ if outcome.statistics.writes == 0 => Self::Error,
            _ => Self::Incomplete,
        }
    }
}

/// An error that ends a command. What it says is one sentence; its sources say more with `-v`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Diagnostics of the files.
    #[error("{message}")]
    InvalidInput { message: String, input: Box<InvalidInput> },
    #[error(transparent)]
    Reconcile(Error),
    #[error(transparent)]
    SavedPlan(#[from] SavedPlanError),
    #[error(transparent)]
    RunDirectory(#[from] RunDirectoryError),
    #[error(transparent)]
    RunHistory(#[from] RunHistoryError),
    #[error(transparent)]
    HttpSetup(#[from] HttpSetupError),
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// What was to be done, and why it failed.
    #[error("{action}: {source}")]
    Failed { action: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// The options or the circumstances do not allow it, or dectl has a bug.
    #[error("{0}")]
    Refused(String),
    /// Stopped before any write, by a signal or because the maintenance window has ended.
    #[error("{}; no changes were made", stopped_by(*.0))]
    Stopped(Option<ShutdownReason>),
}

const fn stopped_by(reason: Option<ShutdownReason>) -> &'static str {
    match reason {
        Some(ShutdownReason::WindowClosed) => "the maintenance window has ended",
        _ => "interrupted",
    }
}

impl CliError {
    /// An error without a cause.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused(message.into())
    }

    /// Why `action` failed, e.g. "cannot bind port 80".
    pub(crate) fn failed(
        action: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Failed { action: action.into(), source: source.into() }
    }

    pub(crate) const fn exit(&self) -> ExitStatus {
        let signal = if let Self::Stopped(reason) = self { ExitStatus::of_signal(*reason) } else { None };
        if let Some(exit) = signal { exit } else { ExitStatus::Error }
    }

    /// Sets the signal that stopped it, if any.
    pub(crate) fn with_signal(self, reason: Option<ShutdownReason>) -> Self {
        if let Self::Stopped(None) = self { Self::Stopped(reason) } else { self }
    }

    /// The diagnostics of the files, if they are the error.
    pub(crate) const fn invalid_input(&self) -> Option<&InvalidInput> {
        match self {
            Self::InvalidInput { input, .. } => Some(input),
            _ => None,
        }
    }

    /// What the message does not say: the sources of the sources.
    pub(crate) fn causes(&self) -> Vec<String> {
        let message = self.to_string();
        let first = std::error::Error::source(self);
        let chain = std::iter::successors(first, |error| error.source()).map(ToString::to_string);
        chain.filter(|cause| !message.contains(cause.as_str())).collect()
    }
}

impl From<InvalidInput> for CliError {
    fn from(invalid_input: InvalidInput) -> Self {
        Self::InvalidInput { message: "invalid input files".to_owned(), input: Box::new(invalid_input) }
    }
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::InvalidInput(input) => Self::InvalidInput { message, input },
            // The caller knows the signal.
            Error::Stopped => Self::Stopped(None),
            error => Self::Reconcile(error),
        }
    }
}

/// Prints a usage error; the exit code is 1, like every error.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let given: Vec<String> = std::env::args_os().map(|given| given.to_string_lossy().into_owned()).collect();
    let follows = |option: &str| given.windows(2).find(|pair| pair[0] == option).map(|pair| pair[1].clone());
    let joined = |start: &str| given.iter().find_map(|one| one.strip_prefix(start).map(str::to_owned));
    let output = follows("-o").or_else(|| follows("--output")).or_else(|| joined("--output="));
    let output = output.or_else(|| joined("-o").map(|format| format.trim_start_matches('=').to_owned()));
    let wants_document = output.or_else(|| std::env::var("DECTL_OUTPUT").ok()).is_some_and(|format| format == "json");
    let log_format = follows("--log-format").or_else(|| joined("--log-format="));
    let log = log_format.or_else(|| std::env::var("DECTL_LOG").ok()).unwrap_or_default();
    let logs_json = log.split(',').any(|word| word.trim() == "json");
    if error.use_stderr() && wants_document {
        // `-o json` always prints one document, even for a usage error.
        let _closed = write!(std::io::stdout(), "{}", json::text(&json::error(&error.to_string(), None)));
    }
    if error.use_stderr() && logs_json {
        super::log_line::eprint_json("ERROR", &error.to_string());
    } else {
        // A closed pipe is no error.
        let _closed = error.print();
    }
    if error.use_stderr() { ExitStatus::Error.into() } else { ExitStatus::Success.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the disk is full")]
    struct DiskFull;

    #[derive(Debug, thiserror::Error)]
    #[error("write failed")]
    struct WriteFailed(#[source] DiskFull);

    #[test]
    fn causes_are_what_the_message_does_not_say() {
        let error = CliError::failed("cannot save the plan", WriteFailed(DiskFull));
        assert_eq!(error.to_string(), "cannot save the plan: write failed");
        assert_eq!(error.causes(), ["the disk is full"]);
        assert_eq!(CliError::refused("no").causes(), Vec::<String>::new());
    }

    #[test]
    fn a_signal_decides_the_exit_code_of_what_it_stopped() {
        let stopped = |reason| CliError::from(Error::Stopped).with_signal(Some(reason)).exit();
        assert_eq!(stopped(ShutdownReason::Interrupt), ExitStatus::Interrupted);
        let closed = CliError::from(Error::Stopped).with_signal(Some(ShutdownReason::WindowClosed));
        assert!(closed.to_string().contains("maintenance window"), "{closed}");
        assert_eq!(stopped(ShutdownReason::Terminate), ExitStatus::Terminated);
        assert_eq!(CliError::refused("no").with_signal(Some(ShutdownReason::Interrupt)).exit(), ExitStatus::Error);
    }
}
