//! `dectl apply`: shows what would change, asks, and changes it.

use dectl::reconcile::Wishes;
use dectl::record::SavedPlan;
use dectl::runtime::Shutdown;

use super::inputs::{Codes, read};
use super::job::{Job, refuse_early};
use crate::cli::args::{Apply, Common};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::connect;

/// A saved plan is what was reviewed.
pub(super) const WHOLE: &str =
    "a saved plan is carried out as it was reviewed: give --location and --network when it is made";

pub(super) async fn run(flags: &Apply, common: &Common, printer: &Printer, shutdown: Shutdown) -> Result<Exit, Failed> {
    let key = refuse_early(&flags.run)?;
    if flags.plan.is_some() && !(flags.run.limits.location.is_empty() && flags.run.limits.network.is_empty()) {
        return Err(Failed::of(WHOLE));
    }
    let wishes = match &flags.plan {
        Some(path) => {
            let saved = SavedPlan::read(path, key.as_ref()).map_err(|error| Failed::of(error.to_string()))?;
            Wishes::Saved(Box::new(saved))
        }
        None => Wishes::Made(read(&flags.files, common, Codes::LookedUp, &shutdown).await?),
    };
    let connection = connect(common, flags.pace, shutdown).await?;
    Job { wishes, listed: None, flags: &flags.run, pace: flags.pace, finishes_others: true, key }
        .run(connection, common, printer)
        .await
}
