//! `dectl undo`: the way back from a run, planned, confirmed and carried out like everything else.

use dectl::desired::ProcessEnvironment;
use dectl::reconcile::{InputOptions, Inputs, Resolve, Wishes, goes_on_from, undo_of, way_back};
use dectl::record::{Codes, History, Runs};
use dectl::report::visible;
use dectl::runtime::Shutdown;

use super::job::{Job, refuse_early};
use crate::cli::args::{Common, Undo};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::connect;

pub(super) async fn run(flags: &Undo, common: &Common, printer: &Printer, shutdown: Shutdown) -> Result<Exit, Failed> {
    let key = refuse_early(&flags.run)?;
    let failed = |error: &dyn std::error::Error| Failed::of(error.to_string());
    let path =
        Runs::in_folder(&flags.run.journal).and_then(|runs| runs.find(&flags.name)).map_err(|error| failed(&error))?;
    let history = History::read(&path, Codes::OpenedWith(key.as_ref())).map_err(|error| failed(&error))?;
    let connection = connect(common, flags.pace, shutdown).await?;
    let live = connection.client.list(dectl::client::Priority::Normal).await.map_err(dectl::reconcile::Error::from)?;
    let back = way_back(&history, &live);
    for left in &back.left_alone {
        let now = left.name.as_deref().map_or("is gone".to_owned(), |name| format!("is {} now", visible(name)));
        printer.remark(&format!("{} {now}, not as the run has left it: it is left alone\n", left.network));
    }
    if let Some(earlier) = goes_on_from(&flags.run.journal, key.as_ref(), &history.run) {
        printer.remark(&format!(
            "The run {} went on from {earlier}, which is not undone by this: `dectl undo {earlier}` does that.\n",
            history.run
        ));
    }
    let options = InputOptions { strict: false, resolve: Resolve::With(&ProcessEnvironment) };
    let inputs = Inputs::of_text(&undo_of(&history.run), back.text, options)?;
    let job = Job {
        wishes: Wishes::Made(inputs),
        listed: Some(live),
        flags: &flags.run,
        pace: flags.pace,
        finishes_others: false,
        key,
    };
    job.run(connection, common, printer).await
}
