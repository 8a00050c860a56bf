//! `dectl apply`: shows the changes, asks for confirmation, and applies them.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use dectl::reconcile::{PlanSource, RunConfig};
use dectl::runtime::Shutdown;
use dectl::storage::SavedPlan;

use super::inputs::{RESOLVE_CODES, in_organization, plan_in_organization, read};
use super::output::check_metrics;
use super::run_plan::{Apply, preflight, run_config};
use crate::cli::args::{AllowOptions, FilterOptions, PlanSourceOptions, WriteOptions, file_to_write};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, plan_key};

#[derive(Debug, ClapArgs)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    source: PlanSourceOptions,
    /// Also write metrics of the run to FILE, in the OpenMetrics text format, for a collector
    #[arg(long, value_name = "FILE", value_parser = file_to_write, hide_short_help = true)]
    metrics: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) apply: WriteOptions,
    #[command(flatten)]
    allow: AllowOptions,
}

pub(super) async fn run(args: &ApplyArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    let key = plan_key()?;
    check_metrics(args.metrics.as_deref())?;
    let (mut undoes, mut undoes_with) = (None, Vec::new());
    let plan_source = match &args.source.plan {
        Some(path) => {
            refuse_filter(&args.apply.run.scope.filter)?;
            let saved = SavedPlan::read(path, key.as_ref())?;
            undoes.clone_from(&saved.undoes);
            undoes_with.clone_from(&saved.undoes_with);
            PlanSource::SavedPlan(Box::new(saved))
        }
        None => PlanSource::Inputs(read(&args.source.paths()?, args.source.strict, RESOLVE_CODES, shutdown).await?),
    };
    // After the files, so that a saved plan is told from a desired-state file without a terminal, too.
    preflight(&args.apply.run, ", or `plan --out`")?;
    let connection = connect(&args.apply.connection, args.apply.rate, args.apply.output, shutdown).await?;
    let plan_source = match plan_source {
        PlanSource::Inputs(inputs) => {
            PlanSource::Inputs(in_organization(inputs, &connection).await?.allowing(&args.allow.allow))
        }
        PlanSource::SavedPlan(mut saved) => {
            saved.plan.protections.allow(&args.allow.allow);
            plan_in_organization(&saved, &connection).await?;
            PlanSource::SavedPlan(saved)
        }
    };
    let config = run_config(&args.apply, &connection, key.as_ref(), printer)?;
    let apply = Apply {
        config: RunConfig { resume_interrupted: true, undoes, undoes_with, command: command(args), ..config },
        plan_source,
        listed: None,
        recreated: &[],
        metrics: args.metrics.as_deref(),
        client: &connection.client,
        quiet: args.apply.output.is_quiet(),
        printer,
    };
    apply.run().await
}

/// The command with its files, as the list of runs shows it.
fn command(args: &ApplyArgs) -> String {
    let shown = |path: &Path| path.display().to_string();
    let files = args.source.paths().unwrap_or_default();
    let files: Vec<String> = match &args.source.plan {
        Some(plan) => vec![format!("--plan {}", shown(plan))],
        None => files.iter().map(|path| shown(path)).collect(),
    };
    format!("apply {}", files.join(" "))
}

/// A saved plan is applied as it was reviewed, never in part.
pub(super) fn refuse_filter(filter: &FilterOptions) -> Result<(), CliError> {
    if filter.is_empty() {
        return Ok(());
    }
    Err(CliError::refused("--location and --network cannot be used with a saved plan; set them when creating the plan"))
}
