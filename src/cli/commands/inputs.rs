//! What commands take in: files, the scope of a run, and the plan as it is saved.

use std::path::PathBuf;

use dectl::desired::Surroundings;
use dectl::plan::Scope;
use dectl::plan::plan::Plan;
use dectl::reconcile::{InputOptions, Inputs, Resolve};
use dectl::record::{SavedPlan, sha256};
use dectl::time::Stop;

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
pub(super) async fn read(files: &[PathBuf], common: &Common, codes: Codes, stop: &Stop) -> Result<Inputs, Failed> {
    let (files, strict) = (files.to_vec(), common.strict);
    let reading = tokio::task::spawn_blocking(move || {
        let resolve = match codes {
            Codes::LookedUp => Resolve::With(&Surroundings),
            Codes::FormOnly => Resolve::FormOnly,
        };
        Inputs::read(&files, &mut std::io::stdin(), InputOptions { strict, resolve })
    });
    tokio::select! {
        inputs = reading => match inputs {
            Ok(inputs) => Ok(inputs?),
            Err(error) => Err(Failed::of(format!("the files could not be read: {error}"))),
        },
        _ = stop.asked() => Err(Failed::stopped(stop.reason())),
    }
}

/// The locations and networks that a run is narrowed to.
pub(super) fn scope(limits: &Limits) -> Result<Scope, Failed> {
    Scope::new(&limits.location, &limits.network).map_err(|error| Failed::of(error.to_string()))
}

/// Refuses a plan that leaves networks unmanaged, for those who want their files to be complete.
pub(super) fn refuse_unmanaged(plan: &Plan, limits: &Limits) -> Result<(), Failed> {
    match plan.counts.unmanaged {
        unmanaged if unmanaged > 0 && limits.fail_on_unmanaged => {
            Err(Failed::of(format!("{unmanaged} live networks are in no file (--fail-on-unmanaged)")))
        }
        _ => Ok(()),
    }
}

/// A plan as it is saved.
pub(super) fn saved(plan: &Plan, inputs: Option<&Inputs>, common: &Common, limits: &Limits) -> SavedPlan {
    let sources = inputs.map_or_else(Vec::new, |inputs| {
        let digest = |(id, name): (_, &std::sync::Arc<str>)| (name.to_string(), sha256(inputs.sources.text(id)));
        inputs.sources.iter().map(digest).collect()
    });
    SavedPlan {
        plan: plan.clone(),
        created: jiff::Timestamp::now(),
        org: common.org.clone(),
        max_changes: limits.max_changes.map(|max_changes| max_changes.to_string()),
        sources,
    }
}
