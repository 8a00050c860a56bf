//! Exit codes, and errors that end the program.

use std::io::Write;
use std::process::ExitCode;

use dectl::apply::{Outcome, OutcomeClass};
use dectl::plan::plan::Plan;
use dectl::reconcile::{Error, Rejected};
use dectl::report::json;
use dectl::runtime::ShutdownReason;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// An error or a refusal; no write was sent.
    Error,
    /// There are differences, and somebody wanted to know.
    Differences,
    /// Writes were sent, and not everything is known to be as planned.
    Incomplete,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Differences => 2,
            Exit::Incomplete => 3,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        })
    }
}

impl Exit {
    /// The code that belongs to an outcome.
    pub(crate) fn of(outcome: &Outcome, plan: &Plan) -> Self {
        match outcome.class(plan) {
            OutcomeClass::Unchanged => Self::Done,
            OutcomeClass::Interrupted(ShutdownReason::Terminate) => Self::Terminated,
            OutcomeClass::Interrupted(_) => Self::Interrupted,
            _ if outcome.is_complete() => Self::Done,
            _ if outcome.statistics.writes == 0 => Self::Error,
            _ => Self::Incomplete,
        }
    }
}

/// Why the program ends without a result.
#[derive(Debug)]
pub(crate) struct Failed {
    /// In one sentence.
    pub(crate) message: String,
    /// What is wrong with the files.
    pub(crate) rejected: Option<Box<Rejected>>,
    exit: Exit,
    stopped: bool,
}

impl Failed {
    /// An error with a message.
    pub(crate) fn of(message: impl Into<String>) -> Self {
        Self { message: message.into(), rejected: None, exit: Exit::Error, stopped: false }
    }

    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// The same with the signal that stopped it, if one did.
    pub(crate) fn because_of(self, reason: Option<ShutdownReason>) -> Self {
        if self.stopped { Self::stopped(reason) } else { self }
    }

    /// A signal came before anything was written.
    pub(crate) fn stopped(reason: Option<ShutdownReason>) -> Self {
        let exit = match reason {
            Some(ShutdownReason::Terminate) => Exit::Terminated,
            Some(ShutdownReason::Interrupt) => Exit::Interrupted,
            _ => Exit::Error,
        };
        Self { exit, ..Self::of("stopped before anything was written") }
    }
}

impl From<Rejected> for Failed {
    fn from(rejected: Rejected) -> Self {
        Self { rejected: Some(Box::new(rejected)), ..Self::of("the files are not right") }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Rejected(rejected) => Self { message, rejected: Some(rejected), exit: Exit::Error, stopped: false },
            // Which signal it was, the caller knows.
            Error::Stopped => Self { stopped: true, ..Self::of(message) },
            _ => Self::of(message),
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
    if error.use_stderr() { Exit::Error.into() } else { Exit::Done.into() }
}
