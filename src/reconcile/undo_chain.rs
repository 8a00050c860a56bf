//! Which runs belong together: a run, and the interrupted ones that it has continued.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::made_again::MadeAgain;
use crate::model::{NetworkId, Settings};
use crate::plan::is_temporary;
use crate::plan::model::ResourceKind as Kind;
use crate::storage::journal::{ModifiedNetwork, RecordedItem, RunHistoryError, UndoneRuns};
use crate::storage::{CodeAccess, PlanKey, RunDirectory, RunHistory, RunIdentity, RunTarget};

/// The runs that an undo has found before the one that it is about.
#[derive(Default)]
pub(super) struct EarlierRuns {
    /// Undone together with it, newest first.
    pub(super) joined: Vec<String>,
    /// Interrupted ones that are not undone.
    pub(super) left: Vec<String>,
}

/// A run before the one that is undone.
struct EarlierRun {
    journal: PathBuf,
    is_undone: bool,
    has_same_inputs: bool,
    history: RunHistory,
}

/// Those of the same organization, newest first, without their codes. An undo that came later does not part what belongs together,
/// since it may have been about a part of it, or have left something.
fn earlier_runs(history: &RunHistory, runs: &RunDirectory, target: &RunTarget) -> Vec<EarlierRun> {
    let mut undone = UndoneRuns::default();
    let has_same_inputs = |earlier: &RunHistory| {
        !earlier.identity.inputs.is_empty()
            && earlier.identity.inputs == history.identity.inputs
            && earlier.identity.undoes.is_none()
    };
    let mut found = Vec::new();
    for (_, journal, _) in runs.recent().filter(|(run, ..)| **run < *history.run) {
        let Ok(earlier) = RunHistory::read(&journal, CodeAccess::Skip) else { continue };
        if !earlier.identity.target.is_same(target) {
            continue;
        }
        let is_undone = undone.pass(&earlier).is_some_and(|undo| undo.is_whole);
        let has_same_inputs = has_same_inputs(&earlier);
        found.push(EarlierRun { journal, is_undone, has_same_inputs, history: earlier });
    }
    found
}

/// What decides whether an earlier run of the same inputs belongs to a chain.
#[derive(Clone, Copy, Debug)]
struct Link<'a> {
    identity: &'a RunIdentity,
    is_undone: bool,
    is_finished: bool,
}

/// Of the earlier runs of the same inputs, newest first, those up to the oldest interrupted one that no later one has finished
/// belong to the run; how many, and which finished ones were met. A run that was undone ends the chain.
fn chain<'a>(of: &RunIdentity, earlier: impl Iterator<Item = Link<'a>>) -> (usize, Vec<&'a RunIdentity>) {
    let (mut length, mut finished): (usize, Vec<&RunIdentity>) = (0, Vec::new());
    for (at, link) in earlier.take_while(|link| !link.is_undone).enumerate() {
        if link.is_finished {
            finished.push(link.identity);
        } else if of.covers(link.identity) && !finished.iter().any(|run| run.covers(link.identity)) {
            length = at + 1;
        }
    }
    (length, finished)
}

/// Joins the interrupted runs that a run has continued to it, newest first: those of the same inputs, those that it has
/// resumed, and those that had left one of its networks with temporary settings. Of the same inputs, narrower runs in
/// between are joined as well.
///
/// Without them an undo would bring back what is temporary, or miss what the interrupted run had done already. A run that
/// was undone, or finished all that an interrupted one was about, ends the chain of its inputs.
///
/// # Errors
/// If the journal of one of them cannot be read.
pub(super) fn join_interrupted(
    history: &mut RunHistory,
    runs: &RunDirectory,
    target: &RunTarget,
    key: Option<&PlanKey>,
    made_again: &MadeAgain,
) -> Result<EarlierRuns, RunHistoryError> {
    let mut earlier = earlier_runs(history, runs, target);
    for run in &mut earlier {
        made_again.update_ids(&mut run.history);
    }
    let mut networks: HashSet<NetworkId> = history.modified.iter().map(|modified| modified.network.clone()).collect();
    let mut resumed: HashSet<String> = history.identity.resumes.iter().cloned().collect();
    let is_undo = history.identity.undoes.is_some();
    let links = earlier.iter().filter(|run| run.has_same_inputs && !is_undo).map(|run| Link {
        identity: &run.history.identity,
        is_undone: run.is_undone,
        is_finished: run.history.is_finished(),
    });
    let (mut chained, finished) = chain(&history.identity, links);
    let (mut found, mut is_recent, mut seen) = (EarlierRuns::default(), !is_undo, HashSet::new());
    for EarlierRun { journal, is_undone, has_same_inputs, history: earlier } in &earlier {
        let run = earlier.run.clone();
        let is_in_chain = *has_same_inputs && chained > 0;
        chained -= usize::from(is_in_chain);
        if *is_undone || earlier.is_finished() && !is_in_chain {
            is_recent &= *is_undone || *has_same_inputs;
            if earlier.is_finished() {
                see_through_lag(history, earlier, journal, key, &mut seen)?;
            }
            continue;
        }
        let must_be_joined = resumed.contains(&run) || is_in_chain;
        let is_left = || earlier.modified.iter().any(|left| !left.is_final && networks.contains(&left.network));
        if must_be_joined || is_left() {
            let mut earlier = RunHistory::read(journal, CodeAccess::Decrypt(key))?;
            made_again.update_ids(&mut earlier);
            let resumes = earlier.identity.resumes.clone();
            if join(history, earlier, must_be_joined) {
                found.joined.push(run);
                resumed.extend(resumes);
                networks.extend(history.modified.iter().map(|modified| modified.network.clone()));
                continue;
            }
        }
        let is_finished = finished.iter().any(|later| later.covers(&earlier.identity));
        if is_recent && !is_finished && earlier.has_written() {
            found.left.push(run);
        }
    }
    Ok(found)
}

/// The newest run that has continued an interrupted one, and that was not undone.
pub(super) fn continued_by(history: &RunHistory, runs: &RunDirectory, target: &RunTarget) -> Option<String> {
    if history.is_finished() || history.identity.inputs.is_empty() || history.identity.undoes.is_some() {
        return None;
    }
    let mut undone = UndoneRuns::default();
    let later = runs.histories().take_while(|later| later.run != history.run);
    let mut later = later.filter(|later| later.identity.target.is_same(target));
    let continues = |later: &RunHistory| {
        later.identity.undoes.is_none() && later.identity.covers(&history.identity) && later.has_written()
    };
    later.find(|later| !undone.pass(later).is_some_and(|undo| undo.is_whole) && continues(later)).map(|later| later.run)
}

/// A list that lagged may have shown networks on the way to what a finished run has made of them. They were as that run has left
/// them, and are no state to go back to. `seen` are the networks that a later run has changed.
fn see_through_lag(
    history: &mut RunHistory,
    earlier: &RunHistory,
    journal: &Path,
    key: Option<&PlanKey>,
    seen: &mut HashSet<NetworkId>,
) -> Result<(), RunHistoryError> {
    let is_ours = |left: &&ModifiedNetwork| history.modified.iter().any(|own| own.network == left.network);
    let mut ours = earlier.modified.iter().filter(is_ours).filter(|left| seen.insert(left.network.clone())).peekable();
    let opened = match ours.peek().is_some() && earlier.is_encrypted {
        true => Some(RunHistory::read(journal, CodeAccess::Decrypt(key))?),
        false => None,
    };
    let ours: HashSet<&NetworkId> = ours.map(|left| &left.network).collect();
    let opened = opened.as_ref().unwrap_or(earlier);
    for left in opened.modified.iter().filter(|left| left.is_final && ours.contains(&left.network)) {
        let Some(own) = history.modified.iter_mut().find(|own| own.network == left.network) else { continue };
        if let [only] = &left.final_states[..]
            && left.interim_states.iter().any(|state| own.before.matches(state))
        {
            own.before.clone_from(only);
        }
    }
    Ok(())
}

/// Joins an earlier run if it must be, or if it had left a network as `history` found it; returns whether it did.
fn join(history: &mut RunHistory, run: RunHistory, must_be_joined: bool) -> bool {
    let mut is_continued = must_be_joined && run.has_written();
    for modified in &mut history.modified {
        let is_left = |left: &&ModifiedNetwork| {
            let is_continuation = !left.is_final || must_be_joined;
            let is_same = left.network == modified.network && is_continuation;
            // Of a run that was not continued only what is temporary was left. A write that came late, or a list that lagged, may
            // have brought a temporary name or code back, whatever was acknowledged.
            let finals: &[Settings] = if must_be_joined { &left.final_states } else { &[] };
            let is_as_left = left.interim_states.iter().chain(finals).any(|state| modified.before.matches(state));
            is_same && (is_as_left || is_temporary(&modified.before.name))
        };
        if let Some(left) = run.modified.iter().find(is_left) {
            modified.before = left.before.clone();
            is_continued = true;
        }
    }
    if !is_continued {
        return false;
    }
    let is_new = |left: &ModifiedNetwork| history.modified.iter().all(|own| own.network != left.network);
    let others: Vec<ModifiedNetwork> = run.modified.into_iter().filter(is_new).collect();
    let mut items: Vec<RecordedItem> = Vec::new();
    for earlier in run.items {
        let again = history.items.iter_mut().find(|later| is_same_thing(&earlier, later));
        match again.filter(|later| later.may_be_applied()) {
            // An addition that was made twice has two ids.
            Some(later) if earlier.before.is_none() && earlier.may_be_applied() => {
                let is_handset = earlier.key.operation.kind == Kind::Handset;
                match (&earlier.id, &later.id) {
                    (Some(one), Some(other)) if one == other => {}
                    // Of one address or one name there is one only.
                    (Some(_), None) if !is_handset => later.id = earlier.id,
                    (None, _) => {}
                    (Some(_), _) => items.push(earlier),
                }
            }
            // It goes back to what it was before the first of both runs.
            Some(later) if earlier.may_be_applied() && has_left_it_so(&earlier, later) => later.before = earlier.before,
            Some(_) => {}
            None => items.push(earlier),
        }
    }
    history.modified.extend(others);
    history.items.splice(0..0, items);
    true
}

/// Whether a thing was, before a later run, as an earlier one has left it: on the way, or as it was to be.
fn has_left_it_so(earlier: &RecordedItem, later: &RecordedItem) -> bool {
    let left = [&earlier.interim, &earlier.after].into_iter().flatten();
    later.before.as_ref().is_some_and(|found| left.into_iter().any(|left| found.is_unchanged_since(left)))
}

/// Whether an item of an earlier run is about what one of a later run is about. Keys are made of names, which may have changed
/// in between, or belong to another network by now. A network that the run had created has no id in its items, so that there
/// are only the keys.
fn is_same_thing(earlier: &RecordedItem, later: &RecordedItem) -> bool {
    let thing = |item: &RecordedItem| {
        let state = item.before.as_ref().or(item.after.as_ref())?;
        let id = state.handset().and_then(|handset| handset.id.clone());
        // Its lines may be other ones by then.
        let label = if id.is_some() { String::new() } else { state.label() };
        Some((item.key.operation, item.network.clone()?, label, id))
    };
    match thing(earlier) {
        Some(thing_of_earlier) => {
            thing(later) == Some(thing_of_earlier) || later.network.is_none() && later.key == earlier.key
        }
        None => later.key == earlier.key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal of additions of a base station: how each ended, and its id.
    fn run(name: &str, additions: &[(&str, Option<&str>)]) -> RunHistory {
        let key =
            r#""key":{"kind":"baseStation","action":"create","location":"l","network":"N","device":"AC7A56000001"}"#;
        let mut lines = vec![format!(
            r#"{{"time":"2026-11-23T10:00:00Z","event":"runStarted","formatVersion":1,"generator":"dectl","run":"{name}","changes":1,"steps":1}}"#
        )];
        for (end, id) in additions {
            let id = id.map(|id| format!(r#","id":"{id}""#)).unwrap_or_default();
            lines.push(format!(
                r#"{{"time":"2026-11-23T10:00:01Z","event":"writeStarted","location":"l","locationName":"L","network":"n","items":[{{{key},"write":"final","to":{{"kind":"baseStation","mac":"AC7A56000001"}}}}]}}"#
            ));
            lines.push(format!(
                r#"{{"time":"2026-11-23T10:00:02Z","event":"writeFinished","results":[{{{key},"end":"{end}"{id}}}]}}"#
            ));
        }
        RunHistory::parse((lines.join("\n") + "\n").as_bytes(), name, CodeAccess::Skip).expect("a journal")
    }

    #[test]
    fn a_run_continues_what_no_later_one_has_finished() {
        // `i`nterrupted, `f`inished, `u`ndone; `n` for one with a narrower scope.
        #[rustfmt::skip]
        let cases: &[(&str, usize)] = &[
            ("", 0),
            ("i", 1),
            ("i i", 2),
            // Narrower runs in between are joined as well, whether finished or not.
            ("fn i", 2),
            ("in i", 2),
            // A later run has finished all that it was about.
            ("f i", 0),
            ("i f i", 1),
            ("i fn in", 1),
            // What was undone is the end.
            ("u i", 0),
            ("i u i", 1),
            ("f", 0),
        ];
        for (runs, expected) in cases {
            let identity = |narrow: bool| RunIdentity {
                inputs: "file".to_owned(),
                scope: narrow.then(|| "Ward 1".into()),
                ..RunIdentity::default()
            };
            let identities: Vec<_> = runs.split_whitespace().map(|run| identity(run.ends_with('n'))).collect();
            let links = runs.split_whitespace().zip(&identities).map(|(run, identity)| Link {
                identity,
                is_undone: run.starts_with('u'),
                is_finished: run.starts_with('f'),
            });
            assert_eq!(chain(&identity(false), links).0, *expected, "{runs:?}");
        }
    }

    #[test]
    fn what_an_interrupted_run_has_added_is_not_lost_to_a_later_failure() {
        type Case<'a> = ((&'a str, Option<&'a str>), (&'a str, Option<&'a str>), &'a [Option<&'a str>]);
        #[rustfmt::skip]
        let cases: &[Case<'_>] = &[
            // earlier, later, the ids of what may have been added
            (("applied", Some("a")), ("failed", None), &[Some("a")]),
            (("applied", Some("a")), ("notSent", None), &[Some("a")]),
            (("unknown", None), ("failed", None), &[None]),
            (("applied", Some("a")), ("applied", Some("a")), &[Some("a")]),
            // The later request found it there, so that its response had no id.
            (("applied", Some("a")), ("applied", None), &[Some("a")]),
            (("failed", None), ("applied", Some("b")), &[Some("b")]),
            // Added, removed by another client, and added again.
            (("applied", Some("a")), ("applied", Some("b")), &[Some("a"), Some("b")]),
        ];
        for (earlier, later, expected) in cases {
            let mut history = run("r2", &[*later]);
            let is_joined = join(&mut history, run("r1", &[*earlier]), true);
            assert_eq!(is_joined, earlier.0 != "failed", "a run that wrote nothing is none that was continued");
            let added = history.items.iter().filter(|item| item.may_be_applied());
            let ids: Vec<Option<&str>> = added.map(|item| item.id.as_deref()).collect();
            assert_eq!(ids, *expected, "{earlier:?} {later:?}");
        }
    }
}
