//! How many requests may be in flight while no limit says so: few at first, since all that are in flight at the first
//! refusal are refused; ten where nothing is known; more while nothing is refused and responses do not take longer.

/// How many at the very first.
const START: usize = 6;

/// Without a limit of the user: at first, and at most.
pub const DEFAULT_CONCURRENCY: usize = 10;
/// Without a limit of the user: when nothing is refused.
pub const MAX_CONCURRENCY: usize = 32;

/// One more for so many responses, until the default is reached.
const START_INTERVAL: u32 = 5;

/// After so many responses without a refusal, one more for so many.
const GROWTH_START: u32 = 300;
const GROWTH_INTERVAL: u32 = 40;

/// Responses may take this much longer than with few in flight.
const MAX_SLOWDOWN: f64 = 1.5;

/// Concurrency after a pause, and its increase with every success.
const RESUME: usize = 4;
const RESUME_STEP: usize = 2;

#[derive(Debug)]
pub(super) struct Concurrency {
    /// What is allowed at first, and at most.
    default: usize,
    most: usize,
    limit: usize,
    /// Responses without a refusal.
    successes: u32,
    was_refused: bool,
    /// Latency in seconds while few were in flight.
    unhurried: Option<f64>,
}

impl Concurrency {
    /// At most `most` in flight; the default and growth if there is none.
    pub(super) fn new(most: Option<usize>) -> Self {
        let most = most.unwrap_or(MAX_CONCURRENCY).max(1);
        let default = most.min(DEFAULT_CONCURRENCY);
        Self { default, most, limit: default.min(START), successes: 0, was_refused: false, unhurried: None }
    }

    /// How many may be in flight.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    pub(super) const fn most(&self) -> usize {
        self.most
    }

    /// How many it may become without growth: so many workers find work.
    pub(super) fn workers(&self) -> usize {
        self.limit.max(self.default)
    }

    /// A pause begins.
    pub(super) fn refused(&mut self) {
        self.limit = (self.default / 2).clamp(1, RESUME);
        self.successes = 0;
        self.was_refused = true;
    }

    /// A request was let in; a response takes `latency` seconds now.
    pub(super) fn admitted(&mut self, latency: f64) {
        self.successes += 1;
        if self.successes == GROWTH_INTERVAL && self.unhurried.is_none() {
            self.unhurried = Some(latency);
        }
        if self.limit < self.default {
            if self.was_refused {
                self.limit = (self.limit + RESUME_STEP).min(self.default);
            } else if self.successes.is_multiple_of(START_INTERVAL) {
                self.limit += 1;
            }
            return;
        }
        let is_unhurried = self.unhurried.is_none_or(|unhurried| latency <= MAX_SLOWDOWN * unhurried);
        if self.limit < self.most
            && self.successes > GROWTH_START
            && self.successes.is_multiple_of(GROWTH_INTERVAL)
            && is_unhurried
        {
            self.limit += 1;
        }
    }
}
