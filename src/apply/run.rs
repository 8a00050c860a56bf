//! The executor: one future; locations run concurrently, one write at a time in each.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::pin;

use super::context::RunContext;
use super::event::Event;
use super::late_writes;
use super::location_worker::LocationWorker;
use super::options::Options;
use super::outcome::{ChangeResult, ChangeStatus, Failure, Outcome, Verification};
use super::timeline::Timeline;
use super::verify;
use crate::client::ApiClient;
use crate::model::LocationId;
use crate::plan::model::{Change, ChangeAction, Operation, Plan, ResourceKind, StepIndex};
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
    let work_by_location = work_by_location(plan);
    on_event(&Event::Started { steps: plan.steps.len(), locations: work_by_location.len() });
    let run = RunContext {
        plan,
        client,
        journal,
        options,
        on_event,
        results: RefCell::new(vec![None; plan.changes.len()]),
        created: RefCell::default(),
        added_handsets: RefCell::default(),
        one_line_at_a_time: Cell::new(false),
        waiting: Cell::new(0),
        slots_changed: Notify::new(),
        aborted: Cell::new(false),
        unanswered: RefCell::default(),
        timeline: RefCell::new(Timeline { started: Some(started), ..Timeline::default() }),
    };
    // One grace period for restoring temporary names and for the final list together.
    let (mut results, verification, server_generated_codes) =
        alongside(run.end_after_grace_period(), run.execute(work_by_location)).await;
    note_late_prerequisites(&mut results);
    record_handset_ids(&run, &results).await;
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

/// Records the ids of added handsets, which only a list has: an undo removes nothing without them.
async fn record_handset_ids(run: &RunContext<'_>, results: &[ChangeResult]) {
    let added = run.plan.changes.iter().zip(results).filter(|(change, result)| {
        let is_addition = change.kind() == ResourceKind::Handset && change.action() == ChangeAction::Create;
        is_addition && result.status == ChangeStatus::Applied && result.id.is_some()
    });
    let of = |(change, result): (&Change, &ChangeResult)| JournalItemResult {
        key: change.key(),
        end: WriteOutcome::Applied,
        id: result.id.clone(),
    };
    let results: Vec<JournalItemResult> = added.map(of).collect();
    if !results.is_empty() {
        let entry = JournalEntry::OperationFinished { operation: Operation::AddHandsets, results };
        // The run is over; without the ids an undo leaves the handsets alone.
        let _recorded = run.record(entry).await;
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

/// Whether another list can succeed at all.
fn can_verify(client: &ApiClient) -> bool {
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
            || result.current_settings.is_some()
    })
}

/// The steps of every location, the longest location first.
fn work_by_location(plan: &Plan) -> Vec<Vec<StepIndex>> {
    let mut order: HashMap<&LocationId, usize> = HashMap::new();
    let mut work_by_location: Vec<Vec<StepIndex>> = Vec::new();
    for (at, step) in plan.indexed_steps() {
        let location = &plan[step.change()].location.id;
        let lane = *order.entry(location).or_insert_with(|| {
            work_by_location.push(Vec::new());
            work_by_location.len() - 1
        });
        work_by_location[lane].push(at);
    }
    work_by_location.sort_by_key(|steps| std::cmp::Reverse(steps.len()));
    work_by_location
}

impl RunContext<'_> {
    /// Applies the plan and reads the state again: the result of each change, what the verification says, and the networks
    /// whose codes Webex has generated.
    async fn execute(&self, work_by_location: Vec<Vec<StepIndex>>) -> (Vec<ChangeResult>, Verification, Vec<usize>) {
        self.apply_locations(work_by_location).await;
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
    /// A bounded work queue on one task: `running` holds as many workers as the rate limiter has a use for, plus those
    /// whose location is locked, since these only wait. `left` counts the locations that have no result yet.
    async fn apply_locations(&self, work_by_location: Vec<Vec<StepIndex>>) {
        let mut waiting = work_by_location.into_iter();
        let mut running = FuturesUnordered::new();
        let mut left = waiting.len();
        while left > 0 {
            // A worker that waits for a lock or for the handset interval needs no slot.
            while running.len() < self.client.concurrency() + self.waiting.get() {
                // After a shutdown request, no further location is started.
                let Some(steps) = waiting.next() else { break };
                if self.client.shutdown().is_requested() {
                    left -= 1;
                } else {
                    running.push(LocationWorker::new(self, steps).run());
                }
            }
            if running.is_empty() {
                continue;
            }
            if let Either::Left((Some(()), _)) = select(running.next(), pin!(self.slots_changed.notified())).await {
                left -= 1;
                self.timeline.borrow_mut().locations.push(self.client.clock().now());
            }
        }
    }
}
