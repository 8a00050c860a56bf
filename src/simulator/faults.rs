//! How the simulated organization can be told to behave badly, with a seed.

use std::time::Duration;

use super::limiter::LimitKind;
use super::response_quirks::Quirk;
use crate::runtime::SeededRng;

/// How long a request takes, both ways together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    Fixed(Duration),
    /// Lognormal: half of all requests take less than `median`, one in a hundred more than `p99`.
    Lognormal {
        median: Duration,
        p99: Duration,
    },
}

impl Latency {
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
pub enum RequestFault {
    Normal,
    /// It is answered with this status and not carried out.
    Status(u16),
    /// It is carried out and answered with this status.
    AppliedThenStatus(u16),
    HtmlPage,
    /// The connection breaks before it is carried out.
    ResetBefore,
    /// It is carried out, and the connection breaks before the answer.
    ResetAfter,
    /// The answer is cut in the middle.
    Truncated,
    /// It is carried out, and never answered.
    NoResponse,
    /// It is answered with a failure, and carried out so much later.
    DelayedWrite(Duration),
    Locked,
}

/// Probabilities are of a single request, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultConfig {
    pub seed: u64,
    pub latency: Latency,
    pub limit: Option<LimitKind>,
    /// Statuses that come instead of an answer, and how likely each is.
    pub statuses: Vec<(u16, f64)>,
    /// A failure although the write was carried out.
    pub applied_then_503: f64,
    pub html_pages: f64,
    pub reset_before: f64,
    pub reset_after: f64,
    pub truncated: f64,
    pub no_response: f64,
    /// How long an access token that was granted to the service app is good.
    pub token_ttl: Option<Duration>,
    /// Before these updates, counted from 1, somebody else edits the network that they are about.
    pub concurrent_edits_at: Vec<u64>,
    pub quirks: Vec<Quirk>,
    /// What becomes of this request, counted from 1 since the start.
    pub fault_at: Option<(u64, RequestFault)>,
    /// A write that comes late, after its own failure.
    pub delayed_write: f64,
    /// How likely a write finds its location locked, and for how long.
    pub locks: f64,
    pub lock_duration: Duration,
    /// Whether a lock says how long it lasts.
    pub lock_retry_after: bool,
    /// How long a list may lag behind writes.
    pub read_lag: Duration,
    /// Updates are accepted with 202 instead of 204, and done so much later.
    pub async_update_delay: Option<Duration>,
    pub hide_disabled_codes: bool,
}

impl Default for FaultConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            latency: Latency::Fixed(Duration::ZERO),
            limit: None,
            statuses: Vec::new(),
            applied_then_503: 0.0,
            html_pages: 0.0,
            reset_before: 0.0,
            reset_after: 0.0,
            truncated: 0.0,
            no_response: 0.0,
            fault_at: None,
            token_ttl: None,
            concurrent_edits_at: Vec::new(),
            quirks: Vec::new(),
            delayed_write: 0.0,
            locks: 0.0,
            lock_duration: Duration::from_secs(5),
            lock_retry_after: true,
            read_lag: Duration::ZERO,
            async_update_delay: None,
            hide_disabled_codes: false,
        }
    }
}

impl FaultConfig {
    pub(super) fn fault(&self, is_write: bool, rng: &mut SeededRng) -> RequestFault {
        let mut draw = rng.next_f64();
        let mut hits = |probability: f64| {
            draw -= probability;
            draw < 0.0
        };
        for (status, probability) in &self.statuses {
            if hits(*probability) {
                return RequestFault::Status(*status);
            }
        }
        let either_way = [
            (self.html_pages, RequestFault::HtmlPage),
            (self.reset_before, RequestFault::ResetBefore),
            (self.reset_after, RequestFault::ResetAfter),
            (self.truncated, RequestFault::Truncated),
            (self.no_response, RequestFault::NoResponse),
        ];
        if let Some((_, fault)) = either_way.into_iter().find(|(probability, _)| hits(*probability)) {
            return fault;
        }
        if !is_write {
            return RequestFault::Normal;
        }
        if hits(self.applied_then_503) {
            RequestFault::AppliedThenStatus(503)
        } else if hits(self.delayed_write) {
            RequestFault::DelayedWrite(rng.full_jitter(Duration::from_secs(20)))
        } else if hits(self.locks) {
            RequestFault::Locked
        } else {
            RequestFault::Normal
        }
    }
}
