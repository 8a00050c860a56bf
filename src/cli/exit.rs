//! Exit codes, and errors that end the program.

use std::io::Write;
use std::process::ExitCode;

use dectl::apply::{Outcome, OutcomeKind};
use dectl::plan::model::Plan;
use dectl::reconcile::{Error, InvalidInput};
use dectl::report::json;
use dectl::runtime::ShutdownReason;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// Done, or nothing to do.
    Success,
    /// An error or a refusal; no write was sent.
    Error,
    /// There are differences, and somebody wanted to know.
    Drift,
    /// Writes were sent, and not everything is known to be as planned.
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
    /// The code that belongs to an outcome.
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

/// Why the program ends without a result.
#[derive(Debug)]
pub(crate) struct CliError {
    /// In one sentence.
    pub(crate) message: String,
    /// What is wrong with the files.
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

    /// The same with the signal that stopped it, if one did.
    pub(crate) fn with_signal(self, reason: Option<ShutdownReason>) -> Self {
        if self.stopped { Self::stopped(reason) } else { self }
    }

    /// A signal came before anything was written.
    pub(crate) fn stopped(reason: Option<ShutdownReason>) -> Self {
        let exit = match reason {
            Some(ShutdownReason::Terminate) => ExitStatus::Terminated,
            Some(ShutdownReason::Interrupt) => ExitStatus::Interrupted,
            _ => ExitStatus::Error,
        };
        Self { exit, ..Self::new("stopped before anything was written") }
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
            // Which signal it was, the caller knows.
            Error::Stopped => Self { stopped: true, ..Self::new(message) },
            _ => Self::new(message),
        }
    }
}

/// Prints what clap says; wrong usage is 1, like every refusal.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let wants_document = std::env::args()
        .collect::<Vec<_>>()
        .windows(2)
        .any(|pair| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json")
        || std::env::args().any(|argument| matches!(argument.as_str(), "-ojson" | "-o=json" | "--output=json"));
    if error.use_stderr() && wants_document {
        // `-o json` is always one document, also where the command line could not be read.
        let _closed = write!(std::io::stdout(), "{}", json::text(&json::error(&error.to_string(), None)));
    }
    // A closed pipe is no error.
    let _closed = error.print();
    if error.use_stderr() { ExitStatus::Error.into() } else { ExitStatus::Success.into() }
}
