//! `dectl rehearse`: a plan carried out on a simulated copy. The real organization is read, and nothing else.

use dectl::reconcile::{Conditions, go_on_with, propose, rehearse};
use dectl::record::SavedPlan;
use dectl::report::{PlanView, RehearsalView, json, text};
use dectl::runtime::Shutdown;

use super::apply::WHOLE;
use super::inputs::{Codes, read, scope};
use super::rendering::text_or_json;
use crate::cli::args::{Common, Rehearse};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, plan_key, retry_policy};

pub(super) async fn run(
    flags: &Rehearse,
    common: &Common,
    printer: &Printer,
    shutdown: Shutdown,
) -> Result<Exit, Failed> {
    if flags.plan.is_some() && !(flags.location.is_empty() && flags.network.is_empty()) {
        return Err(Failed::of(WHOLE));
    }
    let scope = scope(&flags.location, &flags.network)?;
    let proposal = match &flags.plan {
        Some(path) => {
            let saved = SavedPlan::read(path, plan_key()?.as_ref()).map_err(|error| Failed::of(error.to_string()))?;
            let connection = connect(common, flags.pace, shutdown).await?;
            go_on_with(&saved, &connection.client).await?
        }
        None => {
            let mut inputs = read(&flags.files, common, Codes::LookedUp, &shutdown).await?;
            let connection = connect(common, flags.pace, shutdown).await?;
            propose(&mut inputs, &scope, &connection.client).await?
        }
    };
    let conditions = Conditions {
        requests: flags.limit.count,
        period: flags.limit.period,
        latency: flags.latency,
        concurrency: flags.pace.concurrency.into(),
        rate: flags.pace.rate,
        retry_policy: retry_policy(flags.pace),
    };
    let rehearsal = rehearse(&proposal.proven, &proposal.live, conditions)
        .ok_or_else(|| Failed::of("the rehearsal came to no end; please report this"))?;
    let view = RehearsalView::of(rehearsal, printer.codes());
    let plan = || PlanView::of(proposal.proven.plan(), printer.codes());
    text_or_json(
        printer,
        || format!("{}\n{}", text::plan(&plan()), text::rehearsal(&view)),
        || json::text(&json::rehearsal(&view)),
    );
    Ok(if view.goes_well { Exit::Done } else { Exit::Incomplete })
}
