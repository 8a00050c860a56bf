//! All limits that have shown themselves, side by side: a request is sent when each admits it.

use std::time::Duration;

use super::availability::Availability;
use super::bucket::{Bucket, CHANGED};
use super::bucket_fit;
use super::in_flight::{self, InFlightLimit};
use super::pace::Pace;
use super::request_log::RequestLog;
use super::short_window;
use super::throttle_event::ThrottleEvent;
use super::window::{Window, WindowEvent};
use crate::runtime::Instant;

/// More tiers are not told apart.
const MAX_WINDOWS: usize = 2;

#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    windows: Vec<Window>,
    bucket: Option<Bucket>,
    in_flight: Option<InFlightLimit>,
    /// Instead of a bucket beside a window, where none explains what is refused.
    pace: Option<Pace>,
    /// Since when the bucket has been the same, as far as known.
    unchanged_since: Option<Instant>,
    /// Long waits have turned out to be no rest of a window: they are waited for, and say nothing.
    long_waits_mislead: bool,
    /// The longest of the short waits.
    longest_short_wait: Duration,
}

impl Limits {
    pub(super) fn availability(&mut self, log: &RequestLog, now: Instant) -> Availability {
        let in_flight = match self.in_flight {
            Some(limit) if log.in_flight() >= limit.most() => Availability::AfterNextResponse,
            _ => Availability::Now,
        };
        let windows = self.windows.iter_mut().map(|window| window.availability(log, now));
        let windows = windows.fold(Availability::Now, Availability::and);
        let bucket = self.bucket.as_mut().map_or(Availability::Now, |bucket| bucket.availability(log, now));
        let pace = self.pace.as_mut().map_or(Availability::Now, |pace| pace.availability(now));
        in_flight.and(windows).and(bucket).and(pace)
    }

    /// A request is sent that counts.
    pub(super) fn take(&mut self, now: Instant) {
        if let Some(bucket) = &mut self.bucket {
            bucket.take(now);
        }
        if let Some(pace) = &mut self.pace {
            pace.take(now);
        }
    }

    /// A request was let in that was sent as one of `crowd` in flight.
    pub(super) fn admitted(&mut self, crowd: usize, log: &RequestLog) {
        if let Some(limit) = &mut self.in_flight {
            limit.admitted(crowd);
        }
        for window in &mut self.windows {
            window.admitted(log);
        }
        if let Some(bucket) = &mut self.bucket {
            bucket.admitted();
        }
        if let Some(pace) = &mut self.pace {
            pace.admitted();
        }
    }

    /// For people; `None` while nothing is known.
    pub(super) fn describe(&self) -> Option<String> {
        let windows = self.windows.iter().map(Window::describe);
        let others = [
            self.bucket.as_ref().and_then(Bucket::describe),
            self.pace.as_ref().map(Pace::describe),
            self.in_flight.as_ref().map(InFlightLimit::describe),
        ];
        let known: Vec<String> = windows.chain(others.into_iter().flatten()).collect();
        (!known.is_empty()).then(|| known.join(" and "))
    }

    /// Learns from a pause, from all 429s that belong to it (one throttle event).
    ///
    /// A long wait is the rest of a window. A short one comes from a window that is used up; else a limit in flight, a bucket and a
    /// window of a second or two are compared by what contradicts them.
    pub(super) fn refused(&mut self, event: &ThrottleEvent, log: &RequestLog, now: Instant) {
        let of_window = WindowEvent::new(event);
        let is_long = event.is_long() && !of_window.is_some_and(|of_window| self.is_misled(of_window, log));
        if let Some(of_window) = of_window.filter(|_| is_long || !event.is_long()) {
            if !is_long {
                self.longest_short_wait = self.longest_short_wait.max(of_window.longest());
                if self.windows.iter().any(Window::is_short) && self.is_short_window(of_window, log, now) {
                    return;
                }
            }
            if let Some(window) = self.windows.iter_mut().find(|window| window.explains(of_window, log)) {
                window.refused(of_window, log);
                return;
            }
            if is_long {
                self.refused_for_long(of_window, log, now);
                return;
            }
        }
        self.refused_shortly(event, of_window, log, now);
    }

    /// Since when a bucket may have been the same.
    fn since(&self, log: &RequestLog) -> Option<Instant> {
        self.unchanged_since.or_else(|| log.first())
    }

    /// Whether long waits are no rest of a window, as of a server that always names a minute: one was longer than the window
    /// can last, and a bucket explains all that was refused.
    fn is_misled(&mut self, event: WindowEvent, log: &RequestLog) -> bool {
        let is_bucket = || {
            let history = self.since(log).map(|since| log.history(since)).unwrap_or_default();
            bucket_fit::least_contradiction(&history) <= CHANGED
        };
        let refuted = self.windows.iter().position(|window| window.is_refuted(event, log));
        match (self.long_waits_mislead, refuted) {
            (true, _) if !is_bucket() => {
                self.long_waits_mislead = false;
                self.drop_bucket();
            }
            (false, Some(at)) if is_bucket() => {
                self.long_waits_mislead = true;
                self.windows.remove(at);
            }
            _ => {}
        }
        self.long_waits_mislead
    }

    /// There is no bucket; one request at a time went along with it.
    fn drop_bucket(&mut self) {
        self.bucket = None;
        self.in_flight.take_if(|limit| limit.is_one_at_a_time());
    }

    /// Learns from a long wait that no window explains as it is.
    fn refused_for_long(&mut self, event: WindowEvent, log: &RequestLog, now: Instant) {
        if self.windows.iter_mut().any(|window| window.revise(event, log)) {
            return;
        }
        // A window that was first met near its end looked like a bucket.
        if self.bucket.as_ref().is_some_and(|bucket| !bucket.is_established()) {
            self.drop_bucket();
        }
        if self.windows.len() >= MAX_WINDOWS {
            self.windows.remove(0);
        }
        self.windows.push(Window::from_event(event, log, now));
    }

    /// Whether a window of a second or two explains what was refused better than a bucket; it is then what is assumed.
    fn is_short_window(&mut self, event: WindowEvent, log: &RequestLog, now: Instant) -> bool {
        let Some(since) = self.since(log) else { return false };
        let before = self.windows.iter().position(Window::is_short).map(|at| self.windows.remove(at));
        let found = short_window::better_than_bucket(&log.history(since), self.longest_short_wait);
        if let Some(found) = found {
            self.bucket = None;
            self.windows.push(Window::short(found, before.as_ref(), event, now));
        }
        found.is_some()
    }

    /// Whether a limit in flight explains what was refused as well as a bucket does; it is then what is assumed, since it is found
    /// out sooner that it is none. One at a time would explain nearly everything.
    fn is_in_flight(&mut self, log: &RequestLog) -> bool {
        let Some(since) = self.since(log) else { return false };
        let found = in_flight::fit(log, since);
        let is_explained =
            found.most > 1 && found.contradiction as f64 <= bucket_fit::least_contradiction(&log.history(since));
        let before = self.in_flight.take();
        self.in_flight = match is_explained {
            true => Some(InFlightLimit::new(found.most, before)),
            // That goes along with a rate.
            false => before.filter(InFlightLimit::is_one_at_a_time),
        };
        is_explained
    }

    /// Where two requests that arrive close to each other are refused, and the rate is slower than one request at a time, it is one
    /// at a time as well: then no two arrive together.
    fn consider_one_at_a_time(&mut self, event: &ThrottleEvent, log: &RequestLog) {
        let of_bucket = || self.bucket.as_ref().and_then(Bucket::rate_without_burst);
        let rate = self.pace.as_ref().map(Pace::rate).or_else(of_bucket);
        if rate.is_none_or(|rate| rate * log.latency() >= 1.0) {
            self.in_flight.take_if(|limit| limit.is_one_at_a_time());
        } else if event.peak > 1 {
            self.in_flight = Some(InFlightLimit::new(1, self.in_flight));
        }
    }

    /// Learns from a short wait that no window explains.
    fn refused_shortly(
        &mut self,
        event: &ThrottleEvent,
        of_window: Option<WindowEvent>,
        log: &RequestLog,
        now: Instant,
    ) {
        if self.is_in_flight(log) {
            (self.bucket, self.pace) = (None, None);
            return;
        }
        let window = self.windows.iter().find(|window| !window.is_short());
        match (&mut self.pace, &self.bucket, window) {
            (Some(pace), ..) => pace.refused(event.began, log, now),
            // Beside a window a fit would have the resets in it: a counter that lags looks like a bucket of any rate. An even pace
            // begins with what the window lets in, and finds out how much faster it may be meanwhile.
            (None, None, Some(window)) => self.pace = Some(Pace::beside_window(window.rate(), event.began, now)),
            _ => self.refused_by_bucket(event, of_window, log, now),
        }
        self.consider_one_at_a_time(event, log);
    }

    /// Learns from a refusal that a bucket explains best; or a window of a second or two.
    fn refused_by_bucket(
        &mut self,
        event: &ThrottleEvent,
        of_window: Option<WindowEvent>,
        log: &RequestLog,
        now: Instant,
    ) {
        let since = self.since(log);
        match &mut self.bucket {
            Some(bucket) => bucket.refused(event.began, self.longest_short_wait, log, now),
            None => self.bucket = Some(Bucket::on_empty(event.began, since)),
        }
        if of_window.is_some_and(|of_window| self.is_short_window(of_window, log, now)) {
            return;
        }
        self.unchanged_since = self.bucket.as_ref().map(Bucket::baseline);
    }
}
