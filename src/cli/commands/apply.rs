//! `dectl apply`: shows the changes, asks for confirmation, and applies them.

use clap::Args as ClapArgs;
use dectl::reconcile::PlanSource;
use dectl::runtime::Shutdown;
use dectl::storage::SavedPlan;

use super::inputs::{RESOLVE_CODES, read};
use super::run_plan::{PlanRun, preflight};
use crate::cli::args::{
    CodeOptions, ConnectionOptions, FilterOptions, OutputOptions, PlanSourceOptions, RateOptions, RunOptions,
};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::connect;

#[derive(Debug, ClapArgs)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    source: PlanSourceOptions,
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

pub(super) async fn run(args: &ApplyArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    let key = preflight(&args.run, ", or `plan --out`")?;
    let plan_source = match &args.source.plan {
        Some(path) => {
            refuse_filter(&args.run.scope.filter)?;
            let saved = SavedPlan::read(path, key.as_ref()).map_err(|error| CliError::new(error.to_string()))?;
            PlanSource::SavedPlan(Box::new(saved))
        }
        None => PlanSource::Inputs(read(&args.source.files, args.source.strict, RESOLVE_CODES, shutdown).await?),
    };
    let connection = connect(&args.connection, args.rate, args.output, shutdown).await?;
    let run = PlanRun {
        plan_source,
        listed: None,
        args: &args.run,

        resume_interrupted: true,
        resumes: None,
        undoes: None,
        key,
    };
    run.run(connection, args.connection.org(), args.output.quiet, printer).await
}

/// A saved plan is applied as it was reviewed, never in part.
pub(super) fn refuse_filter(filter: &FilterOptions) -> Result<(), CliError> {
    if filter.is_empty() {
        return Ok(());
    }
    Err(CliError::new("--location and --network cannot be used with a saved plan; set them when creating the plan"))
}
