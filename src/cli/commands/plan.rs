//! `dectl plan`: the changes that apply would make.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use dectl::reconcile::{Error, heed_earlier_runs, prepare_plan};
use dectl::report::text;
use dectl::runtime::Shutdown;

use super::inputs::{RESOLVE_CODES, in_organization, read, save_plan, scope};
use super::output::{saved_plan_hint, show_next_step, show_plan, show_plan_as};
use crate::cli::args::{
    AllowOptions, CodeOptions, FileOptions, Format, JournalOptions, ReadOptions, ScopeOptions, file_to_write,
};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, plan_key};

#[derive(Debug, ClapArgs)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    files: FileOptions,
    /// Exit with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Save the plan to FILE for `apply --plan` (contains access codes)
    #[arg(long, value_name = "FILE", value_parser = file_to_write)]
    out: Option<PathBuf>,
    /// Show one line per location instead of every change
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    scope: ScopeOptions,
    #[command(flatten)]
    allow: AllowOptions,
    #[command(flatten)]
    journal: JournalOptions,
    #[command(flatten)]
    pub(crate) read: ReadOptions,
    #[command(flatten)]
    pub(crate) codes: CodeOptions,
}

pub(super) async fn run(args: &PlanArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    if args.summary && printer.format() != Format::Text {
        return Err(CliError::refused("`--summary` is text; `-o json` has counts under `summary`"));
    }
    let key = if args.out.is_some() { plan_key()? } else { None };
    let scope = scope(&args.scope.filter)?;
    let inputs = read(&args.files.paths()?, args.files.strict, RESOLVE_CODES, shutdown).await?;
    let connection = connect(&args.read.connection, args.read.rate.into(), args.read.output, shutdown).await?;
    let inputs = in_organization(inputs, &connection).await?.allowing(&args.allow.allow);
    heed_earlier_runs(&args.journal.journal, &connection.target, &connection.client);
    let prepared = prepare_plan(&inputs, &scope, &connection.client).await?;
    let plan = prepared.checked.plan();
    match &args.out {
        Some(path) => save_plan(
            plan,
            &inputs,
            (None, Vec::new()),
            path,
            args.read.connection.org.clone(),
            &args.scope,
            key.as_ref(),
        )?,
        None => Error::check_managed(plan, args.scope.fail_on_unmanaged)?,
    }
    if args.summary {
        show_plan_as(plan, args.scope.max_deletes, printer, text::plan_summary);
    } else {
        show_plan(plan, args.scope.max_deletes, printer);
    }
    let next = match &args.out {
        Some(path) => saved_plan_hint(path, plan, &args.scope),
        None => "`dectl apply` with the same files and options, or save the plan with `--out FILE`".to_owned(),
    };
    show_next_step(&next, plan, args.read.output, printer);
    let drift = args.detailed_exitcode && !plan.changes.is_empty();
    Ok(if drift { ExitStatus::Drift } else { ExitStatus::Success })
}
