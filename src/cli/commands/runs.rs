//! `dectl runs`: the journaled runs.

use dectl::record::Runs as Folder;
use dectl::report::{json, text};

use super::rendering::text_or_json;
use crate::cli::args::Runs;
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;

pub(super) fn run(flags: &Runs, printer: &Printer) -> Result<Exit, Failed> {
    let failed = |error: dectl::record::RunsError| Failed::of(error.to_string());
    let mut folder = Folder::in_folder(&flags.journal).map_err(failed)?;
    if let Some(keep) = flags.prune {
        for name in folder.prune(keep).map_err(failed)? {
            printer.remark(&format!("deleted {name}\n"));
        }
        folder = Folder::in_folder(&flags.journal).map_err(failed)?;
    }
    let mut runs = Vec::new();
    for history in folder.histories() {
        match history {
            Ok(history) => runs.push(history),
            // One broken journal must not hide the others.
            Err(error) => printer.remark(&format!("{error}\n")),
        }
    }
    text_or_json(printer, || text::runs(&runs), || json::text(&json::runs(&runs)));
    Ok(Exit::Done)
}
