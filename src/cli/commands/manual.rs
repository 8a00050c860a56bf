//! `dectl schema`, `dectl completions` and `dectl man`: what editors, shells and readers need.

use clap::CommandFactory;
use dectl::desired::SCHEMA;

use crate::cli::args::{Args, Completions};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;

pub(super) fn schema(printer: &Printer) -> Exit {
    printer.result(SCHEMA);
    Exit::Done
}

pub(super) fn completions(flags: &Completions, printer: &Printer) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(flags.shell, &mut Args::command(), "dectl", &mut text);
    printer.result(&String::from_utf8_lossy(&text));
    Exit::Done
}

pub(super) fn man(printer: &Printer) -> Result<Exit, Failed> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Args::command())
        .render(&mut text)
        .map_err(|error| Failed::of(format!("the manual page cannot be made: {error}")))?;
    printer.result(&String::from_utf8_lossy(&text));
    Ok(Exit::Done)
}
