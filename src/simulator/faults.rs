//! Configuration of fault injection, reproducible by a seed.

use std::str::FromStr;
use std::time::Duration;

use super::limiter::{Limit, LimitKind};
use super::response_quirks::Quirk;
use crate::model::OperationShape;
use crate::runtime::SeededRng;

/// Round-trip latency of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    Fixed(Duration),
    /// Lognormal with this median and 99th percentile.
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
                // The 99th percentile is 2.326 standard deviations above the mean.
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

/// The fault of a request, decided when it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    Normal,
    /// Answered with this status, not executed.
    Status(u16),
    /// Executed, then answered with this status.
    AppliedThenStatus(u16),
    HtmlPage,
    /// The connection breaks before the request is executed.
    ResetBefore,
    /// Executed, then the connection breaks.
    ResetAfter,
    /// The response is truncated.
    Truncated,
    /// Executed, never answered.
    NoResponse,
    /// Answered with a failure, executed after this delay.
    DelayedWrite(Duration),
    Locked,
}

/// The `Retry-After` of a 429.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryAfterHeader {
    /// The true wait in whole seconds, rounded up.
    #[default]
    Exact,
    Missing,
    /// This number of seconds, whatever the true wait.
    Fixed(u64),
    /// Half of the true wait, rounded down.
    Half,
    /// Half a second, whatever the true wait.
    Fraction,
}

/// Which of two writes at once are refused: the second one is answered 423.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExclusiveWrites {
    #[default]
    No,
    /// Of one network.
    Network,
    /// Of one location.
    Location,
}

impl FromStr for ExclusiveWrites {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "no" => Ok(Self::No),
            "network" => Ok(Self::Network),
            "location" => Ok(Self::Location),
            _ => Err("expected no, network or location".to_owned()),
        }
    }
}

/// Fault configuration. Probabilities are per request, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultConfig {
    pub seed: u64,
    pub latency: Latency,
    /// Rate limits, all at the same time.
    pub limits: Vec<Limit>,
    /// `Retry-After` of a 429.
    pub limit_retry_after: RetryAfterHeader,
    /// What limits answer: 429, or 503 as servers do that are overloaded.
    pub limit_status: u16,
    /// For how long everything is refused after a refusal, and again after each request within that time.
    pub limit_penalty: Option<Duration>,
    /// The share of requests beyond a limit that are refused: an overloaded server sheds some of its load.
    pub limit_share: f64,
    /// Statuses that replace a response, with their probabilities.
    pub statuses: Vec<(u16, f64)>,
    /// A 503 although the write was applied.
    pub applied_then_503: f64,
    pub html_pages: f64,
    pub reset_before: f64,
    pub reset_after: f64,
    pub truncated: f64,
    pub no_response: f64,
    /// Lifetime of access tokens issued to the service app.
    pub token_ttl: Option<Duration>,
    /// Before each of these updates, counted from 1, another client edits the same network.
    pub concurrent_edits_at: Vec<u64>,
    pub quirks: Vec<Quirk>,
    /// The fault of one request, counted from 1.
    pub fault_at: Option<(u64, RequestFault)>,
    /// A write that is applied after its failure response.
    pub delayed_write: f64,
    /// Probability that a write finds its location locked.
    pub locks: f64,
    pub lock_duration: Duration,
    /// Whether a 423 has a `Retry-After`.
    pub lock_retry_after: bool,
    pub exclusive_writes: ExclusiveWrites,
    /// Maximum delay until a write is visible in a list.
    pub read_lag: Duration,
    /// Updates are answered with 202 instead of 204 and applied after this delay.
    pub async_update_delay: Option<Duration>,
    pub hide_disabled_codes: bool,
    /// Responses take on these shapes.
    pub shapes: Vec<OperationShape>,
    /// The token is that of a location administrator: the list of the organization is denied, that of a location is not.
    pub location_administrator: bool,
    /// Handsets with two lines are refused with error 5302, as has been seen live.
    pub refuse_second_line: bool,
    /// A member who is on a handset of another network is refused with error 4516.
    pub members_of_one_network: bool,
    /// One of those makes the whole request fail.
    pub refuse_whole_requests: bool,
    /// Lists of members are cut into pages of at most this many, whatever is asked for.
    pub members_page: Option<usize>,
    /// Changes of the handsets of a network that are closer together are violations.
    pub handset_interval: Duration,
}

impl Default for FaultConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            latency: Latency::Fixed(Duration::ZERO),
            limits: Vec::new(),
            limit_retry_after: RetryAfterHeader::Exact,
            limit_status: 429,
            limit_penalty: None,
            limit_share: 1.0,
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
            exclusive_writes: ExclusiveWrites::No,
            read_lag: Duration::ZERO,
            async_update_delay: None,
            hide_disabled_codes: false,
            shapes: Vec::new(),
            location_administrator: false,
            refuse_second_line: false,
            members_of_one_network: false,
            refuse_whole_requests: false,
            members_page: None,
            handset_interval: Duration::from_secs(90),
        }
    }
}

impl FaultConfig {
    /// The same with one rate limit.
    #[must_use]
    pub fn with_limit(mut self, limit: LimitKind) -> Self {
        self.limits = vec![limit.into()];
        self
    }

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
