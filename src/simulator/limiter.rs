//! Server-side rate limiters: token bucket, fixed window, sliding window, requests in flight.

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
        match limiters.iter().filter_map(|limiter| Self::clone(limiter).take(request, now).err()).max() {
            Some(wait) => Err(wait),
            None => limiters.iter_mut().try_for_each(|limiter| limiter.take(request, now)),
        }
    }

    /// A request has its response.
    pub fn release(&mut self, request: u64) {
        self.in_flight.remove(&request);
    }

    /// Admits a request, or returns the time until one is admitted.
    ///
    /// # Errors
    /// The exact time until a request would be admitted.
    pub fn take(&mut self, request: u64, now: Instant) -> Result<(), Duration> {
        match self.kind {
            LimitKind::Bucket { rate, burst } => {
                self.tokens = (self.tokens + now.duration_since(self.filled).as_secs_f64() * rate).min(burst);
                self.filled = now;
                if self.tokens >= 1.0 {
                    self.tokens -= 1.0;
                    return Ok(());
                }
                Err(Duration::from_secs_f64((1.0 - self.tokens) / rate))
            }
            LimitKind::Window { count, period, phase } => {
                let at = now.elapsed() + phase;
                let window = (at.as_nanos() / period.as_nanos()) as u64;
                if window != self.window {
                    self.window = window;
                    self.used = 0;
                }
                if self.used < count {
                    self.used += 1;
                    return Ok(());
                }
                Err(period - Duration::from_nanos((at.as_nanos() % period.as_nanos()) as u64))
            }
            LimitKind::Sliding { count, period } => {
                while self.log.front().is_some_and(|first| now.duration_since(*first) >= period) {
                    self.log.pop_front();
                }
                if self.log.len() < count as usize {
                    self.log.push_back(now);
                    return Ok(());
                }
                let frees = self.log[self.log.len() - count as usize] + period;
                Err(frees.duration_since(now))
            }
            LimitKind::InFlight(most) => {
                if self.in_flight.len() < most {
                    self.in_flight.insert(request);
                    return Ok(());
                }
                Err(IN_FLIGHT_WAIT)
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
    }
}
