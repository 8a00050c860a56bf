//! Simulates an apply on a copy of the live state in virtual time and estimates its duration.
//!
//! The only module that uses both the executor and the simulator.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::apply::{Options, Outcome, run};
use crate::client::rate_limiter::{Rate, RateLimiter};
use crate::client::{ApiClient, Priority, RetryPolicy};
use crate::model::LiveState;
use crate::plan::model::Plan;
use crate::plan_check::CheckedPlan;
use crate::runtime::{Clock, SeededRng, Shutdown};
use crate::simulator::{
    ExclusiveWrites, FaultConfig, InProcessApi, Latency, LimiterSpec, RetryAfterHeader, SimulatedOrganization,
    SimulatedState,
};
use crate::storage::Journal;

/// Parameters of the simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationParams {
    pub limit: LimiterSpec,
    pub retry_after: RetryAfterHeader,
    pub latency: Duration,
    pub exclusive_writes: ExclusiveWrites,
    pub writes_per_location: Option<usize>,
    /// Maximum concurrent requests, if limited by the user.
    pub concurrency: Option<usize>,
    pub rate: Option<Rate>,
    pub retry_policy: RetryPolicy,
}

#[derive(Clone, Debug)]
pub struct Rehearsal {
    pub plan: Plan,
    /// The simulated outcome, in virtual time; its requests include the first list.
    pub outcome: Outcome,
    pub params: SimulationParams,
    pub elapsed: Duration,
}

/// Executes `checked` on a copy of `live`. Sends nothing; `None` if the executor deadlocks, which would be
/// a bug.
pub fn rehearse(checked: &CheckedPlan, live: &LiveState, params: SimulationParams) -> Option<Rehearsal> {
    let clock = Clock::virtual_clock();
    let faults = FaultConfig {
        latency: Latency::Fixed(params.latency),
        limits: params.limit.0.clone(),
        limit_retry_after: params.retry_after,
        exclusive_writes: params.exclusive_writes,
        ..FaultConfig::default()
    };
    let copy = Rc::new(RefCell::new(SimulatedOrganization::new(SimulatedState::from_live(live), faults)));
    let api = Rc::new(InProcessApi::new(copy, clock.clone()));
    let rate_limiter = RateLimiter::new(params.concurrency, params.rate);
    let client =
        ApiClient::new(api, clock.clone(), SeededRng::from_seed(1), rate_limiter, params.retry_policy, Shutdown::new());
    let outcome = clock.block_on(async {
        // A real run also starts with the list.
        let _listed = client.list_networks(Priority::Normal).await;
        run(
            checked,
            &client,
            &Journal::in_memory(),
            Options { writes_per_location: params.writes_per_location, ..Options::default() },
            &|_| {},
        )
        .await
    })?;
    let elapsed = clock.now().elapsed();
    Some(Rehearsal { plan: checked.plan().clone(), outcome, params, elapsed })
}
