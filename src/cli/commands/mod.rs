//! One file a command: set up, call the library, print.

mod apply;
mod plan;
mod simulate;
mod validate;

use std::path::PathBuf;

use dectl::desired::Surroundings;
use dectl::reconcile::{InputOptions, Inputs, Resolve};
use dectl::report::{self, PlanView, json};
use dectl::time::Stop;

use super::args::{Args, Command, Common, Format};
use super::exit::{Exit, Failed};
use super::printer::Printer;
use super::signals;

/// Runs a command until it ends or a signal has ended it.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failed> {
    let stop = Stop::new();
    let command = async {
        match args.command {
            Command::Validate(flags) => validate::run(&flags, &args.common, printer),
            Command::Plan(flags) => plan::run(&flags, &args.common, printer, stop.clone()).await,
            Command::Apply(flags) => apply::run(&flags, &args.common, printer, stop.clone()).await,
            Command::Simulate(flags) => simulate::run(&flags, printer, stop.clone()).await,
        }
    };
    tokio::select! {
        exit = command => exit,
        () = signals::listen(stop.clone()) => Ok(Exit::Interrupted),
    }
}

/// Reads the files with their codes.
fn read(files: &[PathBuf], common: &Common) -> Result<Inputs, Failed> {
    let options = InputOptions { strict: common.strict, resolve: Resolve::With(&Surroundings) };
    Ok(Inputs::read(files, &mut std::io::stdin(), options)?)
}

fn plan_text(view: &PlanView, format: Format) -> String {
    match format {
        Format::Text => report::text::plan(view),
        Format::Json => json::text(&json::plan(view)),
    }
}
