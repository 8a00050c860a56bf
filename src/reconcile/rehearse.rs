//! A plan carried out on a simulated copy of the organization, in virtual time: what would it take, what would fail?
//!
//! This is the one place where the executor and the simulator meet.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::apply::{Options, Outcome, run};
use crate::client::rate_limiter::{Rate, RateLimiter};
use crate::client::{ApiClient, Priority, RetryPolicy};
use crate::model::LiveState;
use crate::plan::plan::Plan;
use crate::proof::Proven;
use crate::record::Journal;
use crate::runtime::{Clock, SeededRng, Shutdown};
use crate::simulator::{DirectApi, Latency, LimitKind, Misbehaviour, Simulated, State};

/// What the simulated API is like, and how it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// How many requests it lets in.
    pub requests: u32,
    /// In how long.
    pub period: Duration,
    /// How long a request takes.
    pub latency: Duration,
    /// How many requests may be in the air.
    pub concurrency: usize,
    /// Never faster than this.
    pub rate: Option<Rate>,
    /// When to give up.
    pub retry_policy: RetryPolicy,
}

/// What became of the rehearsal.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The plan.
    pub plan: Plan,
    /// What became of it on the copy; its time is virtual, and its requests include the first list.
    pub outcome: Outcome,
    /// Under which conditions.
    pub conditions: Conditions,
    /// How long the whole would take.
    pub elapsed: Duration,
}

/// Carries out `proven` on a copy of `live`. Nothing is sent anywhere; `None` if the executor waits for something that
/// never comes, which would be a fault of this tool.
pub fn rehearse(proven: &Proven, live: &LiveState, conditions: Conditions) -> Option<Rehearsal> {
    let clock = Clock::virtual_clock();
    let misbehaviour = Misbehaviour {
        latency: Latency::Fixed(conditions.latency),
        limit: Some(LimitKind::Sliding { count: conditions.requests, period: conditions.period }),
        ..Misbehaviour::default()
    };
    let copy = Rc::new(RefCell::new(Simulated::new(State::copy_of(live), misbehaviour)));
    let api = Rc::new(DirectApi::new(copy, clock.clone()));
    let rate_limiter = RateLimiter::new(conditions.concurrency, conditions.rate);
    let client = ApiClient::new(
        api,
        clock.clone(),
        SeededRng::from_seed(1),
        rate_limiter,
        conditions.retry_policy,
        Shutdown::new(),
    );
    let options = Options { concurrency: conditions.concurrency, ..Options::default() };
    let outcome = clock.block_on(async {
        // The run itself begins with the list, too.
        let _listed = client.list(Priority::Normal).await;
        run(proven, &client, &Journal::in_memory(), options, &|_| {}).await
    })?;
    let elapsed = clock.now().elapsed();
    Some(Rehearsal { plan: proven.plan().clone(), outcome, conditions, elapsed })
}
