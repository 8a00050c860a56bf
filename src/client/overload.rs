//! When an overloaded server refuses everything, and when a single request has failed.
//!
//! The API documents 503 as "Server is overloaded with requests. Try again later." One with `Retry-After` may be about its
//! request only. Another request that meets one before twice the named wait is over shows that it is about all of them: from
//! then on they are refusals like 429, for which all pause and which use up no attempt; but not of a request that meets them
//! again and again while others get through, sooner if none but it does. Without a wait they are refusals once a quarter of the
//! last responses are such, to several requests, while others got through: the server is at work.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::runtime::Instant;
use crate::webex::{ApiError, RetryAfter};

/// A server may name no time at all: `Retry-After: 0`.
const SHORTEST: Duration = Duration::from_secs(1);

/// Longer waits are not waited for.
const LONGEST: Duration = Duration::from_secs(3_600);

/// So often may others get through between two refusals of a request until they are taken for its own matter.
const MAX_UNLUCKY: u32 = 8;

/// The same where no other one is refused in between: a slow limit does that by chance.
const MAX_ALONE: u32 = 2;

/// So many of the last responses are looked at for a 503 without a wait, and so many of them must be such.
const RECENT: usize = 16;
const MANY: usize = RECENT / 4;

#[derive(Debug, Default)]
pub(super) struct Overload {
    requests: Cell<u64>,
    /// The request that met the last such response, and until when another one confirms it.
    last: Cell<Option<(u64, Instant)>>,
    /// The server refuses like this: what it did to several at once it does to single ones.
    is_known: Cell<bool>,
    /// How many requests got through.
    successes: Cell<u64>,
    /// The last responses: the requests that met a 503 without a wait, and `None` for those that got through.
    recent: RefCell<VecDeque<Option<u64>>>,
    /// There were many of them, and no request got through since.
    has_many: Cell<bool>,
}

/// What a request has met.
#[derive(Debug, Default)]
pub(super) struct Met {
    request: u64,
    /// How many requests had got through at its last refusal.
    successes: Option<u64>,
    unlucky: u32,
    /// How often it was the only one that was refused while others got through.
    alone: u32,
}

impl Overload {
    /// A request that has met nothing yet.
    pub(super) fn next_request(&self) -> Met {
        self.requests.set(self.requests.get() + 1);
        Met { request: self.requests.get(), ..Met::default() }
    }

    /// A request got through.
    pub(super) fn succeeded(&self) {
        self.successes.set(self.successes.get() + 1);
        self.has_many.set(false);
        self.remember(None);
    }

    fn remember(&self, refused: Option<u64>) {
        let mut recent = self.recent.borrow_mut();
        recent.push_back(refused);
        if recent.len() > RECENT {
            recent.pop_front();
        }
    }

    /// Whether an error of a request refuses all requests.
    pub(super) fn is_refusal(&self, error: &ApiError, met: &mut Met, now: Instant) -> bool {
        let is_about_all = match error.retry_after.and_then(RetryAfter::wait) {
            _ if !matches!(error.status, Some(502..=504)) => return false,
            Some(wait) => self.is_confirmed(met, wait, now),
            None => self.is_one_of_many(met.request),
        };
        met.unlucky += u32::from(self.has_been_unlucky(met));
        met.successes = Some(self.successes.get());
        is_about_all && met.unlucky <= MAX_UNLUCKY
    }

    /// Whether others got through since its last refusal.
    fn has_been_unlucky(&self, met: &Met) -> bool {
        met.successes.is_some_and(|before| before < self.successes.get())
    }

    /// Whether another request has met one before twice its wait was over, now or before; and it is not the only one that still
    /// does while others get through.
    fn is_confirmed(&self, met: &mut Met, wait: Duration, now: Instant) -> bool {
        let last = self.last.replace(Some((met.request, now + wait.clamp(SHORTEST, LONGEST) * 2)));
        met.alone += u32::from(last.is_some_and(|(other, _)| other == met.request) && self.has_been_unlucky(met));
        if last.is_some_and(|(other, until)| other != met.request && now < until) {
            self.is_known.set(true);
        }
        self.is_known.get() && met.alone <= MAX_ALONE
    }

    /// Whether several requests have met many of them of late, while others got through; from then on until one gets through.
    fn is_one_of_many(&self, request: u64) -> bool {
        self.remember(Some(request));
        let recent = self.recent.borrow();
        let refused: Vec<u64> = recent.iter().copied().flatten().collect();
        let requests: HashSet<&u64> = refused.iter().collect();
        let are_many = refused.len() >= MANY && refused.len() < recent.len() && requests.len() > 1;
        self.has_many.set(self.has_many.get() || are_many);
        self.has_many.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webex::{ErrorClass, MaybeApplied};

    fn refused(status: u16, wait: Option<u64>) -> ApiError {
        ApiError {
            status: Some(status),
            retry_after: wait.map(|wait| RetryAfter::Wait(Duration::from_secs(wait))),
            ..ApiError::no_response(ErrorClass::Transient, "overloaded", MaybeApplied::Unknown)
        }
    }

    #[test]
    fn a_second_request_within_the_wait_confirms_an_overload() {
        let seconds = |seconds| Instant::START + Duration::from_secs(seconds);
        // Request, status, wait and time; a case is some responses, and whether the last one is a refusal.
        type Response = (u64, u16, Option<u64>, u64);
        let cases: &[(&[Response], bool)] = &[
            (&[(1, 503, Some(10), 0)], false),
            (&[(1, 503, Some(10), 0), (2, 503, Some(10), 1)], true),
            (&[(1, 502, Some(10), 0), (2, 504, Some(10), 19)], true),
            (&[(1, 503, Some(10), 0), (2, 503, Some(10), 20)], false),
            (&[(1, 503, Some(10), 0), (1, 503, Some(10), 11)], false),
            (&[(1, 500, None, 0), (2, 500, None, 0)], false),
            (&[(1, 503, Some(10), 0), (2, 503, Some(10), 1), (2, 503, Some(1), 900)], true),
            (&[(1, 503, None, 0), (2, 503, None, 0)], false),
            (&[(1, 503, Some(0), 0), (2, 503, Some(0), 1)], true),
            (&[(1, 503, Some(10), 0), (2, 500, Some(10), 1)], false),
        ];
        for (responses, expected) in cases {
            let overload = Overload::default();
            let last = responses.iter().map(|(request, status, wait, at)| {
                let mut met = Met { request: *request, ..Met::default() };
                overload.is_refusal(&refused(*status, *wait), &mut met, seconds(*at))
            });
            assert_eq!(last.last(), Some(*expected), "{responses:?}");
        }
    }

    #[test]
    fn many_without_a_wait_are_refusals_while_others_get_through() {
        // Responses, each the request that was refused, or 0 for one that got through; and whether the last one is a refusal.
        let cases: &[(&[u64], bool)] = &[
            (&[1], false),
            (&[0, 0, 1, 2, 3], false),
            (&[0, 0, 1, 2, 3, 4], true),
            // No request gets through.
            (&[1, 2, 3, 4, 5], false),
            // One request alone.
            (&[0, 0, 1, 1, 1, 1], false),
            // Later on none gets through.
            (&[0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5], true),
            // Too long ago.
            (&[0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4], false),
        ];
        for (responses, expected) in cases {
            let overload = Overload::default();
            let mut last = false;
            for request in *responses {
                let mut met = Met { request: *request, ..Met::default() };
                match request {
                    0 => overload.succeeded(),
                    _ => last = overload.is_refusal(&refused(503, None), &mut met, Instant::START),
                }
            }
            assert_eq!(last, *expected, "{responses:?}");
        }
    }

    #[test]
    fn a_request_that_is_refused_while_others_get_through_has_failed_in_the_end() {
        let overload = Overload::default();
        let [mut one, mut other] = [overload.next_request(), overload.next_request()];
        let error = refused(503, Some(1));
        overload.is_refusal(&error, &mut other, Instant::START);
        let mut refusals = 0;
        while overload.is_refusal(&error, &mut one, Instant::START) {
            overload.succeeded();
            overload.is_refusal(&error, &mut overload.next_request(), Instant::START);
            refusals += 1;
        }
        assert_eq!(refusals, MAX_UNLUCKY + 1);
        // Sooner, where no other one is refused.
        let mut alone = overload.next_request();
        for _ in 0..=MAX_ALONE {
            assert!(overload.is_refusal(&error, &mut alone, Instant::START));
            overload.succeeded();
        }
        assert!(!overload.is_refusal(&error, &mut alone, Instant::START));
        assert!(!overload.is_refusal(&error, &mut alone, Instant::START), "also when no other one is left");
        assert!(overload.is_refusal(&error, &mut other, Instant::START), "the others are refused as before");
    }
}
