//! `dectl schema`, `dectl completions` and `dectl man`: files for editors, shells and readers.

use clap::Args as ClapArgs;
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

pub(super) fn schema(printer: &Printer) -> ExitStatus {
    printer.result(SCHEMA);
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
