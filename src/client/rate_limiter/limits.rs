//! All limits that have shown themselves, side by side: a request is sent when each admits it.

use super::availability::Availability;
use super::bucket::Bucket;
use super::in_flight::InFlightLimit;
use super::request_log::RequestLog;
use super::throttle_event::ThrottleEvent;
use super::window::{Window, WindowEvent};
use crate::runtime::Instant;

/// More tiers are not told apart.
const MAX_WINDOWS: usize = 2;

#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    windows: Vec<Window>,
    bucket: Option<Bucket>,
    in_flight: InFlightLimit,
    /// Since when the bucket has been the same, as far as known.
    unchanged_since: Option<Instant>,
    /// The last refusal that was not taken for one by a window.
    last_other: Option<WindowEvent>,
}

impl Limits {
    pub(super) fn availability(&mut self, log: &RequestLog, now: Instant) -> Availability {
        let in_flight = match self.in_flight.most() {
            Some(most) if log.in_flight() >= most => Availability::AfterNextResponse,
            _ => Availability::Now,
        };
        let windows = self.windows.iter_mut().map(|window| window.availability(log, now));
        let windows = windows.fold(Availability::Now, Availability::and);
        let bucket = self.bucket.as_mut().map_or(Availability::Now, |bucket| bucket.availability(log, now));
        in_flight.and(windows).and(bucket)
    }

    /// A request is sent that counts.
    pub(super) fn take(&mut self, now: Instant) {
        if let Some(bucket) = &mut self.bucket {
            bucket.take(now);
        }
    }

    /// A request was let in that was sent as one of `crowd` in flight.
    pub(super) fn admitted(&mut self, crowd: usize, log: &RequestLog) {
        self.in_flight.admitted(crowd);
        for window in &mut self.windows {
            window.admitted(log);
        }
        if let Some(bucket) = &mut self.bucket {
            bucket.admitted();
        }
    }

    /// For people; `None` while nothing is known.
    pub(super) fn describe(&self) -> Option<String> {
        let windows = self.windows.iter().map(Window::describe);
        let others = [self.bucket.as_ref().and_then(Bucket::describe), self.in_flight.describe()];
        let known: Vec<String> = windows.chain(others.into_iter().flatten()).collect();
        (!known.is_empty()).then(|| known.join(" and "))
    }

    /// Learns from a pause, from all 429s that belong to it (one throttle event).
    ///
    /// A long wait is the rest of a window. A short one comes from a window that is used up, from a limit in flight, or
    /// else from a bucket, in this order: each explains what the one before does not.
    pub(super) fn refused(&mut self, event: &ThrottleEvent, log: &RequestLog, now: Instant) {
        let of_window = WindowEvent::new(event);
        if let Some(of_window) = of_window {
            if let Some(window) = self.windows.iter_mut().find(|window| window.explains(of_window, log)) {
                window.refused(of_window, log);
                return;
            }
            if event.is_long() {
                self.refused_for_long(of_window, log, now);
                return;
            }
        }
        self.refused_shortly(event, log, now);
        self.last_other = of_window;
    }

    /// Learns from a long wait that no window explains as it is.
    fn refused_for_long(&mut self, event: WindowEvent, log: &RequestLog, now: Instant) {
        if let Some(window) = self.windows.iter_mut().find(|window| window.has_become_narrower(event, log)) {
            window.reset_budget(event, log);
            return;
        }
        if self.windows.iter_mut().any(|window| window.revise(event, log)) {
            return;
        }
        // The resets of a bucket say nothing about the window; a window that was first met near its end looked like a
        // bucket.
        self.bucket.take_if(|bucket| !bucket.is_established());
        let before = self.last_other.take().filter(|_| self.bucket.is_none());
        if self.windows.len() >= MAX_WINDOWS {
            self.windows.remove(0);
        }
        self.windows.push(Window::from_events(before, event, log, now));
    }

    /// Learns from a short wait that no window explains.
    fn refused_shortly(&mut self, event: &ThrottleEvent, log: &RequestLog, now: Instant) {
        let since = self.unchanged_since.or_else(|| log.first());
        let may_be_bucket = || Bucket::on_empty(event.began, since).explains(log);
        if self.in_flight.refused(event.refusals, event.peak, may_be_bucket) {
            // What was taken for a bucket.
            self.bucket.take_if(|bucket| !bucket.is_calibrated());
            return;
        }
        match &mut self.bucket {
            Some(bucket) => bucket.refused(event.began, log, now),
            None => self.bucket = Some(Bucket::on_empty(event.began, since)),
        }
        self.unchanged_since = self.bucket.as_ref().map(Bucket::baseline);
        // No bucket refuses like this.
        if self.bucket.as_ref().is_some_and(Bucket::is_contradicted) {
            self.bucket = None;
            self.in_flight.assume_below(event.peak);
        }
    }
}
