//! What commands take in: files, the scope of a run, and the plan as it is saved.

use std::path::{Path, PathBuf};

use dectl::desired::ProcessEnvironment;
use dectl::plan::Scope;
use dectl::plan::plan::Plan;
use dectl::reconcile::{InputOptions, Inputs, Resolve};
use dectl::record::SavedPlan;
use dectl::runtime::Shutdown;
use secrecy::SecretString;

use crate::cli::args::{Common, Limits};
use crate::cli::exit::Failed;

/// Whether codes that stand elsewhere are looked up.
#[derive(Clone, Copy)]
pub(super) enum Codes {
    LookedUp,
    FormOnly,
}

/// Reads the files. A pipe may keep its reader waiting, so that happens on a thread of its own, and a signal gets
/// through.
pub(super) async fn read(
    files: &[PathBuf],
    common: &Common,
    codes: Codes,
    shutdown: &Shutdown,
) -> Result<Inputs, Failed> {
    let (files, strict) = (files.to_vec(), common.strict);
    let reading = tokio::task::spawn_blocking(move || {
        let resolve = match codes {
            Codes::LookedUp => Resolve::With(&ProcessEnvironment),
            Codes::FormOnly => Resolve::FormOnly,
        };
        Inputs::read(&files, &mut std::io::stdin(), InputOptions { strict, resolve })
    });
    tokio::select! {
        inputs = reading => match inputs {
            Ok(inputs) => Ok(inputs?),
            Err(error) => Err(Failed::of(format!("the files could not be read: {error}"))),
        },
        _ = shutdown.requested() => Err(Failed::stopped(shutdown.reason())),
    }
}

/// The locations and networks that a run is narrowed to.
pub(super) fn scope(locations: &[String], networks: &[String]) -> Result<Scope, Failed> {
    Scope::new(locations, networks).map_err(|error| Failed::of(error.to_string()))
}

/// Refuses a plan that leaves networks unmanaged, for those who want their files to be complete.
pub(super) fn refuse_unmanaged(plan: &Plan, refuse: bool) -> Result<(), Failed> {
    match plan.counts.unmanaged {
        unmanaged if unmanaged > 0 && refuse => Err(dectl::reconcile::Error::Unmanaged(unmanaged).into()),
        _ => Ok(()),
    }
}

/// Saves a plan, so that exactly this is applied later.
pub(super) fn save(
    plan: &Plan,
    inputs: &Inputs,
    path: &Path,
    common: &Common,
    limits: &Limits,
    key: Option<&SecretString>,
) -> Result<(), Failed> {
    let may_replace = SavedPlan::may_replace(path);
    if !may_replace.map_err(|error| Failed::of(format!("{}: {error}", path.display())))? {
        let message = format!("{} is there already, and is no saved plan: nothing was written", path.display());
        return Err(Failed::of(message));
    }
    let saved = SavedPlan {
        plan: plan.clone(),
        created: jiff::Timestamp::now(),
        org: common.org.clone(),
        max_changes: limits.max_changes.map(|max_changes| max_changes.to_string()),
        sources: inputs.digests(),
    };
    saved.write(path, key).map_err(|error| Failed::of(error.to_string()))
}
