//! A limit on the number of requests in flight: it refuses what is too many and lets the others in, whatever their rate.
//!
//! The same is asked as of a bucket (`bucket_fit`): how many requests were at work at every decision? What was let in must have
//! been within the limit, what was refused beyond it.

use super::ONE_MORE_AFTER;
use super::explanation::{Explanation, best};
use super::request_log::RequestLog;
use crate::runtime::Instant;

/// One more is tried after this many successes for each request in flight. Doubled with every try that was refused.
const PROBE_INTERVAL: u32 = 60;

#[derive(Clone, Copy, Debug)]
pub(super) struct InFlightLimit {
    most: usize,
    /// Let in since the last refusal.
    successes: u32,
    /// One more is tried after this many successes.
    probe_after: u32,
    /// Let in beyond `most` since then.
    beyond: u32,
}

/// The limit in flight that explains best what was let in and refused since `since`.
pub(super) fn fit(log: &RequestLog, since: Instant) -> Explanation {
    best(log.at_work(since))
}

impl InFlightLimit {
    /// A limit that a fit has shown, instead of the one `before`: the same again is asked for more less often.
    pub(super) fn new(most: usize, before: Option<Self>) -> Self {
        let probe_after = match before {
            Some(same) if same.most == most => same.probe_after.max(2 * same.successes),
            _ => PROBE_INTERVAL * most as u32,
        };
        Self { most, successes: 0, probe_after, beyond: 0 }
    }

    /// Whether it is the least that there is, which is no limit of the server but goes along with a rate that is slower.
    pub(super) const fn is_one_at_a_time(&self) -> bool {
        self.most == 1
    }

    /// How many may be in flight.
    pub(super) const fn most(self) -> usize {
        self.most + (self.successes >= self.probe_after) as usize
    }

    /// The limit for people.
    pub(super) fn describe(&self) -> String {
        format!("{} in flight", self.most)
    }

    /// A request was let in that was sent as one of `crowd` in flight.
    pub(super) const fn admitted(&mut self, crowd: usize) {
        self.successes += 1;
        if crowd > self.most {
            self.beyond += 1;
            // A response may be on its way while the server admits another request: one more is often let in all the same.
            if self.beyond >= ONE_MORE_AFTER {
                self.most += 1;
                self.beyond = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use super::*;
    use crate::simulator::{LimitKind, Limiter};

    /// What a server decides about requests that are sent every so many milliseconds, and one more each second, and take a tenth of
    /// a second.
    fn log(kind: LimitKind, every: u64, seconds: u64) -> RequestLog {
        const TAKES: u64 = 100;
        let (mut limiter, mut log, mut under_way) = (Limiter::new(kind), RequestLog::default(), HashMap::new());
        for time in 0..1_000 * seconds {
            let now = Instant::from_elapsed(Duration::from_millis(time));
            if let Some((id, is_admitted)) = under_way.remove(&time) {
                limiter.release(id);
                let _decided = if is_admitted { log.admitted(id, now) } else { log.refused(id, now) };
            }
            if time.is_multiple_of(every) || time % 1_000 == 1 {
                let id = log.sent(now, false);
                under_way.insert(time + TAKES, (id, limiter.take(id, now).is_ok()));
            }
        }
        log
    }

    #[test]
    fn a_limit_in_flight_explains_its_own_decisions_and_others_contradict_it() {
        for (kind, every, seconds, expected) in [
            (LimitKind::InFlight(3), 15, 5, Some(3)),
            (LimitKind::InFlight(6), 7, 5, Some(6)),
            // More than is looked back on, with a refusal now and then.
            (LimitKind::InFlight(4), 25, 200, Some(4)),
            (LimitKind::Bucket { rate: 10.0, burst: 5.0 }, 15, 5, None),
            (LimitKind::Sliding { count: 10, period: Duration::from_secs(1) }, 15, 5, None),
        ] {
            let found = fit(&log(kind, every, seconds), Instant::START);
            assert_eq!((found.contradiction == 0).then_some(found.most), expected, "{kind:?}: {found:?}");
        }
    }

    #[test]
    fn one_more_is_tried_twice_as_rarely_with_every_refusal() {
        let mut limit = InFlightLimit::new(2, None);
        let mut tried = Vec::new();
        for _ in 0..3 {
            let successes = (1..).find(|_| {
                limit.admitted(2);
                limit.most() == 3
            });
            tried.extend(successes);
            limit = InFlightLimit::new(2, Some(limit));
        }
        assert_eq!(tried, [120, 240, 480]);
    }
}
