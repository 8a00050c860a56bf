//! Inputs of commands: files, scope, and saved plans.

use std::path::{Path, PathBuf};

use dectl::desired::ProcessEnvironment;
use dectl::model::LocationId;
use dectl::plan::model::Plan;
use dectl::plan::{MaxChanges, Scope};
use dectl::reconcile::{
    CodeResolution, Error, InputOptions, Inputs, Reached, check_organization, check_plan_organization,
};
use dectl::runtime::Shutdown;
use dectl::storage::{PlanKey, SavedPlan};

use crate::cli::args::{FilterOptions, ScopeOptions};
use crate::cli::exit::CliError;
use crate::cli::setup::Connection;

/// Access codes from `env` and `file` sources are resolved.
pub(super) const RESOLVE_CODES: CodeResolution<'static> = CodeResolution::Resolve(&ProcessEnvironment);

/// Reads the files on a separate thread: a pipe may block, and signals must still be handled.
pub(super) async fn read(
    files: &[PathBuf],
    strict: bool,
    codes: CodeResolution<'static>,
    shutdown: &Shutdown,
) -> Result<Inputs, CliError> {
    let files = files.to_vec();
    let reading = tokio::task::spawn_blocking(move || {
        Inputs::read(&files, &mut std::io::stdin(), InputOptions { strict, resolve: codes })
    });
    tokio::select! {
        inputs = reading => match inputs {
            Ok(inputs) => Ok(inputs?),
            Err(error) => Err(CliError::failed("cannot read the files", error)),
        },
        _ = shutdown.requested() => Err(CliError::Stopped(shutdown.reason())),
    }
}

/// Refuses files that are for another organization than that of the connection; an embedded one stands for any.
pub(super) async fn in_organization(inputs: Inputs, connection: &Connection) -> Result<Inputs, CliError> {
    connection.client.list_if_denied(location_ids(&inputs));
    if inputs.desired.organization.is_none() || connection.target.simulated {
        return Ok(inputs);
    }
    let reached = Reached::read(connection.target.org.as_deref(), &connection.client).await?;
    Ok(check_organization(inputs, &reached)?)
}

/// The ids of all locations that the files name; none if one of them has no id, or if rules are about others, too.
fn location_ids(inputs: &Inputs) -> Vec<LocationId> {
    let ids = inputs.desired.locations.iter().map(|location| Some(location.id.as_ref()?.value.clone()));
    let mut ids: Vec<LocationId> =
        ids.filter(|_| inputs.desired.rules.is_empty()).collect::<Option<_>>().unwrap_or_default();
    ids.sort();
    ids.dedup();
    ids
}

/// Refuses a saved plan that is for another organization than that of the connection.
pub(super) async fn plan_in_organization(saved: &SavedPlan, connection: &Connection) -> Result<(), CliError> {
    let mut locations: Vec<LocationId> = saved.plan.changes.iter().map(|change| change.location.id.clone()).collect();
    locations.sort();
    locations.dedup();
    connection.client.list_if_denied(locations);
    if saved.plan.organization.is_none() || connection.target.simulated {
        return Ok(());
    }
    let reached = Reached::read(connection.target.org.as_deref(), &connection.client).await?;
    Ok(check_plan_organization(&saved.plan, &reached)?)
}

/// The locations and networks that a run is limited to.
pub(super) fn scope(filter: &FilterOptions) -> Result<Scope, CliError> {
    Scope::new(&filter.locations.location, &filter.network).map_err(CliError::from)
}

/// Saves a plan, perhaps the undo of a run and of those that it has continued, for `apply --plan`.
pub(super) fn save_plan(
    plan: &Plan,
    inputs: &Inputs,
    (undoes, undoes_with): (Option<String>, Vec<String>),
    path: &Path,
    org: Option<String>,
    limits: &ScopeOptions,
    key: Option<&PlanKey>,
) -> Result<(), CliError> {
    // A limit that is given holds here, too: an approval of what is refused afterwards is of no use.
    let max_changes = limits.max_changes.unwrap_or(MaxChanges::All);
    let max_deletes = limits.max_deletes.unwrap_or(usize::MAX);
    Error::check_unattended(plan, Some(max_changes), Some(max_deletes), limits.fail_on_unmanaged)?;
    if key.is_none() && path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("age")) {
        return Err(CliError::refused(format!(
            "{} is named as an encrypted plan, but DECTL_PLAN_KEY is not set; set it, or choose another name",
            path.display()
        )));
    }
    let may_replace = SavedPlan::may_replace(path);
    if !may_replace.map_err(|error| CliError::failed(format!("cannot save the plan to {}", path.display()), error))? {
        let message = format!("{} already exists and is not a saved plan; nothing was written", path.display());
        return Err(CliError::refused(message));
    }
    let saved = SavedPlan {
        plan: plan.clone(),
        created: jiff::Timestamp::now(),
        org,
        max_changes: limits.max_changes.map(|max_changes| max_changes.to_string()),
        max_deletes: limits.max_deletes,
        undoes,
        undoes_with,
        sources: inputs.source_digests(),
    };
    saved.write(path, key).map_err(CliError::from)
}
