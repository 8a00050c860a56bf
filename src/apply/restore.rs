//! Cleans up interim states when a run stops early or a dependency failed: completes the final step if possible,
//! otherwise reverts to the old settings if those are free.

use std::collections::HashSet;

use super::event::Event;
use super::location_worker::{LocationWorker, StepState, WriteResult, is_lock};
use crate::client::Priority;
use crate::model::Settings;
use crate::plan::model::StepKind;
use crate::runtime::ShutdownLevel;
use crate::storage::journal::WriteKind;

impl LocationWorker<'_, '_> {
    /// Restores every network of this location that is at an interim state, as far as possible.
    pub(super) async fn restore_interim(&mut self) {
        let mut tried = HashSet::new();
        // A prerequisite may put another network at an interim state, so the list is recomputed after each.
        while let Some(at) = self.at_interim().into_iter().find(|at| !tried.contains(at)) {
            if !self.can_write() {
                return;
            }
            tried.insert(at);
            let change = self.step(at).change;
            (self.run.on_event)(&Event::Restoring { network: self.run.plan.changes[change].network.clone() });
            let is_locked = self.restore(at, change).await;
            // The location is locked for the others as well.
            if is_locked {
                return;
            }
        }
    }

    /// Completes or reverts one network; true if the location is locked.
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

    /// The final steps of networks that are at an interim state.
    fn at_interim(&self) -> Vec<usize> {
        let is_final_of_displaced = |at: &usize| {
            let step = self.step(*at);
            step.kind == StepKind::Final
                && self.current_settings.contains_key(&step.change)
                && self.progress.get(at) != Some(&StepState::Done)
        };
        self.steps.iter().copied().filter(is_final_of_displaced).collect()
    }

    /// Whether another write can succeed at all.
    fn can_write(&self) -> bool {
        self.run.client.shutdown().level() != ShutdownLevel::Immediate && !self.run.aborted.get()
    }

    /// The final step `at` and its dependencies that were not tried yet, in order, planned steps of other networks
    /// included; empty if one of them has failed.
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

    /// Reverts a network to its old settings, unless another network has its old name or code by now; true if the
    /// location is locked.
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
            // Its current settings are not known any more, whatever was recorded before.
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
        // An unconfirmed write counts as applied and as not applied.
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
