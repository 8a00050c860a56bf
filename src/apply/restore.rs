//! Cleans up when a run stops early or a dependency failed: completes what a deletion has begun, finishes or reverts
//! temporary renames, and puts back a base station whose replacement could not be added.

use std::collections::HashSet;

use super::context::Precedence;
use super::event::Event;
use super::group_worker::GroupWorker;
use super::outcome::{ChangeResult, ChangeStatus, Failure};
use super::write_result::{StepState, WriteRequest, WriteResult, is_lock};
use crate::client::Priority;
use crate::model::Settings;
use crate::plan::model::{
    ChangeAction, ChangeIndex, Operation, ResourceKind, ResourceState, StepIndex, StepItem, StepKind,
};
use crate::runtime::ShutdownLevel;

impl GroupWorker<'_, '_> {
    /// Leaves the location in as good a state as possible.
    pub(super) async fn restore(&mut self) {
        let is_locked = self.complete_deletions().await || self.restore_interim().await;
        if !is_locked {
            self.put_back().await;
        }
    }

    /// Executes the steps that depend on a deletion which was already sent; true if the location is locked.
    async fn complete_deletions(&mut self) -> bool {
        let waits_for_deletion = |at: &StepIndex| {
            self.is_open(*at)
                && self.step(*at).depends_on.iter().any(|dependency| {
                    let is_done = self.progress.get(&(dependency.step, dependency.change)) == Some(&StepState::Done);
                    is_done && self.step(dependency.step).operation().makes_place()
                })
        };
        let waiting: Vec<StepIndex> = self.steps.iter().copied().filter(waits_for_deletion).collect();
        for at in waiting {
            for needed in self.missing_prerequisites(at) {
                if !self.can_write() {
                    return false;
                }
                if self.execute_step(needed, Priority::Cleanup).await.is_some_and(|error| is_lock(&error)) {
                    return true;
                }
            }
        }
        false
    }

    /// Restores every network of this location that is at an interim state, as far as possible; true if the location is
    /// locked.
    async fn restore_interim(&mut self) -> bool {
        let mut tried = HashSet::new();
        // A prerequisite may put another network at an interim state, so the list is recomputed after each.
        while let Some(at) = self.at_interim().into_iter().find(|at| !tried.contains(at)) {
            if !self.can_write() {
                return false;
            }
            tried.insert(at);
            let change = self.step(at).change();
            (self.run.on_event)(&Event::Restoring { subject: self.run.plan[change].subject() });
            // The location is locked for the others as well.
            if self.restore_network(at, change).await {
                return true;
            }
        }
        false
    }

    /// Completes or reverts one network; true if the location is locked.
    async fn restore_network(&mut self, at: StepIndex, change: ChangeIndex) -> bool {
        for needed in self.missing_prerequisites(at) {
            if !self.can_write() {
                return false;
            }
            if self.execute_step(needed, Priority::Cleanup).await.is_some_and(|error| is_lock(&error)) {
                return true;
            }
        }
        !self.is_done(at) && self.can_write() && self.revert(change).await
    }

    /// The final steps of networks that are at an interim state.
    fn at_interim(&self) -> Vec<StepIndex> {
        let is_final_of_displaced = |at: &StepIndex| {
            let step = self.step(*at);
            step.operation() == Operation::new(ResourceKind::Network, ChangeAction::Update)
                && self.run.plan.step_kind(step) == StepKind::Final
                && self.current_settings.contains_key(&step.change())
                && !self.is_done(*at)
        };
        self.steps.iter().copied().filter(is_final_of_displaced).collect()
    }

    /// Whether another write can succeed at all.
    fn can_write(&self) -> bool {
        self.run.client.shutdown().level() != ShutdownLevel::Immediate && !self.run.aborted.get()
    }

    /// The step `at` and its dependencies that were not tried yet, in order, planned steps of other networks included;
    /// empty if one of them has failed.
    fn missing_prerequisites(&self, at: StepIndex) -> Vec<StepIndex> {
        let mut needed = HashSet::new();
        let mut stack = vec![at];
        while let Some(at) = stack.pop() {
            if self.is_done(at) {
                continue;
            }
            if !self.is_open(at) {
                return Vec::new();
            }
            if needed.insert(at) {
                stack.extend(self.step(at).depends_on.iter().map(|dependency| dependency.step));
            }
        }
        self.steps.iter().copied().filter(|at| needed.contains(at)).collect()
    }

    /// Reverts a network to its old settings, unless another network has its old name or code by now; true if the
    /// location is locked.
    async fn revert(&mut self, change: ChangeIndex) -> bool {
        if !self.run.plan[change].settings_before().is_some_and(|old| self.is_available(change, old)) {
            return false;
        }
        let from =
            self.current(change).map(|settings| ResourceState::Network { settings: settings.clone(), model: None });
        let items = [StepItem { change, from, to: self.run.plan[change].before.clone() }];
        let written =
            self.write(WriteRequest { items: &items, is_revert: true, priority: Priority::Cleanup, is_late: false });
        let Some((_, WriteResult { progress, result, error, .. })) = written.await.pop() else { return false };
        if progress != StepState::NotSent {
            self.reverted.insert(change);
        }
        match progress {
            StepState::Done => {
                self.current_settings.remove(&change);
            }
            // Its current settings are not known any more, whatever was recorded before.
            StepState::Unknown => self.run.set_result(change, result, Precedence::Latest),
            StepState::Failed | StepState::Locked | StepState::NotSent | StepState::Skipped(_) => {}
        }
        error.is_some_and(|error| is_lock(&error))
    }

    fn is_available(&self, change: ChangeIndex, desired: &Settings) -> bool {
        let others: HashSet<ChangeIndex> =
            self.steps.iter().map(|at| self.step(*at).change()).filter(|other| *other != change).collect();
        let clashes = |settings: &Settings| {
            settings.name_key() == desired.name_key() || (settings.code.is_some() && settings.code == desired.code)
        };
        // An unconfirmed write counts as applied and as not applied.
        let unsettled = |other: ChangeIndex| {
            self.steps.iter().any(|at| {
                let step = self.step(*at);
                let unknown = self.progress.get(&(*at, other)) == Some(&StepState::Unknown);
                step.change() == other && unknown && step.settings().is_some_and(clashes)
            })
        };
        let back = |other: ChangeIndex| {
            self.reverted.contains(&other) && self.run.plan[other].settings_before().is_some_and(clashes)
        };
        !others.into_iter().any(|other| self.current(other).is_some_and(clashes) || unsettled(other) || back(other))
    }

    /// Adds base stations again that had to make place for a new one which could not be added.
    async fn put_back(&mut self) {
        for (removal, addition) in self.removals_in_vain() {
            // It may still be added.
            if self.is_unknown(addition) {
                continue;
            }
            if !self.can_write() {
                return;
            }
            (self.run.on_event)(&Event::Restoring { subject: self.run.plan[removal].subject() });
            let items = [StepItem { change: removal, from: None, to: self.run.plan[removal].before.clone() }];
            let written = self.write(WriteRequest {
                items: &items,
                is_revert: true,
                priority: Priority::Cleanup,
                is_late: false,
            });
            if let Some((_, WriteResult { progress: StepState::Done, .. })) = written.await.pop() {
                self.reverted.insert(removal);
                let skipped = ChangeResult::new(ChangeStatus::Skipped);
                let error = Failure::new("removed and added again, since its replacement could not be added");
                let result = ChangeResult { blocked_by: Some(addition), error: Some(error), ..skipped };
                self.run.set_result(removal, result, Precedence::Latest);
            }
        }
    }

    /// Says of base stations that could not be added which one was removed for them, and is not back.
    pub(super) fn note_removals_in_vain(&self) {
        for (removal, addition) in self.removals_in_vain() {
            let Some(removed) = self.run.plan[removal].before.as_ref().map(ResourceState::describe) else { continue };
            if let Some(result) = &mut self.run.results.borrow_mut()[addition.0] {
                let failure = result.error.take().unwrap_or_else(|| Failure::new("not added"));
                let message = format!("{}; {removed} was removed for it, and is not back", failure.message);
                result.error = Some(Failure { message, ..failure });
            }
        }
    }

    /// Removals of base stations that made place for one which is not known to be there, with its addition; not those that were
    /// taken back.
    fn removals_in_vain(&self) -> Vec<(ChangeIndex, ChangeIndex)> {
        let in_vain = |at: &StepIndex| {
            let removal = self.step(*at).change();
            let new = self.run.plan[removal].replaced_by.as_deref()?;
            let is_removal =
                self.step(*at).operation() == Operation::new(ResourceKind::BaseStation, ChangeAction::Delete);
            if !is_removal || !self.is_done(*at) || self.reverted.contains(&removal) {
                return None;
            }
            let of_it = |item: &ChangeIndex, step: StepIndex| {
                self.run.plan[*item].label() == new
                    && self.step(step).depends_on.iter().any(|need| need.item == *item && need.step == *at)
            };
            self.steps.iter().find_map(|step| {
                let item = self.step(*step).changes().find(|item| of_it(item, *step))?;
                (self.progress.get(&(*step, item)) != Some(&StepState::Done)).then_some((removal, item))
            })
        };
        self.steps.iter().filter_map(in_vain).collect()
    }

    fn is_unknown(&self, change: ChangeIndex) -> bool {
        self.progress.iter().any(|((_, of), state)| *of == change && *state == StepState::Unknown)
    }
}
