//! Brings home who stands on something temporary when a run ends early or the way on is barred: to the final settings
//! if that can still be reached, else back to the old ones if those are free.

use std::collections::HashSet;

use super::event::Event;
use super::lane::{Lane, Progress, Written, is_lock};
use crate::client::Priority;
use crate::model::Settings;
use crate::plan::plan::StepKind;
use crate::record::entry::WriteKind;
use crate::runtime::ShutdownLevel;

impl Lane<'_, '_> {
    /// Brings every displaced network of this location home, as far as that can be.
    pub(super) async fn homeward(&mut self) {
        let mut tried = HashSet::new();
        // Making room for one may displace another one, so it is asked again after each.
        while let Some(at) = self.displaced().into_iter().find(|at| !tried.contains(at)) {
            if !self.may_write() {
                return;
            }
            tried.insert(at);
            let change = self.step(at).change;
            (self.shared.tell)(&Event::Homeward { network: self.shared.plan.changes[change].network.clone() });
            let is_locked = self.bring_home(at, change).await;
            // The others would find it locked as well.
            if is_locked {
                return;
            }
        }
    }

    /// Lets one network go on, or back; true if the location is locked for either.
    async fn bring_home(&mut self, at: usize, change: usize) -> bool {
        for needed in self.needed_for(at) {
            if !self.may_write() {
                return false;
            }
            if self.advance(needed, Priority::Cleanup).await.is_some_and(|error| is_lock(&error)) {
                return true;
            }
        }
        let is_home = self.progress.get(&at) == Some(&Progress::Done);
        !is_home && self.may_write() && self.go_back(change).await
    }

    /// The final steps of networks that stand on an interim state.
    fn displaced(&self) -> Vec<usize> {
        let is_final_of_displaced = |at: &usize| {
            let step = self.step(*at);
            step.kind == StepKind::Final
                && self.stands_at.contains_key(&step.change)
                && self.progress.get(at) != Some(&Progress::Done)
        };
        self.steps.iter().copied().filter(is_final_of_displaced).collect()
    }

    /// Whether another write may succeed at all.
    fn may_write(&self) -> bool {
        self.shared.client.shutdown().level() != ShutdownLevel::Immediate && !self.shared.barred.get()
    }

    /// The final step `at` and before it whatever it waits for, even if that is another network's planned step, as far as
    /// it was not tried yet, in order; nothing if one of them has failed.
    fn needed_for(&self, at: usize) -> Vec<usize> {
        let mut needed = HashSet::new();
        let mut stack = vec![at];
        while let Some(at) = stack.pop() {
            match self.progress.get(&at) {
                Some(Progress::Done) => continue,
                Some(Progress::NotSent) | None => {}
                Some(_) => return Vec::new(),
            }
            if needed.insert(at) {
                stack.extend(&self.step(at).after);
            }
        }
        self.steps.iter().copied().filter(|at| needed.contains(at)).collect()
    }

    /// Gives a network its old settings back, unless another one holds its old name or code by now; true if the location
    /// is locked.
    async fn go_back(&mut self, change: usize) -> bool {
        let old = &self.shared.plan.changes[change].before;
        if !self.is_free(change, old) {
            return false;
        }
        let old = old.clone();
        let Written { progress, result, error } = self.write(change, WriteKind::Back, &old, Priority::Cleanup).await;
        if progress != Progress::NotSent {
            self.went_back.insert(change);
        }
        match progress {
            Progress::Done => {
                self.stands_at.remove(&change);
            }
            // Where it stands is not known any more, whatever was said of it before.
            Progress::Unknown => self.shared.results.borrow_mut()[change] = Some(result),
            Progress::Failed | Progress::NotSent | Progress::Skipped(_) => {}
        }
        error.is_some_and(|error| is_lock(&error))
    }

    fn is_free(&self, change: usize, desired: &Settings) -> bool {
        let others = self.steps.iter().map(|at| self.step(*at).change).filter(|other| *other != change);
        let clashes = |settings: &Settings| {
            settings.name_key() == desired.name_key() || (settings.code.is_some() && settings.code == desired.code)
        };
        // What an unanswered write may have done counts as done, and as not done.
        let unsettled = |other: usize| {
            self.steps.iter().any(|at| {
                let step = self.step(*at);
                let unknown = self.progress.get(at) == Some(&Progress::Unknown);
                step.change == other && unknown && clashes(&step.settings)
            })
        };
        let back = |other: usize| self.went_back.contains(&other) && clashes(&self.shared.plan.changes[other].before);
        !others.into_iter().any(|other| clashes(self.where_it_stands(other)) || unsettled(other) || back(other))
    }
}
