//! A limit on the number of requests in flight.
//!
//! It refuses what is too many and lets the others in, whatever their rate. So a refusal gives an estimate: those in
//! flight that were not refused. If hardly any request was let in while more were in flight, the limit is assumed and
//! kept: if it is refused nevertheless, it is another one; else one more is tried now and then.

use std::cell::LazyCell;

/// Larger numbers in flight are counted as this one.
const MAX_CROWD: usize = 64;

/// One refusal is enough if at most so many were refused after at least so many were let in; else two must agree.
const CLEAR_REFUSALS: usize = 2;
const CLEAR_SUCCESSES: u32 = 20;

/// So many requests, and one in so many of all, may have been let in beyond what is assumed; and while a rate decides how many
/// are in flight.
const TOLERATED: (u32, u32) = (1, 50);
const TOLERATED_IF_PACED: (u32, u32) = (3, 5);

/// The limit was assumed: one more is tried after this many successes for each request in flight. Doubled with every
/// try that was refused.
const PROBE_INTERVAL: u32 = 60;

/// A response may be on its way while the server admits another request, so that one more is often let in all the same: only so
/// many show that the limit is wider.
const WIDER: u32 = 40;

/// A refusal within the limit after fewer successes contradicts it; after more, it has become narrower.
const MIN_SUCCESSES: u32 = 20;

/// How often in a row it may be found too high.
const MAX_REDUCTIONS: u32 = 2;

#[derive(Clone, Debug)]
pub(super) struct InFlightLimit {
    /// Requests that were let in, by the number in flight when they were sent.
    admitted: [u32; MAX_CROWD + 1],
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The estimate by the last refusal.
    Unknown(Option<usize>),
    Kept(Kept),
    /// It was assumed and contradicted.
    Refuted,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    most: usize,
    /// One more was refused, and no bucket explains that.
    is_confirmed: bool,
    /// One more was refused, and a bucket explains that as well.
    is_doubtful: bool,
    /// Let in since the last refusal.
    successes: u32,
    /// One more is tried after this many successes.
    probe_after: u32,
    /// Let in beyond `most` since then.
    beyond: u32,
    /// How often in a row it was reduced.
    reductions: u32,
}

impl Default for InFlightLimit {
    fn default() -> Self {
        Self { admitted: [0; MAX_CROWD + 1], state: State::Unknown(None) }
    }
}

impl InFlightLimit {
    /// It may be one all the same.
    pub(super) fn reconsider(&mut self) {
        self.state = State::Unknown(None);
    }

    fn keep(&mut self, most: usize) {
        let probe_after = PROBE_INTERVAL * most as u32;
        self.state = State::Kept(Kept {
            most,
            is_confirmed: false,
            is_doubtful: false,
            successes: 0,
            probe_after,
            beyond: 0,
            reductions: 0,
        });
    }

    /// How many may be in flight, if that is limited.
    pub(super) const fn most(&self) -> Option<usize> {
        match self.state {
            State::Kept(kept) if kept.successes >= kept.probe_after => Some(kept.most + 1),
            State::Kept(kept) => Some(kept.most),
            _ => None,
        }
    }

    /// The limit for people.
    pub(super) fn describe(&self) -> Option<String> {
        let State::Kept(Kept { most, .. }) = self.state else { return None };
        Some(format!("{most} in flight"))
    }

    /// A request was let in that was sent as one of `crowd` in flight.
    pub(super) fn admitted(&mut self, crowd: usize) {
        self.admitted[crowd.min(MAX_CROWD)] += 1;
        let State::Kept(kept) = &mut self.state else { return };
        kept.successes += 1;
        if crowd > kept.most {
            kept.beyond += 1;
            if kept.beyond >= WIDER {
                kept.most += 1;
                kept.beyond = 0;
            }
        }
    }

    /// How many in flight explain that so many of `peak` were refused; `None` if too many were let in beyond it. While a rate
    /// decides how many are in flight, few are anyway, so that one more counts as well.
    fn estimate(&self, refused: usize, peak: usize, is_paced: bool) -> Option<usize> {
        let estimate = peak.saturating_sub(refused);
        let (beyond, (tolerated, share)) = if is_paced { (1, TOLERATED_IF_PACED) } else { (2, TOLERATED) };
        let beyond: u32 = self.admitted[(estimate + beyond).min(MAX_CROWD)..].iter().sum();
        (estimate > 0 && beyond <= tolerated + self.total() / share).then_some(estimate)
    }

    fn total(&self) -> u32 {
        self.admitted.iter().sum()
    }

    /// So many were `refused` of at most `peak` in flight; whether this limit explains that. What contradicts it may
    /// have been a bucket all the time.
    pub(super) fn refused(
        &mut self,
        refused: usize,
        peak: usize,
        is_paced: bool,
        may_be_bucket: impl FnOnce() -> bool,
    ) -> bool {
        // A fit is not cheap, and most events need none.
        let may_be_bucket = LazyCell::new(may_be_bucket);
        let kept = match &mut self.state {
            State::Unknown(before) => {
                let before = before.take();
                let estimate = self.estimate(refused, peak, is_paced);
                return self.is_assumed(before, estimate, refused <= CLEAR_REFUSALS && !is_paced);
            }
            State::Refuted => return false,
            State::Kept(kept) => kept,
        };
        if peak > kept.most && (kept.is_confirmed || !*may_be_bucket || !kept.is_doubtful) {
            // What a bucket would have refused as well does not confirm it: both are kept for one more event.
            kept.is_confirmed |= !*may_be_bucket;
            kept.is_doubtful = !kept.is_confirmed;
            kept.probe_after = kept.probe_after.max(2 * kept.successes);
            (kept.successes, kept.beyond, kept.reductions) = (0, 0, 0);
            return kept.is_confirmed;
        }
        let is_old = kept.successes >= MIN_SUCCESSES;
        // More were in flight for the client than for the server when it was assumed, or it has become narrower.
        let is_narrower = is_old || refused == 1 && peak == kept.most && kept.reductions < MAX_REDUCTIONS;
        if kept.most > 1 && is_narrower && !*may_be_bucket {
            (kept.most, kept.successes, kept.beyond) = (kept.most - 1, 0, 0);
            kept.reductions += 1;
            return true;
        }
        // A second limit is beside it, or it is none.
        if !is_old {
            self.state = State::Refuted;
        }
        false
    }

    /// Assumes a limit if two refusals in a row agree on it, or a clear one shows it.
    fn is_assumed(&mut self, before: Option<usize>, estimate: Option<usize>, is_clear: bool) -> bool {
        let Some(estimate) = estimate else { return false };
        match before {
            Some(before) if before.abs_diff(estimate) <= 1 => self.keep(before.min(estimate)),
            _ if is_clear && self.total() >= CLEAR_SUCCESSES => self.keep(estimate),
            _ => {
                self.state = State::Unknown(Some(estimate));
                return false;
            }
        }
        true
    }
}
