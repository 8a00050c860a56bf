//! Server-side rate limiters: token bucket, fixed window, sliding window, two counters, requests in flight.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::runtime::Instant;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LimitKind {
    /// Token bucket: `rate` tokens per second, at most `burst`.
    Bucket {
        rate: f64,
        burst: f64,
    },
    /// Fixed window: `count` requests per period.
    Window {
        count: u32,
        period: Duration,
        /// Offset of the first window.
        phase: Duration,
    },
    Sliding {
        count: u32,
        period: Duration,
    },
    /// As large gateways count: a fixed window and the share of the one before that a sliding one would still hold.
    Counter {
        count: u32,
        period: Duration,
    },
    /// At most so many requests at a time.
    InFlight(usize),
}

/// A rate limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    pub kind: LimitKind,
    /// Whether reads are not limited.
    pub writes_only: bool,
}

impl From<LimitKind> for Limit {
    fn from(kind: LimitKind) -> Self {
        Self { kind, writes_only: false }
    }
}

#[derive(Clone, Debug)]
pub struct Limiter {
    kind: LimitKind,
    tokens: f64,
    filled: Instant,
    window: u64,
    used: u32,
    /// How many the window before has used.
    used_before: u32,
    log: VecDeque<Instant>,
    in_flight: HashSet<u64>,
}

/// The `Retry-After` of a limit in flight, which cannot know when a request will be admitted.
const IN_FLIGHT_WAIT: Duration = Duration::from_secs(1);

impl Limiter {
    /// Creates an unused limiter.
    pub fn new(kind: LimitKind) -> Self {
        let tokens = if let LimitKind::Bucket { burst, .. } = kind { burst } else { 0.0 };
        Self {
            kind,
            tokens,
            filled: Instant::START,
            window: u64::MAX,
            used: 0,
            used_before: 0,
            log: VecDeque::new(),
            in_flight: HashSet::new(),
        }
    }

    /// Changes the parameters; usage is kept.
    pub fn change(&mut self, kind: LimitKind) {
        self.kind = kind;
    }

    /// Admits a request if every limiter does. A request that is not admitted uses no quota.
    ///
    /// # Errors
    /// The longest time until a request would be admitted.
    pub fn take_all(limiters: &mut [&mut Self], request: u64, now: Instant) -> Result<(), Duration> {
        match limiters.iter_mut().filter_map(|limiter| limiter.check(now).err()).max() {
            Some(wait) => Err(wait),
            None => {
                limiters.iter_mut().for_each(|limiter| limiter.count(request, now));
                Ok(())
            }
        }
    }

    /// Admits a request, or returns the time until one is admitted.
    ///
    /// # Errors
    /// The exact time until a request would be admitted.
    pub fn take(&mut self, request: u64, now: Instant) -> Result<(), Duration> {
        Self::take_all(&mut [self], request, now)
    }

    /// A request has its response.
    pub fn release(&mut self, request: u64) {
        self.in_flight.remove(&request);
    }

    /// The number of the window at an instant, and how long it has lasted; a new one is unused.
    fn turn(&mut self, at: Duration, period: Duration) -> (u64, Duration) {
        let window = (at.as_nanos() / period.as_nanos()) as u64;
        if window != self.window {
            self.used_before = if window == self.window.wrapping_add(1) { self.used } else { 0 };
            (self.window, self.used) = (window, 0);
        }
        (window, Duration::from_nanos((at.as_nanos() % period.as_nanos()) as u64))
    }

    /// Whether a request would be admitted now.
    ///
    /// # Errors
    /// The exact time until one would be.
    fn check(&mut self, now: Instant) -> Result<(), Duration> {
        match self.kind {
            LimitKind::Bucket { rate, burst } => {
                self.tokens = (self.tokens + now.duration_since(self.filled).as_secs_f64() * rate).min(burst);
                self.filled = now;
                if self.tokens >= 1.0 { Ok(()) } else { Err(Duration::from_secs_f64((1.0 - self.tokens) / rate)) }
            }
            LimitKind::Window { count, period, phase } => {
                let (_, into) = self.turn(now.elapsed() + phase, period);
                if self.used < count { Ok(()) } else { Err(period - into) }
            }
            LimitKind::Sliding { count, period } => {
                while self.log.front().is_some_and(|first| now.duration_since(*first) >= period) {
                    self.log.pop_front();
                }
                match self.log.len().checked_sub(count as usize) {
                    None => Ok(()),
                    Some(first) => Err((self.log[first] + period).duration_since(now)),
                }
            }
            LimitKind::Counter { count, period } => {
                let (window, into) = self.turn(now.elapsed(), period);
                let (used, before) = (f64::from(self.used), f64::from(self.used_before));
                let left = 1.0 - into.as_secs_f64() / period.as_secs_f64();
                if used + before * left + 1.0 <= f64::from(count) {
                    return Ok(());
                }
                // A request fits again as the window before leaves, or, where this one alone is full, as it does.
                let needed = (used + 1.0 - f64::from(count)).max(-before);
                let frees = match needed <= 0.0 && before > 0.0 {
                    true => (1.0 + needed / before) * period.as_secs_f64(),
                    false => period.as_secs_f64() * (2.0 - f64::from(count.saturating_sub(1)) / used.max(1.0)),
                };
                let began = period.as_secs_f64() * window as f64;
                Err(Duration::from_secs_f64((began + frees - now.elapsed().as_secs_f64()).max(0.001)))
            }
            LimitKind::InFlight(most) => {
                if self.in_flight.len() < most {
                    Ok(())
                } else {
                    Err(IN_FLIGHT_WAIT)
                }
            }
        }
    }

    /// Counts a request that is admitted.
    fn count(&mut self, request: u64, now: Instant) {
        match self.kind {
            LimitKind::Bucket { .. } => self.tokens -= 1.0,
            LimitKind::Window { .. } | LimitKind::Counter { .. } => self.used += 1,
            LimitKind::Sliding { .. } => self.log.push_back(now),
            LimitKind::InFlight(_) => {
                self.in_flight.insert(request);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(kind: LimitKind, seconds: u64) -> u32 {
        let mut limiter = Limiter::new(kind);
        (0..seconds * 100)
            .filter(|tick| limiter.take(*tick, Instant::from_elapsed(Duration::from_millis(tick * 10))).is_ok())
            .count() as u32
    }

    #[test]
    fn each_kind_lets_in_what_it_should() {
        assert_eq!(admitted(LimitKind::Bucket { rate: 5.0, burst: 10.0 }, 20), 109);
        let period = Duration::from_secs(10);
        assert_eq!(admitted(LimitKind::Window { count: 50, period, phase: Duration::from_secs(5) }, 20), 150);
        assert_eq!(admitted(LimitKind::Sliding { count: 50, period }, 20), 100);
        // Half of the second window is the share of the first one, which was used up at its beginning.
        assert_eq!(admitted(LimitKind::Counter { count: 50, period }, 20), 99);
    }

    #[test]
    fn a_counter_says_when_it_has_room() {
        let (count, period) = (10, Duration::from_secs(10));
        let mut limiter = Limiter::new(LimitKind::Counter { count, period });
        let mut now = Instant::START;
        for request in 0..200 {
            if let Err(wait) = limiter.take(request, now) {
                now = now + wait + Duration::from_micros(1);
                assert!(limiter.take(request, now).is_ok(), "{request}: {wait:?}");
            }
        }
    }
}
