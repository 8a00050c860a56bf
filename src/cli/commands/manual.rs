//! `dectl schema`, `dectl completions` and `dectl man`: files for editors, shells and readers.

use clap::{Args as ClapArgs, ValueEnum};
use dectl::desired::SCHEMA;

use crate::cli::args::command;
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;

#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SchemaArgs {
    /// What is described
    #[arg(value_name = "KIND", value_enum, default_value_t = Kind::Networks)]
    kind: Kind,
}

/// A kind of file or document.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// A desired-state file
    Networks,
    /// Result of `auth check`
    Auth,
    /// An error
    Error,
    /// A plan
    Plan,
    /// Result of `rehearse`
    Rehearsal,
    /// Result of `apply`
    Result,
    /// List of `runs`
    Runs,
    /// A file of `--out`
    SavedPlan,
    /// Result of `status`
    Status,
    /// Result of `validate`
    Validation,
}

impl Kind {
    const fn schema(self) -> &'static str {
        match self {
            Self::Networks => SCHEMA,
            Self::Auth => include_str!("../../../docs/schemas/auth.schema.json"),
            Self::Error => include_str!("../../../docs/schemas/error.schema.json"),
            Self::Plan => include_str!("../../../docs/schemas/plan.schema.json"),
            Self::Rehearsal => include_str!("../../../docs/schemas/rehearsal.schema.json"),
            Self::Result => include_str!("../../../docs/schemas/result.schema.json"),
            Self::Runs => include_str!("../../../docs/schemas/runs.schema.json"),
            Self::SavedPlan => include_str!("../../../docs/schemas/saved-plan.schema.json"),
            Self::Status => include_str!("../../../docs/schemas/status.schema.json"),
            Self::Validation => include_str!("../../../docs/schemas/validation.schema.json"),
        }
    }
}

pub(super) fn schema(args: &SchemaArgs, printer: &Printer) -> ExitStatus {
    printer.result(args.kind.schema());
    ExitStatus::Success
}

pub(super) fn completions(args: &CompletionsArgs, printer: &Printer) -> ExitStatus {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "dectl", &mut text);
    printer.result(&String::from_utf8_lossy(&text));
    ExitStatus::Success
}

pub(super) fn man(printer: &Printer) -> Result<ExitStatus, CliError> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command())
        .render(&mut text)
        .map_err(|error| CliError::failed("cannot render the manual page", error))?;
    printer.result(&String::from_utf8_lossy(&text));
    Ok(ExitStatus::Success)
}
