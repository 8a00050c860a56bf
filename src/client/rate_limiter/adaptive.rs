//! An adaptive client-side rate limiter: asked before every request, informed of every response.
//!
//! Unlimited until the first 429: small jobs are then as fast as concurrency allows, which no fixed rate is. A 429
//! pauses all requests until `Retry-After`, or until a single request finds out where that is missing or wrong. From
//! then on the limits that have shown themselves decide, together, when the next request may be sent.

use std::time::Duration;

use super::availability::Availability;
use super::concurrency::Concurrency;
use super::fixed_rate::{FixedRateLimiter, Rate};
use super::limits::Limits;
use super::request_log::RequestLog;
use super::throttle_event::ThrottleEvent;
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
    is_read: bool,
    /// Whether it probes for the end of a pause.
    is_probe: bool,
}

/// Whether a request changes something: most limits are about writes only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestClass {
    Read,
    Write,
}

/// A response, as far as a rate limiter is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseKind {
    /// It was let in and used quota, whatever its result.
    Accepted,
    /// 429.
    Throttled(Option<RetryAfter>),
    /// No response, or a failure of the server. It counts as let in, and says nothing.
    NoResult,
}

/// Decides when the next request may go.
#[derive(Debug)]
pub struct RateLimiter {
    concurrency: Concurrency,
    /// The same of reads, as long as no limit counts them: how many writes are in flight at the first refusal is not theirs.
    read_concurrency: Concurrency,
    fixed_rate: Option<FixedRateLimiter>,
    log: RequestLog,
    limits: Limits,
    resume_at: Instant,
    /// Counts pauses: a response to a request from before the last pause carries no new information.
    epoch: u32,
    throttle_event: Option<ThrottleEvent>,
    /// The last event and the limits before it, until a request is let in: if none is, the pause was too short and what
    /// was learned from it is wrong.
    unconfirmed: Option<(ThrottleEvent, Limits)>,
    /// How often a `Retry-After` was too short.
    misleading_headers: u32,
    /// When the last request was let in, or the first one sent.
    last_admitted: Option<Instant>,
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

/// Whether the end of a pause is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PauseEnd {
    /// There was none.
    NotPaused,
    /// The limits learn from the refusals.
    Over,
    /// Nothing was let in since the pause before: that was too short, and what was learned from it is taken back.
    TooShort,
    /// No header has named it: a probe finds it out.
    NotTold,
}

impl PauseEnd {
    /// `told`: whether headers have named the end of the pause, if there is one. `is_unconfirmed`: no request was let in since
    /// the pause before.
    const fn of(told: Option<bool>, is_unconfirmed: bool, in_flight: usize) -> Self {
        match told {
            None => Self::NotPaused,
            Some(false) => Self::NotTold,
            // What is still in flight may have been let in.
            Some(true) if is_unconfirmed && in_flight == 0 => Self::TooShort,
            Some(true) => Self::Over,
        }
    }
}

impl RateLimiter {
    /// At most `concurrency` requests in flight; without it, as many as do no harm. Never faster than `fixed_rate`.
    pub fn new(concurrency: Option<usize>, fixed_rate: Option<Rate>) -> Self {
        Self {
            concurrency: Concurrency::new(concurrency),
            read_concurrency: Concurrency::new(concurrency),
            fixed_rate: fixed_rate.and_then(FixedRateLimiter::new),
            log: RequestLog::default(),
            limits: Limits::default(),
            resume_at: Instant::START,
            epoch: 0,
            throttle_event: None,
            unconfirmed: None,
            misleading_headers: 0,
            last_admitted: None,
        }
    }

    /// The most requests that may ever be in flight.
    pub const fn most_concurrent(&self) -> usize {
        self.concurrency.most()
    }

    /// How many requests find a use at once: a caller needs no more workers.
    pub fn concurrency(&self) -> usize {
        self.concurrency.limit()
    }

    /// Until when all requests are paused, if that is later than `now`.
    pub fn paused_until(&self, now: Instant) -> Option<Instant> {
        (self.resume_at > now).then_some(self.resume_at)
    }

    /// The limits that are assumed, for people; `None` while nothing is known.
    pub fn describe(&self) -> Option<String> {
        self.limits.describe()
    }

    /// Requests a permit.
    ///
    /// Four gates, in this order: the common pause after a 429; the number in flight; the
    /// limits that have shown themselves; the configured maximum rate. A permit is recorded in the log as sent, and
    /// every response returns it.
    pub fn try_acquire(&mut self, kind: RequestClass, now: Instant) -> Admission {
        if self.resume_at > now {
            return Admission::RetryAt(self.resume_at);
        }
        let is_read = kind == RequestClass::Read;
        // A read that is not limited says nothing about a limit.
        let counts = self.log.counts(is_read);
        let is_probe = self.end_pause(now) && counts;
        let availability = if is_probe {
            // Only one probe is in flight at a time.
            if self.log.in_flight() > 0 { Availability::AfterNextResponse } else { Availability::Now }
        } else if self.log.in_flight() >= if counts { &self.concurrency } else { &self.read_concurrency }.limit() {
            Availability::AfterNextResponse
        } else if counts {
            self.limits.availability(&self.log, now)
        } else {
            Availability::Now
        };
        match availability {
            Availability::At(until) => return Admission::RetryAt(until),
            Availability::AfterNextResponse => return Admission::AfterNextResponse,
            Availability::Now => {}
        }
        if let Some(Err(until)) = self.fixed_rate.as_ref().map(|fixed_rate| fixed_rate.take(now)) {
            return Admission::RetryAt(until);
        }
        if counts {
            self.limits.take(now);
        }
        self.last_admitted.get_or_insert(now);
        Admission::Granted(Permit { id: self.log.sent(now, is_read), epoch: self.epoch, is_read, is_probe })
    }

    /// What a pause that has ended has taught; whether a single request must find out if it really has ended.
    fn end_pause(&mut self, now: Instant) -> bool {
        let told = self.throttle_event.as_ref().map(|event| event.is_told);
        let end = PauseEnd::of(told, self.unconfirmed.is_some(), self.log.in_flight());
        match (end, self.throttle_event.take()) {
            (PauseEnd::Over, Some(event)) => self.learn(event, now),
            (PauseEnd::TooShort, Some(mut event)) => {
                if let Some((before, limits)) = self.unconfirmed.take() {
                    event.continues(&before);
                    self.limits = limits;
                    self.misleading_headers += 1;
                }
                self.throttle_event = Some(event);
            }
            (_, event) => self.throttle_event = event,
        }
        matches!(end, PauseEnd::TooShort | PauseEnd::NotTold)
    }

    /// Returns a permit.
    pub fn record_response(&mut self, permit: Permit, response: ResponseKind, now: Instant, rng: &mut SeededRng) {
        let current = permit.epoch == self.epoch;
        let ResponseKind::Throttled(retry_after) = response else {
            return self.admitted(&permit, response == ResponseKind::Accepted, now);
        };
        let decided = self.log.refused(permit.id, now);
        // Zero carries no information, like a missing or malformed header.
        let named = retry_after.and_then(RetryAfter::wait).filter(|wait| !wait.is_zero());
        let is_told = named.is_some() && self.misleading_headers < MAX_MISLEADING_HEADERS;
        if current {
            let event = self.throttle_event.get_or_insert_with(|| ThrottleEvent::begin(decided, is_told));
            event.is_told &= is_told;
            event.refused(decided, named.filter(|_| is_told));
        }
        let is_told = self.throttle_event.as_ref().is_none_or(|event| event.is_told);
        let pause = match named {
            // A received `Retry-After` always applies.
            Some(named) if is_told => named.max(MIN_PROBE_WAIT),
            named => self.probe_wait(now, rng).max(named.unwrap_or_default()),
        };
        self.resume_at = self.resume_at.max(now + pause);
    }

    /// A request was let in; without a result it counts as that, but says nothing.
    fn admitted(&mut self, permit: &Permit, is_answered: bool, now: Instant) {
        let decided = self.log.admitted(permit.id, now);
        if !self.log.counts(permit.is_read) {
            if is_answered && self.throttle_event.is_none() {
                self.read_concurrency.admitted(self.log.latency());
            }
            return;
        }
        let current = permit.epoch == self.epoch;
        self.last_admitted = Some(now);
        if current {
            self.unconfirmed = None;
        }
        if permit.is_probe
            && is_answered
            && let Some(mut event) = self.throttle_event.take()
        {
            event.observed(decided.at);
            self.learn(event, now);
            // The probe itself has shown that the pause is over.
            self.unconfirmed = None;
        } else if current && is_answered && self.throttle_event.is_none() {
            self.concurrency.admitted(self.log.latency());
            self.limits.admitted(decided.crowd, &self.log);
        }
    }

    fn learn(&mut self, event: ThrottleEvent, now: Instant) {
        self.epoch += 1;
        self.concurrency.refused();
        self.read_concurrency.refused();
        let before = self.limits.clone();
        self.limits.refused(&event, &self.log, now);
        match (before.describe(), self.describe()) {
            (Some(before), None) => tracing::info!(before, "rate limit estimate dropped"),
            (before, Some(limit)) if before.as_ref() != Some(&limit) => tracing::info!(limit, "rate limit estimated"),
            _ => {}
        }
        self.unconfirmed = Some((event, before));
    }

    /// The wait before the next probe: a growing share of the time since the last request was let in, with jitter.
    fn probe_wait(&self, now: Instant, rng: &mut SeededRng) -> Duration {
        let waited = self.last_admitted.map_or(Duration::ZERO, |admitted| now.duration_since(admitted));
        let wait = (waited / PROBE_FRACTION).clamp(MIN_PROBE_WAIT, MAX_PROBE_WAIT);
        wait + rng.full_jitter(wait / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_is_taken_back_if_nothing_was_let_in_since() {
        #[rustfmt::skip]
        let cases = [
            // told, unconfirmed, in flight, what the end of the pause means
            (None, false, 0, PauseEnd::NotPaused),
            (None, true, 3, PauseEnd::NotPaused),
            (Some(true), false, 0, PauseEnd::Over),
            (Some(true), true, 1, PauseEnd::Over),
            (Some(true), true, 0, PauseEnd::TooShort),
            (Some(false), false, 0, PauseEnd::NotTold),
            (Some(false), true, 0, PauseEnd::NotTold),
        ];
        for (told, is_unconfirmed, in_flight, expected) in cases {
            assert_eq!(
                PauseEnd::of(told, is_unconfirmed, in_flight),
                expected,
                "{told:?} {is_unconfirmed} {in_flight}"
            );
        }
    }
}
