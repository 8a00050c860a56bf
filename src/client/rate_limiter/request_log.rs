//! Which requests the server has counted, and when, as far as known.
//!
//! A server decides somewhere between the sending of a request and its response: at once if its refusals come back
//! faster than its results, since then the work follows the decision; else halfway is the best estimate.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::runtime::Instant;

/// More than any limiter looks back on.
const MAX_ENTRIES: usize = 50_000;

/// More than a fit gains from.
const MAX_HISTORY: usize = 4_000;

/// Refusals that take less than this share of the time of a result are decided before the work.
const EARLY_DECISION: f64 = 0.6;

/// A request arrives within this part of the time until its response.
const WAY: u32 = 6;

/// Weight of the latest response in the moving averages.
const SMOOTHING: f64 = 0.05;

#[derive(Debug, Default)]
pub(super) struct RequestLog {
    in_flight: BTreeMap<u64, Sent>,
    next: u64,
    admitted: Vec<Entry>,
    refused: Vec<Entry>,
    /// When the requests that were let in were counted, ascending; derived from `admitted`.
    counted_at: Vec<Instant>,
    counted_in_flight: usize,
    /// Whether the limit applies to reads as well: since one was refused.
    counts_reads: bool,
    decides_early: bool,
    latency: MovingAverage,
    refusal_latency: MovingAverage,
    /// The fastest response of all.
    fastest: Option<Duration>,
}

/// A request in flight.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Instant,
    is_read: bool,
    /// How many were in flight then, this one included, and at most since then.
    crowd: usize,
    peak: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    sent: Instant,
    took: Duration,
    is_read: bool,
}

/// How a request fared that has its response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decided {
    /// When the server has decided.
    pub(super) at: Instant,
    /// How many requests were in flight when it was sent, itself included, and at most until its response.
    pub(super) crowd: usize,
    pub(super) peak: usize,
}

impl Decided {
    /// A request that is not in the log.
    const fn at(at: Instant) -> Self {
        Self { at, crowd: 1, peak: 1 }
    }
}

/// A mean and a mean deviation, in seconds.
#[derive(Clone, Copy, Debug, Default)]
struct MovingAverage {
    count: u32,
    mean: f64,
    deviation: f64,
}

impl RequestLog {
    pub(super) fn sent(&mut self, now: Instant, is_read: bool) -> u64 {
        self.next += 1;
        let crowd = self.in_flight.len() + 1;
        self.counted_in_flight += usize::from(self.counts(is_read));
        for other in self.in_flight.values_mut() {
            other.peak = other.peak.max(crowd);
        }
        self.in_flight.insert(self.next, Sent { at: now, is_read, crowd, peak: crowd });
        self.next
    }

    /// A request was let in.
    pub(super) fn admitted(&mut self, id: u64, now: Instant) -> Decided {
        let Some((entry, Sent { crowd, peak, .. })) = self.responded(id, now) else { return Decided::at(now) };
        self.latency.add(entry.took);
        self.admitted.push(entry);
        let at = self.decided_at(entry);
        if self.counts(entry.is_read) {
            let place = self.counted_at.partition_point(|other| *other <= at);
            self.counted_at.insert(place, at);
        }
        if self.admitted.len() > 2 * MAX_ENTRIES {
            self.admitted.drain(..MAX_ENTRIES);
            self.recount();
        }
        Decided { at, crowd, peak }
    }

    /// A request was refused, so it is not counted.
    pub(super) fn refused(&mut self, id: u64, now: Instant) -> Decided {
        let Some((entry, Sent { crowd, peak, .. })) = self.responded(id, now) else { return Decided::at(now) };
        self.refusal_latency.add(entry.took);
        self.refused.push(entry);
        if self.refused.len() > 2 * MAX_HISTORY {
            self.refused.drain(..MAX_HISTORY);
        }
        let decides_early = self.latency.count > 0 && self.refusal_latency.mean < EARLY_DECISION * self.latency.mean;
        if decides_early != self.decides_early || entry.is_read && !self.counts_reads {
            self.decides_early = decides_early;
            self.counts_reads |= entry.is_read;
            self.recount();
        }
        Decided { at: self.decided_at(entry), crowd, peak }
    }

    fn responded(&mut self, id: u64, now: Instant) -> Option<(Entry, Sent)> {
        let sent = self.in_flight.remove(&id)?;
        let is_read = sent.is_read;
        self.counted_in_flight -= usize::from(self.counts(is_read));
        let took = now.duration_since(sent.at).min(Duration::from_secs(60));
        self.fastest = Some(self.fastest.map_or(took, |fastest| fastest.min(took)));
        Some((Entry { sent: sent.at, took, is_read }, sent))
    }

    /// Derives what depends on assumptions about the server.
    fn recount(&mut self) {
        let counted = self.admitted.iter().filter(|entry| self.counts(entry.is_read));
        let mut counted_at: Vec<Instant> = counted.map(|entry| self.decided_at(*entry)).collect();
        counted_at.sort_unstable();
        self.counted_at = counted_at;
        self.counted_in_flight = self.in_flight.values().filter(|sent| self.counts(sent.is_read)).count();
    }

    /// Whether the limit applies to such a request.
    pub(super) const fn counts(&self, is_read: bool) -> bool {
        self.counts_reads || !is_read
    }

    fn decided_at(&self, entry: Entry) -> Instant {
        let way = if self.decides_early { self.fastest.unwrap_or_default().min(entry.took) } else { entry.took };
        entry.sent + way / 2
    }

    /// How long a request is under way at least before it is counted.
    pub(super) fn shortest_way(&self) -> Duration {
        self.fastest.unwrap_or_default() / 2
    }

    /// What was let in and what was refused since then, in the order of the decisions: seconds since the start, and
    /// whether it was let in.
    pub(super) fn history(&self, since: Instant) -> Vec<(f64, bool)> {
        let from = self.counted_at.partition_point(|at| *at < since);
        let from = from.max(self.counted_at.len().saturating_sub(MAX_HISTORY));
        let since = self.counted_at.get(from).map_or(since, |first| since.max(*first));
        let refused = self.refused.iter().map(|entry| self.decided_at(*entry)).filter(|at| *at >= since);
        // What is decided at the same time was refused because of what was let in.
        let late = self.jitter();
        let admitted = self.counted_at[from..].iter().map(|at| (at.elapsed().as_secs_f64(), true));
        let refused = refused.map(|at| (at.elapsed().as_secs_f64() + late, false));
        let mut history: Vec<(f64, bool)> = admitted.chain(refused).collect();
        history.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        history
    }

    /// Of the requests since then, in order: whether each was let in, and how many were at work when it arrived, itself included if
    /// so. It is at work until its response. When it arrives is known but for a share of a response: what was let in may have
    /// arrived when others had left meanwhile, what was refused may have not.
    pub(super) fn at_work(&self, since: Instant) -> Vec<(bool, usize)> {
        let last = |entries: &[Entry], is_admitted: bool| -> Vec<(Entry, bool)> {
            let counted = entries.iter().rev().filter(|entry| self.counts(entry.is_read)).take(MAX_HISTORY);
            counted.map(|entry| (*entry, is_admitted)).collect()
        };
        let mut requests = last(&self.admitted, true);
        // What was at work before the oldest response that is looked at is not known.
        let is_cut = requests.len() == MAX_HISTORY;
        let since = requests.last().filter(|_| is_cut).map_or(since, |(entry, _)| since.max(entry.sent + entry.took));
        requests.extend(last(&self.refused, false));
        requests.sort_unstable_by_key(|(entry, _)| entry.sent);
        let mut at_work: Vec<Instant> = Vec::new();
        let decisions = requests.into_iter().filter_map(|(entry, is_admitted)| {
            at_work.retain(|ends| *ends > entry.sent);
            let left = if is_admitted { entry.took / WAY } else { Duration::ZERO };
            let count = at_work.iter().filter(|ends| **ends > entry.sent + left).count() + usize::from(is_admitted);
            if is_admitted {
                at_work.push(entry.sent + entry.took);
            }
            (entry.sent >= since).then_some((is_admitted, count))
        });
        decisions.collect()
    }

    /// How long a response takes, in seconds.
    pub(super) const fn latency(&self) -> f64 {
        self.latency.mean
    }

    /// How much the instants of arrival vary, in seconds.
    pub(super) fn jitter(&self) -> f64 {
        if self.decides_early { self.refusal_latency.deviation } else { self.latency.deviation / 2.0 }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// When the first request of all was counted.
    pub(super) fn first(&self) -> Option<Instant> {
        self.counted_at.first().copied()
    }

    /// When the first request at or after `since` was counted.
    pub(super) fn first_since(&self, since: Instant) -> Option<Instant> {
        self.counted_at.get(self.counted_at.partition_point(|counted_at| *counted_at < since)).copied()
    }

    /// How many were let in at or after `since`.
    pub(super) fn since(&self, since: Instant) -> usize {
        self.counted_at.len() - self.counted_at.partition_point(|counted_at| *counted_at < since)
    }

    /// The largest number that was let in within any such period.
    pub(super) fn most_within(&self, period: Duration) -> usize {
        let mut from = 0;
        let within = self.counted_at.iter().enumerate().map(|(at, counted_at)| {
            while counted_at.duration_since(self.counted_at[from]) > period {
                from += 1;
            }
            at + 1 - from
        });
        within.max().unwrap_or(0)
    }

    /// When the `n`-th last request was counted; requests in flight are the last ones.
    pub(super) fn nth_last(&self, n: usize) -> NthLast {
        match n.checked_sub(self.counted_in_flight) {
            None | Some(0) => NthLast::InFlight,
            Some(back) => match self.counted_at.len().checked_sub(back) {
                Some(at) => NthLast::At(self.counted_at[at]),
                None => NthLast::None,
            },
        }
    }
}

impl MovingAverage {
    fn add(&mut self, value: Duration) {
        let value = value.as_secs_f64();
        self.count = self.count.saturating_add(1);
        // A plain mean at first, so that the first response does not outweigh the others.
        let weight = SMOOTHING.max(1.0 / f64::from(self.count));
        if self.count > 1 {
            self.deviation += ((value - self.mean).abs() - self.deviation) * weight;
        }
        self.mean += (value - self.mean) * weight;
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
