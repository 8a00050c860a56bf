//! One location: its steps in the order of the plan, one write at a time.

use std::collections::{HashMap, HashSet};

use super::context::RunContext;
use super::event::Event;
use super::outcome::{ChangeResult, ChangeStatus, Failure};
use super::write::{WriteRequest, WriteResult};
use crate::client::Priority;
use crate::model::{NetworkId, Settings};
use crate::plan::model::{ChangeIndex, Operation, Step, StepIndex, StepKind};
use crate::webex::{ApiError, ErrorClass};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StepState {
    Done,
    Failed,
    NotSent,
    Unknown,
    /// Skipped, since the change with this index failed.
    Skipped(ChangeIndex),
}

pub(super) struct LocationWorker<'a, 's> {
    pub(super) run: &'a RunContext<'s>,
    pub(super) steps: Vec<StepIndex>,
    /// What became of each item of each step.
    pub(super) progress: HashMap<(StepIndex, ChangeIndex), StepState>,
    /// The settings of networks after acknowledged writes; `None` once a network is deleted.
    pub(super) current_settings: HashMap<ChangeIndex, Option<Settings>>,
    /// Changes that were taken back: the values that they had released may be theirs again.
    pub(super) reverted: HashSet<ChangeIndex>,
    /// The location stayed locked for too long; no further step is sent there.
    lock_failure: Option<Failure>,
}

impl<'a, 's> LocationWorker<'a, 's> {
    pub(super) fn new(run: &'a RunContext<'s>, steps: Vec<StepIndex>) -> Self {
        Self {
            run,
            steps,
            progress: HashMap::new(),
            current_settings: HashMap::new(),
            reverted: HashSet::new(),
            lock_failure: None,
        }
    }

    pub(super) async fn run(mut self) {
        for at in self.steps.clone() {
            if self.run.client.shutdown().is_requested() || self.lock_failure.is_some() {
                break;
            }
            let error = self.execute_step(at, Priority::Normal).await;
            self.lock_failure = error
                .filter(is_lock)
                .as_ref()
                .map(|error| Failure { message: "the location stayed locked".to_owned(), ..error.into() });
        }
        self.restore().await;
        self.finalize_results();
    }

    /// Sends a step for those of its items whose dependencies are done. Returns the error of the write, if it failed.
    pub(super) async fn execute_step(&mut self, at: StepIndex, priority: Priority) -> Option<ApiError> {
        let step = self.step(at);
        let mut items = Vec::new();
        for item in &step.items {
            match self.blocked_by(step, *item) {
                Some(blocked_by) => self.skip(at, *item, blocked_by),
                None if self.progress.get(&(at, *item)).is_none_or(|state| *state == StepState::NotSent) => {
                    items.push(*item);
                }
                None => {}
            }
        }
        if items.is_empty() {
            return None;
        }
        let results = self
            .write(WriteRequest {
                operation: step.operation,
                items: &items,
                kind: step.kind.into(),
                settings: step.settings.as_ref(),
                priority,
            })
            .await;
        let is_any_done = results.iter().any(|(_, result)| result.progress == StepState::Done);
        if is_any_done {
            let subject = self.run.plan[items[0]].subject();
            (self.run.on_event)(&Event::Written { subject, kind: step.kind });
        }
        let mut error = None;
        for (item, result) in results {
            error = error.or(self.record(at, item, result));
        }
        error
    }

    /// Records the result of one item of a step; returns its error.
    fn record(&mut self, at: StepIndex, item: ChangeIndex, written: WriteResult) -> Option<ApiError> {
        let step = self.step(at);
        let WriteResult { progress, result, error } = written;
        match (&progress, &result.error) {
            (StepState::Done, _) => self.record_state(step, item, &result),
            (_, Some(failure)) => {
                let subject = self.run.plan[item].subject();
                (self.run.on_event)(&Event::Failed { subject, reason: failure.to_string() });
            }
            (_, None) => {}
        }
        let is_settled = match progress {
            StepState::Done => step.kind == StepKind::Final,
            // It may still be sent as a prerequisite of a restore.
            StepState::NotSent => result.error.is_some(),
            StepState::Failed | StepState::Unknown | StepState::Skipped(_) => true,
        };
        if is_settled {
            self.set_result_once(item, result);
        }
        self.progress.insert((at, item), progress);
        error
    }

    /// The state after an acknowledged write.
    fn record_state(&mut self, step: &Step, item: ChangeIndex, result: &ChangeResult) {
        match step.operation {
            Operation::CreateNetwork | Operation::UpdateNetwork | Operation::DeleteNetwork => {
                self.current_settings.insert(item, step.settings.clone());
            }
            Operation::AddBaseStations | Operation::RemoveBaseStation => {}
        }
        if step.operation == Operation::CreateNetwork
            && let Some(id) = result.id.clone().and_then(NetworkId::non_empty)
        {
            self.run.created.borrow_mut().insert(item, id);
        }
    }

    fn skip(&mut self, at: StepIndex, item: ChangeIndex, blocked_by: ChangeIndex) {
        if self.has_no_result(item) {
            let (subject, because_of) = (self.run.plan[item].subject(), self.run.plan[blocked_by].subject());
            (self.run.on_event)(&Event::Skipped { subject, because_of });
            let result = ChangeResult { blocked_by: Some(blocked_by), ..ChangeResult::new(ChangeStatus::Skipped) };
            self.set_result_once(item, result);
        }
        self.progress.insert((at, item), StepState::Skipped(blocked_by));
    }

    /// The change whose failure blocks an item of a step, if any.
    fn blocked_by(&self, step: &Step, item: ChangeIndex) -> Option<ChangeIndex> {
        let needed = step.depends_on.iter().filter(|dependency| dependency.item == item);
        needed.into_iter().find_map(|dependency| match self.progress.get(&(dependency.step, dependency.change)) {
            Some(StepState::Done) if self.reverted.contains(&dependency.change) => Some(dependency.change),
            Some(StepState::Done) => None,
            Some(StepState::Skipped(root)) => Some(*root),
            Some(_) | None => Some(dependency.change),
        })
    }

    /// Whether every item of a step is done.
    pub(super) fn is_done(&self, at: StepIndex) -> bool {
        self.step(at).items.iter().all(|item| self.progress.get(&(at, *item)) == Some(&StepState::Done))
    }

    /// Whether some item of a step was not tried yet.
    pub(super) fn is_open(&self, at: StepIndex) -> bool {
        let state = |item: &ChangeIndex| self.progress.get(&(at, *item));
        self.step(at).items.iter().any(|item| matches!(state(item), None | Some(StepState::NotSent)))
    }

    /// The settings of the network of a change, as far as this run knows them; `None` if it does not exist.
    pub(super) fn current(&self, change: ChangeIndex) -> Option<&Settings> {
        match self.current_settings.get(&change) {
            Some(current) => current.as_ref(),
            None => self.run.plan[change].settings_before(),
        }
    }

    pub(super) fn step(&self, at: StepIndex) -> &'s Step {
        &self.run.plan.steps[at.0]
    }

    fn has_no_result(&self, change: ChangeIndex) -> bool {
        self.run.results.borrow()[change.0].is_none()
    }

    pub(super) fn set_result_once(&self, change: ChangeIndex, result: ChangeResult) {
        let mut results = self.run.results.borrow_mut();
        // The first failure is the cause; what follows from it is not reported instead.
        if results[change.0].is_none() {
            results[change.0] = Some(result);
        }
    }

    /// Records the current settings of networks that did not reach their final state.
    fn finalize_results(&self) {
        let mut results = self.run.results.borrow_mut();
        for item in self.steps.iter().flat_map(|at| &self.step(*at).items) {
            let result = results[item.0].get_or_insert_with(|| ChangeResult {
                error: self.lock_failure.clone(),
                ..ChangeResult::new(ChangeStatus::NotStarted)
            });
            if let Some(Some(current)) = self.current_settings.get(item)
                && result.status != ChangeStatus::Applied
                && self.run.plan[*item].settings_before() != Some(current)
            {
                result.current_settings = Some(current.clone());
            }
        }
    }
}

pub(super) fn is_lock(error: &ApiError) -> bool {
    error.class == ErrorClass::Locked
}
