//! One location: its steps in the order of the plan, one write at a time.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use futures::FutureExt;

use super::confirm::{self, Confirmation};
use super::context::RunContext;
use super::event::Event;
use super::outcome::{Failure, NetworkResult, NetworkStatus};
use crate::client::{Priority, RequestContext, RetryEvent, SendError};
use crate::model::{Network, Settings};
use crate::plan::model::{Change, Step, StepKind};
use crate::runtime::{ShutdownLevel, ShutdownReason};
use crate::storage::journal::{JournalEntry, WriteKind, WriteOutcome};
use crate::webex::{ApiError, ErrorClass, MaybeApplied};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StepState {
    Done,
    Failed,
    NotSent,
    Unknown,
    /// Skipped, since the change with this index failed.
    Skipped(usize),
}

pub(super) struct LocationWorker<'a, 's> {
    pub(super) run: &'a RunContext<'s>,
    pub(super) steps: Vec<usize>,
    pub(super) progress: HashMap<usize, StepState>,
    /// Settings after acknowledged writes, by change.
    pub(super) current_settings: HashMap<usize, Settings>,
    /// Changes whose networks were reverted: the values that they had released may be theirs again.
    pub(super) reverted: HashSet<usize>,
    /// The location stayed locked for too long; no further step is sent there.
    lock_failure: Option<Failure>,
}

impl<'a, 's> LocationWorker<'a, 's> {
    pub(super) fn new(run: &'a RunContext<'s>, steps: Vec<usize>) -> Self {
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
        self.restore_interim().await;
        self.finalize_results();
    }

    /// Sends a step unless one of its dependencies is not done. Returns the error of the write, if it failed.
    pub(super) async fn execute_step(&mut self, at: usize, priority: Priority) -> Option<ApiError> {
        let step = self.step(at);
        if let Some(blocked_by_change) = self.blocked_by_change(step) {
            if self.has_no_result(step.change) {
                let because_of = self.run.plan.changes[blocked_by_change].network.clone();
                let network = self.change(at).network.clone();
                (self.run.on_event)(&Event::Skipped { network, because_of: because_of.clone() });
                let result =
                    NetworkResult { blocked_by: Some(because_of), ..NetworkResult::new(NetworkStatus::Skipped) };
                self.set_result_once(step.change, result);
            }
            self.progress.insert(at, StepState::Skipped(blocked_by_change));
            return None;
        }
        let (change, kind, settings) = (step.change, step.kind, step.settings.clone());
        let WriteResult { progress, result, error } = self.write(change, kind.into(), &settings, priority).await;
        let network = self.change(at).network.clone();
        match (&progress, &result.error) {
            (StepState::Done, _) => {
                self.current_settings.insert(change, settings);
                (self.run.on_event)(&Event::Written { network, kind });
            }
            (_, Some(failure)) => {
                (self.run.on_event)(&Event::Failed { network, reason: failure.to_string() });
            }
            (_, None) => {}
        }
        let is_settled = match progress {
            StepState::Done => kind == StepKind::Final,
            // It may still be sent as a prerequisite of a restore.
            StepState::NotSent => result.error.is_some(),
            StepState::Failed | StepState::Unknown | StepState::Skipped(_) => true,
        };
        if is_settled {
            self.set_result_once(change, result);
        }
        self.progress.insert(at, progress);
        error
    }

    /// Writes one network and determines whether the write was applied.
    pub(super) async fn write(
        &mut self,
        change: usize,
        kind: WriteKind,
        settings: &Settings,
        priority: Priority,
    ) -> WriteResult {
        let Change { location, network, .. } = &self.run.plan.changes[change];
        let before = self.current(change).clone();
        let on_event = |event: RetryEvent| {
            if let RetryEvent::Retrying { maybe_applied: MaybeApplied::Unknown, .. } = event {
                self.run.note_unanswered(change, settings);
            }
            self.on_call_event(change, event);
        };
        let surprise = RefCell::new(None);
        let quiet = RequestContext { priority, on_event: &on_event, before_send: None };
        let reread = || {
            let (worker, before, surprise) = (&*self, &before, &surprise);
            async move {
                surprise.replace(worker.reread(change, before, quiet).await);
                surprise.borrow().is_none()
            }
            .boxed_local()
        };
        let context = RequestContext { before_send: self.run.options.reread.then_some(&reread), ..quiet };
        let announcement = JournalEntry::WriteStarted {
            location: location.id.clone(),
            network: network.clone(),
            kind,
            before: before.clone(),
            settings: settings.clone(),
        };
        if let Err(failure) = self.run.record(announcement).await {
            return WriteResult::not_started(Some(failure));
        }
        if kind != WriteKind::Revert {
            let kind = if kind == WriteKind::Interim { StepKind::Interim } else { StepKind::Final };
            (self.run.on_event)(&Event::Writing { network: network.clone(), kind });
        }
        let answer = self.run.client.update(&location.id, network, settings, context).await;
        // The response may have raised the number of workers that the rate limiter has a use for.
        self.run.slots_changed.notify_all();
        if let Err(SendError::Failed(ApiError { applied: MaybeApplied::Unknown, .. })) = &answer {
            self.run.note_unanswered(change, settings);
        }
        let settled =
            confirm::confirm_write(answer, self.run.client, location, network, &before, settings, quiet).await;
        let (written, end) = match settled {
            Confirmation::Applied => (WriteResult::applied(), WriteOutcome::Applied),
            Confirmation::NotSent => (WriteResult::not_started(None), WriteOutcome::NotSent),
            Confirmation::Failed(error) => (WriteResult::failed(error), WriteOutcome::Failed),
            Confirmation::Unknown(error) => (WriteResult::unknown(error), WriteOutcome::Unknown),
        };
        self.abort_if_fatal(&written);
        // If this line is lost, the next run reads the state from the list.
        let _recorded = self.run.record(JournalEntry::WriteFinished { network: network.clone(), kind, end }).await;
        surprise.into_inner().unwrap_or(written)
    }

    async fn reread(&self, change: usize, before: &Settings, context: RequestContext<'_>) -> Option<WriteResult> {
        let Change { location, network, before: original, .. } = &self.run.plan.changes[change];
        let mut waits = confirm::POLL_INTERVALS.into_iter();
        let read = loop {
            let read = self.run.client.get(&location.id, network, context).await;
            // Reads may lag behind writes: a state that the network had earlier in this run may be about to change.
            let is_lagging = |live: &Network| {
                self.current_settings.contains_key(&change)
                    && !confirm::matches_live(&live.settings, before)
                    && confirm::matches_live(&live.settings, original)
            };
            match (&read, waits.next()) {
                (Ok(live), Some(wait)) if is_lagging(live) && !self.run.client.shutdown().is_requested() => {
                    self.run.client.wait(wait).await;
                }
                _ => break read,
            }
        };
        match read {
            Ok(live) if confirm::matches_live(&live.settings, before) => None,
            Ok(_) => {
                self.run.client.shutdown().request(ShutdownLevel::Graceful(ShutdownReason::UnexpectedChange));
                let failure = Failure::new("changed by another client since the plan was made");
                Some(WriteResult {
                    progress: StepState::Failed,
                    result: failed_with(NetworkStatus::Failed, failure),
                    error: None,
                })
            }
            Err(SendError::Cancelled) => Some(WriteResult::not_started(None)),
            Err(SendError::Failed(error)) => {
                let written = WriteResult::failed(error);
                self.abort_if_fatal(&written);
                Some(written)
            }
        }
    }

    /// Aborts the run on errors that affect all locations: auth failures and an excessive Retry-After.
    fn abort_if_fatal(&self, written: &WriteResult) {
        match written.error.as_ref().map(|error| error.class) {
            Some(ErrorClass::Unauthorized) => self.run.abort(ShutdownReason::Unauthorized),
            Some(ErrorClass::RateLimited) => self.run.abort(ShutdownReason::RetryAfterTooLong),
            Some(_) if self.run.options.fail_fast => {
                self.run.client.shutdown().request(ShutdownLevel::Graceful(ShutdownReason::FailFast));
            }
            Some(_) | None => {}
        }
    }

    fn on_call_event(&self, change: usize, event: RetryEvent) {
        let Change { location, network, .. } = &self.run.plan.changes[change];
        let run = self.run;
        match event {
            RetryEvent::Locked { until } => {
                run.locked.set(run.locked.get() + 1);
                run.slots_changed.notify_all();
                (run.on_event)(&Event::Locked { location: location.id.clone(), until });
            }
            RetryEvent::Unlocked => run.locked.set(run.locked.get().saturating_sub(1)),
            RetryEvent::Retrying { attempts, until, .. } => {
                (run.on_event)(&Event::Retrying { network: network.clone(), attempts, until });
            }
        }
    }

    /// The change whose failure blocks a step, if any.
    fn blocked_by_change(&self, step: &Step) -> Option<usize> {
        step.depends_on.iter().find_map(|after| match self.progress.get(after) {
            Some(StepState::Done) if self.reverted.contains(&self.step(*after).change) => {
                Some(self.step(*after).change)
            }
            Some(StepState::Done) => None,
            Some(StepState::Skipped(root)) => Some(*root),
            Some(_) | None => Some(self.run.plan.steps[*after].change),
        })
    }

    pub(super) fn current(&self, change: usize) -> &Settings {
        self.current_settings.get(&change).unwrap_or(&self.run.plan.changes[change].before)
    }

    pub(super) fn step(&self, at: usize) -> &'s Step {
        &self.run.plan.steps[at]
    }

    fn change(&self, at: usize) -> &'s Change {
        &self.run.plan.changes[self.step(at).change]
    }

    fn has_no_result(&self, change: usize) -> bool {
        self.run.results.borrow()[change].is_none()
    }

    pub(super) fn set_result_once(&self, change: usize, result: NetworkResult) {
        let mut results = self.run.results.borrow_mut();
        // The first failure is the cause; what follows from it is not reported instead.
        if results[change].is_none() {
            results[change] = Some(result);
        }
    }

    /// Records the current settings of networks that did not reach their final state.
    fn finalize_results(&self) {
        let mut results = self.run.results.borrow_mut();
        for at in &self.steps {
            let change = self.step(*at).change;
            let result = results[change].get_or_insert_with(|| NetworkResult {
                error: self.lock_failure.clone(),
                ..NetworkResult::new(NetworkStatus::NotStarted)
            });
            if let Some(current_settings) =
                self.current_settings.get(&change).filter(|_| result.status != NetworkStatus::Applied)
                && *current_settings != self.run.plan.changes[change].before
            {
                result.current_settings = Some(current_settings.clone());
            }
        }
    }
}

pub(super) struct WriteResult {
    pub(super) progress: StepState,
    pub(super) result: NetworkResult,
    pub(super) error: Option<ApiError>,
}

impl WriteResult {
    fn applied() -> Self {
        Self { progress: StepState::Done, result: NetworkResult::new(NetworkStatus::Applied), error: None }
    }

    fn not_started(failure: Option<Failure>) -> Self {
        let result = NetworkResult { error: failure, ..NetworkResult::new(NetworkStatus::NotStarted) };
        Self { progress: StepState::NotSent, result, error: None }
    }

    fn failed(error: ApiError) -> Self {
        let result = failed_with(NetworkStatus::Failed, (&error).into());
        Self { progress: StepState::Failed, result, error: Some(error) }
    }

    fn unknown(error: ApiError) -> Self {
        let result = failed_with(NetworkStatus::Unknown, (&error).into());
        Self { progress: StepState::Unknown, result, error: Some(error) }
    }
}

pub(super) fn is_lock(error: &ApiError) -> bool {
    error.class == ErrorClass::Locked
}

fn failed_with(status: NetworkStatus, failure: Failure) -> NetworkResult {
    NetworkResult { error: Some(failure), ..NetworkResult::new(status) }
}
