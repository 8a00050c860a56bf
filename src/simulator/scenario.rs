//! Misbehaviour as people write it down: in a file, or as flags, which win.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::limiter::LimitKind;
use super::misbehaviour::{Latency, Misbehaviour};
use super::quirks::Quirk;
use crate::runtime::parse_duration;

/// What of the misbehaviour was said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Scenario {
    /// Random numbers repeat from it.
    pub seed: Option<u64>,
    /// How long requests take: `150ms`, or `150ms..1.5s` for the median and the 99th of a hundred.
    pub latency: Option<LatencySpec>,
    /// The limiter: `bucket:5/s,10`, `window:300/60s` or `sliding:300/60s`.
    pub limit: Option<Limiting>,
    /// Locks.
    pub locks: Locks,
    /// How likely each fault is.
    pub faults: BTreeMap<Fault, Probability>,
    /// How long a granted token is good.
    pub token_life: Option<Time>,
    /// Before these updates, counted from 1, somebody else edits the network that they are about.
    pub edits_at: Vec<u64>,
    /// How odd answers look.
    pub quirks: Vec<Quirk>,
    /// How long a list lags behind writes.
    pub reads_lag: Option<Time>,
    /// Updates are accepted with 202, and done so much later.
    pub accepts_for_later: Option<Time>,
    /// A disabled code is not shown.
    pub hides_disabled_codes: Option<bool>,
}

/// Locks of locations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Locks {
    /// How likely a write finds its location locked.
    pub probability: Option<Probability>,
    /// How long a lock lasts.
    pub time: Option<Time>,
    /// Whether an answer says how long.
    pub says_when: Option<bool>,
}

/// What may go wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It is answered with this status and not carried out.
    Status(u16),
    /// A proxy answers with a page.
    Page,
    /// The connection breaks before it is carried out.
    ResetBefore,
    /// It is carried out, and the connection breaks.
    ResetAfter,
    /// The answer is cut in the middle.
    Cut,
    /// It is carried out and never answered.
    Silence,
    /// A write is answered with a failure, and comes later.
    Late,
    /// A write is answered with a failure although it was carried out.
    FailedButDone,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "page" => Self::Page,
            "resetBefore" => Self::ResetBefore,
            "resetAfter" => Self::ResetAfter,
            "cut" => Self::Cut,
            "silence" => Self::Silence,
            "late" => Self::Late,
            "failedButDone" => Self::FailedButDone,
            _ => match text.parse() {
                Ok(status @ 400..=599) if text.len() == 3 => Self::Status(status),
                _ => {
                    return Err(
                        "a fault is a status such as 503, or page, resetBefore, resetAfter, cut, silence, late or \
                         failedButDone"
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
        let wrong = || "write a probability between 0 and 1, or per cent such as 5%".to_owned();
        let value = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().map_err(|_| wrong())? / 100.0,
            None => text.parse().map_err(|_| wrong())?,
        };
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(wrong()) }
    }
}

/// A time such as `150ms`, `1.5s`, `10m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time(pub Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_duration(text).map(Self)
    }
}

/// How long requests take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencySpec(pub Latency);

impl FromStr for LatencySpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((median, p99)) = text.split_once("..") else {
            return Ok(Self(Latency::Fixed(text.parse::<Time>()?.0)));
        };
        let (Time(median), Time(p99)) = (median.parse()?, p99.parse()?);
        if median.is_zero() || p99 < median {
            return Err("of a range the first is the median and the second, which is not less, the 99th of a hundred"
                .to_owned());
        }
        Ok(Self(Latency::Lognormal { median, p99 }))
    }
}

/// A limiter as it is written down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limiting(pub LimitKind);

impl FromStr for Limiting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write bucket:RATE/s,BURST, window:COUNT/TIME or sliding:COUNT/TIME".to_owned();
        let (kind, figures) = text.split_once(':').ok_or_else(wrong)?;
        let (count, rest) = figures.split_once('/').ok_or_else(wrong)?;
        if kind == "bucket" {
            let burst = rest.strip_prefix("s,").ok_or_else(wrong)?;
            let (rate, burst): (f64, f64) = (count.parse().map_err(|_| wrong())?, burst.parse().map_err(|_| wrong())?);
            let sensible = (1e-3..=1e6).contains(&rate) && (1.0..=1e6).contains(&burst);
            return if sensible { Ok(Self(LimitKind::Bucket { rate, burst })) } else { Err(wrong()) };
        }
        let (count, Time(period)) = (count.parse::<u32>().map_err(|_| wrong())?, rest.parse()?);
        if count == 0 || period < Duration::from_millis(10) {
            return Err(wrong());
        }
        match kind {
            "window" => Ok(Self(LimitKind::Window { count, period, phase: Duration::ZERO })),
            "sliding" => Ok(Self(LimitKind::Sliding { count, period })),
            _ => Err(wrong()),
        }
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

read_from_text!(Fault, Probability, Time, LatencySpec, Limiting);

/// A value that YAML may take for a number.
struct TextOrNumber(String);

impl Visitor<'_> for TextOrNumber {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
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
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_yaml::from_str(text).map_err(|error| {
            let words = error.without_snippet().to_string();
            // What the reader's own options are called is nobody's business here.
            let words = words.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
            format!("{words}; `dectl simulate --help` says how each is written")
        })
    }

    /// The same with everything that `other` says instead.
    #[must_use]
    pub fn overruled_by(mut self, other: Self) -> Self {
        self.faults.extend(other.faults);
        Self {
            seed: other.seed.or(self.seed),
            latency: other.latency.or(self.latency),
            limit: other.limit.or(self.limit),
            locks: Locks {
                probability: other.locks.probability.or(self.locks.probability),
                time: other.locks.time.or(self.locks.time),
                says_when: other.locks.says_when.or(self.locks.says_when),
            },
            faults: self.faults,
            token_life: other.token_life.or(self.token_life),
            edits_at: if other.edits_at.is_empty() { self.edits_at } else { other.edits_at },
            quirks: if other.quirks.is_empty() { self.quirks } else { other.quirks },
            reads_lag: other.reads_lag.or(self.reads_lag),
            accepts_for_later: other.accepts_for_later.or(self.accepts_for_later),
            hides_disabled_codes: other.hides_disabled_codes.or(self.hides_disabled_codes),
        }
    }

    /// The misbehaviour that it asks for.
    ///
    /// # Errors
    /// If the faults are more likely than certain, locks are described that never happen, or an update is meant that
    /// never comes.
    pub fn misbehaviour(&self) -> Result<Misbehaviour, String> {
        let locks = self.locks.probability.map_or(0.0, |probability| probability.0);
        if self.locks.probability.is_none() && self.locks != Locks::default() {
            let words = "it is said what locks are like, but not how likely they are: --locks 5%, or `probability: 5%`";
            return Err(words.to_owned());
        }
        if self.edits_at.contains(&0) {
            return Err("there is no update 0 before which somebody could edit: they are counted from 1".to_owned());
        }
        if self.faults.values().map(|probability| probability.0).sum::<f64>() + locks > 1.0 + 1e-9 {
            return Err("the probabilities of all faults and locks together are more than 1".to_owned());
        }
        let default = Misbehaviour::default();
        let of = |fault: Fault| self.faults.get(&fault).map_or(0.0, |probability| probability.0);
        let statuses = self.faults.iter().filter_map(|(fault, probability)| match fault {
            Fault::Status(status) => Some((*status, probability.0)),
            _ => None,
        });
        Ok(Misbehaviour {
            seed: self.seed.unwrap_or(default.seed),
            latency: self.latency.map_or(default.latency, |latency| latency.0),
            limit: self.limit.map(|limit| limit.0),
            statuses: statuses.collect(),
            failed_but_done: of(Fault::FailedButDone),
            pages: of(Fault::Page),
            lost_before: of(Fault::ResetBefore),
            lost_after: of(Fault::ResetAfter),
            cut: of(Fault::Cut),
            silence: of(Fault::Silence),
            late: of(Fault::Late),
            locks,
            lock_time: self.locks.time.map_or(default.lock_time, |time| time.0),
            lock_says_when: self.locks.says_when.unwrap_or(default.lock_says_when),
            reads_lag: self.reads_lag.map_or(default.reads_lag, |time| time.0),
            accepts_for_later: self.accepts_for_later.map(|time| time.0),
            hides_disabled_codes: self.hides_disabled_codes.unwrap_or_default(),
            token_life: self.token_life.map(|time| time.0),
            edits_at: self.edits_at.clone(),
            quirks: self.quirks.clone(),
            fate_at: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_read_as_people_write_it() {
        let scenario = Scenario::parse(
            "seed: 7\nlatency: 150ms..1.5s\nlimit: bucket:5/s,10\nlocks: { probability: 5%, time: 2s, saysWhen: false }\n\
             faults: { 503: 0.05, resetAfter: 1% }\ntokenLife: 60s\neditsAt: [3]\nquirks: [nulls, numbers]\n",
        )
        .expect("a scenario");
        let misbehaviour = scenario.misbehaviour().expect("a misbehaviour");
        assert_eq!(misbehaviour.limit, Some(LimitKind::Bucket { rate: 5.0, burst: 10.0 }));
        assert_eq!((misbehaviour.statuses, misbehaviour.lost_after), (vec![(503, 0.05)], 0.01));
        assert_eq!((misbehaviour.locks, misbehaviour.lock_says_when), (0.05, false));
        assert_eq!(misbehaviour.token_life, Some(Duration::from_secs(60)));
        assert_eq!(Scenario::parse("").expect("nothing").misbehaviour(), Ok(Misbehaviour::default()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, words) in [
            ("sed: 7", "sed"),
            ("limit: often", "bucket:RATE"),
            ("limit: window:0/60s", "bucket:RATE"),
            ("latency: soon", "150ms"),
            ("faults: { 200: 1 }", "a fault is a status"),
            ("faults: { 503: 2 }", "probability"),
            ("quirks: [strange]", "strange"),
            ("limit: { bucket: 5 }", "a text or a number"),
            ("seed: 1\nseed: 2", "duplicate"),
            ("faults: { \"0503\": 5% }", "a fault is a status"),
        ] {
            let error = Scenario::parse(text).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
        let certain = Scenario::parse("faults: { 503: 0.6, cut: 0.6 }").expect("a scenario");
        assert!(certain.misbehaviour().is_err());
        assert!(Scenario::parse("locks: { time: 2s }").expect("a scenario").misbehaviour().is_err());
        assert!(Scenario::parse("editsAt: [0]").expect("a scenario").misbehaviour().is_err());
    }

    #[test]
    fn what_a_flag_does_not_say_stays_as_in_the_file() {
        let file = Scenario::parse("locks: { probability: 5%, time: 30s, saysWhen: false }").expect("a scenario");
        let flag = Locks { probability: Some(Probability(1.0)), ..Locks::default() };
        let both = file.overruled_by(Scenario { locks: flag, ..Scenario::default() }).misbehaviour().expect("both");
        assert_eq!((both.locks, both.lock_time, both.lock_says_when), (1.0, Duration::from_secs(30), false));
    }
}
