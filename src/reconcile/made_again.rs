//! The ids of what undos have made again: a network, base station or handset that was deleted and is created again is the same
//! thing with another id. So is a base station that a run has put back. Whatever a journal says of the former id is about the new one.

use std::collections::HashMap;

use super::recorded_ids::find_unrecorded;
use crate::model::{LiveState, NetworkId};
use crate::plan::model::{ResourceKind, ResourceState};
use crate::storage::journal::RecordedItem;
use crate::storage::{PlanKey, RunDirectory, RunHistory, RunTarget, SavedPlan};

/// The present id of each thing that was made again, by each of its former ids.
#[derive(Debug, Default)]
pub(super) struct MadeAgain(HashMap<String, String>);

/// Something that a run has removed, or that an undo has added.
struct Recorded<'a> {
    location: &'a str,
    /// The network of a device: its id, unless the run has created or deleted it, and its name.
    network: (Option<&'a NetworkId>, &'a str),
    state: &'a ResourceState,
    id: &'a str,
}

impl MadeAgain {
    pub(super) fn read(runs: &RunDirectory, target: &RunTarget) -> Self {
        let histories = runs.histories().filter(|history| history.identity.target.is_same(target));
        Self::of(&histories.collect::<Vec<_>>())
    }

    /// The same with what undos have added that were interrupted before they could record its id, as far as `live` shows it; `None` if
    /// there is no such thing.
    pub(super) fn read_unrecorded(
        runs: &RunDirectory,
        target: &RunTarget,
        key: Option<&PlanKey>,
        live: &LiveState,
    ) -> Option<Self> {
        let histories = runs.histories().filter(|history| history.identity.target.is_same(target));
        let mut histories: Vec<RunHistory> = histories.collect();
        let unrecorded = |history: &RunHistory| {
            history.items.iter().filter(|item| item.may_have_added() && item.id.is_none()).count()
        };
        let mut is_any = false;
        for undo in histories.iter_mut().filter(|history| history.identity.undoes.is_some()) {
            let before = unrecorded(undo);
            if before == 0 {
                continue;
            }
            // Without its plan, what has no id is not known.
            let Ok(saved) = SavedPlan::read(&runs.plan_path(&undo.run), key) else { continue };
            find_unrecorded(undo, &saved.plan, live);
            is_any |= unrecorded(undo) < before;
        }
        is_any.then(|| Self::of(&histories))
    }

    /// Of the runs of one organization, the newest first.
    fn of(histories: &[RunHistory]) -> Self {
        let mut made_again = Self::default();
        // The oldest run first, so that what was deleted again has its last id in the end.
        for undo in histories.iter().rev() {
            for put_back in undo.items.iter().filter(|item| item.is_reverted && item.after.is_none()) {
                if let Some((former, id)) =
                    put_back.before.as_ref().and_then(ResourceState::id).zip(put_back.id.as_deref())
                {
                    made_again.add(former, id);
                }
            }
            if undo.identity.undoes.is_none() {
                continue;
            }
            let mut added: Vec<Recorded<'_>> = undo.items.iter().filter_map(added).collect();
            let undone = histories.iter().filter(|history| undo.identity.has_undone(&history.run));
            for removed in undone.flat_map(|history| &history.items).flat_map(removed) {
                if let Some(at) = added.iter().position(|added| made_again.is_same(added, &removed)) {
                    made_again.add(removed.id, added.swap_remove(at).id);
                }
            }
        }
        made_again
    }

    fn add(&mut self, former: &str, id: &str) {
        // It may have been made again before, and be known by that id.
        let previous = self.0.insert(former.to_owned(), id.to_owned());
        let is_former = |present: &str| present == former || Some(present) == previous.as_deref();
        for present in self.0.values_mut().filter(|present| is_former(present)) {
            id.clone_into(present);
        }
        if let Some(previous) = previous {
            self.0.insert(previous, id.to_owned());
        }
    }

    /// Whether what an undo has added is, but for its id, what was removed.
    fn is_same(&self, added: &Recorded<'_>, removed: &Recorded<'_>) -> bool {
        let is_same_network = match (added.network, removed.network) {
            ((Some(now), _), (Some(then), _)) => now.as_str() == self.present(then.as_str()).unwrap_or(then.as_str()),
            ((_, now), (_, then)) => now == then,
        };
        added.location == removed.location && is_same_network && added.state.is_same_but_for_id(removed.state)
    }

    fn present(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    /// Makes a history about the things as they are called now; returns whether any of them was called otherwise.
    pub(super) fn update_ids(&self, history: &mut RunHistory) -> bool {
        let mut is_any = false;
        let update_network = |network: &mut NetworkId, is_any: &mut bool| {
            if let Some(id) = self.present(network.as_str()) {
                *network = NetworkId::new(id);
                *is_any = true;
            }
        };
        for modified in &mut history.modified {
            update_network(&mut modified.network, &mut is_any);
        }
        for item in &mut history.items {
            item.network.as_mut().into_iter().for_each(|network| update_network(network, &mut is_any));
            if let Some(id) = item.id.as_deref().and_then(|id| self.present(id)) {
                item.id = Some(id.to_owned());
                is_any = true;
            }
            let RecordedItem { before, interim, after, contents, .. } = item;
            for state in [before, interim, after].into_iter().flatten().chain(contents) {
                if let Some(id) = state.id().and_then(|id| self.present(id)) {
                    state.set_id(id);
                    is_any = true;
                }
            }
        }
        is_any
    }
}

fn added(item: &RecordedItem) -> Option<Recorded<'_>> {
    let (state, id) = (item.after.as_ref().filter(|_| item.may_have_added())?, item.id.as_deref()?);
    let network = (item.network.as_ref(), network_name(item, state));
    Some(Recorded { location: item.location.as_str(), network, state, id })
}

/// What an item has removed; a network with its devices.
fn removed(item: &RecordedItem) -> Vec<Recorded<'_>> {
    let is_removal = item.after.is_none() && item.may_be_applied();
    let Some(state) = item.before.as_ref().filter(|_| is_removal) else { return Vec::new() };
    let name = network_name(item, state);
    let recorded = |network, state, id| Recorded { location: item.location.as_str(), network, state, id };
    if item.key.operation.kind != ResourceKind::Network {
        return state.id().map(|id| recorded((item.network.as_ref(), name), state, id)).into_iter().collect();
    }
    let devices = item.contents.iter().filter_map(|state| Some(recorded((None, name), state, state.id()?)));
    let network = item.network.as_ref().map(|id| recorded((None, name), state, id.as_str()));
    network.into_iter().chain(devices).collect()
}

/// The name of a network that is created or deleted, or that a device belongs to.
fn network_name<'a>(item: &'a RecordedItem, state: &'a ResourceState) -> &'a str {
    state.settings().map_or(&item.key.network, |settings| &settings.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_former_ids_lead_to_the_present_one() {
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
        let cases: &[Case<'_>] = &[
            (&[("a", "b")], &["a"]),
            // Deleted again under its new id.
            (&[("a", "b"), ("b", "c")], &["a", "b"]),
            // Deleted again by another run, and made again as what the first run had deleted.
            (&[("a", "b"), ("a", "c")], &["a", "b"]),
            (&[("a", "b"), ("b", "c"), ("a", "d")], &["a", "b", "c"]),
        ];
        for (made, former) in cases {
            let mut made_again = MadeAgain::default();
            for (former, id) in *made {
                made_again.add(former, id);
            }
            let last = made.last().map(|(_, id)| *id);
            for id in *former {
                assert_eq!(made_again.present(id), last, "{id} of {made:?}");
            }
        }
    }
}
