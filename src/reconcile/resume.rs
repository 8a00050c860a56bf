//! Finds and resumes an unfinished run with the plan next to its journal.
//!
//! A rename that was computed from live names cannot be recomputed half-way: a counter would restart, and a
//! temporary name is no input for a rule. So the next run resumes the original plan.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::error::Error;
use super::inputs::Inputs;
use super::prepare::resume_saved_plan;
use crate::client::ApiClient;
use crate::model::{LiveState, LocationId, NetworkId, Settings};
use crate::plan::model::Change;
use crate::plan::{self, Scope};
use crate::storage::{CodeAccess, RunDirectory, RunHistory, SavedPlan, append_run_finished};

/// An unfinished run.
#[derive(Clone, Debug)]
pub(super) struct Interrupted {
    pub(super) run: String,
    journal: PathBuf,
    pub(super) saved: SavedPlan,
}

/// What remains of an unfinished run of the same inputs.
#[derive(Clone, Debug)]
pub enum Unfinished {
    None,
    /// Everything is applied, but the journal was not completed. It is marked as complete.
    AlreadyDone {
        run: String,
    },
    Plan {
        run: String,
        saved: Box<SavedPlan>,
    },
}

/// Finds an unfinished run of the same inputs and its progress.
///
/// # Errors
/// If the list fails, or the live state has drifted.
pub async fn find_unfinished_run(
    journal_dir: &Path,
    key: Option<&SecretString>,
    inputs: &Inputs,
    scope: &Scope,
    client: &ApiClient,
) -> Result<Unfinished, Error> {
    let Some(Interrupted { run, journal, saved }) =
        latest_run_with_inputs(journal_dir, key, &inputs.source_digests(), scope)?
    else {
        return Ok(Unfinished::None);
    };
    let rest = resume_saved_plan(&saved, client).await?;
    if !rest.checked.plan().changes.is_empty() {
        return Ok(Unfinished::Plan { run, saved: Box::new(saved) });
    }
    let clock = client.clock();
    append_run_finished(&journal, clock.to_timestamp(clock.now()))?;
    Ok(Unfinished::AlreadyDone { run })
}

/// Finds the newest run of the same inputs, if it is unfinished; `sources` are the inputs
/// with their digests. Runs with networks outside of `scope` and runs that were undone
/// are ignored.
fn latest_run_with_inputs(
    journal_dir: &Path,
    key: Option<&SecretString>,
    sources: &[(String, String)],
    scope: &Scope,
) -> Result<Option<Interrupted>, Error> {
    let Ok(runs) = RunDirectory::open(journal_dir) else { return Ok(None) };
    let in_scope = |change: &Change| {
        scope.includes_location(&change.location.name) && scope.includes_network(&change.before, &change.after)
    };
    let is_same = |saved: &SavedPlan| saved.sources == sources && saved.plan.changes.iter().all(in_scope);
    // Decrypting a plan takes a second by design, so plans of finished runs are decrypted only if necessary.
    let mut finished: Vec<PathBuf> = Vec::new();
    let mut undone: Vec<String> = Vec::new();
    for (run, journal, plan) in runs.recent() {
        if is_finished(&journal) {
            finished.push(plan);
            continue;
        }
        let saved = match SavedPlan::read(&plan, key) {
            Ok(saved) => saved,
            // It may be the run in question, and restarting the counter would produce other names.
            Err(reason) if plan.exists() => return Err(Error::SavedPlanUnreadable { run: run.to_owned(), reason }),
            Err(_) => continue,
        };
        if !is_same(&saved) {
            undone.extend(runs_undone_by(&saved));
            continue;
        }
        let ends_it = |later: SavedPlan| is_same(&later) || runs_undone_by(&later).any(|undone| undone == run);
        let end_request = undone.iter().any(|undone| undone == run)
            || finished.iter().filter_map(|plan| SavedPlan::read(plan, key).ok()).any(ends_it);
        return Ok((!end_request).then(|| Interrupted { run: run.to_owned(), journal, saved }));
    }
    Ok(None)
}

/// Whether a run is complete.
fn is_finished(journal: &Path) -> bool {
    RunHistory::read(journal, CodeAccess::Skip).is_ok_and(|history| history.is_finished())
}

/// Source name of the inputs of an undo.
pub fn undo_source_name(run: &str) -> String {
    format!("<undo {run}>")
}

fn runs_undone_by(saved: &SavedPlan) -> impl Iterator<Item = String> + '_ {
    saved.sources.iter().filter_map(|(name, _)| Some(name.strip_prefix("<undo ")?.strip_suffix('>')?.to_owned()))
}

/// The run that `run` resumed: an earlier unfinished one whose plan contains all changes of `run`.
pub fn resumed_from(journal_dir: &Path, key: Option<&SecretString>, run: &str) -> Option<String> {
    let runs = RunDirectory::open(journal_dir).ok()?;
    let mut newest = runs.recent().skip_while(|(name, ..)| *name != run);
    let (_, _, own) = newest.next()?;
    let mut own_plan = None;
    newest.find_map(|(name, journal, plan)| {
        let history = RunHistory::read(&journal, CodeAccess::Skip).ok()?;
        if history.is_finished() || history.modified.is_empty() {
            return None;
        }
        let before = SavedPlan::read(&plan, key).ok()?.plan;
        let after: HashMap<&NetworkId, &Settings> =
            before.changes.iter().map(|change| (&change.network, &change.after)).collect();
        let own = own_plan.get_or_insert_with(|| SavedPlan::read(&own, key).ok()).as_ref()?;
        let is_known = |change: &Change| after.get(&change.network) == Some(&&change.after);
        own.plan.changes.iter().all(is_known).then(|| name.to_owned())
    })
}

/// The newest run whose plan contains one of the networks with a temporary name.
pub(super) fn find_run_for(
    journal_dir: &Path,
    key: Option<&SecretString>,
    networks_at_temporary_names: &HashSet<NetworkId>,
) -> Option<Interrupted> {
    let runs = RunDirectory::open(journal_dir).ok()?;
    runs.recent().filter(|(_, journal, _)| !is_finished(journal)).find_map(|(run, journal, plan)| {
        // Plans that cannot be read or decrypted are skipped.
        let saved = SavedPlan::read(&plan, key).ok()?;
        let knows = saved.plan.changes.iter().any(|change| networks_at_temporary_names.contains(&change.network));
        knows.then(|| Interrupted { run: run.to_owned(), journal, saved })
    })
}

/// Networks in scope that have a temporary name, with their locations.
pub(super) fn networks_at_temporary_names(
    live: &LiveState,
    concerns: impl Fn(&str, &Settings) -> bool,
) -> Vec<(NetworkId, LocationId)> {
    let mut networks_at_temporary_names = Vec::new();
    for (at, location) in live.locations() {
        for (_, network) in live.networks_of(at) {
            if plan::is_temporary(&network.settings.name) && concerns(&location.name, &network.settings) {
                networks_at_temporary_names.push((network.id.clone(), location.id.clone()));
            }
        }
    }
    networks_at_temporary_names
}
