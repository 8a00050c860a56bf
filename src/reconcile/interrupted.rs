//! The plan of a run that did not come to its end, from beside its journal.
//!
//! Wishes that were computed from live names cannot be computed again half-way: a counter would count anew, and a
//! network on a temporary name has none to compute with. So the next run goes on with the plan that was made then.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::error::Error;
use super::inputs::Inputs;
use super::propose::go_on_with;
use crate::model::{LocationId, NetworkId, Organization, Settings};
use crate::plan::{self, Scope};
use crate::record::{Codes, History, Runs, SavedPlan, mark_finished};
use crate::send::Sender;

/// Older runs than so many are not looked at.
const NEWEST: usize = 100;

/// A run that did not come to its end.
#[derive(Clone, Debug)]
pub(super) struct Interrupted {
    pub(super) run: String,
    journal: PathBuf,
    pub(super) saved: SavedPlan,
}

/// What is left of a run of the same wishes.
#[derive(Clone, Debug)]
pub enum GoingOn {
    /// There is none that is unfinished.
    Nothing,
    /// All of it is done; only its journal does not say so. It does from now on.
    Finished {
        /// The run.
        run: String,
    },
    /// Its plan.
    With {
        /// The run.
        run: String,
        /// The plan.
        saved: Box<SavedPlan>,
    },
}

/// Looks for an unfinished run of the same wishes, and how far it has come.
///
/// # Errors
/// If the organization cannot be listed, or has moved since.
pub async fn going_on(
    folder: &Path,
    key: Option<&SecretString>,
    inputs: &Inputs,
    scope: &Scope,
    sender: &Sender,
) -> Result<GoingOn, Error> {
    let Some(Interrupted { run, journal, saved }) = of_same_wishes(folder, key, &inputs.digests(), scope)? else {
        return Ok(GoingOn::Nothing);
    };
    let rest = go_on_with(&saved, sender).await?;
    if !rest.proven.plan().changes.is_empty() {
        return Ok(GoingOn::With { run, saved: Box::new(saved) });
    }
    let clock = sender.clock();
    mark_finished(&journal, clock.wall(clock.now()))?;
    Ok(GoingOn::Finished { run })
}

/// The newest run of the same wishes in a folder of journals, if it is not finished; `sources` are the texts of the
/// wishes with their digests. A run that was about networks outside of `scope` was about something else, and one that
/// was undone is over.
fn of_same_wishes(
    folder: &Path,
    key: Option<&SecretString>,
    sources: &[(String, String)],
    scope: &Scope,
) -> Result<Option<Interrupted>, Error> {
    let Ok(runs) = Runs::in_folder(folder) else { return Ok(None) };
    let mut undone: Vec<String> = Vec::new();
    for (run, journal, plan) in runs.newest(NEWEST) {
        let finished = History::read(&journal, Codes::NotNeeded)
            .is_ok_and(|history| matches!(history.outcome.as_deref(), Some("applied" | "unchanged")));
        let saved = match SavedPlan::read(&plan, key) {
            Ok(saved) => saved,
            // It may be the one, and counting anew would give other names.
            Err(reason) if !finished && plan.exists() => {
                return Err(Error::Unreadable { run: run.to_owned(), reason });
            }
            Err(_) => continue,
        };
        undone.extend(saved.sources.iter().filter_map(|(name, _)| undone_run(name)));
        let in_scope = |change: &plan::plan::Change| {
            scope.has_location(&change.location.name) && scope.has_network(&change.before, &change.after)
        };
        if saved.sources == sources && saved.plan.changes.iter().all(in_scope) {
            let is_over = finished || undone.iter().any(|undone| undone == run);
            return Ok((!is_over).then(|| Interrupted { run: run.to_owned(), journal, saved }));
        }
    }
    Ok(None)
}

/// What the text of the wishes of an undo is called.
pub fn undo_of(run: &str) -> String {
    format!("<undo {run}>")
}

fn undone_run(name: &str) -> Option<String> {
    Some(name.strip_prefix("<undo ")?.strip_suffix('>')?.to_owned())
}

/// The run that `run` has gone on from: one before it that was not finished, and whose plan has all that is in its own.
pub fn goes_on_from(folder: &Path, key: Option<&SecretString>, run: &str) -> Option<String> {
    let runs = Runs::in_folder(folder).ok()?;
    let mut newer = runs.newest(NEWEST).skip_while(|(name, ..)| *name != run);
    let own = SavedPlan::read(&newer.next()?.2, key).ok()?.plan;
    newer.find_map(|(name, journal, plan)| {
        let before = SavedPlan::read(&plan, key).ok()?.plan;
        let history = History::read(&journal, Codes::NotNeeded).ok()?;
        let finished = matches!(history.outcome.as_deref(), Some("applied" | "unchanged"));
        let knows = |change: &plan::plan::Change| {
            before.changes.iter().any(|other| other.network == change.network && other.after == change.after)
        };
        let goes_on = !finished && !history.touched.is_empty() && own.changes.iter().all(knows);
        goes_on.then(|| name.to_owned())
    })
}

/// The newest run whose plan knows one of the networks that stand on a temporary name.
pub(super) fn that_left_behind(
    folder: &Path,
    key: Option<&SecretString>,
    stranded: &[NetworkId],
) -> Option<Interrupted> {
    newest(folder, key, |saved| saved.plan.changes.iter().any(|change| stranded.contains(&change.network)))
}

/// The networks that stand on a temporary name, each with its location, as far as they concern somebody.
pub(super) fn stranded(
    live: &Organization,
    concerns: impl Fn(&str, &Settings) -> bool,
) -> Vec<(NetworkId, LocationId)> {
    let mut stranded = Vec::new();
    for (at, location) in live.locations() {
        for (_, network) in live.networks_of(at) {
            if plan::is_temporary(&network.settings.name) && concerns(&location.name, &network.settings) {
                stranded.push((network.id.clone(), location.id.clone()));
            }
        }
    }
    stranded
}

fn newest(folder: &Path, key: Option<&SecretString>, is_it: impl Fn(&SavedPlan) -> bool) -> Option<Interrupted> {
    let runs = Runs::in_folder(folder).ok()?;
    runs.newest(NEWEST).find_map(|(run, journal, plan)| {
        // A plan that cannot be read, or opens with another key, is of no use here.
        let saved = SavedPlan::read(&plan, key).ok().filter(|saved| is_it(saved))?;
        Some(Interrupted { run: run.to_owned(), journal, saved })
    })
}
