//! One module per command: its options and its calls into the library.

mod apply;
mod auth;
mod explain;
mod export;
mod export_update;
mod find;
mod inputs;
mod manual;
mod orgs;
mod output;
mod password;
mod plan;
mod rehearse;
mod rename;
mod report;
mod run_plan;
mod runs;
mod show;
mod simulate;
mod status;
mod undo;
mod validate;

use dectl::runtime::Shutdown;

use super::args::{Args, Auth, Command, Password, command};
use super::exit::{CliError, ExitStatus};
use super::printer::Printer;
use super::signals;

pub(crate) use apply::ApplyArgs;
pub(crate) use auth::AuthCheckArgs;
pub(crate) use explain::ExplainArgs;
pub(crate) use export::ExportArgs;
pub(crate) use find::FindArgs;
pub(crate) use manual::{CompletionsArgs, ManArgs, SchemaArgs};
pub(crate) use orgs::OrgsArgs;
pub(crate) use password::{PasswordGenerateArgs, PasswordShowArgs};
pub(crate) use plan::PlanArgs;
pub(crate) use rehearse::RehearseArgs;
pub(crate) use rename::RenameArgs;
pub(crate) use report::ReportArgs;
pub(crate) use runs::RunsArgs;
pub(crate) use show::ShowArgs;
pub(crate) use simulate::SimulateArgs;
pub(crate) use status::StatusArgs;
pub(crate) use undo::UndoArgs;
pub(crate) use validate::ValidateArgs;

/// Runs a command until it ends or is stopped by a signal.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    output::check_format(printer.format(), args.command.formats())?;
    let shutdown = Shutdown::new();
    let command = async {
        match args.command {
            Command::Validate(args) => validate::run(&args, printer, &shutdown).await,
            Command::Plan(args) => plan::run(&args, printer, &shutdown).await,
            Command::Apply(args) => apply::run(&args, printer, &shutdown).await,
            Command::Rename(args) => rename::run(&args, printer, &shutdown).await,
            Command::Export(args) => export::run(&args, printer, &shutdown).await,
            Command::Status(args) => status::run(&args, printer, &shutdown).await,
            Command::Rehearse(args) => rehearse::run(&args, printer, &shutdown).await,
            Command::Find(args) => find::run(&args, printer, &shutdown).await,
            Command::Report(args) => report::run(&args, printer),
            Command::Show(args) => show::run(&args, printer),
            Command::Runs(args) => runs::run(&args, printer),
            Command::Undo(args) => undo::run(&args, printer, &shutdown).await,
            Command::Orgs(args) => orgs::run(&args, printer, &shutdown).await,
            Command::Auth(Auth::Check(args)) => auth::check(&args, printer, &shutdown).await,
            Command::Password(Password::Generate(args)) => password::generate(&args, printer, &shutdown).await,
            Command::Password(Password::Show(args)) => password::show(&args, printer),
            Command::Explain(args) => explain::run(&args, printer),
            Command::Schema(args) => manual::schema(&args, printer),
            Command::Completions(args) => Ok(manual::completions(&args, command(), printer)),
            Command::Man(args) => manual::man(&args, command(), printer),
            Command::Simulate(args) => simulate::run(&args, printer, &shutdown).await,
        }
    };
    tokio::select! {
        biased;
        // Polled first, so that no signal is missed.
        () = signals::listen(shutdown.clone()) => Ok(ExitStatus::Interrupted),
        exit = command => exit.map_err(|error| error.with_signal(shutdown.reason())),
    }
}
