//! `dectl undo`: applies the state before a run.

use clap::Args as ClapArgs;
use dectl::desired::ProcessEnvironment;
use dectl::reconcile::{CodeResolution, InputOptions, Inputs, PlanSource, build_undo, resumed_from, undo_source_name};
use dectl::report::sanitize;
use dectl::runtime::Shutdown;
use dectl::storage::{CodeAccess, RunDirectory, RunHistory};

use super::run_plan::{PlanRun, preflight};
use crate::cli::args::{CodeOptions, ConnectionOptions, OutputOptions, RateOptions, RunOptions};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::connect;

#[derive(Debug, ClapArgs)]
pub(crate) struct UndoArgs {
    /// Run as listed by `dectl runs`, a unique prefix of its name, or `last`
    #[arg(value_name = "RUN")]
    name: String,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    rate: RateOptions,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
    #[command(flatten)]
    pub(crate) codes: CodeOptions,
}

pub(super) async fn run(args: &UndoArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    let key = preflight(&args.run)?;
    let failed = |error: &dyn std::error::Error| CliError::new(error.to_string());
    let journal_dir = &args.run.journal.journal;
    let path =
        RunDirectory::open(journal_dir).and_then(|runs| runs.find(&args.name)).map_err(|error| failed(&error))?;
    let history = RunHistory::read(&path, CodeAccess::Decrypt(key.as_ref())).map_err(|error| failed(&error))?;
    let connection = connect(&args.connection, args.rate, args.output, shutdown).await?;
    let live = connection.client.list(dectl::client::Priority::Normal).await.map_err(dectl::reconcile::Error::from)?;
    let undo = build_undo(&history, &live);
    for network in &undo.skipped {
        let reason = match &network.current_name {
            Some(name) => format!("its settings changed since the run (current name: {})", sanitize(name)),
            None => "it no longer exists".to_owned(),
        };
        printer.note(&format!("skipped {}: {reason}\n", sanitize(&network.name)));
    }
    if let Some(earlier) = resumed_from(journal_dir, key.as_ref(), &history.run) {
        printer.note(&format!(
            "note: run {} resumed run {earlier}; run {earlier} is not undone, use `dectl undo {earlier}`\n",
            history.run
        ));
    }
    let options = InputOptions { strict: false, resolve: CodeResolution::Resolve(&ProcessEnvironment) };
    let inputs = Inputs::from_text(&undo_source_name(&history.run), undo.yaml, options)?;
    let run = PlanRun {
        plan_source: PlanSource::Inputs(inputs),
        listed: Some(live),
        args: &args.run,
        rate: args.rate,
        resume_interrupted: false,
        key,
    };
    run.run(connection, args.connection.org(), args.output.quiet, printer).await
}
