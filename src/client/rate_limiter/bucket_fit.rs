//! A joint estimate of rate and burst from all that was let in and refused.
//!
//! For a given rate, the level of the bucket at every decision follows from the requests that were let in. What was let
//! in must have fitted: the burst is at least the highest level. What was refused must not: the burst is less than the
//! lowest level that one more would have led to. A rate is possible if the first is not more than the second.

use super::RATES;

/// Rates of the first pass.
const COARSE: usize = 64;

/// Halvings by which the best rate and the ends of its range are refined.
const REFINEMENTS: usize = 16;

/// How many tokens a rate may be off before it is impossible: arrivals are known to a fraction of a request only.
pub(super) const TOLERANCE: f64 = 0.6;

/// What is possible.
#[derive(Clone, Copy, Debug)]
pub(super) struct BucketFit {
    /// The best rate, in requests per second, and the range of those that are possible.
    pub(super) rate: f64,
    pub(super) slowest: f64,
    pub(super) fastest: f64,
    /// The burst at the best rate: how many requests fit into the empty bucket.
    pub(super) burst: f64,
    /// By how many requests even the best rate contradicts what was seen.
    pub(super) contradiction: f64,
}

/// Fits a bucket to `history` (seconds and whether let in, ascending), of which `level` requests were used at its
/// beginning.
pub(super) fn fit(history: &[(f64, bool)], level: f64) -> BucketFit {
    let loss = |rate: f64| contradiction_at(history, rate, level).0;
    // If several contradict nothing, the fastest: too fast costs a refusal, too slow costs time.
    let best = bottoms(&loss).into_iter().rev().min_by(|(_, one), (_, other)| one.total_cmp(other));
    let (rate, contradiction) = best.unwrap_or((RATES.1, f64::INFINITY));
    let is_possible = |rate: f64| loss(rate) <= contradiction + TOLERANCE;
    let neighbor = |step: f64| {
        let mut possible = rate;
        while (RATES.0..=RATES.1).contains(&(possible * step)) && is_possible(possible * step) {
            possible *= step;
        }
        edge(&is_possible, possible, possible * step)
    };
    let step = (RATES.1 / RATES.0).powf(1.0 / COARSE as f64);
    let (slowest, fastest) = (neighbor(1.0 / step), neighbor(step));
    let (_, burst) = contradiction_at(history, rate, level);
    BucketFit { rate, slowest, fastest, burst, contradiction }
}

/// By how many requests even the best bucket contradicts a history that begins with a full one.
pub(super) fn least_contradiction(history: &[(f64, bool)]) -> f64 {
    let bottoms = bottoms(&|rate| contradiction_at(history, rate, 0.0).0);
    bottoms.into_iter().map(|(_, contradiction)| contradiction).fold(f64::INFINITY, f64::min)
}

/// The lowest points of all valleys, each a rate and how much it contradicts. The right rate lies in a narrow valley: its slopes
/// rise by a request per request that was let in.
fn bottoms(loss: &impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let rates: Vec<f64> =
        (0..=COARSE).map(|step| RATES.0 * (RATES.1 / RATES.0).powf(step as f64 / COARSE as f64)).collect();
    let losses: Vec<f64> = rates.iter().map(|rate| loss(*rate)).collect();
    let valleys = (0..=COARSE)
        .filter(|at| (*at == 0 || losses[*at] <= losses[at - 1]) && (*at == COARSE || losses[*at] <= losses[at + 1]));
    valleys.map(|at| bottom(loss, rates[at.saturating_sub(1)], rates[(at + 1).min(COARSE)])).collect()
}

/// The lowest point between two rates, by ternary search, in the middle if it is flat.
fn bottom(loss: &impl Fn(f64) -> f64, mut from: f64, mut to: f64) -> (f64, f64) {
    for _ in 0..REFINEMENTS {
        let third = (to / from).powf(1.0 / 3.0);
        let (one, other) = (loss(from * third), loss(to / third));
        if one >= other {
            from *= third;
        }
        if one <= other {
            to /= third;
        }
    }
    let middle = (from * to).sqrt();
    (middle, loss(middle))
}

/// Bisects between a possible rate and an impossible one.
fn edge(is_possible: &impl Fn(f64) -> bool, mut possible: f64, mut impossible: f64) -> f64 {
    for _ in 0..REFINEMENTS {
        let middle = (possible * impossible).sqrt();
        *if is_possible(middle) { &mut possible } else { &mut impossible } = middle;
    }
    possible
}

/// By how many requests a rate contradicts the history, and the burst that contradicts it least.
///
/// Every highest level of requests that were let in, from one refusal to the next, should be at most the burst; every
/// level that a refused request would have led to should be more. The sum of what is missing is least at a median.
fn contradiction_at(history: &[(f64, bool)], rate: f64, level: f64) -> (f64, f64) {
    let (mut peaks, mut refusals) = (Vec::new(), Vec::new());
    let (mut level, mut last) = (level, history.first().map_or(0.0, |(at, _)| *at));
    let mut was_refused = true;
    for (at, is_admitted) in history {
        let drained = level - rate * (at - last);
        level = drained.max(0.0);
        last = *at;
        if *is_admitted {
            level += 1.0;
            match peaks.last_mut() {
                Some(peak) if !was_refused => *peak = level.max(*peak),
                _ => peaks.push(level),
            }
        } else {
            match refusals.last_mut() {
                Some(refusal) if was_refused => *refusal = (drained + 1.0).min(*refusal),
                _ => refusals.push(drained + 1.0),
            }
        }
        was_refused = !is_admitted;
    }
    // Of a larger burst, more refusals and fewer peaks contradict: the sum is least where these are equally many.
    let mut candidates: Vec<f64> = peaks.iter().chain(&refusals).copied().collect();
    candidates.sort_by(f64::total_cmp);
    let slope = |burst: f64| {
        let refused = refusals.iter().filter(|refusal| **refusal <= burst).count();
        refused as i64 - peaks.iter().filter(|peak| **peak > burst).count() as i64
    };
    let at = candidates.partition_point(|burst| slope(*burst) < 0).min(candidates.len().saturating_sub(1));
    let Some(burst) = candidates.get(at).copied() else { return (0.0, 1.0) };
    // The middle of all that are equally good.
    let end = if slope(burst) == 0 { candidates.get(at + 1).copied().unwrap_or(burst) } else { burst };
    let too_high: f64 = peaks.iter().map(|peak| (peak - burst).max(0.0)).sum();
    let too_low: f64 = refusals.iter().map(|refusal| (burst - refusal).max(0.0)).sum();
    (too_high + too_low, f64::midpoint(burst, end).max(1.0))
}

/// How many requests of the burst are used at `until` (seconds).
pub(super) fn level_at(history: &[(f64, bool)], rate: f64, level: f64, until: f64) -> f64 {
    let mut level = level;
    let mut last = history.first().map_or(until, |(at, _)| *at);
    for (at, _) in history.iter().filter(|(_, is_admitted)| *is_admitted) {
        level = (level - rate * (at - last)).max(0.0) + 1.0;
        last = *at;
    }
    (level - rate * (until - last)).max(0.0)
}
