//! A journal, the executor, the outcome.

use std::path::{Path, PathBuf};

use super::error::Error;
use crate::apply::{Event, Options, Outcome, run};
use crate::proof::Proven;
use secrecy::SecretString;

use crate::record::{Entry, Journal, SavedPlan};
use crate::send::Sender;

/// A run that has ended.
#[derive(Debug)]
pub struct Run {
    /// What became of the plan.
    pub outcome: Outcome,
    /// Where its journal is.
    pub journal: Option<PathBuf>,
}

/// Where a run leaves what it did.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    /// The folder of journals.
    pub folder: &'a Path,
    /// The name of the run.
    pub run: &'a str,
    /// The plan as it is kept beside the journal.
    pub saved: &'a SavedPlan,
    /// What it is sealed with.
    pub key: Option<&'a SecretString>,
}

/// Carries out a proven plan with a journal, and its saved plan beside it. With nothing to do there is neither journal
/// nor request.
///
/// # Errors
/// If the journal cannot be begun; nothing was written then.
pub async fn carry_out(
    proven: &Proven,
    sender: &Sender,
    records: Records<'_>,
    options: Options,
    tell: &dyn Fn(&Event),
) -> Result<Run, Error> {
    let Records { folder, run: name, saved, key } = records;
    let plan = proven.plan();
    if plan.changes.is_empty() {
        let outcome = run(proven, sender, &Journal::in_memory(), Options { verify: false, ..options }, tell).await;
        return Ok(Run { outcome, journal: None });
    }
    let journal = Journal::create(folder, name, key)?;
    saved.write(&folder.join(format!("{name}.plan.json")), key)?;
    let clock = sender.clock();
    journal.append(Entry::begin(name, plan), clock.wall(clock.now())).await?;
    let outcome = run(proven, sender, &journal, options, tell).await;
    let end = Entry::End { outcome: outcome.class(plan).as_str() };
    // The run is over; a last line that cannot be written changes nothing for anybody.
    let _recorded = journal.append(end, clock.wall(clock.now())).await;
    Ok(Run { outcome, journal: journal.path().map(Path::to_path_buf) })
}
