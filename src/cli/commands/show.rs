//! `dectl show`: a saved plan again, in any format.

use dectl::record::SavedPlan;

use super::rendering::show_plan;
use crate::cli::args::Show;
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::plan_key;

pub(super) fn run(flags: &Show, printer: &Printer) -> Result<Exit, Failed> {
    let saved = SavedPlan::read(&flags.plan, plan_key()?.as_ref()).map_err(|error| Failed::of(error.to_string()))?;
    show_plan(&saved.plan, printer);
    Ok(Exit::Done)
}
