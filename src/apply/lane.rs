//! One location: its steps in the order of the plan, one write at a time.

use std::collections::{HashMap, HashSet};

use super::event::Event;
use super::outcome::{Failure, NetworkResult, Status};
use super::settle::{self, Settled};
use super::shared::Shared;
use crate::client::{Priority, RequestContext, RetryEvent, SendError};
use crate::model::Settings;
use crate::plan::plan::{Change, Step, StepKind};
use crate::record::Entry;
use crate::record::entry::{WriteEnd, WriteKind};
use crate::runtime::{ShutdownLevel, ShutdownReason};
use crate::webex::{ApiError, ErrorClass};

/// How far a step got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Done,
    Failed,
    NotSent,
    Unknown,
    /// Left out, since the change with this index failed.
    Skipped(usize),
}

pub(super) struct Lane<'a, 's> {
    pub(super) shared: &'a Shared<'s>,
    pub(super) steps: Vec<usize>,
    pub(super) progress: HashMap<usize, Progress>,
    /// Where networks stand after acknowledged writes, by change.
    pub(super) stands_at: HashMap<usize, Settings>,
    /// Changes whose networks were told to go back to what they were: what they gave up may be theirs again.
    pub(super) went_back: HashSet<usize>,
    /// The location stayed locked for too long, so nothing more is begun there.
    locked_out: Option<Failure>,
}

impl<'a, 's> Lane<'a, 's> {
    pub(super) fn new(shared: &'a Shared<'s>, steps: Vec<usize>) -> Self {
        Self {
            shared,
            steps,
            progress: HashMap::new(),
            stands_at: HashMap::new(),
            went_back: HashSet::new(),
            locked_out: None,
        }
    }

    pub(super) async fn run(mut self) {
        for at in self.steps.clone() {
            if self.shared.client.shutdown().is_requested() || self.locked_out.is_some() {
                break;
            }
            let error = self.advance(at, Priority::Normal).await;
            self.locked_out = error
                .filter(is_lock)
                .as_ref()
                .map(|error| Failure { message: "its location stayed locked".to_owned(), ..error.into() });
        }
        self.homeward().await;
        self.report_the_rest();
    }

    /// Sends a step unless something that it waits for is not done; the error that it ended with, if one did.
    pub(super) async fn advance(&mut self, at: usize, priority: Priority) -> Option<ApiError> {
        let step = self.step(at);
        if let Some(barred_by) = self.barred_by(step) {
            if self.result_is_open(step.change) {
                let because_of = self.shared.plan.changes[barred_by].network.clone();
                let network = self.change(at).network.clone();
                (self.shared.tell)(&Event::Skipped { network, because_of: because_of.clone() });
                let result = NetworkResult { blocked_by: Some(because_of), ..NetworkResult::new(Status::Skipped) };
                self.settle_result(step.change, result);
            }
            self.progress.insert(at, Progress::Skipped(barred_by));
            return None;
        }
        let (change, kind, settings) = (step.change, step.kind, step.settings.clone());
        let Written { progress, result, error } = self.write(change, kind.into(), &settings, priority).await;
        let network = self.change(at).network.clone();
        match (&progress, &result.error) {
            (Progress::Done, _) => {
                self.stands_at.insert(change, settings);
                (self.shared.tell)(&Event::Written { network, kind });
            }
            (_, Some(failure)) => {
                (self.shared.tell)(&Event::Failed { network, reason: failure.to_string() });
            }
            (_, None) => {}
        }
        let is_settled = match progress {
            Progress::Done => kind == StepKind::Final,
            // It may still be sent, to make room for somebody on his way home.
            Progress::NotSent => result.error.is_some(),
            Progress::Failed | Progress::Unknown | Progress::Skipped(_) => true,
        };
        if is_settled {
            self.settle_result(change, result);
        }
        self.progress.insert(at, progress);
        error
    }

    /// Writes one network and finds out what became of it.
    pub(super) async fn write(
        &mut self,
        change: usize,
        kind: WriteKind,
        settings: &Settings,
        priority: Priority,
    ) -> Written {
        let Change { location, network, .. } = &self.shared.plan.changes[change];
        let before = self.where_it_stands(change).clone();
        let tell = |event: RetryEvent| self.on_call_event(change, event);
        let context = RequestContext { priority, on_event: &tell };
        if self.shared.options.reread
            && let Some(surprise) = self.reread(change, &before, context).await
        {
            return surprise;
        }
        let announcement = Entry::Sending {
            location: location.id.clone(),
            network: network.clone(),
            kind,
            before: before.clone(),
            settings: settings.clone(),
        };
        if let Err(failure) = self.shared.record(announcement).await {
            return Written::not_started(Some(failure));
        }
        if kind != WriteKind::Back {
            let kind = if kind == WriteKind::Interim { StepKind::Interim } else { StepKind::Final };
            (self.shared.tell)(&Event::Writing { network: network.clone(), kind });
        }
        let answer = self.shared.client.update(&location.id, network, settings, context).await;
        let settled = settle::settle(answer, self.shared.client, location, network, &before, settings, context).await;
        let (written, end) = match settled {
            Settled::Applied => (Written::applied(), WriteEnd::Applied),
            Settled::NotSent => (Written::not_started(None), WriteEnd::NotSent),
            Settled::Failed(error) => (Written::failed(error), WriteEnd::Failed),
            Settled::Unknown(error) => (Written::unknown(error), WriteEnd::Unknown),
        };
        self.stop_if_told(&written);
        // If this line is lost, the next run reads the truth from the list.
        let _recorded = self.shared.record(Entry::Ended { network: network.clone(), kind, end }).await;
        written
    }

    async fn reread(&self, change: usize, before: &Settings, context: RequestContext<'_>) -> Option<Written> {
        let Change { location, network, .. } = &self.shared.plan.changes[change];
        match self.shared.client.get(&location.id, network, context).await {
            Ok(live) if settle::same(&live.settings, before) => None,
            Ok(_) => {
                self.shared.client.shutdown().request(ShutdownLevel::Graceful(ShutdownReason::UnexpectedChange));
                let failure = Failure::of("somebody else has changed it since the plan was made");
                Some(Written { progress: Progress::Failed, result: with_failure(Status::Failed, failure), error: None })
            }
            Err(SendError::Cancelled) => Some(Written::not_started(None)),
            Err(SendError::Failed(error)) => {
                let written = Written::failed(error);
                self.stop_if_told(&written);
                Some(written)
            }
        }
    }

    /// What bars everybody's way stops the run: a token or a permission that does not suffice, a pause that is too long.
    fn stop_if_told(&self, written: &Written) {
        match written.error.as_ref().map(|error| error.class) {
            Some(ErrorClass::Unauthorized) => self.shared.bar(ShutdownReason::Unauthorized),
            Some(ErrorClass::RateLimited) => self.shared.bar(ShutdownReason::RetryAfterTooLong),
            Some(_) if self.shared.options.fail_fast => {
                self.shared.client.shutdown().request(ShutdownLevel::Graceful(ShutdownReason::FailFast));
            }
            Some(_) | None => {}
        }
    }

    fn on_call_event(&self, change: usize, event: RetryEvent) {
        let Change { location, network, .. } = &self.shared.plan.changes[change];
        let shared = self.shared;
        match event {
            RetryEvent::Locked { until } => {
                shared.locked.set(shared.locked.get() + 1);
                shared.places.notify_all();
                (shared.tell)(&Event::Locked { location: location.id.clone(), until });
            }
            RetryEvent::Unlocked => shared.locked.set(shared.locked.get().saturating_sub(1)),
            RetryEvent::Retrying { attempts, until } => {
                (shared.tell)(&Event::Retrying { network: network.clone(), attempts, until });
            }
        }
    }

    /// The change whose failure bars a step, if one does.
    fn barred_by(&self, step: &Step) -> Option<usize> {
        step.after.iter().find_map(|after| match self.progress.get(after) {
            Some(Progress::Done) if self.went_back.contains(&self.step(*after).change) => {
                Some(self.step(*after).change)
            }
            Some(Progress::Done) => None,
            Some(Progress::Skipped(root)) => Some(*root),
            Some(_) | None => Some(self.shared.plan.steps[*after].change),
        })
    }

    pub(super) fn where_it_stands(&self, change: usize) -> &Settings {
        self.stands_at.get(&change).unwrap_or(&self.shared.plan.changes[change].before)
    }

    pub(super) fn step(&self, at: usize) -> &'s Step {
        &self.shared.plan.steps[at]
    }

    fn change(&self, at: usize) -> &'s Change {
        &self.shared.plan.changes[self.step(at).change]
    }

    fn result_is_open(&self, change: usize) -> bool {
        self.shared.results.borrow()[change].is_none()
    }

    pub(super) fn settle_result(&self, change: usize, result: NetworkResult) {
        let mut results = self.shared.results.borrow_mut();
        // The first failure is the reason; what follows from it is not.
        if results[change].is_none() {
            results[change] = Some(result);
        }
    }

    /// Says where networks were left that did not arrive.
    fn report_the_rest(&self) {
        let mut results = self.shared.results.borrow_mut();
        for at in &self.steps {
            let change = self.step(*at).change;
            let result = results[change].get_or_insert_with(|| NetworkResult {
                error: self.locked_out.clone(),
                ..NetworkResult::new(Status::NotStarted)
            });
            if let Some(stands_at) = self.stands_at.get(&change).filter(|_| result.status != Status::Applied)
                && *stands_at != self.shared.plan.changes[change].before
            {
                result.stands_at = Some(stands_at.clone());
            }
        }
    }
}

/// What became of one write.
pub(super) struct Written {
    pub(super) progress: Progress,
    pub(super) result: NetworkResult,
    /// The error that it ended with.
    pub(super) error: Option<ApiError>,
}

impl Written {
    fn applied() -> Self {
        Self { progress: Progress::Done, result: NetworkResult::new(Status::Applied), error: None }
    }

    fn not_started(failure: Option<Failure>) -> Self {
        let result = NetworkResult { error: failure, ..NetworkResult::new(Status::NotStarted) };
        Self { progress: Progress::NotSent, result, error: None }
    }

    fn failed(error: ApiError) -> Self {
        let result = with_failure(Status::Failed, (&error).into());
        Self { progress: Progress::Failed, result, error: Some(error) }
    }

    fn unknown(error: ApiError) -> Self {
        let result = with_failure(Status::Unknown, (&error).into());
        Self { progress: Progress::Unknown, result, error: Some(error) }
    }
}

pub(super) fn is_lock(error: &ApiError) -> bool {
    error.class == ErrorClass::Locked
}

fn with_failure(status: Status, failure: Failure) -> NetworkResult {
    NetworkResult { error: Some(failure), ..NetworkResult::new(status) }
}
