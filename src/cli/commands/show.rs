//! `dectl show`: shows a saved plan in any format.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use dectl::storage::SavedPlan;

use super::output::show_plan;
use crate::cli::args::{CodeOptions, OutputOptions};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::plan_key;

#[derive(Debug, ClapArgs)]
pub(crate) struct ShowArgs {
    /// Plan written by `--out`
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
    #[command(flatten)]
    pub(crate) codes: CodeOptions,
}

pub(super) fn run(args: &ShowArgs, printer: &Printer) -> Result<ExitStatus, CliError> {
    let key = plan_key()?;
    let saved = SavedPlan::read(&args.plan, key.as_ref())?;
    show_plan(&saved.plan, saved.max_deletes, printer);
    Ok(ExitStatus::Success)
}
