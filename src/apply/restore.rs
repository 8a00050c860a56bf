//! Brings home who stands on something temporary when a run ends early or the way on is barred: to the final settings
//! if that can still be reached, else back to the old ones if those are free.

use std::collections::HashSet;

use super::event::Event;
use super::location_worker::{LocationWorker, StepState, WriteResult, is_lock};
use crate::client::Priority;
use crate::model::Settings;
use crate::plan::model::StepKind;
use crate::runtime::ShutdownLevel;
use crate::storage::journal::WriteKind;

impl LocationWorker<'_, '_> {
    /// Brings every displaced network of this location home, as far as that can be.
    pub(super) async fn restore_parked(&mut self) {
        let mut tried = HashSet::new();
        // Making room for one may displace another one, so it is asked again after each.
        while let Some(at) = self.at_interim().into_iter().find(|at| !tried.contains(at)) {
            if !self.can_write() {
                return;
            }
            tried.insert(at);
            let change = self.step(at).change;
            (self.run.on_event)(&Event::Restoring { network: self.run.plan.changes[change].network.clone() });
            let is_locked = self.restore(at, change).await;
            // The others would find it locked as well.
            if is_locked {
                return;
            }
        }
    }

    /// Lets one network go on, or back; true if the location is locked for either.
    async fn restore(&mut self, at: usize, change: usize) -> bool {
        for needed in self.missing_prerequisites(at) {
            if !self.can_write() {
                return false;
            }
            if self.execute_step(needed, Priority::Cleanup).await.is_some_and(|error| is_lock(&error)) {
                return true;
            }
        }
        let is_home = self.progress.get(&at) == Some(&StepState::Done);
        !is_home && self.can_write() && self.revert(change).await
    }

    /// The final steps of networks that stand on an interim state.
    fn at_interim(&self) -> Vec<usize> {
        let is_final_of_displaced = |at: &usize| {
            let step = self.step(*at);
            step.kind == StepKind::Final
                && self.current_settings.contains_key(&step.change)
                && self.progress.get(at) != Some(&StepState::Done)
        };
        self.steps.iter().copied().filter(is_final_of_displaced).collect()
    }

    /// Whether another write may succeed at all.
    fn can_write(&self) -> bool {
        self.run.client.shutdown().level() != ShutdownLevel::Immediate && !self.run.aborted.get()
    }

    /// The final step `at` and before it whatever it waits for, even if that is another network's planned step, as far as
    /// it was not tried yet, in order; nothing if one of them has failed.
    fn missing_prerequisites(&self, at: usize) -> Vec<usize> {
        let mut needed = HashSet::new();
        let mut stack = vec![at];
        while let Some(at) = stack.pop() {
            match self.progress.get(&at) {
                Some(StepState::Done) => continue,
                Some(StepState::NotSent) | None => {}
                Some(_) => return Vec::new(),
            }
            if needed.insert(at) {
                stack.extend(&self.step(at).depends_on);
            }
        }
        self.steps.iter().copied().filter(|at| needed.contains(at)).collect()
    }

    /// Gives a network its old settings back, unless another one holds its old name or code by now; true if the location
    /// is locked.
    async fn revert(&mut self, change: usize) -> bool {
        let old = &self.run.plan.changes[change].before;
        if !self.is_available(change, old) {
            return false;
        }
        let old = old.clone();
        let WriteResult { progress, result, error } =
            self.write(change, WriteKind::Revert, &old, Priority::Cleanup).await;
        if progress != StepState::NotSent {
            self.reverted.insert(change);
        }
        match progress {
            StepState::Done => {
                self.current_settings.remove(&change);
            }
            // Where it stands is not known any more, whatever was said of it before.
            StepState::Unknown => self.run.results.borrow_mut()[change] = Some(result),
            StepState::Failed | StepState::NotSent | StepState::Skipped(_) => {}
        }
        error.is_some_and(|error| is_lock(&error))
    }

    fn is_available(&self, change: usize, desired: &Settings) -> bool {
        let others = self.steps.iter().map(|at| self.step(*at).change).filter(|other| *other != change);
        let clashes = |settings: &Settings| {
            settings.name_key() == desired.name_key() || (settings.code.is_some() && settings.code == desired.code)
        };
        // What an unanswered write may have done counts as done, and as not done.
        let unsettled = |other: usize| {
            self.steps.iter().any(|at| {
                let step = self.step(*at);
                let unknown = self.progress.get(at) == Some(&StepState::Unknown);
                step.change == other && unknown && clashes(&step.settings)
            })
        };
        let back = |other: usize| self.reverted.contains(&other) && clashes(&self.run.plan.changes[other].before);
        !others.into_iter().any(|other| clashes(self.current(other)) || unsettled(other) || back(other))
    }
}
