//! Which requests the server has counted, and when, as far as known.
//!
//! A request is counted somewhere between its sending and its response. The midpoint is the best estimate: it does not
//! depend on how long the response took.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::runtime::Instant;

/// More than any limiter looks back on.
const MAX_ENTRIES: usize = 50_000;

#[derive(Debug, Default)]
pub(super) struct RequestLog {
    /// When requests that were let in were counted, ascending.
    accounted_at: Vec<Instant>,
    in_flight: BTreeMap<u64, Instant>,
    next: u64,
}

impl RequestLog {
    pub(super) fn sent(&mut self, now: Instant) -> u64 {
        self.next += 1;
        self.in_flight.insert(self.next, now);
        self.next
    }

    /// A request was let in; returns when it was counted.
    pub(super) fn admitted(&mut self, id: u64, now: Instant) -> Instant {
        let Some(sent) = self.in_flight.remove(&id) else { return now };
        let accounted_at = midpoint(sent, now);
        let at = self.accounted_at.partition_point(|other| *other <= accounted_at);
        self.accounted_at.insert(at, accounted_at);
        if self.accounted_at.len() > 2 * MAX_ENTRIES {
            self.accounted_at.drain(..MAX_ENTRIES);
        }
        accounted_at
    }

    /// A request was refused, so it is not counted; returns when that was decided.
    pub(super) fn refused(&mut self, id: u64, now: Instant) -> Instant {
        self.in_flight.remove(&id).map_or(now, |sent| midpoint(sent, now))
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// When the first request of all was counted.
    pub(super) fn first(&self) -> Option<Instant> {
        self.accounted_at.first().copied()
    }

    /// How many were let in at or after `since`.
    pub(super) fn since(&self, since: Instant) -> usize {
        self.accounted_at.len() - self.accounted_at.partition_point(|accounted_at| *accounted_at < since)
    }

    /// When the `n`-th last request was counted; requests in flight are the last ones.
    pub(super) fn nth_last(&self, n: usize) -> NthLast {
        match n.checked_sub(self.in_flight.len()) {
            None | Some(0) => NthLast::InFlight,
            Some(back) => match self.accounted_at.len().checked_sub(back) {
                Some(at) => NthLast::At(self.accounted_at[at]),
                None => NthLast::None,
            },
        }
    }
}

/// When one of the last requests was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NthLast {
    /// There were not so many.
    None,
    At(Instant),
    /// It has no response yet.
    InFlight,
}

fn midpoint(sent: Instant, now: Instant) -> Instant {
    sent + now.duration_since(sent).min(Duration::from_secs(60)) / 2
}
