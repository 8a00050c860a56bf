//! `dectl show`: a saved plan again, in any format.

use dectl::record::SavedPlan;
use dectl::report::PlanView;

use super::rendering::plan_text;
use crate::cli::args::Show;
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::plan_key;

pub(super) fn run(flags: &Show, printer: &Printer) -> Result<Exit, Failed> {
    let saved = SavedPlan::read(&flags.plan, plan_key().as_ref()).map_err(|error| Failed::of(error.to_string()))?;
    printer.result(&plan_text(&PlanView::of(&saved.plan, printer.codes()), printer.format()));
    Ok(Exit::Done)
}
