//! What the limiter has counted, and when, as far as we can tell.
//!
//! A request is counted somewhere between its sending and its answer. Half-way is the best guess, and a better one than
//! either end: it does not depend on how long the answer took.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::runtime::Instant;

/// More than any limiter looks back on.
const KEPT: usize = 50_000;

#[derive(Debug, Default)]
pub(super) struct Sends {
    /// When requests that were let in were counted, ascending.
    counted: Vec<Instant>,
    in_the_air: BTreeMap<u64, Instant>,
    next: u64,
}

impl Sends {
    pub(super) fn sent(&mut self, now: Instant) -> u64 {
        self.next += 1;
        self.in_the_air.insert(self.next, now);
        self.next
    }

    /// A request was let in. Says when it was counted.
    pub(super) fn admitted(&mut self, id: u64, now: Instant) {
        let Some(sent) = self.in_the_air.remove(&id) else { return };
        let counted = half_way(sent, now);
        let at = self.counted.partition_point(|other| *other <= counted);
        self.counted.insert(at, counted);
        if self.counted.len() > 2 * KEPT {
            self.counted.drain(..KEPT);
        }
    }

    /// A request was refused: it is not counted. Says when that was decided.
    pub(super) fn refused(&mut self, id: u64, now: Instant) -> Instant {
        self.in_the_air.remove(&id).map_or(now, |sent| half_way(sent, now))
    }

    pub(super) fn in_the_air(&self) -> usize {
        self.in_the_air.len()
    }

    /// When the first request of all was counted.
    pub(super) fn first(&self) -> Option<Instant> {
        self.counted.first().copied()
    }

    /// How many were let in at or after `since`.
    pub(super) fn since(&self, since: Instant) -> usize {
        self.counted.len() - self.counted.partition_point(|counted| *counted < since)
    }

    /// When the `n`-th last request was counted, those in the air being the last ones.
    pub(super) fn nth_last(&self, n: usize) -> NthLast {
        match n.checked_sub(self.in_the_air.len()) {
            None | Some(0) => NthLast::InTheAir,
            Some(back) => match self.counted.len().checked_sub(back) {
                Some(at) => NthLast::Counted(self.counted[at]),
                None => NthLast::Never,
            },
        }
    }
}

/// When one of the last requests was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NthLast {
    /// There were not so many.
    Never,
    /// Then.
    Counted(Instant),
    /// It has not been answered yet.
    InTheAir,
}

fn half_way(sent: Instant, now: Instant) -> Instant {
    sent + now.duration_since(sent).min(Duration::from_secs(60)) / 2
}
