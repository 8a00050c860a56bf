//! When an overloaded server refuses everything, and when a single request has failed.
//!
//! The API documents 503 as "Server is overloaded with requests. Try again later." One with `Retry-After` may be about its
//! request only. Another request that meets one before twice the named wait is over shows that it is about all of them: then
//! they are refusals like 429, for which all pause and which use up no attempt.

use std::cell::Cell;
use std::time::Duration;

use crate::runtime::Instant;
use crate::webex::{ApiError, RetryAfter};

/// Longer waits are not waited for.
const LONGEST: Duration = Duration::from_secs(3_600);

#[derive(Debug, Default)]
pub(super) struct Overload {
    requests: Cell<u64>,
    /// The request that met the last such response, and until when another one confirms it.
    last: Cell<Option<(u64, Instant)>>,
}

impl Overload {
    /// A number for a request.
    pub(super) fn next_request(&self) -> u64 {
        self.requests.set(self.requests.get() + 1);
        self.requests.get()
    }

    /// Whether an error of a request refuses all requests.
    pub(super) fn is_refusal(&self, error: &ApiError, request: u64, now: Instant) -> bool {
        let Some(wait) = error.retry_after.and_then(RetryAfter::wait).filter(|_| is_overload(error)) else {
            return false;
        };
        let last = self.last.replace(Some((request, now + wait.min(LONGEST) * 2)));
        last.is_some_and(|(other, until)| other != request && now < until)
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
            (&[(1, 503, None, 0), (2, 503, None, 0)], false),
            (&[(1, 503, Some(10), 0), (2, 500, Some(10), 1)], false),
        ];
        for (responses, expected) in cases {
            let overload = Overload::default();
            let last = responses.iter().map(|(request, status, wait, at)| {
                overload.is_refusal(&refused(*status, *wait), *request, seconds(*at))
            });
            assert_eq!(last.last(), Some(*expected), "{responses:?}");
        }
    }
}
