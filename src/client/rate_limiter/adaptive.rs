//! An adaptive client-side rate limiter: asked before every request, informed of every response.
//!
//! Unlimited until the first 429: small jobs are then as fast as concurrency allows, which no fixed rate is. A 429
//! pauses all requests until `Retry-After`. From then on one of two models decides when the next request may be sent; a
//! later 429 may show that the other model is right.

use std::time::Duration;

use super::bucket::Bucket;
use super::fixed_rate::{FixedRateLimiter, Rate};
use super::request_log::RequestLog;
use super::throttle_event::{ResetEstimate, ThrottleEvent};
use super::window::{Availability, Window};
use crate::runtime::{Instant, SeededRng};
use crate::webex::RetryAfter;

/// Whether a request may be sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may; the permit is returned with the response.
    Granted(Permit),
    /// Not before this instant.
    RetryAt(Instant),
    /// Not before a response has arrived.
    AfterNextResponse,
}

/// The permission to send one request.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    id: u64,
    epoch: u32,
    /// Whether it probes for the end of a pause.
    is_probe: bool,
}

/// A response, as far as a rate limiter is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseKind {
    /// It was let in and used quota, whatever its result.
    Accepted,
    /// 429.
    Throttled(Option<RetryAfter>),
    /// No response. It counts as let in.
    NoResponse,
}

/// Decides when the next request may go.
#[derive(Debug)]
pub struct RateLimiter {
    concurrency: usize,
    /// Maximum number in flight; low after a pause, raised with every success.
    concurrency_limit: usize,
    fixed_rate: Option<FixedRateLimiter>,
    log: RequestLog,
    model: LimiterModel,
    resume_at: Instant,
    /// Counts pauses: a response to a request from before the last pause carries no new information.
    epoch: u32,
    throttle_event: Option<ThrottleEvent>,
    last_reset: Option<ResetEstimate>,
    /// The last event and the model before it, until a request is let in: if none is, the pause was too short and what
    /// was learned from it is wrong.
    unconfirmed: Option<(ThrottleEvent, LimiterModel)>,
    /// How often a `Retry-After` was too short.
    misleading_headers: u32,
    /// When the last request was let in, or the first one sent.
    last_admitted: Option<Instant>,
}

#[derive(Clone, Debug)]
enum LimiterModel {
    /// Nothing was refused yet.
    Unlimited,
    /// A window, and a bucket beside it that had shown itself before: two limits at once, of which either may be the
    /// tighter one.
    Window(Window, Option<Bucket>),
    Bucket(Bucket),
}

/// Shortest wait before a probe.
const MIN_PROBE_WAIT: Duration = Duration::from_millis(400);

/// Longest wait before a probe.
const MAX_PROBE_WAIT: Duration = Duration::from_secs(60);

/// A probe is sent after this fraction of the time since the last request was let in: the end of a pause is then known
/// to a quarter of its length, at the cost of a logarithmic number of refusals.
const PROBE_FRACTION: u32 = 4;

/// From this number of pauses that were too short, `Retry-After` is a lower bound only.
const MAX_MISLEADING_HEADERS: u32 = 2;

/// A pause of zero would run into the same refusal.
const MIN_BACKOFF: Duration = Duration::from_millis(200);

/// Concurrency after a pause, and its increase with every success.
const RESUME_CONCURRENCY: usize = 4;
const RAMP_UP_STEP: usize = 2;

impl RateLimiter {
    /// At most `concurrency` requests in flight, never faster than `fixed_rate`.
    pub fn new(concurrency: usize, fixed_rate: Option<Rate>) -> Self {
        let concurrency = concurrency.max(1);
        Self {
            concurrency,
            concurrency_limit: concurrency,
            fixed_rate: fixed_rate.and_then(FixedRateLimiter::new),
            log: RequestLog::default(),
            model: LimiterModel::Unlimited,
            resume_at: Instant::START,
            epoch: 0,
            throttle_event: None,
            last_reset: None,
            unconfirmed: None,
            misleading_headers: 0,
            last_admitted: None,
        }
    }

    /// Until when all requests are paused, if that is later than `now`.
    pub fn paused_until(&self, now: Instant) -> Option<Instant> {
        (self.resume_at > now).then_some(self.resume_at)
    }

    /// The limit that the model assumes, for people; `None` while nothing is known.
    pub fn describe(&self) -> Option<String> {
        match &self.model {
            LimiterModel::Unlimited => None,
            LimiterModel::Window(window, bucket) => match bucket.as_ref().and_then(Bucket::describe) {
                Some(bucket) => Some(format!("{} and {bucket}", window.describe())),
                None => Some(window.describe()),
            },
            LimiterModel::Bucket(bucket) => bucket.describe(),
        }
    }

    /// Requests a permit.
    ///
    /// Four gates, in this order: the common pause after a 429; the number in flight, which ramps up after a pause; the
    /// model of the limit (requests counted per window, or tokens of a bucket); the configured maximum rate. A permit
    /// is recorded in the log as sent, and every response returns it.
    pub fn try_acquire(&mut self, now: Instant) -> Admission {
        if self.resume_at > now {
            return Admission::RetryAt(self.resume_at);
        }
        match self.throttle_event.take() {
            Some(mut throttle_event) if throttle_event.is_told => match self.unconfirmed.take() {
                // Nothing was let in since the last pause: it was too short, and what was learned from it is taken back.
                Some((before, model)) if self.log.in_flight() == 0 => {
                    throttle_event.continues(&before);
                    self.throttle_event = Some(throttle_event);
                    self.model = model;
                    self.misleading_headers += 1;
                    return self.try_acquire(now);
                }
                _ => self.update_model(throttle_event, now),
            },
            // Only one probe is in flight at a time.
            Some(throttle_event) => {
                self.throttle_event = Some(throttle_event);
                if self.log.in_flight() > 0 {
                    return Admission::AfterNextResponse;
                }
                if let Some(Err(until)) = self.fixed_rate.as_ref().map(|fixed_rate| fixed_rate.take(now)) {
                    return Admission::RetryAt(until);
                }
                return Admission::Granted(Permit { id: self.log.sent(now), epoch: self.epoch, is_probe: true });
            }
            None => {}
        }
        if self.log.in_flight() >= self.concurrency_limit {
            return Admission::AfterNextResponse;
        }
        let availability = match &mut self.model {
            LimiterModel::Unlimited => Availability::Now,
            LimiterModel::Window(window, bucket) => match (window.availability(&self.log, now), bucket) {
                (Availability::Now, Some(bucket)) => bucket.availability(&self.log, now),
                (availability, _) => availability,
            },
            LimiterModel::Bucket(bucket) => bucket.availability(&self.log, now),
        };
        match availability {
            Availability::At(until) => return Admission::RetryAt(until),
            Availability::AfterNextResponse => return Admission::AfterNextResponse,
            Availability::Now => {}
        }
        if let Some(Err(until)) = self.fixed_rate.as_ref().map(|fixed_rate| fixed_rate.take(now)) {
            return Admission::RetryAt(until);
        }
        if let LimiterModel::Bucket(bucket) | LimiterModel::Window(_, Some(bucket)) = &mut self.model {
            bucket.take(now);
        }
        self.last_admitted.get_or_insert(now);
        Admission::Granted(Permit { id: self.log.sent(now), epoch: self.epoch, is_probe: false })
    }

    /// Returns a permit.
    pub fn record_response(&mut self, permit: Permit, answer: ResponseKind, now: Instant, rng: &mut SeededRng) {
        let current = permit.epoch == self.epoch;
        let ResponseKind::Throttled(retry_after) = answer else {
            let accounted_at = self.log.admitted(permit.id, now);
            self.last_admitted = Some(now);
            if current {
                self.unconfirmed = None;
            }
            if permit.is_probe
                && matches!(answer, ResponseKind::Accepted)
                && let Some(mut throttle_event) = self.throttle_event.take()
            {
                throttle_event.observed(accounted_at);
                self.update_model(throttle_event, now);
                // The probe itself has shown that the pause is over.
                self.unconfirmed = None;
            } else if current && self.throttle_event.is_none() {
                self.admitted();
            }
            return;
        };
        let decided = self.log.refused(permit.id, now);
        // Zero carries no information, like a missing or malformed header.
        let named = retry_after.and_then(RetryAfter::wait).filter(|wait| !wait.is_zero());
        let is_told = named.is_some() && self.misleading_headers < MAX_MISLEADING_HEADERS;
        if current {
            let throttle_event = self.throttle_event.get_or_insert_with(|| ThrottleEvent::begin(decided, is_told));
            throttle_event.is_told &= is_told;
            throttle_event.refused(decided, named.filter(|_| is_told));
        }
        let is_told = self.throttle_event.as_ref().is_none_or(|event| event.is_told);
        let pause = match named {
            // A received `Retry-After` always applies.
            Some(named) if is_told => named.max(MIN_BACKOFF),
            named => self.probe_wait(now, rng).max(named.unwrap_or_default()),
        };
        self.resume_at = self.resume_at.max(now + pause);
    }

    fn admitted(&mut self) {
        self.concurrency_limit = (self.concurrency_limit + RAMP_UP_STEP).min(self.concurrency);
        match &mut self.model {
            LimiterModel::Unlimited => {}
            LimiterModel::Window(window, bucket) => {
                window.admitted(&self.log);
                if let Some(bucket) = bucket {
                    bucket.admitted();
                }
            }
            LimiterModel::Bucket(bucket) => bucket.admitted(),
        }
    }

    /// Updates the model after a pause, from all 429s that belong to it (one throttle event).
    ///
    /// The model is chosen by the length of the wait: a long one is the rest of a window, a short one the refill of a
    /// bucket. A known model is corrected by what the event contradicts, and replaced if the event fits the other one.
    fn update_model(&mut self, throttle_event: ThrottleEvent, now: Instant) {
        self.unconfirmed = Some((throttle_event.clone(), self.model.clone()));
        self.revise_model(throttle_event, now);
        if let Some(limit) = self.describe() {
            tracing::info!(limit, "rate limit estimated");
        }
    }

    fn revise_model(&mut self, throttle_event: ThrottleEvent, now: Instant) {
        self.epoch += 1;
        self.concurrency_limit = (self.concurrency / 2).clamp(1, RESUME_CONCURRENCY);
        match (&mut self.model, throttle_event.long(), throttle_event.reset) {
            // A short wait long before the window is used up comes from the other limit.
            (LimiterModel::Window(window, Some(bucket)), None, _)
                if !window.is_nearly_used(throttle_event.began, &self.log) =>
            {
                bucket.refused(throttle_event.began, &self.log, now, self.concurrency);
                return;
            }
            (LimiterModel::Window(window, _), _, Some(reset)) => {
                if !window.refused(throttle_event.began, reset, &self.log) {
                    self.model = LimiterModel::Bucket(Bucket::on_empty(throttle_event.began));
                }
            }
            (LimiterModel::Unlimited, Some(reset), _) => {
                self.model = LimiterModel::Window(Window::from_first(reset, &self.log, now), None)
            }
            // A window that was first met near its end looked like a bucket.
            (LimiterModel::Bucket(bucket), Some(reset), _) => {
                let established = bucket.is_established().then(|| bucket.clone());
                let window = match self.last_reset {
                    // The resets of a bucket say nothing about the window.
                    Some(before) if established.is_none() => Window::between(before, reset, &self.log),
                    _ => Window::from_first(reset, &self.log, now),
                };
                self.model = LimiterModel::Window(window, established);
            }
            (LimiterModel::Bucket(bucket), None, _) => {
                bucket.refused(throttle_event.began, &self.log, now, self.concurrency);
            }
            (LimiterModel::Unlimited | LimiterModel::Window(..), None, _)
            | (LimiterModel::Window(..), Some(_), None) => {
                self.model = LimiterModel::Bucket(Bucket::on_empty(throttle_event.began));
            }
        }
        self.last_reset = match &self.model {
            LimiterModel::Window(window, _) => Some(window.reset()),
            _ => throttle_event.reset.or(self.last_reset),
        };
    }

    /// The wait before the next probe: a growing share of the time since the last request was let in, with jitter.
    fn probe_wait(&self, now: Instant, rng: &mut SeededRng) -> Duration {
        let waited = self.last_admitted.map_or(Duration::ZERO, |admitted| now.duration_since(admitted));
        let wait = (waited / PROBE_FRACTION).clamp(MIN_PROBE_WAIT, MAX_PROBE_WAIT);
        wait + rng.full_jitter(wait / 10)
    }
}
