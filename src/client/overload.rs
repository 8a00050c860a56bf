//! When an overloaded server refuses everything, and when a single request has failed.
//!
//! The API documents 503 as "Server is overloaded with requests. Try again later." One with `Retry-After` may be about its
//! request only. Another request that meets one before twice the named wait is over shows that it is about all of them: from
//! then on they are refusals like 429, for which all pause and which use up no attempt; but not of a request that meets them
//! again and again while others get through.

use std::cell::Cell;
use std::time::Duration;

use crate::runtime::Instant;
use crate::webex::{ApiError, RetryAfter};

/// A server may name no time at all: `Retry-After: 0`.
const SHORTEST: Duration = Duration::from_secs(1);

/// Longer waits are not waited for.
const LONGEST: Duration = Duration::from_secs(3_600);

/// So often may others get through between two refusals of a request until they are taken for its own matter.
const MAX_UNLUCKY: u32 = 8;

#[derive(Debug, Default)]
pub(super) struct Overload {
    requests: Cell<u64>,
    /// The request that met the last such response, and until when another one confirms it.
    last: Cell<Option<(u64, Instant)>>,
    /// The server refuses like this: what it did to several at once it does to single ones.
    is_known: Cell<bool>,
    /// How many requests got through.
    successes: Cell<u64>,
}

/// What a request has met.
#[derive(Debug, Default)]
pub(super) struct Met {
    request: u64,
    /// How many requests had got through at its last refusal.
    successes: Option<u64>,
    unlucky: u32,
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
    }

    /// Whether an error of a request refuses all requests.
    pub(super) fn is_refusal(&self, error: &ApiError, met: &mut Met, now: Instant) -> bool {
        let Some(wait) = error.retry_after.and_then(RetryAfter::wait).filter(|_| is_overload(error)) else {
            return false;
        };
        let last = self.last.replace(Some((met.request, now + wait.clamp(SHORTEST, LONGEST) * 2)));
        if last.is_some_and(|(other, until)| other != met.request && now < until) {
            self.is_known.set(true);
        }
        let before = met.successes.replace(self.successes.get());
        met.unlucky += u32::from(before.is_some_and(|before| before < self.successes.get()));
        self.is_known.get() && met.unlucky <= MAX_UNLUCKY
    }
}

fn is_overload(error: &ApiError) -> bool {
    matches!(error.status, Some(502..=504))
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
    fn a_request_that_is_refused_while_others_get_through_has_failed_in_the_end() {
        let overload = Overload::default();
        let [mut one, mut other] = [overload.next_request(), overload.next_request()];
        let error = refused(503, Some(1));
        overload.is_refusal(&error, &mut other, Instant::START);
        let mut refusals = 0;
        while overload.is_refusal(&error, &mut one, Instant::START) {
            overload.succeeded();
            refusals += 1;
        }
        assert_eq!(refusals, MAX_UNLUCKY + 1);
        assert!(overload.is_refusal(&error, &mut other, Instant::START), "the others are refused as before");
    }
}
