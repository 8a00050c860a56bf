//! The executor: one future; groups of steps run side by side, one write at a time in each.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use super::admission::Admission;
use super::context::RunContext;
use super::event::Event;
use super::group_worker::GroupWorker;
use super::groups::{Group, groups, late_steps};
use super::late_writes;
use super::options::Options;
use super::outcome::{ChangeResult, ChangeStatus, Failure, Outcome, Verification};
use super::timeline::Timeline;
use super::verify;
use crate::client::ApiClient;
use crate::model::LocationId;
use crate::plan::model::{Change, ChangeIndex, StepIndex};
use crate::plan_check::CheckedPlan;
use crate::runtime::{Notify, ShutdownLevel, ShutdownReason, alongside};
use crate::storage::Journal;
use crate::storage::journal::{JournalEntry, JournalItemResult, WriteOutcome};
use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream::FuturesUnordered;

/// Applies `checked` through `client`. Every write is in the journal before it is sent.
///
/// Returns when every network has a result, or when a requested shutdown is complete.
pub async fn run(
    checked: &CheckedPlan,
    client: &ApiClient,
    journal: &Journal,
    options: Options,
    on_event: &dyn Fn(&Event),
) -> Outcome {
    let plan = checked.plan();
    let started = client.clock().now();
    let late = late_steps(plan);
    let groups = groups(plan, &late);
    let locations: HashSet<&LocationId> = groups.iter().map(|group| &group.location).collect();
    on_event(&Event::Started { steps: plan.steps.len(), locations: locations.len() });
    let run = RunContext {
        plan,
        single_lines: checked.single_lines(),
        second_lines: second_lines(checked),
        client,
        journal,
        options,
        on_event,
        results: RefCell::new(vec![None; plan.changes.len()]),
        created: RefCell::default(),
        added_handsets: RefCell::default(),
        one_line_at_a_time: Cell::new(false),
        tries_two_lines: Cell::new(Some(false)),
        waiting: Cell::new(0),
        slots_changed: Notify::new(),
        admission: RefCell::new(Admission::new(&groups, options.writes_per_location.unwrap_or(usize::MAX))),
        turns_changed: Notify::new(),
        lock_failures: RefCell::default(),
        late,
        aborted: Cell::new(false),
        unanswered: RefCell::default(),
        recorded: RefCell::default(),
        timeline: RefCell::new(Timeline { started: Some(started), ..Timeline::default() }),
    };
    // One grace period for restoring temporary names and for the final list together.
    let (mut results, verification, server_generated_codes) =
        alongside(run.end_after_grace_period(), run.execute(&groups)).await;
    note_late_prerequisites(&mut results);
    record_what_was_found(&run, &results).await;
    let mut timeline = run.timeline.take();
    timeline.pauses = client.pauses().into_iter().filter(|(_, until)| *until > started).collect();
    Outcome {
        timeline,
        results,
        verification,
        stopped: client.shutdown().reason(),
        server_generated_codes,
        statistics: client.statistics(),
        elapsed: client.clock().now().duration_since(started),
    }
}

/// The steps that add second lines, behind those that they follow.
fn second_lines(checked: &CheckedPlan) -> HashMap<ChangeIndex, StepIndex> {
    let steps = checked.single_lines().iter().enumerate().skip(checked.plan().steps.len());
    steps.map(|(at, step)| (step.change(), StepIndex(at))).collect()
}

/// Records what the final list has shown of changes: the ids of added handsets, which only a list has, and what was applied
/// although its request had failed. An undo knows what the journal has.
async fn record_what_was_found(run: &RunContext<'_>, results: &[ChangeResult]) {
    let recorded = run.recorded.take();
    let news = run.plan.indexed_changes().zip(results).filter(|((at, _), result)| {
        result.status == ChangeStatus::Applied
            && recorded
                .get(at)
                .is_some_and(|(end, id)| *end != WriteOutcome::Applied || result.id.is_some() && *id != result.id)
    });
    let of = |((_, change), result): ((ChangeIndex, &Change), &ChangeResult)| JournalItemResult {
        key: change.key(),
        end: WriteOutcome::Applied,
        id: result.id.clone(),
    };
    let finished: Vec<JournalItemResult> = news.map(of).collect();
    let changes = run.plan.changes.iter().zip(results).filter(|(_, result)| result.status == ChangeStatus::Applied);
    let shown = changes.filter_map(|(change, result)| {
        let found = result.found.as_ref().filter(|_| result.is_normalized(change))?;
        Some((change.key(), found.clone()))
    });
    let states: Vec<_> = shown.collect();
    // The run is over; without these an undo leaves alone what it cannot tell.
    if !finished.is_empty() {
        let _recorded = run.record(JournalEntry::WriteFinished { results: finished }).await;
    }
    if !states.is_empty() {
        let _recorded = run.record(JournalEntry::Shown { states }).await;
    }
}

/// Says of what was skipped that the way is free by now: what it depends on was applied after all.
fn note_late_prerequisites(results: &mut [ChangeResult]) {
    let is_applied: Vec<bool> = results.iter().map(|result| result.status == ChangeStatus::Applied).collect();
    for result in results.iter_mut().filter(|result| result.status == ChangeStatus::Skipped && result.error.is_none()) {
        if result.blocked_by.is_some_and(|blocking| is_applied[blocking.0]) {
            let message = "that was applied after all, but late; run the same command again to complete it";
            result.error = Some(Failure::new(message));
        }
    }
}

/// A run that is to stop waits no longer than this for its turn to read the list again.
const MAX_PAUSE_OF_STOP: Duration = Duration::from_secs(5);

/// Whether another list can succeed at all, and soon if the run is to stop.
fn can_verify(client: &ApiClient) -> bool {
    let is_paused = client.paused_until().is_some_and(|until| until > client.clock().now() + MAX_PAUSE_OF_STOP);
    if is_paused && client.shutdown().is_requested() {
        return false;
    }
    !matches!(
        client.shutdown().level(),
        ShutdownLevel::Immediate
            | ShutdownLevel::Graceful(
                ShutdownReason::Unauthorized
                    | ShutdownReason::CircuitBreakerOpen
                    | ShutdownReason::RetryAfterTooLong
                    | ShutdownReason::RateLimitTimeout
            )
    )
}

fn any_write_sent(results: &[ChangeResult]) -> bool {
    results.iter().any(|result| {
        matches!(result.status, ChangeStatus::Applied | ChangeStatus::Failed | ChangeStatus::Unknown)
            || result.left_as.is_some()
    })
}

impl RunContext<'_> {
    /// Applies the plan and reads the state again: the result of each change, what the verification says, and the networks
    /// whose codes Webex has generated.
    async fn execute(&self, groups: &[Group]) -> (Vec<ChangeResult>, Verification, Vec<usize>) {
        self.apply_groups(groups).await;
        let not_started = || ChangeResult::new(ChangeStatus::NotStarted);
        let results = self.results.take().into_iter();
        let mut results: Vec<ChangeResult> = results.map(|result| result.unwrap_or_else(not_started)).collect();
        let mut server_generated_codes = Vec::new();
        if !self.options.verify || !can_verify(self.client) || !any_write_sent(&results) {
            return (results, Verification::Skipped, server_generated_codes);
        }
        let mut verification = verify::verify(self, &mut results, &mut server_generated_codes).await;
        if late_writes::repair(self, &results).await {
            verification = verify::verify(self, &mut results, &mut server_generated_codes).await;
        }
        (results, verification, server_generated_codes)
    }

    /// After a graceful shutdown request it waits for the grace period, then requests an immediate one. Workers observe the
    /// request and report their own results.
    async fn end_after_grace_period(&self) {
        let shutdown = self.client.shutdown();
        if let ShutdownLevel::Graceful(reason) = shutdown.requested().await {
            (self.on_event)(&Event::Stopping { reason });
            match self.options.grace_period {
                Some(grace_period) => self.client.clock().sleep(grace_period).await,
                None => shutdown.wait_immediate().await,
            }
            shutdown.request(ShutdownLevel::Immediate);
        }
    }

    /// Starts workers as slots become free, and drives them to completion.
    ///
    /// A bounded work queue on one task: `running` holds as many workers as the rate limiter has a use for, plus those that
    /// only wait: for a lock, for their turn in the location, or for the interval between changes of handsets.
    async fn apply_groups(&self, groups: &[Group]) {
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < self.client.concurrency() + self.waiting.get() {
                // After a shutdown request, no further group is started.
                if self.client.shutdown().is_requested() {
                    break;
                }
                let Some(group) = self.admission.borrow_mut().start(self.client.concurrency()) else { break };
                let steps = groups[group.0].steps.clone();
                running.push(async move {
                    GroupWorker::new(self, group, steps).run().await;
                    group
                });
            }
            if running.is_empty() {
                break;
            }
            if let Either::Left((Some(group), _)) = select(running.next(), pin!(self.slots_changed.notified())).await {
                if self.admission.borrow_mut().end(group) {
                    self.timeline.borrow_mut().locations.push(self.client.clock().now());
                }
                self.turns_changed.notify_waiters();
            }
        }
    }
}
