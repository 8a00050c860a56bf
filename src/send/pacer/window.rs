//! Long waits: never more than so many requests in so much time.
//!
//! One model with two numbers serves fixed windows and sliding ones alike, keeps the phase by itself and needs no
//! prediction of resets: a request goes when the one that came so many before it has been counted a period ago.

use std::time::Duration;

use super::episode::Reset;
use super::sends::{NthLast, Sends};
use crate::runtime::Instant;

/// Periods that people choose, in seconds. One of them is meant where a measured period is next to it.
const USUAL: [u64; 17] = [1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60, 90, 120, 300, 600, 900, 3_600];

/// What a request is put off beyond the period, against clocks and roads that differ.
const MARGIN: Duration = Duration::from_millis(30);

/// The margin grows with every refusal that only came a little early, up to this.
const LARGEST_MARGIN: Duration = Duration::from_millis(400);

/// More is asked for at most so often, and after so many requests: a refusal in a hundred is cheap, and by then the
/// budget is used up, so that it costs no time.
const BETWEEN_PROBES: Duration = Duration::from_secs(45);
const REQUESTS_BETWEEN_PROBES: usize = 90;

#[derive(Debug)]
pub(super) struct Window {
    budget: usize,
    period: Duration,
    margin: Duration,
    /// The last reset that was seen.
    reset: Reset,
    last_probe: Instant,
    climbing: Option<usize>,
}

/// What a window says to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    Now,
    At(Instant),
    AfterAnAnswer,
}

impl Window {
    /// The first window that is seen: it began with our first request, as far as we know.
    pub(super) fn from_first(reset: Reset, sends: &Sends, now: Instant) -> Self {
        let first = sends.first().unwrap_or(now);
        Self::new(usual_period(reset, first, first), sends.since(first), reset, first)
    }

    /// A window between two resets.
    pub(super) fn between(before: Reset, reset: Reset, sends: &Sends) -> Self {
        let period = usual_period(reset, before.earliest, before.latest);
        Self::new(period, sends.since(before.earliest), reset, before.latest)
    }

    fn new(period: Duration, budget: usize, reset: Reset, last_probe: Instant) -> Self {
        Self { budget: budget.max(1), period, margin: MARGIN, reset, last_probe, climbing: None }
    }

    pub(super) fn room(&mut self, sends: &Sends, now: Instant) -> Room {
        let free_at = match sends.nth_last(self.budget) {
            NthLast::Never => return Room::Now,
            NthLast::InTheAir => None,
            NthLast::Counted(counted) => Some(counted + self.period + self.margin),
        };
        if free_at.is_some_and(|free_at| free_at <= now) {
            self.climbing = None;
            return Room::Now;
        }
        if let Some(width) = self.climbing {
            return if sends.in_the_air() < width { Room::Now } else { Room::AfterAnAnswer };
        }
        match free_at {
            Some(_) if self.may_probe(sends, now) => {
                self.climbing = Some(1);
                self.last_probe = now;
                Room::Now
            }
            Some(free_at) => Room::At(free_at),
            None => Room::AfterAnAnswer,
        }
    }

    fn may_probe(&self, sends: &Sends, now: Instant) -> bool {
        sends.in_the_air() == 0
            && now.duration_since(self.last_probe) >= BETWEEN_PROBES.max(self.period.mul_f64(0.7))
            && sends.since(self.last_probe) >= REQUESTS_BETWEEN_PROBES
    }

    /// A request beyond the budget was let in: there is more.
    pub(super) fn admitted(&mut self, sends: &Sends) {
        if let Some(width) = &mut self.climbing {
            *width += 1;
            self.budget = self.budget.max(sends.since(self.window_start(sends)));
        }
    }

    fn window_start(&self, sends: &Sends) -> Instant {
        // Everything that the budget was used up by lies within one period.
        match sends.nth_last(self.budget) {
            NthLast::Counted(counted) => counted,
            _ => self.reset.earliest,
        }
    }

    /// Learns from a refusal; false if this is no window after all.
    pub(super) fn refused(&mut self, began: Instant, reset: Reset, sends: &Sends) -> bool {
        let climbed = self.climbing.take().is_some();
        let distance = reset.middle().duration_since(self.reset.middle());
        let between = usual_period(reset, self.reset.earliest, self.reset.latest);
        let in_period = |period: Duration| {
            let (most, least) = (sends.since(reset.earliest - period), sends.since(reset.latest - period));
            (least, most)
        };
        let (least, most) = in_period(self.period);
        let fits = least <= self.budget + 1 && self.budget <= most + 1;
        let since_reset = sends.since(self.reset.earliest);
        // Met in its middle, the first window looked shorter than it is: the distance of two resets is the truth.
        let longer = between > self.period + Duration::from_secs(1) && distance < self.period * 4;
        if !fits && longer && is_near(since_reset, self.budget) && !is_near(most, self.budget) {
            self.period = between;
            self.budget = since_reset.max(1);
        } else if fits && !climbed {
            // It only came a little early.
            if reset.latest.duration_since(began) < Duration::from_millis(2_500) {
                self.margin = (self.margin + Duration::from_millis(50)).min(LARGEST_MARGIN);
            }
        } else if self.budget > most {
            if most * 8 < self.budget && reset.latest.duration_since(began) < Duration::from_millis(2_500) {
                return false;
            }
            self.budget = most.max(1);
        } else if self.budget < least {
            self.budget = least;
        }
        self.reset = reset;
        true
    }

    pub(super) const fn reset(&self) -> Reset {
        self.reset
    }
}

fn is_near(one: usize, other: usize) -> bool {
    one.abs_diff(other) * 5 <= one.max(other)
}

/// The period that ends at `reset` and began between the two others: a usual one if it fits, else the longest.
fn usual_period(reset: Reset, earliest: Instant, latest: Instant) -> Duration {
    const SLACK: Duration = Duration::from_millis(250);
    let shortest = reset.earliest.duration_since(latest).saturating_sub(SLACK);
    let longest = reset.latest.duration_since(earliest);
    USUAL
        .iter()
        .rev()
        .map(|seconds| Duration::from_secs(*seconds))
        .find(|usual| (shortest..=longest + SLACK).contains(usual))
        .unwrap_or(longest)
}
