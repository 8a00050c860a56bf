//! Which run an undo is about, and whether it begins, continues or has ended.

use std::path::Path;

use super::made_again::MadeAgain;
use crate::model::{LiveState, NetworkId};
use crate::plan::model::{ChangeAction, ResourceKind};
use crate::storage::journal::RunHistoryError;
use crate::storage::{RunDirectory, RunHistory, RunTarget};

/// What an undo has to do.
#[derive(Debug)]
pub enum UndoChoice {
    /// Undo this run.
    Begin(Box<RunHistory>),
    /// The undo `undo` of `run` was interrupted; it has a plan of its own.
    Continue { run: String, undo: String },
    /// The last run is undone by `undo`, as far as that was about it.
    AlreadyUndone { run: String, undo: String, in_part: bool },
    /// Nothing that this run has changed exists in this organization.
    Elsewhere { run: String },
    /// No run is about this organization.
    NoRun,
}

/// Chooses the run that `wanted` names, or the last one about this organization.
///
/// A run whose undo was interrupted is not undone again: that undo is continued. Without an organization id, two
/// organizations behind one address are told apart by their networks.
///
/// # Errors
/// If a journal cannot be read.
pub fn choose_undo(
    runs: &RunDirectory,
    target: &RunTarget,
    wanted: Option<&str>,
    live: &LiveState,
    read: impl Fn(&Path) -> Result<RunHistory, RunHistoryError>,
) -> Result<UndoChoice, RunHistoryError> {
    let is_here = |history: &RunHistory| concerns(history, live);
    let last = || runs.last(target, is_here).or_else(|| runs.last(target, |_| true));
    let (run, undo) = match wanted {
        Some(run) => (run.to_owned(), runs.undo_of(run, target)),
        None => match last() {
            Some((last, undo)) => (last.run, undo),
            None => return Ok(UndoChoice::NoRun),
        },
    };
    // An undo may have deleted all that its run had left.
    let is_undone_here = undo.as_ref().is_some_and(is_here);
    match undo {
        Some(undo) if !undo.is_finished() => return Ok(UndoChoice::Continue { run, undo: undo.run }),
        Some(undo) if wanted.is_none() => {
            let in_part = undo.identity.scope.is_some();
            return Ok(UndoChoice::AlreadyUndone { run, undo: undo.run, in_part });
        }
        _ => {}
    }
    let history = read(&runs.journal_path(&run))?;
    // All that it has changed may have been deleted since, and created again.
    let is_made_again_here = || {
        let mut history = history.clone();
        MadeAgain::read(runs, target).update_ids(&mut history);
        is_here(&history)
    };
    Ok(match !history.has_written() || is_undone_here || is_here(&history) || is_made_again_here() {
        true => UndoChoice::Begin(Box::new(history)),
        false => UndoChoice::Elsewhere { run },
    })
}

/// Whether something that a run has changed is in this organization, or was deleted by the run.
fn concerns(history: &RunHistory, live: &LiveState) -> bool {
    let is_live = |id: &NetworkId| live.find(id).is_some();
    history.modified.iter().any(|modified| is_live(&modified.network))
        || history.items.iter().any(|item| {
            let created = item.id.as_deref().map(NetworkId::new);
            item.network.as_ref().is_some_and(is_live)
                || created.is_some_and(|id| is_live(&id))
                || (item.is(ResourceKind::Network, ChangeAction::Delete) && item.may_be_applied())
        })
}
