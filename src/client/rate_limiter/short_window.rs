//! Windows that end before a `Retry-After` of whole seconds can show them: so many requests in a second or two.
//!
//! The same is asked as of a bucket (`bucket_fit`): how many requests were counted at every decision? What was let in must
//! have been within the budget, what was refused beyond it. Of all periods and phases the one that is contradicted by the
//! fewest requests is taken.

use std::time::Duration;

use super::bucket_fit;
use super::explanation::{Explanation, best};

/// Periods that are considered, in seconds.
const PERIODS: [f64; 2] = [1.0, 2.0];

/// Of a fixed window, so many phases are considered: a step is as long as arrivals are uncertain.
const PHASES: u32 = 20;

/// A `Retry-After` may be rounded up by almost a second, but not by more.
const ROUNDING: f64 = 0.8;

/// The best explanation by such a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortWindow {
    pub(super) budget: usize,
    pub(super) period: Duration,
    /// By how many requests even this one contradicts what was seen.
    pub(super) contradiction: usize,
}

impl ShortWindow {
    /// Requests per second.
    pub(super) fn rate(self) -> f64 {
        self.budget as f64 / self.period.as_secs_f64()
    }
}

/// Fits a window to `history` (seconds and whether let in, ascending) that explains waits of up to `longest_wait`.
pub(super) fn fit(history: &[(f64, bool)], longest_wait: Duration) -> Option<ShortWindow> {
    let is_long_enough = |period: &f64| longest_wait.as_secs_f64() <= period + ROUNDING;
    let of_period = |period: f64| {
        let sliding = best_budget(history, |one, other| other - one < period);
        let fixed = (0..PHASES).map(move |step| {
            let phase = period * f64::from(step) / f64::from(PHASES);
            let number = move |at: f64| ((at - phase) / period).floor();
            best_budget(history, move |one, other| number(one) == number(other))
        });
        std::iter::once(sliding).chain(fixed).map(move |Explanation { contradiction, most }| ShortWindow {
            budget: most,
            period: Duration::from_secs_f64(period),
            contradiction,
        })
    };
    PERIODS.into_iter().filter(is_long_enough).flat_map(of_period).min_by_key(|window| window.contradiction)
}

/// The window that explains `history` better than any bucket does.
pub(super) fn better_than_bucket(history: &[(f64, bool)], longest_wait: Duration) -> Option<ShortWindow> {
    let as_bucket = bucket_fit::least_contradiction(history);
    fit(history, longest_wait).filter(|window| (window.contradiction as f64) < as_bucket)
}

/// The budget that is contradicted least, and by how many requests, if those that share a window count together.
fn best_budget(history: &[(f64, bool)], share: impl Fn(f64, f64) -> bool) -> Explanation {
    let admitted: Vec<f64> = history.iter().filter(|(_, is_admitted)| *is_admitted).map(|(at, _)| *at).collect();
    let (mut first, mut next) = (0, 0);
    let used = history.iter().map(|(at, is_admitted)| {
        while first < next && !share(admitted[first], *at) {
            first += 1;
        }
        next += usize::from(*is_admitted);
        (*is_admitted, next - first)
    });
    best(used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Instant;
    use crate::simulator::{LimitKind, Limiter};

    /// What a server decides about attempts that come every so many milliseconds for five seconds.
    fn history(kind: LimitKind, every: u64) -> Vec<(f64, bool)> {
        let mut limiter = Limiter::new(kind);
        let attempts = (0..5_000 / every).map(|number| {
            let at = Duration::from_millis(1 + number * every);
            (at.as_secs_f64(), limiter.take(number, Instant::from_elapsed(at)).is_ok())
        });
        attempts.collect()
    }

    #[test]
    fn a_window_explains_its_own_decisions_and_others_contradict_it() {
        let seconds = Duration::from_secs;
        let told = seconds(1);
        for (kind, every, expected) in [
            (LimitKind::Sliding { count: 10, period: seconds(1) }, 70, Some(10)),
            (LimitKind::Window { count: 7, period: seconds(2), phase: Duration::from_millis(300) }, 110, Some(7)),
            (LimitKind::Bucket { rate: 2.0, burst: 30.0 }, 40, None),
            (LimitKind::InFlight(1), 40, None),
        ] {
            let found = fit(&history(kind, every), told).expect("a fit");
            let budget = (found.contradiction == 0).then_some(found.budget);
            assert_eq!(budget, expected, "{kind:?}: {found:?}");
        }
        assert!(fit(&[(0.0, true)], seconds(9)).is_none(), "no such window lasts nine seconds");
    }
}
