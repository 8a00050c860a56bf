//! `dectl plan`: what would change.

use dectl::reconcile::propose;
use dectl::runtime::Shutdown;

use super::inputs::{Codes, read, refuse_unmanaged, save, scope};
use super::rendering::show_plan;
use crate::cli::args::{Common, Plan};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, plan_key};

pub(super) async fn run(flags: &Plan, common: &Common, printer: &Printer, shutdown: Shutdown) -> Result<Exit, Failed> {
    let key = if flags.out.is_some() { plan_key()? } else { None };
    let scope = scope(&flags.limits.location, &flags.limits.network)?;
    let mut inputs = read(&flags.files.files, common, Codes::LookedUp, &shutdown).await?;
    let connection = connect(common, flags.pace, shutdown).await?;
    let proposal = propose(&mut inputs, &scope, &connection.client).await?;
    let plan = proposal.proven.plan();
    refuse_unmanaged(plan, flags.limits.fail_on_unmanaged)?;
    if let Some(path) = &flags.out {
        save(plan, &inputs, path, common, &flags.limits, key.as_ref())?;
    }
    show_plan(plan, printer);
    Ok(if flags.detailed_exitcode && !plan.changes.is_empty() { Exit::Differences } else { Exit::Done })
}
