//! The API client: one per process, so that all requests share one rate limiter.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, select};
use futures::{StreamExt, TryStreamExt, stream};
use tracing::{Instrument, info_span};

use super::circuit_breaker::CircuitBreaker;
use super::handset_spacing::HandsetSpacing;
use super::locks::{LocationLocks, Lock};
use super::overload::Overload;
use super::rate_limiter::{RateLimiter, RequestClass};
use super::request::{AttemptState, Priority, RefreshOutcome, RequestContext, RetryEvent, SendError};
use super::retry::{FailedAttempt, LATE_WRITE_WINDOW, RetryDecision, RetryPolicy};
use super::statistics::Statistics;
use crate::model::{LiveState, LocationId, NetworkId};
use crate::resources::calls;
use crate::runtime::{Clock, Instant, Notify, SeededRng, Shutdown, ShutdownLevel, ShutdownReason};
use crate::webex::calls::{Call, Effect};
use crate::webex::{ApiError, DectApi, ErrorClass, MaybeApplied};

/// Sends requests, with rate limiting, retries, lock handling and token refresh.
pub struct ApiClient {
    pub(super) api: Rc<dyn DectApi>,
    pub(super) clock: Clock,
    pub(super) rng: RefCell<SeededRng>,
    pub(super) rate_limiter: RefCell<RateLimiter>,
    pub(super) retry_policy: RetryPolicy,
    pub(super) circuit_breaker: RefCell<CircuitBreaker>,
    pub(super) locks: RefCell<LocationLocks>,
    handset_spacing: RefCell<HandsetSpacing>,
    pub(super) statistics: Cell<Statistics>,
    pub(super) shutdown: Shutdown,
    /// Notified when a response arrives: the next request may be admitted.
    pub(super) response_received: Notify,
    /// Held by the next request in line, so that waiting costs one timer, not one per request.
    pub(super) queue: futures::lock::Mutex<()>,
    pub(super) refresh_lock: futures::lock::Mutex<()>,
    /// Number of token refreshes.
    pub(super) token_generation: Cell<u64>,
    /// When the first of the 429s arrived that no request has got through since.
    rate_limited_since: Cell<Option<Instant>>,
    overload: Overload,
    /// Called on waits of reads, which have no observer of their own.
    on_wait: RefCell<Option<WaitObserver>>,
    /// Until when a wait for the rate limit was reported.
    reported_until: Cell<Option<Instant>>,
    /// From and to when all requests were paused.
    pub(super) pauses: RefCell<Vec<(Instant, Instant)>>,
    listed: RefCell<ListedLocations>,
    /// What lists must show that were read before the first write.
    expected: RefCell<Option<Expected>>,
    is_lag_reported: Cell<bool>,
}

/// What an earlier run has written: lists may lag behind it until then.
struct Expected {
    until: Instant,
    is_outdated: Box<dyn Fn(&LiveState) -> bool>,
}

/// The time between two looks at what lags.
const LAG_INTERVAL: Duration = Duration::from_secs(1);

/// Whose networks are listed: all of the organization, unless its list is left alone or denied.
#[derive(Clone, Debug, Default)]
struct ListedLocations {
    /// Only these, each with a list of its own.
    only: Vec<LocationId>,
    /// The same if the list of the organization is denied.
    if_denied: Vec<LocationId>,
}

/// What became of one attempt.
enum Attempt<T> {
    Answered(Result<T, ApiError>),
    /// It was not sent: its location was locked while it waited for a permit.
    LockedMeanwhile,
}

impl ApiClient {
    /// Sends through `api`.
    pub fn new(
        api: Rc<dyn DectApi>,
        clock: Clock,
        rng: SeededRng,
        rate_limiter: RateLimiter,
        retry_policy: RetryPolicy,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            api,
            clock,
            rng: RefCell::new(rng),
            rate_limiter: RefCell::new(rate_limiter),
            retry_policy,
            circuit_breaker: RefCell::default(),
            locks: RefCell::default(),
            handset_spacing: RefCell::default(),
            statistics: Cell::default(),
            shutdown,
            response_received: Notify::new(),
            queue: futures::lock::Mutex::new(()),
            refresh_lock: futures::lock::Mutex::new(()),
            token_generation: Cell::new(0),
            rate_limited_since: Cell::new(None),
            overload: Overload::default(),
            on_wait: RefCell::default(),
            reported_until: Cell::new(None),
            pauses: RefCell::default(),
            listed: RefCell::default(),
            expected: RefCell::default(),
            is_lag_reported: Cell::new(false),
        }
    }

    /// Lets lists and devices be read again, until then at most, while `is_outdated` says that they lag behind what was written before.
    /// The first write ends that.
    pub fn expect(&self, until: Instant, is_outdated: impl Fn(&LiveState) -> bool + 'static) {
        self.expected.replace(Some(Expected { until, is_outdated: Box::new(is_outdated) }));
    }

    /// Whether what was read lags behind what was written before; waits a moment then, so that it is read again.
    pub async fn lags(&self, live: &LiveState) -> bool {
        let now = self.clock.now();
        let is_outdated = |expected: &Expected| now < expected.until && (expected.is_outdated)(live);
        let lags =
            self.expected.borrow().as_ref().filter(|expected| is_outdated(expected)).map(|expected| expected.until);
        let Some(until) = lags else { return false };
        if !self.is_lag_reported.replace(true) {
            self.report_wait(Wait { reason: WaitReason::Lagging, duration: until.duration_since(now) });
        }
        self.wait_as(Priority::Normal, LAG_INTERVAL).await;
        true
    }

    /// Lists the networks of these locations alone, which a token of a location administrator may do.
    pub fn list_only(&self, locations: &[LocationId]) {
        self.listed.borrow_mut().only = locations.to_vec();
    }

    /// Lists the networks of these locations if the list of the organization is denied (403).
    pub fn list_if_denied(&self, locations: Vec<LocationId>) {
        self.listed.borrow_mut().if_denied = locations;
    }

    /// Lists all networks, or those of some locations with one request each; again while that lags behind what was written before.
    ///
    /// # Errors
    /// If a request fails.
    pub async fn list_networks(&self, priority: Priority) -> Result<LiveState, SendError> {
        loop {
            let live = self.list_networks_once(priority).await?;
            if !self.lags(&live).await {
                return Ok(live);
            }
        }
    }

    async fn list_networks_once(&self, priority: Priority) -> Result<LiveState, SendError> {
        let ListedLocations { only, if_denied } = self.listed.borrow().clone();
        if !only.is_empty() {
            return self.list_locations(&only, priority).await;
        }
        match self.read(&calls::list_networks(), priority).await {
            Err(SendError::Failed(error)) if error.status == Some(403) && !if_denied.is_empty() => {
                let live = self.list_locations(&if_denied, priority).await?;
                // It is not asked for again.
                self.list_only(&if_denied);
                Ok(live)
            }
            listed => listed,
        }
    }

    async fn list_locations(&self, locations: &[LocationId], priority: Priority) -> Result<LiveState, SendError> {
        let lists: Vec<_> = locations.iter().map(calls::list_networks_of_location).collect();
        let reads = lists.iter().map(|list| self.read(list, priority));
        let lists: Vec<LiveState> = stream::iter(reads).buffer_unordered(self.most_concurrent()).try_collect().await?;
        let rows = lists.iter().flat_map(|list| {
            list.networks().map(|(at, network)| (list.location(list.location_of(at)).name.clone(), network.clone()))
        });
        Ok(LiveState::new(rows).limited_to(locations))
    }

    /// Reports waits of more than a few seconds to `on_wait`.
    pub fn report_waits(&self, on_wait: WaitObserver) {
        self.on_wait.replace(Some(on_wait));
    }

    /// Stops reporting waits, for a caller that displays them itself.
    pub fn stop_reporting_waits(&self) {
        self.on_wait.replace(None);
    }

    fn report_wait(&self, wait: Wait) {
        let on_wait = self.on_wait.borrow().clone();
        if let Some(on_wait) = on_wait.filter(|_| wait.duration >= MIN_REPORTED_WAIT) {
            on_wait(wait);
        }
    }

    fn report_event(&self, event: RetryEvent) {
        let now = self.clock.now();
        match event {
            RetryEvent::Locked { until, .. } => {
                self.report_wait(Wait { reason: WaitReason::Locked, duration: until.duration_since(now) });
            }
            RetryEvent::Retrying { until, .. } => {
                self.report_wait(Wait { reason: WaitReason::Failed, duration: until.duration_since(now) });
            }
            RetryEvent::Unlocked => {}
        }
    }

    /// Reports a wait for the rate limit, once for all requests that wait.
    pub(super) fn report_pause(&self, until: Instant) {
        let now = self.clock.now();
        if self.reported_until.get().is_none_or(|reported| until.duration_since(reported) >= MIN_REPORTED_WAIT) {
            self.reported_until.set(Some(until));
            self.report_wait(Wait { reason: WaitReason::RateLimited, duration: until.duration_since(now) });
        }
    }

    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The shutdown signal that it observes.
    pub const fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// What was sent so far.
    pub fn statistics(&self) -> Statistics {
        self.statistics.get()
    }

    /// The time from the end of a change of the handsets of a network to the next one.
    pub const fn handset_interval(&self) -> Duration {
        self.retry_policy.handset_interval
    }

    /// How long a lost addition of handsets may still be executed, and how long lists are read for it.
    pub fn lost_handset_time(&self) -> Duration {
        self.handset_interval().max(LATE_WRITE_WINDOW)
    }

    /// How long is waited before a request that was lost, and of which a read shows nothing, is sent again after so many times; `None` if
    /// it is not.
    pub fn wait_before_repeat(&self, sent: u32, error: &ApiError) -> Option<Duration> {
        self.retry_policy.wait_after(sent, error.retry_after, &mut self.rng.borrow_mut())
    }

    /// Records that a change of the handsets of a network ends now.
    pub fn record_handset_change(&self, network: &NetworkId) {
        self.handset_spacing.borrow_mut().record(network, self.clock.now(), self.handset_interval());
    }

    /// Records that the handsets of a network must not be changed before `until`, because of another run.
    pub fn hold_handsets_until(&self, network: &NetworkId, until: Instant) {
        self.handset_spacing.borrow_mut().wait_until(network, until);
    }

    /// From when on the handsets of a network may be changed; `None` if at once.
    pub fn handsets_free_at(&self, network: &NetworkId) -> Option<Instant> {
        self.handset_spacing.borrow().free_at(network, self.clock.now())
    }

    /// The pauses of all requests so far, each from and to when.
    pub fn pauses(&self) -> Vec<(Instant, Instant)> {
        self.pauses.borrow().clone()
    }

    /// Until when all requests are paused, if they are.
    pub fn paused_until(&self) -> Option<Instant> {
        self.rate_limiter.borrow().paused_until(self.clock.now())
    }

    /// The most requests that may ever be in flight.
    pub fn most_concurrent(&self) -> usize {
        self.rate_limiter.borrow().most_concurrent()
    }

    /// How many requests find a use at once.
    pub fn concurrency(&self) -> usize {
        self.rate_limiter.borrow().concurrency()
    }

    /// The rate limit that the API is assumed to have, if it has shown one.
    pub fn estimated_limit(&self) -> Option<String> {
        self.rate_limiter.borrow().describe()
    }

    /// Sends a read whose waits are reported to the observer of the client.
    ///
    /// # Errors
    /// If no attempt succeeded, or a shutdown was requested first.
    pub async fn read<T>(&self, call: &Call<'_, T>, priority: Priority) -> Result<T, SendError> {
        let on_event = |event| self.report_event(event);
        self.send(call, RequestContext { priority, on_event: &on_event, before_send: None, after_lock: None }).await
    }

    /// Waits, unless an immediate shutdown is requested.
    pub async fn wait(&self, duration: Duration) {
        self.wait_as(Priority::Cleanup, duration).await;
    }

    /// Waits, unless a shutdown is requested that ends what has this priority.
    pub async fn wait_as(&self, priority: Priority, duration: Duration) {
        select(self.clock.sleep(duration), pin!(self.stopped(priority))).await;
    }

    /// Sends a request until it succeeds, as often and as long as its effect and the retry policy allow. A write that may
    /// have been applied, and would add a second thing, is not repeated.
    ///
    /// # Errors
    /// If no attempt succeeded, or a shutdown was requested first.
    pub async fn send<T>(&self, call: &Call<'_, T>, context: RequestContext<'_>) -> Result<T, SendError> {
        let mut state = AttemptState { met: self.overload.next_request(), ..AttemptState::default() };
        if call.is_write() {
            self.expected.take();
        }
        // Locks affect writes only.
        if let Some(location) = call.written_location() {
            state.locked_for = self.wait_for_lock(location, context, &state).await?;
        }
        loop {
            if let (true, Some(before_send), MaybeApplied::No) =
                (call.is_write(), context.before_send, state.maybe_applied)
                && !before_send().await
            {
                return Err(SendError::Cancelled);
            }
            let error = match self.attempt(call, context, &mut state).await? {
                Attempt::Answered(Ok(value)) => return Ok(value),
                Attempt::Answered(Err(error)) => error,
                Attempt::LockedMeanwhile => {
                    if let Some(location) = call.written_location() {
                        state.locked_for += self.wait_for_lock(location, context, &state).await?;
                    }
                    continue;
                }
            };
            // A read changes nothing, whatever became of it.
            if error.applied == MaybeApplied::Unknown && call.is_write() {
                state.maybe_applied = MaybeApplied::Unknown;
            }
            self.prepare_retry(call, context, error, &mut state).await?;
        }
    }

    /// Waits for a permit, sends once, and reports the response to the rate limiter.
    async fn attempt<T>(
        &self,
        call: &Call<'_, T>,
        context: RequestContext<'_>,
        state: &mut AttemptState,
    ) -> Result<Attempt<T>, SendError> {
        let class = if call.is_write() { RequestClass::Write } else { RequestClass::Read };
        let permit = self.acquire_permit(class, call.written_location(), context, state.maybe_applied).await?;
        let Some(in_flight) = permit else { return Ok(Attempt::LockedMeanwhile) };
        state.sent += 1;
        state.token_generation = self.token_generation.get();
        self.count(|statistics| {
            statistics.requests += 1;
            statistics.writes += u64::from(call.is_write());
            statistics.retries += u64::from(state.sent > 1);
        });
        let abandoned = async {
            // A cancelled read loses nothing.
            if call.is_write() {
                self.shutdown.wait_immediate().await;
            } else {
                self.stopped(context.priority).await;
            }
        };
        let attempt = info_span!("request", what = call.request.purpose, attempt = state.sent);
        let response = match select(pin!(call.send_once(&*self.api).instrument(attempt)), pin!(abandoned)).await {
            Either::Left((response, _)) => response,
            Either::Right(_) if !call.is_write() => return Err(SendError::Cancelled),
            Either::Right(_) => {
                let error = ApiError::no_response(
                    ErrorClass::Transient,
                    "cancelled before the response arrived",
                    MaybeApplied::Unknown,
                );
                return Err(SendError::Failed(error));
            }
        };
        let is_refused = match &response {
            Ok(_) => {
                self.overload.succeeded();
                false
            }
            Err(error) => {
                error.class == ErrorClass::RateLimited
                    || self.overload.is_refusal(error, &mut state.met, self.clock.now())
            }
        };
        // Before the next request is woken, which may be of the same location.
        if let (Some(location), Err(error)) = (call.written_location(), &response)
            && error.class == ErrorClass::Locked
        {
            let until = self.clock.now() + self.retry_policy.shortest_lock(error.retry_after);
            self.locks.borrow_mut().record(location, Lock { until, response: error.clone() });
        }
        in_flight.complete(&response, is_refused);
        if !is_refused && !response.as_ref().is_err_and(|error| error.status.is_none()) {
            self.rate_limited_since.set(None);
        }
        // What may have been applied and must not be repeated stays what it is; only the pace heeds the refusal.
        let becomes_limited = is_refused && call.effect != Effect::Adds;
        Ok(Attempt::Answered(response.map_err(|error| match becomes_limited {
            true => ApiError { class: ErrorClass::RateLimited, ..error },
            false => error,
        })))
    }

    /// Gets ready for another attempt after an error; fails if there is to be none.
    async fn prepare_retry<T>(
        &self,
        call: &Call<'_, T>,
        context: RequestContext<'_>,
        error: ApiError,
        state: &mut AttemptState,
    ) -> Result<(), SendError> {
        let now = self.clock.now();
        self.record_failure(&error, now);
        state.record_failure(error.class, now);
        let attempt = FailedAttempt {
            error: &error,
            now,
            effect: call.effect,
            paused_until: self.rate_limiter.borrow().paused_until(now),
            rate_limited_since: self.rate_limited_since.get(),
        };
        let decision = self.retry_policy.decide(attempt, state, &mut self.rng.borrow_mut());
        let maybe_applied = state.maybe_applied;
        let fail = |reason: Option<String>| {
            let error = error.clone();
            let error = match reason {
                Some(reason) => error.with_context(&reason),
                None => error,
            };
            Err(SendError::Failed(ApiError { applied: maybe_applied, ..error }))
        };
        match decision {
            RetryDecision::Retry => Ok(()),
            RetryDecision::RetryAt(until) => {
                let event = RetryEvent::Retrying { attempts: state.failed, until, maybe_applied: error.applied };
                self.wait_until(until, event, context, maybe_applied).await
            }
            RetryDecision::RefreshToken => match self.refresh_token_once(context, state).await {
                RefreshOutcome::Refreshed => Ok(()),
                RefreshOutcome::Unavailable => fail(None),
                RefreshOutcome::Cancelled => Err(self.cancellation_error(maybe_applied)),
                RefreshOutcome::Failed(reason) => fail(Some(format!("cannot refresh the token: {reason}"))),
            },
            RetryDecision::Locked { until, give_up } => {
                state.lock = Some((now, until.duration_since(now)));
                if let Some(location) = call.location {
                    self.locks.borrow_mut().record(location, Lock { until, response: error.clone() });
                }
                if let Some(reason) = give_up {
                    return fail(Some(reason));
                }
                self.wait_out_lock(until, true, context, maybe_applied).await
            }
            RetryDecision::Fail(reason) => fail(reason),
            RetryDecision::RateLimitTimeout(reason) => {
                self.shutdown.request(ShutdownLevel::Graceful(ShutdownReason::RateLimitTimeout));
                fail(Some(reason))
            }
        }
    }

    /// Records what an error says about the API as a whole.
    fn record_failure(&self, error: &ApiError, now: Instant) {
        if error.class != ErrorClass::Transient {
            self.circuit_breaker.borrow_mut().record_success();
        } else if self.circuit_breaker.borrow_mut().record_failure(now) {
            self.shutdown.request(ShutdownLevel::Graceful(ShutdownReason::CircuitBreakerOpen));
        }
        if error.class == ErrorClass::RateLimited {
            self.count(|statistics| statistics.rate_limited += 1);
            self.rate_limited_since.set(self.rate_limited_since.get().or(Some(now)));
        }
    }

    /// Waits for a lock that another request to the location has met, and returns how long that was.
    async fn wait_for_lock(
        &self,
        location: &LocationId,
        context: RequestContext<'_>,
        state: &AttemptState,
    ) -> Result<Duration, SendError> {
        let now = self.clock.now();
        let Some(Lock { until, response }) = self.locks.borrow_mut().active(now, location) else {
            return Ok(Duration::ZERO);
        };
        let wait = until.duration_since(now);
        if wait > self.retry_policy.lock_timeout {
            let error = response.with_context(&self.retry_policy.lock_timeout_message(Some(wait)));
            return Err(SendError::Failed(ApiError { applied: state.maybe_applied, ..error }));
        }
        self.wait_out_lock(until, false, context, state.maybe_applied).await?;
        Ok(wait)
    }

    /// Waits for the end of a lock, and for the turn after it; `is_refusal` says that this request has met it.
    async fn wait_out_lock(
        &self,
        until: Instant,
        is_refusal: bool,
        context: RequestContext<'_>,
        maybe_applied: MaybeApplied,
    ) -> Result<(), SendError> {
        self.wait_until(until, RetryEvent::Locked { until, is_refusal }, context, maybe_applied).await?;
        match context.after_lock {
            Some(after_lock) if !after_lock().await => Err(self.cancellation_error(maybe_applied)),
            Some(_) | None => Ok(()),
        }
    }

    async fn wait_until(
        &self,
        until: Instant,
        event: RetryEvent,
        context: RequestContext<'_>,
        maybe_applied: MaybeApplied,
    ) -> Result<(), SendError> {
        (context.on_event)(event);
        let stopped = pin!(self.stopped(context.priority));
        let end = select(self.clock.sleep_until(until), stopped).await;
        if matches!(event, RetryEvent::Locked { .. }) {
            (context.on_event)(RetryEvent::Unlocked);
        }
        match end {
            Either::Left(_) => Ok(()),
            Either::Right(_) => Err(self.cancellation_error(maybe_applied)),
        }
    }

    /// Whether a shutdown ends what has this priority.
    pub fn is_stopped(&self, priority: Priority) -> bool {
        match self.shutdown.level() {
            ShutdownLevel::Running => false,
            // A write that may have been applied is not sent again; one read confirms it.
            ShutdownLevel::Graceful(_) => priority == Priority::Normal,
            ShutdownLevel::Immediate => true,
        }
    }

    /// Waits until a shutdown ends what has this priority.
    pub async fn stopped(&self, priority: Priority) {
        match priority {
            Priority::Normal => {
                self.shutdown.requested().await;
            }
            Priority::Cleanup => self.shutdown.wait_immediate().await,
        }
    }

    pub(super) fn cancellation_error(&self, maybe_applied: MaybeApplied) -> SendError {
        match maybe_applied {
            MaybeApplied::No => SendError::Cancelled,
            MaybeApplied::Unknown => SendError::Failed(ApiError::no_response(
                ErrorClass::Transient,
                "cancelled before the write was confirmed",
                MaybeApplied::Unknown,
            )),
        }
    }

    pub(super) fn count(&self, add: impl FnOnce(&mut Statistics)) {
        let mut statistics = self.statistics.get();
        add(&mut statistics);
        self.statistics.set(statistics);
    }
}

/// Waits that are at least this long are reported.
const MIN_REPORTED_WAIT: Duration = Duration::from_secs(4);

/// Called on every wait that is worth reporting.
pub type WaitObserver = Rc<dyn Fn(Wait)>;

/// A wait that is worth reporting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub reason: WaitReason,
    pub duration: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// 429
    RateLimited,
    /// 423
    Locked,
    /// A 5xx or a missing response; the request is repeated.
    Failed,
    /// A list does not show yet what was written before; it is read again until it does, for as long at most.
    Lagging,
}
