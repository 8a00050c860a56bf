//! Fault injection as configured in a YAML file or with options; options take precedence.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::faults::{ExclusiveWrites, FaultConfig, Latency, RetryAfterHeader};
use super::limiter::{Limit, LimitKind};
use super::response_quirks::Quirk;
use crate::runtime::parse_duration;

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Scenario {
    pub seed: Option<u64>,
    /// How long requests take: `150ms`, or `150ms..1.5s` for the median and the 99th percentile.
    pub latency: Option<LatencySpec>,
    /// The limits: `bucket:5/s,10`, `window:300/60s`, `sliding:300/60s`, `counter:300/60s`, `in-flight:4`, `writes:` before one, joined by
    /// `+`.
    pub limit: Option<LimiterSpec>,
    /// The `Retry-After` of a 429: `exact`, `missing`, or a fixed number of seconds such as `0`.
    pub limit_retry_after: Option<HeaderSpec>,
    /// What limits answer: 429, or 503 as servers do that are overloaded.
    pub limit_status: Option<u16>,
    /// For how long everything is refused after a refusal, and again after each request within that time.
    pub limit_penalty: Option<DurationSpec>,
    /// The share of requests beyond a limit that are refused: `50%`, as servers do that shed some of their load.
    pub limit_share: Option<Probability>,
    pub locks: LockSpec,
    /// Which of two writes at once are refused with 423: `no`, `network` or `location`.
    pub exclusive_writes: Option<ExclusiveWrites>,
    pub faults: BTreeMap<Fault, Probability>,
    /// Lifetime of an issued token.
    pub token_ttl: Option<DurationSpec>,
    /// Before each of these updates, counted from 1, an external client edits the same network.
    pub concurrent_edits_at: Vec<u64>,
    pub quirks: Vec<Quirk>,
    /// Delay until a write is visible in a list.
    pub read_lag: Option<DurationSpec>,
    /// Updates are answered with 202 and applied after this delay.
    pub async_update_delay: Option<DurationSpec>,
    pub hide_disabled_codes: Option<bool>,
    /// Whether the token is that of a location administrator, who may not list the organization.
    pub location_administrator: Option<bool>,
    /// Handsets with two lines are refused with error 5302.
    pub refuse_second_line: Option<bool>,
    /// A member who is on a handset of another network is refused with error 4516.
    pub members_of_one_network: Option<bool>,
    /// One of those makes the whole request fail.
    pub refuse_whole_requests: Option<bool>,
    /// Lists of members are cut into pages of at most this many, whatever is asked for.
    pub members_page: Option<usize>,
    /// Changes of the handsets of a network that are closer together are logged as violations.
    pub handset_interval: Option<DurationSpec>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LockSpec {
    /// Probability that a write finds its location locked.
    pub probability: Option<Probability>,
    pub time: Option<DurationSpec>,
    pub retry_after: Option<bool>,
}

/// A fault that can be injected into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Answered with this status, not executed.
    Status(u16),
    HtmlPage,
    /// The connection breaks before the request is executed.
    ResetBefore,
    /// Executed, then the connection breaks.
    ResetAfter,
    /// The response is truncated.
    Truncated,
    /// Executed, never answered.
    NoResponse,
    /// A write is answered with a failure, but applied later.
    DelayedWrite,
    /// A write is answered with 503 although it was applied.
    AppliedThen503,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "htmlPage" => Self::HtmlPage,
            "resetBefore" => Self::ResetBefore,
            "resetAfter" => Self::ResetAfter,
            "truncated" => Self::Truncated,
            "noResponse" => Self::NoResponse,
            "delayedWrite" => Self::DelayedWrite,
            "appliedThen503" => Self::AppliedThen503,
            _ => match text.parse() {
                Ok(status @ 400..=599) if text.len() == 3 => Self::Status(status),
                _ => {
                    return Err(
                        "unknown fault; use a status such as 503, or htmlPage, resetBefore, resetAfter, truncated, \
                         noResponse, delayedWrite or appliedThen503"
                            .to_owned(),
                    );
                }
            },
        })
    }
}

/// From 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Probability(pub f64);

impl FromStr for Probability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "invalid probability; use a number from 0 to 1 or a percentage such as 5%".to_owned();
        let value = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().map_err(|_| wrong())? / 100.0,
            None => text.parse().map_err(|_| wrong())?,
        };
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(wrong()) }
    }
}

/// A duration such as `150ms`, `1.5s`, `10m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DurationSpec(pub Duration);

impl FromStr for DurationSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_duration(text).map(Self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencySpec(pub Latency);

impl FromStr for LatencySpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((median, p99)) = text.split_once("..") else {
            return Ok(Self(Latency::Fixed(text.parse::<DurationSpec>()?.0)));
        };
        let (DurationSpec(median), DurationSpec(p99)) = (median.parse()?, p99.parse()?);
        if median.is_zero() || p99 < median {
            return Err("invalid latency range; use MEDIAN..P99 with P99 not below MEDIAN".to_owned());
        }
        Ok(Self(Latency::Lognormal { median, p99 }))
    }
}

/// A `Retry-After` header in text form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderSpec(pub RetryAfterHeader);

impl FromStr for HeaderSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "exact" => Ok(Self(RetryAfterHeader::Exact)),
            "missing" => Ok(Self(RetryAfterHeader::Missing)),
            "half" => Ok(Self(RetryAfterHeader::Half)),
            "0.5" => Ok(Self(RetryAfterHeader::Fraction)),
            _ => text.parse().map(|seconds| Self(RetryAfterHeader::Fixed(seconds))).map_err(|_| {
                "invalid Retry-After; use exact, missing, half, 0.5, or a number of whole seconds such as 0".to_owned()
            }),
        }
    }
}

/// Rate limits in text form, joined by `+`: all apply at the same time.
#[derive(Clone, Debug, PartialEq)]
pub struct LimiterSpec(pub Vec<Limit>);

impl FromStr for LimiterSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split('+').map(parse_limit).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for LimiterSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, limit) in self.0.iter().enumerate() {
            let (and, of_writes) =
                (if at > 0 { " and " } else { "" }, if limit.writes_only { " (writes)" } else { "" });
            match limit.kind {
                LimitKind::Bucket { rate, burst } => write!(f, "{and}{rate} requests/s with a burst of {burst}")?,
                LimitKind::Window { count, period, .. }
                | LimitKind::Sliding { count, period }
                | LimitKind::Counter { count, period } => {
                    write!(f, "{and}{count} requests per {} s", period.as_secs_f64())?;
                }
                LimitKind::InFlight(most) => write!(f, "{and}{most} in flight")?,
            }
            f.write_str(of_writes)?;
        }
        Ok(())
    }
}

fn parse_limit(text: &str) -> Result<Limit, String> {
    let wrong = || {
        "invalid rate limit; use COUNT/DURATION such as 5/s or 300/60s, bucket:RATE/s,BURST, window:COUNT/DURATION, sliding:COUNT/DURATION, counter:COUNT/DURATION or in-flight:COUNT, \
         with writes: before it if reads are not limited, several joined by +"
            .to_owned()
    };
    let (writes_only, text) = text.strip_prefix("writes:").map_or((false, text), |text| (true, text));
    // Plain figures are of a sliding window.
    let (kind, figures) = text.split_once(':').unwrap_or(("sliding", text));
    let limit = |kind| Ok(Limit { kind, writes_only });
    if kind == "in-flight" {
        let most: usize = figures.parse().map_err(|_| wrong())?;
        return if (1..=1_000).contains(&most) { limit(LimitKind::InFlight(most)) } else { Err(wrong()) };
    }
    let (count, rest) = figures.split_once('/').ok_or_else(wrong)?;
    if kind == "bucket" {
        let burst = rest.strip_prefix("s,").ok_or_else(wrong)?;
        let (rate, burst): (f64, f64) = (count.parse().map_err(|_| wrong())?, burst.parse().map_err(|_| wrong())?);
        let sensible = (1e-3..=1e6).contains(&rate) && (1.0..=1e6).contains(&burst);
        return if sensible { limit(LimitKind::Bucket { rate, burst }) } else { Err(wrong()) };
    }
    // As of a rate: `5/s` is 5 in one second.
    let rest = if rest.starts_with(|c: char| c.is_ascii_digit()) { rest.to_owned() } else { format!("1{rest}") };
    let rest = rest.strip_suffix("in").unwrap_or(&rest);
    let period = rest.parse::<DurationSpec>().map_err(|_| wrong())?.0;
    let count = count.parse::<u32>().map_err(|_| wrong())?;
    if count == 0 || period < Duration::from_millis(10) {
        return Err(wrong());
    }
    match kind {
        "window" => limit(LimitKind::Window { count, period, phase: Duration::ZERO }),
        "sliding" => limit(LimitKind::Sliding { count, period }),
        "counter" => limit(LimitKind::Counter { count, period }),
        _ => Err(wrong()),
    }
}

macro_rules! read_from_text {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = TextOrNumber::deserialize(deserializer)?.0;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

read_from_text!(ExclusiveWrites, Fault, HeaderSpec, Probability, DurationSpec, LatencySpec, LimiterSpec);

/// A value that YAML may parse as a number.
struct TextOrNumber(String);

impl Visitor<'_> for TextOrNumber {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self, E> {
        Ok(Self(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self, E> {
        Ok(Self(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self, E> {
        Ok(Self(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self, E> {
        Ok(Self(number.to_string()))
    }
}

impl<'de> Deserialize<'de> for TextOrNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self(String::new()))
    }
}

impl Scenario {
    /// Parses a scenario file.
    ///
    /// # Errors
    /// A message with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_yaml::from_str(text).map_err(|error| {
            let message = error.without_snippet().to_string();
            // The parser's hint names its own options, which a user cannot set.
            let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
            format!("{message}; see `dectl simulate --help` for the syntax")
        })
    }

    /// Returns this scenario with every value that `other` sets replaced.
    #[must_use]
    pub fn override_with(mut self, other: Self) -> Self {
        self.faults.extend(other.faults);
        Self {
            seed: other.seed.or(self.seed),
            latency: other.latency.or(self.latency),
            limit: other.limit.clone().or_else(|| self.limit.clone()),
            limit_retry_after: other.limit_retry_after.or(self.limit_retry_after),
            limit_status: other.limit_status.or(self.limit_status),
            limit_penalty: other.limit_penalty.or(self.limit_penalty),
            limit_share: other.limit_share.or(self.limit_share),
            locks: LockSpec {
                probability: other.locks.probability.or(self.locks.probability),
                time: other.locks.time.or(self.locks.time),
                retry_after: other.locks.retry_after.or(self.locks.retry_after),
            },
            exclusive_writes: other.exclusive_writes.or(self.exclusive_writes),
            faults: self.faults,
            token_ttl: other.token_ttl.or(self.token_ttl),
            concurrent_edits_at: if other.concurrent_edits_at.is_empty() {
                self.concurrent_edits_at
            } else {
                other.concurrent_edits_at
            },
            quirks: if other.quirks.is_empty() { self.quirks } else { other.quirks },
            read_lag: other.read_lag.or(self.read_lag),
            async_update_delay: other.async_update_delay.or(self.async_update_delay),
            hide_disabled_codes: other.hide_disabled_codes.or(self.hide_disabled_codes),
            location_administrator: other.location_administrator.or(self.location_administrator),
            refuse_second_line: other.refuse_second_line.or(self.refuse_second_line),
            members_of_one_network: other.members_of_one_network.or(self.members_of_one_network),
            refuse_whole_requests: other.refuse_whole_requests.or(self.refuse_whole_requests),
            members_page: other.members_page.or(self.members_page),
            handset_interval: other.handset_interval.or(self.handset_interval),
        }
    }

    /// Converts the scenario into a fault configuration.
    ///
    /// # Errors
    /// If the probabilities exceed 1, locks are configured without a probability, or an update number is 0.
    pub fn faults(&self) -> Result<FaultConfig, String> {
        let locks = self.locks.probability.map_or(0.0, |probability| probability.0);
        if self.locks.probability.is_none() && self.locks != LockSpec::default() {
            let message = "lock settings require a probability: --locks 5% or `probability: 5%`";
            return Err(message.to_owned());
        }
        if self.concurrent_edits_at.contains(&0) {
            return Err("invalid update number 0 for a concurrent edit; updates are counted from 1".to_owned());
        }
        if self.faults.values().map(|probability| probability.0).sum::<f64>() + locks > 1.0 + 1e-9 {
            return Err("the probabilities of all faults and locks add up to more than 1".to_owned());
        }
        let default = FaultConfig::default();
        let of = |fault: Fault| self.faults.get(&fault).map_or(0.0, |probability| probability.0);
        let statuses = self.faults.iter().filter_map(|(fault, probability)| match fault {
            Fault::Status(status) => Some((*status, probability.0)),
            _ => None,
        });
        Ok(FaultConfig {
            seed: self.seed.unwrap_or(default.seed),
            latency: self.latency.map_or(default.latency, |latency| latency.0),
            limits: self.limit.as_ref().map_or_else(Vec::new, |limit| limit.0.clone()),
            limit_retry_after: self.limit_retry_after.map_or(default.limit_retry_after, |header| header.0),
            limit_status: self.limit_status.unwrap_or(default.limit_status),
            limit_penalty: self.limit_penalty.map(|penalty| penalty.0),
            limit_share: self.limit_share.map_or(default.limit_share, |share| share.0),
            statuses: statuses.collect(),
            applied_then_503: of(Fault::AppliedThen503),
            html_pages: of(Fault::HtmlPage),
            reset_before: of(Fault::ResetBefore),
            reset_after: of(Fault::ResetAfter),
            truncated: of(Fault::Truncated),
            no_response: of(Fault::NoResponse),
            delayed_write: of(Fault::DelayedWrite),
            locks,
            lock_duration: self.locks.time.map_or(default.lock_duration, |time| time.0),
            lock_retry_after: self.locks.retry_after.unwrap_or(default.lock_retry_after),
            exclusive_writes: self.exclusive_writes.unwrap_or_default(),
            read_lag: self.read_lag.map_or(default.read_lag, |time| time.0),
            async_update_delay: self.async_update_delay.map(|time| time.0),
            hide_disabled_codes: self.hide_disabled_codes.unwrap_or_default(),
            shapes: Vec::new(),
            location_administrator: self.location_administrator.unwrap_or_default(),
            refuse_second_line: self.refuse_second_line.unwrap_or_default(),
            members_of_one_network: self.members_of_one_network.unwrap_or_default(),
            refuse_whole_requests: self.refuse_whole_requests.unwrap_or_default(),
            members_page: self.members_page,
            handset_interval: self.handset_interval.map_or(default.handset_interval, |time| time.0),
            token_ttl: self.token_ttl.map(|time| time.0),
            concurrent_edits_at: self.concurrent_edits_at.clone(),
            quirks: self.quirks.clone(),
            fault_at: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_read_as_people_write_it() {
        let scenario = Scenario::parse(
            "seed: 7\nlatency: 150ms..1.5s\nlimit: bucket:5/s,10\nlocks: { probability: 5%, time: 2s, retryAfter: false }\n\
             faults: { 503: 0.05, resetAfter: 1% }\ntokenTtl: 60s\nconcurrentEditsAt: [3]\nquirks: [nulls, numbers]\n",
        )
        .expect("a scenario");
        let faults = scenario.faults().expect("a fault configuration");
        assert_eq!(faults.limits, [LimitKind::Bucket { rate: 5.0, burst: 10.0 }.into()]);
        assert_eq!((faults.statuses, faults.reset_after), (vec![(503, 0.05)], 0.01));
        assert_eq!((faults.locks, faults.lock_retry_after), (0.05, false));
        assert_eq!(faults.token_ttl, Some(Duration::from_secs(60)));
        assert_eq!(Scenario::parse("").expect("nothing").faults(), Ok(FaultConfig::default()));
    }

    #[test]
    fn a_limit_is_read_like_a_rate() {
        for (text, count, seconds) in
            [("5/s", 5, 1), ("300/min", 300, 60), ("300/60s", 300, 60), ("sliding:9/m", 9, 60)]
        {
            let LimiterSpec(limits) = text.parse().expect(text);
            let period = Duration::from_secs(seconds);
            assert_eq!(limits[0].kind, LimitKind::Sliding { count, period }, "{text}");
        }
        let error = "5/x".parse::<LimiterSpec>().expect_err("no period");
        assert!(error.contains("5/s") && !error.contains("duration,"), "{error}");
    }

    #[test]
    fn invalid_scenarios_are_rejected() {
        for (text, words) in [
            ("sed: 7", "sed"),
            ("limit: often", "bucket:RATE"),
            ("limit: window:0/60s", "bucket:RATE"),
            ("latency: soon", "150ms"),
            ("faults: { 200: 1 }", "unknown fault"),
            ("faults: { 503: 2 }", "probability"),
            ("quirks: [strange]", "strange"),
            ("limit: { bucket: 5 }", "a string or a number"),
            ("seed: 1\nseed: 2", "duplicate"),
            ("faults: { \"0503\": 5% }", "unknown fault"),
        ] {
            let error = Scenario::parse(text).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
        let certain = Scenario::parse("faults: { 503: 0.6, truncated: 0.6 }").expect("a scenario");
        assert!(certain.faults().is_err());
        assert!(Scenario::parse("locks: { time: 2s }").expect("a scenario").faults().is_err());
        assert!(Scenario::parse("concurrentEditsAt: [0]").expect("a scenario").faults().is_err());
    }

    #[test]
    fn options_keep_other_values_of_the_file() {
        let file = Scenario::parse("locks: { probability: 5%, time: 30s, retryAfter: false }").expect("a scenario");
        let flag = LockSpec { probability: Some(Probability(1.0)), ..LockSpec::default() };
        let both = file.override_with(Scenario { locks: flag, ..Scenario::default() }).faults().expect("both");
        assert_eq!((both.locks, both.lock_duration, both.lock_retry_after), (1.0, Duration::from_secs(30), false));
    }
}
