//! The limit of `--rate`: evenly spaced requests. Based on governor, which is given our clock, since its own waiting
//! uses real time only.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use governor::clock::{Clock as GovernorClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::runtime::{Instant, parse_duration};

/// A number of requests in a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    count: u32,
    period: Duration,
}

/// A text that is not a rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid rate {0:?}: expected requests per period, e.g. 5/s, 300/min or 100/10s")]
pub struct RateError(String);

impl Rate {
    /// `count` requests in `period`; `None` if one of them is zero.
    pub fn new(count: u32, period: Duration) -> Option<Self> {
        (count > 0 && !period.is_zero()).then_some(Self { count, period })
    }

    /// How many requests.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// In how much time.
    pub const fn period(self) -> Duration {
        self.period
    }

    /// The time from one request to the next.
    pub fn interval(self) -> Duration {
        self.period / self.count
    }
}

impl FromStr for Rate {
    type Err = RateError;

    /// Parses `5/s`, `300/min`, `100/10s`, `0.5/s` or plain `5` (per second).
    fn from_str(text: &str) -> Result<Self, RateError> {
        let error = || RateError(text.to_owned());
        let (count, period) = text.trim().split_once('/').unwrap_or((text.trim(), "s"));
        let period = if period.starts_with(|c: char| c.is_ascii_alphabetic()) {
            format!("1{period}")
        } else {
            period.to_owned()
        };
        let seconds = parse_duration(&period).map_err(|_| error())?.as_secs_f64();
        let count: f64 = count.trim().parse().map_err(|_| error())?;
        if !(count.is_finite() && count > 0.0 && count <= 1e6 && seconds > 0.0) {
            return Err(error());
        }
        // 0.5/s is one in two seconds.
        let (count, seconds) = if count.fract() == 0.0 { (count, seconds) } else { (1.0, seconds / count) };
        Self::new(count as u32, Duration::from_secs_f64(seconds)).ok_or_else(error)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.count, self.period.as_secs_f64())
    }
}

/// The limiter behind a [`Rate`].
pub(super) struct FixedRateLimiter(
    RateLimiter<NotKeyed, InMemoryState, Now, NoOpMiddleware<Elapsed>>,
    std::rc::Rc<std::cell::Cell<Instant>>,
);

impl FixedRateLimiter {
    pub(super) fn new(rate: Rate) -> Option<Self> {
        let now = std::rc::Rc::new(std::cell::Cell::new(Instant::START));
        // A burst of one: a new quota would otherwise start full.
        let quota = Quota::with_period(rate.interval())?.allow_burst(NonZeroU32::MIN);
        Some(Self(RateLimiter::direct_with_clock(quota, Now(std::rc::Rc::clone(&now))), now))
    }

    /// Takes a permit at `now`, or returns when there will be one.
    pub(super) fn take(&self, now: Instant) -> Result<(), Instant> {
        self.1.set(now);
        self.0.check().map_err(|not_until| {
            let earliest: Elapsed = not_until.earliest_possible();
            Instant::from_elapsed(earliest.0)
        })
    }
}

impl fmt::Debug for FixedRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixedRateLimiter")
    }
}

/// The clock that governor reads: the instant of the current call.
#[derive(Clone, Debug)]
struct Now(std::rc::Rc<std::cell::Cell<Instant>>);

impl GovernorClock for Now {
    type Instant = Elapsed;

    fn now(&self) -> Elapsed {
        Elapsed(self.0.get().elapsed())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Elapsed(Duration);

impl std::ops::Add<governor::nanos::Nanos> for Elapsed {
    type Output = Self;

    fn add(self, nanos: governor::nanos::Nanos) -> Self {
        Self(self.0 + Duration::from(nanos))
    }
}

impl Reference for Elapsed {
    fn duration_since(&self, earlier: Self) -> governor::nanos::Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, duration: governor::nanos::Nanos) -> Self {
        Self(self.0.saturating_sub(duration.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        let rate = |text: &str| text.parse::<Rate>().map(Rate::interval);
        assert_eq!(rate("5/s"), Ok(Duration::from_millis(200)));
        assert_eq!(rate("300/min"), Ok(Duration::from_millis(200)));
        assert_eq!(rate("100/10s"), Ok(Duration::from_millis(100)));
        assert_eq!(rate("0.5/s"), Ok(Duration::from_secs(2)));
        assert_eq!(rate("4"), Ok(Duration::from_millis(250)));
        for wrong in ["", "0/s", "-1/s", "5/x", "five/s", "5/0s", "inf/s", "1e9/s"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_ceiling_spreads_evenly_and_starts_without_a_burst() {
        let fixed_rate = FixedRateLimiter::new("10/s".parse().expect("a rate")).expect("a limiter");
        let mut now = Instant::START;
        let mut sent = 0;
        while now < Instant::from_elapsed(Duration::from_secs(10)) {
            match fixed_rate.take(now) {
                Ok(()) => sent += 1,
                Err(until) => now = until,
            }
        }
        assert_eq!(sent, 100);
    }
}
