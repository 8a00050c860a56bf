//! Window model: at most so many requests in a period.
//!
//! One model with two numbers serves fixed and sliding windows alike, keeps the phase by itself and needs no prediction
//! of resets: a request is sent when the one that came so many before it was counted a period ago. The two numbers are
//! the ones that agree with all refusals since the limit was last seen to change.

use std::time::Duration;

use super::availability::Availability;
use super::request_log::{NthLast, RequestLog};
use super::short_window::ShortWindow;
use super::throttle_event::{ResetEstimate, ThrottleEvent, WINDOW_WAIT_THRESHOLD};
use super::{LEAST_SHARE, MEMORY};
use crate::runtime::Instant;

/// Periods that are commonly chosen, in seconds. A measured period next to one of them is snapped to it.
const COMMON_PERIODS: [u64; 17] = [1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60, 90, 120, 300, 600, 900, 3_600];

/// Instants of resets are uncertain by this beyond their range.
const SLACK: Duration = Duration::from_millis(250);

/// A probe is worth one refusal in so many requests: by then the budget is used up, so that it costs no time.
const PROBE_REQUESTS: usize = 150;

/// A short window is asked for more after so many requests, and by this share; twice as rarely with every refusal, up to so many,
/// since the wait is longer than what is left of it.
const SHORT_PROBE_REQUESTS: (usize, usize) = (60, 500);
const SHORT_PROBE_SHARE: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Window {
    budget: usize,
    period: Duration,
    /// What it refused, the latest last.
    events: Vec<WindowEvent>,
    last_probe: Instant,
    probing: Option<usize>,
    /// Whether it may be none: until it was asked for more.
    is_doubted: bool,
    /// Of a short one: it is asked for more after so many requests.
    probe_after: usize,
    successes: usize,
    /// How much more is asked for.
    added: usize,
}

/// A refusal by a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct WindowEvent {
    began: Instant,
    reset: ResetEstimate,
}

impl WindowEvent {
    /// None without a reset.
    pub(super) fn new(event: &ThrottleEvent) -> Option<Self> {
        Some(Self { began: event.began, reset: event.reset? })
    }

    /// How long the wait is at most.
    pub(super) fn longest(self) -> Duration {
        self.reset.latest.duration_since(self.began)
    }

    fn wait(self) -> Duration {
        self.reset.earliest.duration_since(self.began)
    }

    /// How many requests were counted in the period that ends with the reset: at least and at most.
    fn used(self, period: Duration, log: &RequestLog) -> (usize, usize) {
        let later = log.since(self.reset.earliest);
        let since = |instant: Instant| log.since(instant).saturating_sub(later);
        (since(self.reset.latest - period + SLACK), since(self.reset.earliest - period - SLACK))
    }
}

impl Window {
    /// A window that `event` has shown. It began with our first request, as far as known.
    pub(super) fn from_event(event: WindowEvent, log: &RequestLog, now: Instant) -> Self {
        let first = log.first().unwrap_or(now);
        let period =
            snap_to_common_period(event.reset.earliest.duration_since(first), event.reset.latest.duration_since(first));
        let (_, most) = event.used(period, log);
        let is_met_part_way = most * 2 < log.since(first) && log.since(first) >= 3;
        let alone = if is_met_part_way { estimate(&[event], None, log) } else { None };
        let (period, budget) = alone.unwrap_or((period, most));
        Self::new(budget, period, vec![event], now)
    }

    const fn new(budget: usize, period: Duration, events: Vec<WindowEvent>, now: Instant) -> Self {
        Self {
            budget: if budget > 0 { budget } else { 1 },
            period,
            events,
            last_probe: now,
            probing: None,
            is_doubted: true,
            probe_after: SHORT_PROBE_REQUESTS.0,
            successes: 0,
            added: 0,
        }
    }

    /// A window that does not show in a wait, instead of the one `before`: the same again is asked for more less often.
    pub(super) fn short(found: ShortWindow, before: Option<&Self>, event: WindowEvent, now: Instant) -> Self {
        let window = Self::new(found.budget, found.period, vec![event], now);
        let is_same = |before: &&Self| (before.budget - before.added, before.period) == (found.budget, found.period);
        let probe_after = match before.filter(is_same) {
            Some(same) if same.added > 0 => (2 * same.probe_after).min(SHORT_PROBE_REQUESTS.1),
            Some(same) => same.probe_after,
            None => SHORT_PROBE_REQUESTS.0,
        };
        Self { is_doubted: false, probe_after, ..window }
    }

    /// Requests per second in the long run.
    pub(super) fn rate(&self) -> f64 {
        self.budget as f64 / self.period.as_secs_f64()
    }

    /// Whether it does not show in a wait.
    pub(super) fn is_short(&self) -> bool {
        self.period < WINDOW_WAIT_THRESHOLD
    }

    pub(super) fn availability(&mut self, log: &RequestLog, now: Instant) -> Availability {
        let free_at = match log.nth_last(self.budget) {
            NthLast::None => return Availability::Now,
            NthLast::InFlight => None,
            // A request that is sent now is counted later.
            NthLast::At(counted_at) => Some(counted_at + self.period.saturating_sub(log.shortest_way())),
        };
        if free_at.is_some_and(|free_at| free_at <= now) {
            self.probing = None;
            return Availability::Now;
        }
        if let Some(concurrency_limit) = self.probing {
            return if log.in_flight() < concurrency_limit {
                Availability::Now
            } else {
                Availability::AfterNextResponse
            };
        }
        match free_at {
            Some(free_at) if self.may_probe(log) => {
                let half_way = match log.nth_last(1) {
                    NthLast::At(last) if self.is_doubted => last + free_at.duration_since(last) / 2,
                    _ => now,
                };
                if half_way > now {
                    return Availability::At(half_way);
                }
                self.is_doubted = false;
                self.probing = Some(1);
                self.last_probe = now;
                Availability::Now
            }
            Some(free_at) => Availability::At(free_at),
            None => Availability::AfterNextResponse,
        }
    }

    /// Whether a refusal of a probe shows that there is no such window: the wait is longer than what can be left of a period that
    /// began with the first request since the last reset.
    pub(super) fn is_refuted(&self, event: WindowEvent, log: &RequestLog) -> bool {
        let last_reset = self.events.last().map_or(Instant::START, |last| last.reset.earliest);
        let began = log.first_since(last_reset.max(event.began - self.period)).unwrap_or(event.began);
        self.probing.is_some() && event.reset.earliest > began + self.period + SLACK
    }

    fn may_probe(&self, log: &RequestLog) -> bool {
        if log.in_flight() > 0 || self.is_short() {
            return false;
        }
        self.is_doubted || log.since(self.last_probe) >= PROBE_REQUESTS
    }

    pub(super) fn describe(&self) -> String {
        format!("{} requests per {} s", self.budget, self.period.as_secs().max(1))
    }

    /// Whether this window would refuse a request like this.
    pub(super) fn explains(&self, event: WindowEvent, log: &RequestLog) -> bool {
        let (_, most) = event.used(self.period, log);
        event.wait() <= self.period + SLACK && most * 10 >= self.budget * 9
    }

    /// A request was let in: if that was a probe beyond the budget, the budget is larger.
    pub(super) fn admitted(&mut self, log: &RequestLog) {
        self.successes += 1;
        if self.is_short() && self.successes >= self.probe_after {
            let more = 1 + self.budget / SHORT_PROBE_SHARE;
            (self.budget, self.added, self.successes) = (self.budget + more, self.added + more, self.probe_after / 2);
        }
        if let Some(concurrency_limit) = &mut self.probing {
            *concurrency_limit += 1;
            let start = match log.nth_last(self.budget) {
                NthLast::At(counted_at) => counted_at,
                _ => return,
            };
            let used = log.since(start);
            if used > self.budget {
                self.budget = used;
                self.events.clear();
            }
        }
    }

    /// Learns from a refusal that it explains.
    pub(super) fn refused(&mut self, event: WindowEvent, log: &RequestLog) {
        self.probing = None;
        if !self.revise(event, log) {
            // The budget is what was let in before it.
            self.events = vec![event];
            self.budget = event.used(self.period, log).1.max(1);
        }
    }

    /// Learns from a refusal; false if no window explains it together with the ones before.
    pub(super) fn revise(&mut self, event: WindowEvent, log: &RequestLog) -> bool {
        let mut events = self.events.clone();
        events.push(event);
        if events.len() > MEMORY {
            events.remove(0);
        }
        let Some((period, budget)) = estimate(&events, Some(self.period), log) else { return false };
        (self.period, self.budget, self.events) = (period, budget.max(1), events);
        true
    }
}

/// The period and budget that agree with all events; `current` is preferred, then the distance of the last two resets,
/// then the shortest: what is too short costs a refusal, what is too long costs time for good.
fn estimate(events: &[WindowEvent], current: Option<Duration>, log: &RequestLog) -> Option<(Duration, usize)> {
    let between = events.split_last().and_then(|(last, before)| {
        let before = before.last()?.reset;
        let shortest = last.reset.earliest.duration_since(before.latest);
        Some(snap_to_common_period(shortest, last.reset.latest.duration_since(before.earliest)))
    });
    let common = COMMON_PERIODS.iter().map(|seconds| Duration::from_secs(*seconds));
    // It is not longer than the run, and not much slower than what was let in all the time.
    let last = events.last()?.reset.latest;
    let age = log.first().map_or(Duration::ZERO, |first| last.duration_since(first));
    let since = events.first().map(|event| event.reset.latest).filter(|first| last > *first);
    let delivered = since.map_or(0.0, |first| log.since(first) as f64 / last.duration_since(first).as_secs_f64());
    current.into_iter().chain(between).chain(common).find_map(|period| {
        let used: Vec<(usize, usize)> = events.iter().map(|event| event.used(period, log)).collect();
        let least = used.iter().map(|(least, _)| *least).max()?;
        let most = used.iter().map(|(_, most)| *most).min()?;
        let is_long_enough = events.iter().all(|event| event.wait() <= period + SLACK);
        // A fixed window lets in twice its budget around its end.
        let is_never_exceeded = log.most_within(period.saturating_sub(SLACK)) <= 2 * most + 1;
        let is_plausible = period <= age + SLACK && most as f64 >= LEAST_SHARE * delivered * period.as_secs_f64();
        (most > 0 && is_plausible && is_long_enough && least <= most + 1 && is_never_exceeded).then_some((period, most))
    })
}

/// A period between `shortest` and `longest`: a common one if it fits, else the longest.
fn snap_to_common_period(shortest: Duration, longest: Duration) -> Duration {
    let (shortest, longest) = (shortest.saturating_sub(SLACK), longest + SLACK);
    COMMON_PERIODS
        .iter()
        .rev()
        .map(|seconds| Duration::from_secs(*seconds))
        .find(|common| (shortest..=longest).contains(common))
        .unwrap_or(longest - SLACK)
}
