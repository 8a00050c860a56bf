//! `dectl rehearse`: applies a plan to a simulated copy. The real organization is only read.

use std::time::Duration;

use clap::Args as ClapArgs;
use dectl::reconcile::{SimulationParams, prepare_plan, rehearse, resume_saved_plan};
use dectl::report::{RehearsalView, html, json, text};
use dectl::runtime::{Shutdown, parse_duration};
use dectl::simulator::{ExclusiveWrites, HeaderSpec, LimiterSpec};
use dectl::storage::SavedPlan;

use super::apply::refuse_filter;
use super::inputs::{RESOLVE_CODES, in_organization, plan_in_organization, read, scope};
use crate::cli::args::{
    CodeOptions, ConnectionOptions, FilterOptions, Format, OutputOptions, PlanSourceOptions, RateOptions,
};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, plan_key, retry_policy};

#[derive(Debug, ClapArgs)]
pub(crate) struct RehearseArgs {
    #[command(flatten)]
    source: PlanSourceOptions,
    /// Rate limit of the simulated API
    ///
    /// COUNT/DURATION (sliding), window: or counter:COUNT/DURATION, bucket:RATE/s,BURST or in-flight:COUNT, with writes: before it if reads are
    /// not limited; several joined by + apply at the same time. Webex publishes no figure for these operations; the
    /// default is a guess.
    #[arg(long, value_name = "LIMIT", default_value = "300/60s")]
    limit: LimiterSpec,
    /// `Retry-After` of the simulated API: exact, missing, half, 0.5, or a number of whole seconds
    #[arg(long, value_name = "HEADER", default_value = "exact", hide_short_help = true)]
    limit_retry_after: HeaderSpec,
    /// Time that the simulated API takes for each request
    #[arg(long, value_name = "DURATION", default_value = "250ms", value_parser = parse_duration)]
    latency: Duration,
    /// Which of two writes at once the simulated API refuses with 423: no, network (of one network) or location
    #[arg(long, value_name = "WHICH", default_value = "no", hide_short_help = true)]
    exclusive_writes: ExclusiveWrites,
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    rate: RateOptions,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
    #[command(flatten)]
    pub(crate) codes: CodeOptions,
}

pub(super) async fn run(args: &RehearseArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    let scope = scope(&args.filter)?;
    let prepared = match &args.source.plan {
        Some(path) => {
            refuse_filter(&args.filter)?;
            let key = plan_key()?;
            let saved = SavedPlan::read(path, key.as_ref())?;
            let connection = connect(&args.connection, args.rate, args.output, shutdown).await?;
            plan_in_organization(&saved, &connection).await?;
            resume_saved_plan(&saved, &connection.client).await?
        }
        None => {
            let inputs = read(&args.source.paths()?, args.source.strict, RESOLVE_CODES, shutdown).await?;
            let connection = connect(&args.connection, args.rate, args.output, shutdown).await?;
            let inputs = in_organization(inputs, &connection).await?;
            prepare_plan(&inputs, &scope, &connection.client).await?
        }
    };
    let params = SimulationParams {
        limit: args.limit.clone(),
        retry_after: args.limit_retry_after.0,
        latency: args.latency,
        exclusive_writes: args.exclusive_writes,
        writes_per_location: args.rate.writes_per_location.map(usize::from),
        concurrency: args.rate.concurrency.map(usize::from),
        rate: args.rate.read.rate,
        retry_policy: retry_policy(args.rate),
    };
    let rehearsal = rehearse(&prepared.checked, &prepared.live, params)
        .ok_or_else(|| CliError::refused("internal error: the simulated run did not finish; please report this bug"))?;
    let view = RehearsalView::of(rehearsal, printer.codes());
    printer.result(&match printer.format() {
        Format::Json => json::text(&json::rehearsal(&view)),
        Format::Html => html::rehearsal(&view),
        _ => format!("{}\n{}", text::plan(&view.result.plan), text::rehearsal(&view)),
    });
    Ok(if view.success { ExitStatus::Success } else { ExitStatus::Incomplete })
}
