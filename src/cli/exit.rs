//! Exit codes, and errors that end the program.

use std::io::Write;
use std::process::ExitCode;

use dectl::apply::{Outcome, OutcomeKind};
use dectl::plan::model::Plan;
use dectl::reconcile::{Error, InvalidInput};
use dectl::report::json;
use dectl::runtime::ShutdownReason;

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
    /// The exit status of an outcome.
    pub(crate) fn of(outcome: &Outcome, plan: &Plan) -> Self {
        match outcome.class(plan) {
            OutcomeKind::Unchanged => Self::Success,
            OutcomeKind::Interrupted(ShutdownReason::Terminate) => Self::Terminated,
            OutcomeKind::Interrupted(_) => Self::Interrupted,
            _ if outcome.is_complete() => Self::Success,
            _ if outcome.statistics.writes == 0 => Self::Error,
            _ => Self::Incomplete,
        }
    }
}

/// An error that ends a command.
#[derive(Debug)]
pub(crate) struct CliError {
    /// One sentence.
    pub(crate) message: String,
    /// Diagnostics of the files.
    pub(crate) invalid_input: Option<Box<InvalidInput>>,
    exit: ExitStatus,
    stopped: bool,
}

impl CliError {
    /// An error with a message.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), invalid_input: None, exit: ExitStatus::Error, stopped: false }
    }

    pub(crate) const fn exit(&self) -> ExitStatus {
        self.exit
    }

    /// Sets the exit status of the signal that stopped it, if any.
    pub(crate) fn with_signal(self, reason: Option<ShutdownReason>) -> Self {
        if self.stopped { Self::stopped(reason) } else { self }
    }

    /// Interrupted by a signal before any write.
    pub(crate) fn stopped(reason: Option<ShutdownReason>) -> Self {
        let exit = match reason {
            Some(ShutdownReason::Terminate) => ExitStatus::Terminated,
            Some(ShutdownReason::Interrupt) => ExitStatus::Interrupted,
            _ => ExitStatus::Error,
        };
        Self { exit, ..Self::new("interrupted; no changes were made") }
    }
}

impl From<InvalidInput> for CliError {
    fn from(invalid_input: InvalidInput) -> Self {
        Self { invalid_input: Some(Box::new(invalid_input)), ..Self::new("invalid input files") }
    }
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::InvalidInput(invalid_input) => {
                Self { message, invalid_input: Some(invalid_input), exit: ExitStatus::Error, stopped: false }
            }
            // The caller knows the signal.
            Error::Stopped => Self { stopped: true, ..Self::new(message) },
            _ => Self::new(message),
        }
    }
}

/// Prints a usage error; the exit code is 1, like every error.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let wants_document = std::env::args()
        .collect::<Vec<_>>()
        .windows(2)
        .any(|pair| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json")
        || std::env::args().any(|argument| matches!(argument.as_str(), "-ojson" | "-o=json" | "--output=json"));
    if error.use_stderr() && wants_document {
        // `-o json` always prints one document, even for a usage error.
        let _closed = write!(std::io::stdout(), "{}", json::text(&json::error(&error.to_string(), None)));
    }
    let arguments: Vec<String> = std::env::args().collect();
    let logs_json = arguments.iter().any(|argument| argument == "--log-format=json")
        || arguments.windows(2).any(|pair| pair[0] == "--log-format" && pair[1] == "json");
    if error.use_stderr() && logs_json {
        super::printer::eprint_json("ERROR", &error.to_string());
    } else {
        // A closed pipe is no error.
        let _closed = error.print();
    }
    if error.use_stderr() { ExitStatus::Error.into() } else { ExitStatus::Success.into() }
}
