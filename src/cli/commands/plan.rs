//! `dectl plan`: what would change.

use dectl::reconcile::propose;
use dectl::report::PlanView;
use dectl::time::Stop;

use super::inputs::{Codes, read, refuse_unmanaged, saved, scope};
use super::rendering::plan_text;
use crate::cli::args::{Common, Plan};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, plan_key};

pub(super) async fn run(flags: &Plan, common: &Common, printer: &Printer, stop: Stop) -> Result<Exit, Failed> {
    let scope = scope(&flags.limits)?;
    let mut inputs = read(&flags.files.files, common, Codes::LookedUp, &stop).await?;
    let connection = connect(common, flags.pace, stop).await?;
    let proposal = propose(&mut inputs, &scope, &connection.sender).await?;
    let plan = proposal.proven.plan();
    refuse_unmanaged(plan, &flags.limits)?;
    if let Some(path) = &flags.out {
        let saved = saved(plan, Some(&inputs), common, &flags.limits);
        saved.write(path, plan_key().as_ref()).map_err(|error| Failed::of(error.to_string()))?;
    }
    printer.result(&plan_text(&PlanView::of(plan, printer.codes()), printer.format()));
    Ok(if flags.detailed_exitcode && !plan.changes.is_empty() { Exit::Differences } else { Exit::Done })
}
