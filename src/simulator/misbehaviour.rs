//! How the simulated organization can be told to behave badly, with a seed.

use std::time::Duration;

use super::limiter::LimitKind;
use super::quirks::Quirk;
use crate::runtime::SeededRng;

/// How long a request takes, both ways together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Lognormal: half of all requests take less than `median`, one in a hundred more than `p99`.
    Lognormal {
        /// Half take less.
        median: Duration,
        /// One in a hundred takes more.
        p99: Duration,
    },
}

impl Latency {
    /// The latency of one request.
    pub fn draw(self, rng: &mut SeededRng) -> Duration {
        match self {
            Self::Fixed(latency) => latency,
            Self::Lognormal { median, p99 } => {
                // 2.326 deviations are the 99th of a hundred.
                let sigma = (p99.as_secs_f64() / median.as_secs_f64()).ln() / 2.326_347_874;
                median.mul_f64((sigma * rng.normal()).exp())
            }
        }
    }

    /// What it is on average.
    pub fn mean(self) -> Duration {
        match self {
            Self::Fixed(latency) => latency,
            Self::Lognormal { median, p99 } => {
                let sigma = (p99.as_secs_f64() / median.as_secs_f64()).ln() / 2.326_347_874;
                median.mul_f64((sigma * sigma / 2.0).exp())
            }
        }
    }
}

/// What is decided about a request when it sets out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Normal,
    /// It is answered with this status and not carried out.
    Status(u16),
    /// It is carried out and answered with this status.
    StatusAfter(u16),
    /// A proxy answers with a page.
    Page,
    /// The connection breaks before it is carried out.
    LostBefore,
    /// It is carried out, and the connection breaks before the answer.
    LostAfter,
    /// The answer is cut in the middle.
    Cut,
    /// It is carried out, and never answered.
    Silence,
    /// It is answered with a failure, and carried out so much later.
    Late(Duration),
    /// Its location is locked.
    Locked,
}

/// Probabilities are of a single request, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Misbehaviour {
    /// Random numbers repeat from it.
    pub seed: u64,
    /// How long requests take.
    pub latency: Latency,
    /// The limiter, if there is one.
    pub limit: Option<LimitKind>,
    /// Statuses that come instead of an answer, and how likely each is.
    pub statuses: Vec<(u16, f64)>,
    /// A failure although the write was carried out.
    pub failed_but_done: f64,
    /// A page from a proxy.
    pub pages: f64,
    /// A broken connection before the write.
    pub lost_before: f64,
    /// A broken connection after the write.
    pub lost_after: f64,
    /// A cut answer.
    pub cut: f64,
    /// No answer at all.
    pub silence: f64,
    /// How long an access token that was granted to the service app is good.
    pub token_life: Option<Duration>,
    /// Before these updates, counted from 1, somebody else edits the network that they are about.
    pub edits_at: Vec<u64>,
    /// How odd answers look.
    pub quirks: Vec<Quirk>,
    /// What becomes of this request, counted from 1 since the start.
    pub fate_at: Option<(u64, Fate)>,
    /// A write that comes late, after its own failure.
    pub late: f64,
    /// How likely a write finds its location locked, and for how long.
    pub locks: f64,
    /// How long a lock lasts.
    pub lock_time: Duration,
    /// Whether a lock says how long it lasts.
    pub lock_says_when: bool,
    /// How long a list may lag behind writes.
    pub reads_lag: Duration,
    /// Updates are accepted with 202 instead of 204, and done so much later.
    pub accepts_for_later: Option<Duration>,
    /// A disabled code is not shown.
    pub hides_disabled_codes: bool,
}

impl Default for Misbehaviour {
    fn default() -> Self {
        Self {
            seed: 1,
            latency: Latency::Fixed(Duration::ZERO),
            limit: None,
            statuses: Vec::new(),
            failed_but_done: 0.0,
            pages: 0.0,
            lost_before: 0.0,
            lost_after: 0.0,
            cut: 0.0,
            silence: 0.0,
            fate_at: None,
            token_life: None,
            edits_at: Vec::new(),
            quirks: Vec::new(),
            late: 0.0,
            locks: 0.0,
            lock_time: Duration::from_secs(5),
            lock_says_when: true,
            reads_lag: Duration::ZERO,
            accepts_for_later: None,
            hides_disabled_codes: false,
        }
    }
}

impl Misbehaviour {
    /// Draws the fate of one request.
    pub(super) fn fate(&self, is_write: bool, rng: &mut SeededRng) -> Fate {
        let mut draw = rng.next_f64();
        let mut hits = |probability: f64| {
            draw -= probability;
            draw < 0.0
        };
        for (status, probability) in &self.statuses {
            if hits(*probability) {
                return Fate::Status(*status);
            }
        }
        let either_way = [
            (self.pages, Fate::Page),
            (self.lost_before, Fate::LostBefore),
            (self.lost_after, Fate::LostAfter),
            (self.cut, Fate::Cut),
            (self.silence, Fate::Silence),
        ];
        if let Some((_, fate)) = either_way.into_iter().find(|(probability, _)| hits(*probability)) {
            return fate;
        }
        if !is_write {
            return Fate::Normal;
        }
        if hits(self.failed_but_done) {
            Fate::StatusAfter(503)
        } else if hits(self.late) {
            Fate::Late(rng.full_jitter(Duration::from_secs(20)))
        } else if hits(self.locks) {
            Fate::Locked
        } else {
            Fate::Normal
        }
    }
}
