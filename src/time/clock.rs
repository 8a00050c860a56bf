//! A clock that is passed as an argument, so that the same executor runs in real and in virtual time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::Timestamp;

use super::moment::Moment;
use super::virtual_clock::{Sleeper, VirtualClock};

/// Ten years: nobody waits longer.
const FAR: Duration = Duration::from_secs(315_360_000);

/// The real clock, or a virtual one that jumps to its earliest sleeper whenever the one future that it runs is idle.
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
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
        Self(Kind::Real(RealClock { start: tokio::time::Instant::now(), wall_start: Timestamp::now() }))
    }

    /// A clock that stands still until [`Clock::run`] moves it; its days begin on 1 January 2026, UTC.
    pub fn simulated() -> Self {
        Self(Kind::Virtual(Rc::new(VirtualClock::default())))
    }

    /// What time it is.
    pub fn now(&self) -> Moment {
        match &self.0 {
            Kind::Real(real) => Moment::after_start(real.start.elapsed()),
            Kind::Virtual(clock) => clock.now(),
        }
    }

    /// The calendar time of a moment on this clock.
    pub fn wall(&self, moment: Moment) -> Timestamp {
        let start = match &self.0 {
            Kind::Real(real) => real.wall_start,
            Kind::Virtual(_) => Timestamp::constant(1_767_225_600, 0),
        };
        start.saturating_add(moment.since_start()).unwrap_or(Timestamp::MAX)
    }

    /// Waits until `deadline`.
    pub fn sleep_until(&self, deadline: Moment) -> Sleep {
        match &self.0 {
            Kind::Real(real) => {
                // A server may ask for more time than a clock can count.
                let deadline = real.start.checked_add(deadline.since_start()).unwrap_or(real.start + FAR);
                Sleep(SleepKind::Real(Box::pin(tokio::time::sleep_until(deadline))))
            }
            Kind::Virtual(clock) => Sleep(SleepKind::Virtual(clock.sleeper(deadline))),
        }
    }

    /// Waits for `duration`.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }

    /// Drives `future` to its end on a virtual clock; `None` if it waits for something that is not on this clock,
    /// or if the clock is the real one.
    pub fn run<F: Future>(&self, future: F) -> Option<F::Output> {
        match &self.0 {
            Kind::Real(_) => None,
            Kind::Virtual(clock) => clock.run(future),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            Kind::Real(_) => "real",
            Kind::Virtual(_) => "virtual",
        };
        write!(f, "Clock({kind}, {:?})", self.now().since_start())
    }
}

/// A wait that ends at a [`Moment`].
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Sleep(SleepKind);

enum SleepKind {
    Real(Pin<Box<tokio::time::Sleep>>),
    Virtual(Sleeper),
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            SleepKind::Real(sleep) => sleep.as_mut().poll(context),
            SleepKind::Virtual(sleeper) => sleeper.poll(context),
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
        let clock = Clock::simulated();
        let order = clock.run(async {
            let sleepers: FuturesUnordered<_> = [300_u64, 100, 200]
                .into_iter()
                .map(|seconds| {
                    let clock = clock.clone();
                    async move {
                        clock.sleep(Duration::from_secs(seconds)).await;
                        seconds
                    }
                })
                .collect();
            sleepers.collect::<Vec<_>>().await
        });
        assert_eq!(order, Some(vec![100, 200, 300]));
        assert_eq!(clock.now(), Moment::after_start(Duration::from_secs(300)));
    }

    #[test]
    fn a_future_that_waits_for_nothing_on_the_clock_is_told_apart_from_one_that_ends() {
        let clock = Clock::simulated();
        assert_eq!(clock.run(futures::future::pending::<()>()), None);
        assert_eq!(clock.run(async { 7 }), Some(7));
    }

    #[test]
    fn a_dropped_sleeper_does_not_hold_the_clock() {
        let clock = Clock::simulated();
        clock.run(async {
            let long = clock.sleep(Duration::from_secs(1_000));
            let short = clock.sleep(Duration::from_secs(1));
            futures::future::select(long, short).await;
        });
        clock.run(clock.sleep(Duration::from_secs(5)));
        assert_eq!(clock.now(), Moment::after_start(Duration::from_secs(6)));
    }
}
