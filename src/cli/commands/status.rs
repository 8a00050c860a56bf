//! `dectl status`: is everything as the files say? Made for a cron job.

use dectl::reconcile::{propose, status};
use dectl::report::{json, markdown, text, visible};
use dectl::runtime::Shutdown;

use super::inputs::{Codes, read, refuse_unmanaged, scope};
use crate::cli::args::{Common, Format, Status};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, plan_key};

pub(super) async fn run(
    flags: &Status,
    common: &Common,
    printer: &Printer,
    shutdown: Shutdown,
) -> Result<Exit, Failed> {
    let key = plan_key()?;
    let scope = scope(&flags.location, &flags.network)?;
    let mut inputs = read(&flags.files.files, common, Codes::LookedUp, &shutdown).await?;
    let connection = connect(common, flags.pace, shutdown).await?;
    let proposal = propose(&mut inputs, &scope, &connection.client).await?;
    let status = status(&proposal, &inputs, &scope, &flags.journal, key.as_ref());
    for warning in &proposal.proven.plan().warnings {
        printer.remark(&format!("warning: {}\n", visible(&warning.message)));
    }
    printer.result(&match printer.format() {
        Format::Json => json::text(&json::status(&status)),
        Format::Markdown => markdown::status(&status),
        _ => text::status(&status),
    });
    refuse_unmanaged(proposal.proven.plan(), flags.fail_on_unmanaged)?;
    Ok(if status.differing() > 0 { Exit::Differences } else { Exit::Done })
}
