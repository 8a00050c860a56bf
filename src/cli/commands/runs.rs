//! `dectl runs`: the recorded runs.

use std::collections::HashSet;

use clap::Args as ClapArgs;
use dectl::report::{json, text};
use dectl::storage::{RunDirectory, RunHistory};

use super::output::text_or_json;
use crate::cli::args::{JournalOptions, OutputOptions};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;

#[derive(Debug, ClapArgs)]
pub(crate) struct RunsArgs {
    /// Delete all but the newest N runs
    #[arg(long, value_name = "N")]
    prune: Option<usize>,
    #[command(flatten)]
    journal: JournalOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

pub(super) fn run(args: &RunsArgs, printer: &Printer) -> Result<ExitStatus, CliError> {
    let mut directory = RunDirectory::open(&args.journal.journal)?;
    if let Some(keep) = args.prune {
        let is_unfinished = |history: &RunHistory| history.has_written() && !history.is_finished();
        let unfinished: HashSet<String> =
            directory.all().filter_map(Result::ok).filter(is_unfinished).map(|history| history.run).collect();
        for name in directory.prune(keep)? {
            let cost = if unfinished.contains(&name) {
                ", which was unfinished: nothing resumes or undoes it now"
            } else {
                ""
            };
            printer.note(&format!("deleted run {name}{cost}\n"));
        }
        directory = RunDirectory::open(&args.journal.journal)?;
    }
    let mut runs = Vec::new();
    for history in directory.all() {
        match history {
            Ok(history) => runs.push(history),
            // A damaged journal must not hide the others.
            Err(error) => printer.note(&format!("warning: {error}\n")),
        }
    }
    let running: Vec<bool> = runs.iter().map(|history| directory.is_running(&history.run)).collect();
    text_or_json(printer, || text::runs(&runs, &running), || json::text(&json::runs(&runs, &running)));
    Ok(ExitStatus::Success)
}
