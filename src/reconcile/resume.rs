//! Finds and resumes an unfinished run with the plan next to its journal.
//!
//! A rename that was computed from live names cannot be recomputed half-way: a counter would restart, and a
//! temporary name is no input for a rule. So the next run resumes the original plan.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::inputs::Inputs;
use super::prepare::resume_saved_plan;
use crate::client::ApiClient;
use crate::model::{LiveState, LocationId, NetworkId, Settings};
use crate::plan::model::Change;
use crate::plan::{self, Drift, Scope};
use crate::storage::journal::UndoneRuns;
use crate::storage::{
    CodeAccess, PlanKey, RunDirectory, RunHistory, RunIdentity, RunTarget, SavedPlan, append_run_finished, sha256,
};

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

/// Finds an unfinished run of the same inputs about the same organization, and its progress.
///
/// # Errors
/// If the list fails, or the live state has drifted.
pub async fn find_unfinished_run(
    journal_dir: &Path,
    key: Option<&PlanKey>,
    inputs: &Inputs,
    scope: &Scope,
    target: &RunTarget,
    client: &ApiClient,
) -> Result<Unfinished, Error> {
    let digest = inputs_digest(&inputs.source_digests());
    let Some(Interrupted { run, journal, saved }) = latest_run_with_inputs(journal_dir, key, &digest, scope, target)?
    else {
        return Ok(Unfinished::None);
    };
    match complete_if_done(&journal, &saved, client).await {
        // Without an organization id, two organizations behind one address are told apart by their networks.
        Err(Error::Drift(drift)) if is_other_organization(&saved, &drift) => Ok(Unfinished::None),
        Err(error) => Err(error),
        Ok(true) => Ok(Unfinished::AlreadyDone { run }),
        Ok(false) => Ok(Unfinished::Plan { run, saved: Box::new(saved) }),
    }
}

/// Completes the journal of an unfinished run if everything that it planned is applied; returns whether it is.
///
/// # Errors
/// If the list fails, the live state has drifted, or the journal cannot be written.
pub async fn complete_if_done(journal: &Path, saved: &SavedPlan, client: &ApiClient) -> Result<bool, Error> {
    let is_done = resume_saved_plan(saved, client).await?.checked.plan().changes.is_empty();
    if is_done {
        let clock = client.clock();
        append_run_finished(journal, clock.to_timestamp(clock.now()))?;
    }
    Ok(is_done)
}

/// Whether none of the networks of a plan exists.
fn is_other_organization(saved: &SavedPlan, drift: &[Drift]) -> bool {
    let removed: HashSet<&NetworkId> =
        drift.iter().filter(|drift| matches!(drift, Drift::Removed { .. })).filter_map(Drift::network).collect();
    saved.plan.changes.iter().all(|change| change.network.id().is_some_and(|id| removed.contains(id)))
}

/// The digest of the inputs of a run, for its journal.
pub(super) fn inputs_digest(sources: &[(String, String)]) -> String {
    let text: String = sources.iter().map(|(name, digest)| format!("{name}\0{digest}\n")).collect();
    sha256(&text)
}

/// Finds the newest run of the same inputs about the same organization, if it is unfinished. Runs with networks outside
/// of `scope` and runs that were undone are ignored.
fn latest_run_with_inputs(
    journal_dir: &Path,
    key: Option<&PlanKey>,
    digest: &str,
    scope: &Scope,
    target: &RunTarget,
) -> Result<Option<Interrupted>, Error> {
    let Ok(runs) = RunDirectory::open(journal_dir) else { return Ok(None) };
    let in_scope = |saved: &SavedPlan| {
        let in_scope = |change: &Change| {
            let names = [change.settings_before(), change.settings_after()].into_iter().flatten();
            let names = names.map(|settings| &*settings.name).chain([&*change.network_name]);
            scope.includes_any_name(&change.location.name, names)
        };
        saved.plan.changes.iter().all(in_scope)
    };
    let (mut undone, mut replaced) = (UndoneRuns::default(), HashSet::new());
    // Runs that followed, as far as they may have replaced the unfinished one.
    let mut later: Vec<PathBuf> = Vec::new();
    for (run, journal, plan) in runs.recent() {
        let Ok(history) = RunHistory::read(&journal, CodeAccess::Skip) else { continue };
        let RunIdentity { target: about, inputs, resumes, .. } = &history.identity;
        if !about.is_same(target) || runs.is_running(run) {
            continue;
        }
        let is_over = undone.pass(&history).is_some() || replaced.contains(run);
        if history.is_finished() {
            // Runs resumed by a finished run are finished, too.
            replaced.extend(resumes.clone());
            if inputs == digest {
                later.push(plan);
            }
            continue;
        }
        if is_over {
            replaced.extend(resumes.clone());
            continue;
        }
        if inputs != digest {
            continue;
        }
        let saved = match SavedPlan::read(&plan, key) {
            Ok(saved) => saved,
            // It may be the run in question, and restarting the counter would produce other names.
            Err(reason) if plan.exists() => return Err(Error::SavedPlanUnreadable { run: run.to_owned(), reason }),
            Err(_) => continue,
        };
        if !in_scope(&saved) {
            continue;
        }
        // Decrypting a plan takes a second by design, so plans of finished runs are decrypted only if necessary.
        let is_replaced = later.iter().filter_map(|plan| SavedPlan::read(plan, key).ok()).any(|saved| in_scope(&saved));
        return Ok((!is_replaced).then(|| Interrupted { run: run.to_owned(), journal, saved }));
    }
    Ok(None)
}

/// The newest run whose plan contains one of the networks with a temporary name.
pub(super) fn find_run_for(
    journal_dir: &Path,
    key: Option<&PlanKey>,
    target: &RunTarget,
    networks_at_temporary_names: &HashSet<NetworkId>,
) -> Option<Interrupted> {
    let runs = RunDirectory::open(journal_dir).ok()?;
    let concerns = |journal: &Path| {
        RunHistory::read(journal, CodeAccess::Skip)
            .is_ok_and(|history| !history.is_finished() && history.identity.target.is_same(target))
    };
    runs.recent().filter(|(_, journal, _)| concerns(journal)).find_map(|(run, journal, plan)| {
        // Plans that cannot be read or decrypted are skipped.
        let saved = SavedPlan::read(&plan, key).ok()?;
        let knows = saved
            .plan
            .changes
            .iter()
            .any(|change| change.network.id().is_some_and(|id| networks_at_temporary_names.contains(id)));
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
