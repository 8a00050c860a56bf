//! One file a command: set up, call the library, print.

mod apply;
mod auth;
mod export;
mod inputs;
mod job;
mod manual;
mod plan;
mod rehearse;
mod rename;
mod rendering;
mod runs;
mod show;
mod simulate;
mod status;
mod undo;
mod validate;

use dectl::runtime::Shutdown;

use super::args::{Args, Auth, Command};
use super::exit::{Exit, Failed};
use super::printer::Printer;
use super::signals;

/// Runs a command until it ends or a signal has ended it.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failed> {
    if !args.command.formats().contains(&args.common.output) {
        let formats: Vec<&str> = args.command.formats().iter().map(|format| format.name()).collect();
        let message = format!("there is no {} of this: it is {}", args.common.output.name(), formats.join(", "));
        return Err(Failed::of(message));
    }
    let shutdown = Shutdown::new();
    let command = async {
        match args.command {
            Command::Validate(flags) => validate::run(&flags, &args.common, printer, shutdown.clone()).await,
            Command::Plan(flags) => plan::run(&flags, &args.common, printer, shutdown.clone()).await,
            Command::Apply(flags) => apply::run(&flags, &args.common, printer, shutdown.clone()).await,
            Command::Rename(flags) => rename::run(&flags, &args.common, printer, shutdown.clone()).await,
            Command::Export(flags) => export::run(&flags, &args.common, printer, shutdown.clone()).await,
            Command::Status(flags) => status::run(&flags, &args.common, printer, shutdown.clone()).await,
            Command::Rehearse(flags) => rehearse::run(&flags, &args.common, printer, shutdown.clone()).await,
            Command::Show(flags) => show::run(&flags, printer),
            Command::Runs(flags) => runs::run(&flags, printer),
            Command::Undo(flags) => undo::run(&flags, &args.common, printer, shutdown.clone()).await,
            Command::Auth(Auth::Check) => auth::check(&args.common, printer, shutdown.clone()).await,
            Command::Schema => Ok(manual::schema(printer)),
            Command::Completions(flags) => Ok(manual::completions(&flags, printer)),
            Command::Man => manual::man(printer),
            Command::Simulate(flags) => simulate::run(&flags, printer, shutdown.clone()).await,
        }
    };
    tokio::select! {
        biased;
        // First, so that no signal is missed once anything has begun.
        () = signals::listen(shutdown.clone()) => Ok(Exit::Interrupted),
        exit = command => exit.map_err(|failed| failed.because_of(shutdown.reason())),
    }
}
