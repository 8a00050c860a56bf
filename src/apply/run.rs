//! The executor: one future, locations side by side, one write at a time in each.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream::FuturesUnordered;

use super::event::Event;
use super::lane::Lane;
use super::options::Options;
use super::outcome::{NetworkResult, Outcome, Status, Verification};
use super::shared::Shared;
use super::verify;
use crate::client::ApiClient;
use crate::model::LocationId;
use crate::plan::plan::Plan;
use crate::proof::Proven;
use crate::record::Journal;
use crate::runtime::{ShutdownLevel, ShutdownReason, Wakeup};

/// Carries out `proven` through `client`. Every write is in the journal before it is sent.
///
/// Ends when every network has a result, or when a stop that was asked for has been carried out.
pub async fn run(
    proven: &Proven,
    client: &ApiClient,
    journal: &Journal,
    options: Options,
    tell: &dyn Fn(&Event),
) -> Outcome {
    let plan = proven.plan();
    let started = client.clock().now();
    let lanes = lanes(plan);
    tell(&Event::Started { steps: plan.steps.len(), locations: lanes.len() });
    let shared = Shared {
        plan,
        client,
        journal,
        options,
        tell,
        results: RefCell::new(vec![None; plan.changes.len()]),
        locked: Cell::new(0),
        places: Wakeup::default(),
        barred: Cell::new(false),
    };
    // One grace for the way home and the list at the end together.
    let mut grace = pin!(grace(client, options.grace, tell));
    select(pin!(shared.all(lanes)), grace.as_mut()).await;

    let mut results: Vec<NetworkResult> = shared
        .results
        .into_inner()
        .into_iter()
        .map(|result| result.unwrap_or_else(|| NetworkResult::new(Status::NotStarted)))
        .collect();
    let mut replaced_codes = Vec::new();
    let verification = if options.verify && may_list(client) && sent_any(&results) {
        let verifying = pin!(verify::verify(plan, &mut results, &mut replaced_codes, client, tell));
        match select(verifying, grace).await {
            Either::Left((verification, _)) => verification,
            Either::Right((never, _)) => match never {},
        }
    } else {
        Verification::NotDone
    };
    Outcome {
        results,
        verification,
        stopped: client.shutdown().reason(),
        replaced_codes,
        statistics: client.statistics(),
        elapsed: client.clock().now().duration_since(started),
    }
}

/// Once a graceful stop is asked for, gives it so much time and then stops at once. Never ends: whoever works notices by
/// himself, and says what became of it.
async fn grace(client: &ApiClient, grace: Option<Duration>, tell: &dyn Fn(&Event)) -> std::convert::Infallible {
    let shutdown = client.shutdown();
    if let ShutdownLevel::Graceful(reason) = shutdown.requested().await {
        tell(&Event::Stopping { reason });
        match grace {
            Some(grace) => client.clock().sleep(grace).await,
            None => shutdown.wait_immediate().await,
        }
        shutdown.request(ShutdownLevel::Immediate);
    }
    std::future::pending().await
}

/// Whether another list may succeed at all.
fn may_list(client: &ApiClient) -> bool {
    !matches!(
        client.shutdown().level(),
        ShutdownLevel::Immediate
            | ShutdownLevel::Graceful(
                ShutdownReason::Unauthorized | ShutdownReason::CircuitBreakerOpen | ShutdownReason::RetryAfterTooLong
            )
    )
}

fn sent_any(results: &[NetworkResult]) -> bool {
    results.iter().any(|result| {
        matches!(result.status, Status::Applied | Status::Failed | Status::Unknown) || result.stands_at.is_some()
    })
}

/// The steps of every location, the longest location first.
fn lanes(plan: &Plan) -> Vec<Vec<usize>> {
    let mut order: HashMap<&LocationId, usize> = HashMap::new();
    let mut lanes: Vec<Vec<usize>> = Vec::new();
    for (at, step) in plan.steps.iter().enumerate() {
        let location = &plan.changes[step.change].location.id;
        let lane = *order.entry(location).or_insert_with(|| {
            lanes.push(Vec::new());
            lanes.len() - 1
        });
        lanes[lane].push(at);
    }
    lanes.sort_by_key(|steps| std::cmp::Reverse(steps.len()));
    lanes
}

impl Shared<'_> {
    /// Starts lanes as places get free, and drives them to their ends.
    async fn all(&self, lanes: Vec<Vec<usize>>) {
        let mut waiting = lanes.into_iter();
        let mut running = FuturesUnordered::new();
        let mut left = waiting.len();
        while left > 0 {
            // A lane whose location is locked needs no place until it is tried again.
            while running.len() < self.options.concurrency + self.locked.get() {
                // Once a stop is asked for, nothing new is begun.
                let Some(steps) = waiting.next() else { break };
                if self.client.shutdown().is_requested() {
                    left -= 1;
                } else {
                    running.push(Lane::new(self, steps).run());
                }
            }
            if running.is_empty() {
                continue;
            }
            if let Either::Left((Some(()), _)) = select(running.next(), pin!(self.places.notified())).await {
                left -= 1;
            }
        }
    }
}
