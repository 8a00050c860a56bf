//! A clock that is passed as an argument, so that the same executor runs in real and in virtual time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::Timestamp;

use super::instant::Instant;
use super::virtual_clock::{Timer, VirtualClock};

const MAX_DEADLINE: Duration = Duration::from_secs(315_360_000);

/// The real clock, or a virtual one that advances to its next timer whenever the future that it runs is idle.
#[derive(Clone)]
pub struct Clock(ClockKind);

#[derive(Clone)]
enum ClockKind {
    Real(RealClock),
    Virtual(Rc<VirtualClock>),
}

#[derive(Clone, Copy)]
struct RealClock {
    start: tokio::time::Instant,
    wall_start: Timestamp,
}

impl Clock {
    /// The machine's clock. Sleeping on it needs a tokio runtime.
    pub fn real() -> Self {
        Self(ClockKind::Real(RealClock { start: tokio::time::Instant::now(), wall_start: Timestamp::now() }))
    }

    /// A clock that stands still until [`Clock::block_on`] advances it; it starts on 1 January 2026, UTC.
    pub fn virtual_clock() -> Self {
        Self(ClockKind::Virtual(Rc::new(VirtualClock::default())))
    }

    pub fn now(&self) -> Instant {
        match &self.0 {
            ClockKind::Real(real) => Instant::from_elapsed(real.start.elapsed()),
            ClockKind::Virtual(clock) => clock.now(),
        }
    }

    /// The calendar time of an instant on this clock.
    pub fn to_timestamp(&self, instant: Instant) -> Timestamp {
        let start = match &self.0 {
            ClockKind::Real(real) => real.wall_start,
            ClockKind::Virtual(_) => Timestamp::constant(1_767_225_600, 0),
        };
        start.saturating_add(instant.elapsed()).unwrap_or(Timestamp::MAX)
    }

    /// Waits until `deadline`.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        match &self.0 {
            ClockKind::Real(real) => {
                // `Retry-After` may exceed the range of the clock.
                let deadline = real.start.checked_add(deadline.elapsed()).unwrap_or(real.start + MAX_DEADLINE);
                Sleep(SleepKind::Real(Box::pin(tokio::time::sleep_until(deadline))))
            }
            ClockKind::Virtual(clock) => Sleep(SleepKind::Virtual(clock.timer(deadline))),
        }
    }

    /// Waits for `duration`.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }

    /// Runs `future` to completion on a virtual clock; `None` if it waits for something that is not on this clock, or
    /// if the clock is the real one.
    pub fn block_on<F: Future>(&self, future: F) -> Option<F::Output> {
        match &self.0 {
            ClockKind::Real(_) => None,
            ClockKind::Virtual(clock) => clock.block_on(future),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            ClockKind::Real(_) => "real",
            ClockKind::Virtual(_) => "virtual",
        };
        write!(f, "Clock({kind}, {:?})", self.now().elapsed())
    }
}

/// A wait that ends at an [`Instant`].
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Sleep(SleepKind);

enum SleepKind {
    Real(Pin<Box<tokio::time::Sleep>>),
    Virtual(Timer),
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            SleepKind::Real(sleep) => sleep.as_mut().poll(context),
            SleepKind::Virtual(timer) => timer.poll(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use futures::stream::FuturesUnordered;

    use super::*;

    #[test]
    fn virtual_sleepers_wake_in_the_order_of_their_deadlines_and_cost_no_time() {
        let clock = Clock::virtual_clock();
        let order = clock.block_on(async {
            let timers: FuturesUnordered<_> = [300_u64, 100, 200]
                .into_iter()
                .map(|seconds| {
                    let clock = clock.clone();
                    async move {
                        clock.sleep(Duration::from_secs(seconds)).await;
                        seconds
                    }
                })
                .collect();
            timers.collect::<Vec<_>>().await
        });
        assert_eq!(order, Some(vec![100, 200, 300]));
        assert_eq!(clock.now(), Instant::from_elapsed(Duration::from_secs(300)));
    }

    #[test]
    fn a_deadlock_is_detected() {
        let clock = Clock::virtual_clock();
        assert_eq!(clock.block_on(futures::future::pending::<()>()), None);
        assert_eq!(clock.block_on(async { 7 }), Some(7));
    }

    #[test]
    fn a_dropped_sleeper_does_not_hold_the_clock() {
        let clock = Clock::virtual_clock();
        clock.block_on(async {
            let long = clock.sleep(Duration::from_secs(1_000));
            let short = clock.sleep(Duration::from_secs(1));
            futures::future::select(long, short).await;
        });
        clock.block_on(clock.sleep(Duration::from_secs(5)));
        assert_eq!(clock.now(), Instant::from_elapsed(Duration::from_secs(6)));
    }
}
