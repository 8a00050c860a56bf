//! One a process: whoever talks to the API does it through here, at one common pace.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, select};
use tracing::{Instrument, info_span, warn};

use super::breaker::Breaker;
use super::call::{Call, CallEvent, GaveUp, Progress, Renewed, Urgency};
use super::locks::{Lock, Locks};
use super::pacer::Pacer;
use super::retries::{Bounds, pause};
use super::statistics::Statistics;
use crate::model::{LiveState, LocationId, Network, NetworkId, Settings};
use crate::runtime::{Clock, Instant, SeededRng, Shutdown, ShutdownLevel, ShutdownReason, Wakeup};
use crate::webex::{ApiError, ApiFuture, DectApi, ErrorClass, MaybeApplied, RetryAfter, UpdateAck};

/// Sends requests until each has an end.
pub struct Sender {
    pub(super) api: Rc<dyn DectApi>,
    pub(super) clock: Clock,
    pub(super) rng: RefCell<SeededRng>,
    pub(super) pacer: RefCell<Pacer>,
    pub(super) bounds: Bounds,
    pub(super) breaker: RefCell<Breaker>,
    locks: RefCell<Locks>,
    pub(super) statistics: Cell<Statistics>,
    pub(super) shutdown: Shutdown,
    /// Rung when an answer comes: whoever is next may look again.
    pub(super) answers: Wakeup,
    /// Held by whoever is next, so that waiting costs one sleeper, not one for each request.
    pub(super) queue: futures::lock::Mutex<()>,
    pub(super) renewing: futures::lock::Mutex<()>,
    /// How many tokens there have been beside the first.
    pub(super) tokens: Cell<u64>,
}

impl Sender {
    /// Sends through `api`.
    pub fn new(
        api: Rc<dyn DectApi>,
        clock: Clock,
        rng: SeededRng,
        pacer: Pacer,
        bounds: Bounds,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            api,
            clock,
            rng: RefCell::new(rng),
            pacer: RefCell::new(pacer),
            bounds,
            breaker: RefCell::default(),
            locks: RefCell::default(),
            statistics: Cell::default(),
            shutdown,
            answers: Wakeup::default(),
            queue: futures::lock::Mutex::new(()),
            renewing: futures::lock::Mutex::new(()),
            tokens: Cell::new(0),
        }
    }

    /// Its clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The wish to stop that it obeys.
    pub const fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// What was sent so far.
    pub fn statistics(&self) -> Statistics {
        self.statistics.get()
    }

    /// Until when everybody is asked to be silent, if so.
    pub fn paused_until(&self) -> Option<Instant> {
        self.pacer.borrow().paused_until(self.clock.now())
    }

    /// Reads the organization.
    ///
    /// # Errors
    /// When no attempt succeeded, or a stop was asked for first.
    pub async fn list(&self, urgency: Urgency) -> Result<LiveState, GaveUp> {
        self.call(Kind::Read { what: "list", location: None }, Call { urgency, ..Call::QUIET }, || self.api.list())
            .await
    }

    /// Reads the organization, byte by byte as it was sent.
    ///
    /// # Errors
    /// When no attempt succeeded, or a stop was asked for first.
    pub async fn list_raw(&self) -> Result<Vec<u8>, GaveUp> {
        self.call(Kind::Read { what: "list", location: None }, Call::QUIET, || self.api.list_raw()).await
    }

    /// Waits, unless everything must be dropped.
    pub async fn wait(&self, duration: Duration) {
        select(self.clock.sleep(duration), pin!(self.shutdown.wait_immediate())).await;
    }

    /// Reads one network.
    ///
    /// # Errors
    /// When no attempt succeeded, or a stop was asked for first.
    pub async fn get(&self, location: &LocationId, network: &NetworkId, call: Call<'_>) -> Result<Network, GaveUp> {
        self.call(Kind::Read { what: "get", location: Some(location) }, call, || self.api.get(location, network)).await
    }

    /// Writes one network.
    ///
    /// # Errors
    /// When no attempt was acknowledged, or a stop was asked for first.
    pub async fn update(
        &self,
        location: &LocationId,
        network: &NetworkId,
        settings: &Settings,
        call: Call<'_>,
    ) -> Result<UpdateAck, GaveUp> {
        self.call(Kind::Write { what: "update", location }, call, || {
            self.count(|statistics| statistics.writes += 1);
            self.api.update(location, network, settings)
        })
        .await
    }

    async fn call<'a, T>(
        &self,
        kind: Kind<'_>,
        call: Call<'_>,
        send: impl Fn() -> ApiFuture<'a, T>,
    ) -> Result<T, GaveUp> {
        let mut progress = Progress::default();
        // Reading is not what a lock is about.
        if let Kind::Write { location, .. } = kind {
            progress.locked_for = self.wait_for_the_lock(location, call).await?;
        }
        loop {
            let answer = self.attempt(kind, call, &mut progress, &send).await?;
            let error = match answer {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if error.applied == MaybeApplied::Unknown {
                progress.maybe_applied = MaybeApplied::Unknown;
            }
            match self.after(kind, call, &error, &mut progress).await {
                Next::Again => {}
                Next::WaitAlone { until, event } => {
                    self.wait_alone(until, event, call, progress.maybe_applied).await?;
                }
                Next::CalledOff => return Err(self.not_sent(progress.maybe_applied)),
                Next::GiveUp => {
                    return Err(GaveUp::Failed(ApiError { applied: progress.maybe_applied, ..error }));
                }
                Next::GiveUpSince(reason) => {
                    let error = error.with_context(&reason);
                    return Err(GaveUp::Failed(ApiError { applied: progress.maybe_applied, ..error }));
                }
            }
        }
    }

    /// Waits for its turn, sends once, and tells the pacer how it went.
    async fn attempt<'a, T>(
        &self,
        kind: Kind<'_>,
        call: Call<'_>,
        progress: &mut Progress,
        send: &impl Fn() -> ApiFuture<'a, T>,
    ) -> Result<Result<T, ApiError>, GaveUp> {
        let in_flight = self.turn(call, progress.maybe_applied).await?;
        progress.sent += 1;
        progress.sent_with = self.tokens.get();
        self.count(|statistics| {
            statistics.requests += 1;
            statistics.retries += u64::from(progress.sent > 1);
        });
        let abandoned = async {
            match kind {
                // Nothing is lost with an answer that nobody needs any more.
                Kind::Read { .. } => self.called_off(call, MaybeApplied::No).await,
                Kind::Write { .. } => self.shutdown.wait_immediate().await,
            }
        };
        let attempt = info_span!("request", what = kind.name(), attempt = progress.sent);
        let answer = match select(pin!(send().instrument(attempt)), pin!(abandoned)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) if matches!(kind, Kind::Read { .. }) => return Err(GaveUp::NotSent),
            Either::Right(_) => {
                let error = ApiError::no_response(
                    ErrorClass::Transient,
                    "stopped before the answer came",
                    MaybeApplied::Unknown,
                );
                return Err(GaveUp::Failed(error));
            }
        };
        in_flight.landed(&answer);
        Ok(answer)
    }

    /// Decides what follows an error.
    async fn after(&self, kind: Kind<'_>, call: Call<'_>, error: &ApiError, progress: &mut Progress) -> Next {
        let now = self.clock.now();
        match error.class {
            ErrorClass::RateLimited => {
                self.breaker.borrow_mut().works();
                self.count(|statistics| statistics.rate_limited += 1);
                let until = self.pacer.borrow().paused_until(now);
                match until {
                    Some(until) if until.duration_since(now) > self.bounds.longest_pause => {
                        warn!(
                            wait_s = until.duration_since(now).as_secs(),
                            "the API asks for a pause that is too long"
                        );
                        Next::GiveUp
                    }
                    _ => Next::Again,
                }
            }
            ErrorClass::Locked => {
                self.breaker.borrow_mut().works();
                if let Some((met, waited)) = progress.lock {
                    progress.locked_for += now.duration_since(met).min(waited.max(MOST_BETWEEN_LOCKS));
                }
                progress.locks += 1;
                let named = error.retry_after.and_then(RetryAfter::wait).map(|wait| wait.max(SHORTEST_LOCK));
                let own = pause(progress.locks, None, &mut self.rng.borrow_mut()).max(SHORTEST_LOCK);
                let left = self.bounds.lock_timeout.saturating_sub(progress.locked_for);
                // A pause of our own is no reason to give up early.
                let wait = named.unwrap_or(own.min(left.max(SHORTEST_LOCK)));
                let until = now + wait;
                progress.lock = Some((now, wait));
                if let Some(location) = kind.location() {
                    self.locks.borrow_mut().met(location, Lock { until, answer: error.clone() });
                }
                if left.is_zero() || named.is_some_and(|named| named > left) {
                    Next::GiveUpSince(self.too_long_a_lock(named))
                } else {
                    Next::WaitAlone { until, event: CallEvent::Locked { until } }
                }
            }
            ErrorClass::Unauthorized => {
                self.breaker.borrow_mut().works();
                if error.status != Some(401) {
                    return Next::GiveUp;
                }
                match self.renew(call, progress).await {
                    Renewed::Yes => Next::Again,
                    Renewed::No => Next::GiveUp,
                    Renewed::CalledOff => Next::CalledOff,
                    Renewed::Refused(reason) => Next::GiveUpSince(format!("there is no new token: {reason}")),
                }
            }
            ErrorClass::Transient => {
                if self.breaker.borrow_mut().failed() {
                    self.shutdown.request(ShutdownLevel::Graceful(ShutdownReason::CircuitBreakerOpen));
                }
                progress.failed += 1;
                if progress.failed >= self.bounds.max_attempts {
                    return Next::GiveUp;
                }
                let wait = pause(progress.failed, error.retry_after, &mut self.rng.borrow_mut());
                if wait > self.bounds.longest_pause {
                    return Next::GiveUp;
                }
                let until = now + wait;
                Next::WaitAlone { until, event: CallEvent::Retrying { attempts: progress.failed, until } }
            }
            ErrorClass::NotFound | ErrorClass::Conflict | ErrorClass::Permanent => {
                self.breaker.borrow_mut().works();
                Next::GiveUp
            }
        }
    }

    /// Waits as long as another call was told to, and says how long that was.
    async fn wait_for_the_lock(&self, location: &LocationId, call: Call<'_>) -> Result<Duration, GaveUp> {
        let now = self.clock.now();
        let Some(Lock { until, answer }) = self.locks.borrow_mut().at(now, location) else {
            return Ok(Duration::ZERO);
        };
        let wait = until.duration_since(now);
        if wait > self.bounds.lock_timeout {
            return Err(GaveUp::Failed(answer.with_context(&self.too_long_a_lock(Some(wait)))));
        }
        self.wait_alone(until, CallEvent::Locked { until }, call, MaybeApplied::No).await?;
        Ok(wait)
    }

    /// Why a lock is waited for no longer; `named` is how long the API says that it will last.
    fn too_long_a_lock(&self, named: Option<Duration>) -> String {
        let most = self.bounds.lock_timeout;
        match named.filter(|named| *named > most) {
            Some(named) => format!("it asks to wait for {named:.1?}, --lock-timeout is {most:?}"),
            None => format!("it stays so for longer than --lock-timeout, {most:?}"),
        }
    }

    async fn wait_alone(
        &self,
        until: Instant,
        event: CallEvent,
        call: Call<'_>,
        maybe_applied: MaybeApplied,
    ) -> Result<(), GaveUp> {
        (call.tell)(event);
        let called_off = pin!(self.called_off(call, maybe_applied));
        let end = select(self.clock.sleep_until(until), called_off).await;
        if matches!(event, CallEvent::Locked { .. }) {
            (call.tell)(CallEvent::Unlocked);
        }
        match end {
            Either::Left(_) => Ok(()),
            Either::Right(_) => Err(self.not_sent(maybe_applied)),
        }
    }

    pub(super) fn is_called_off(&self, call: Call<'_>, maybe_applied: MaybeApplied) -> bool {
        match self.shutdown.level() {
            ShutdownLevel::Running => false,
            // What may have been applied is asked for until it is known, as long as there is time.
            ShutdownLevel::Graceful(_) => call.urgency == Urgency::Work && maybe_applied == MaybeApplied::No,
            ShutdownLevel::Immediate => true,
        }
    }

    pub(super) async fn called_off(&self, call: Call<'_>, maybe_applied: MaybeApplied) {
        if call.urgency == Urgency::Work && maybe_applied == MaybeApplied::No {
            self.shutdown.requested().await;
        } else {
            self.shutdown.wait_immediate().await;
        }
    }

    pub(super) fn not_sent(&self, maybe_applied: MaybeApplied) -> GaveUp {
        match maybe_applied {
            MaybeApplied::No => GaveUp::NotSent,
            MaybeApplied::Unknown => GaveUp::Failed(ApiError::no_response(
                ErrorClass::Transient,
                "stopped before it was known whether the write was applied",
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

/// So much between two answers is taken for the time of one lock, if neither says more; the rest is what a limit or an
/// outage has cost.
const MOST_BETWEEN_LOCKS: Duration = Duration::from_secs(30);

/// A lock that names no time, or none at all, is not asked about more often than this.
const SHORTEST_LOCK: Duration = Duration::from_millis(250);

/// What a call does, and what it is called in the log.
#[derive(Clone, Copy)]
enum Kind<'a> {
    Read { what: &'static str, location: Option<&'a LocationId> },
    Write { what: &'static str, location: &'a LocationId },
}

impl<'a> Kind<'a> {
    const fn name(self) -> &'static str {
        match self {
            Self::Read { what, .. } | Self::Write { what, .. } => what,
        }
    }

    /// The location that it is about.
    const fn location(self) -> Option<&'a LocationId> {
        match self {
            Self::Read { location, .. } => location,
            Self::Write { location, .. } => Some(location),
        }
    }
}

enum Next {
    Again,
    CalledOff,
    WaitAlone {
        until: Instant,
        event: CallEvent,
    },
    GiveUp,
    /// The same, with more to say than the answer does.
    GiveUpSince(String),
}
