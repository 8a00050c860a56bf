//! Values of options with a syntax of their own.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use dectl::runtime::parse_duration;
use dectl::simulator::{Fault, Probability};

/// Parses a duration greater than zero.
pub(crate) fn nonzero_duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("duration must be greater than zero".to_owned()),
        duration => Ok(duration),
    }
}

/// Parses a token that is valid in a header (RFC 6750) and on a shell command line.
pub(crate) fn bearer_token(text: &str) -> Result<String, String> {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if !text.is_empty() && text.chars().all(is_valid) {
        Ok(text.to_owned())
    } else {
        Err("expected letters, digits and -._~+/=".to_owned())
    }
}

/// The id and the state of a simulated organization.
pub(crate) fn organization(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((id, state)) if !id.is_empty() && !state.is_empty() => Ok((id.to_owned(), state.into())),
        _ => Err("expected the id and the state of an organization, e.g. acme=acme.json".to_owned()),
    }
}

/// A fault and its probability.
pub(crate) fn request_fault(text: &str) -> Result<(Fault, Probability), String> {
    let (fault, probability) = text.split_once('=').ok_or("expected a fault and its probability, e.g. 503=5%")?;
    Ok((fault.parse()?, probability.parse()?))
}

/// A local time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeOfDay(jiff::civil::Time);

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        jiff::civil::Time::strptime("%H:%M", text)
            .map(Self)
            .map_err(|_| "expected a time of day, e.g. 05:30".to_owned())
    }
}

impl TimeOfDay {
    /// The next occurrence of this time of day.
    pub(crate) fn next_after(self, now: &jiff::ZonedDateTime) -> Result<jiff::ZonedDateTime, jiff::Error> {
        let today = now.with().time(self.0).build()?;
        if today > *now { Ok(today) } else { now.tomorrow()?.with().time(self.0).build() }
    }
}

/// A number of requests in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) count: u32,
    pub(crate) period: Duration,
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || "expected a number of requests and a period, e.g. 300/60s".to_owned();
        let (count, period) = text.split_once('/').ok_or_else(invalid)?;
        let period = if period.starts_with(char::is_alphabetic) {
            parse_duration(&format!("1{period}"))
        } else {
            parse_duration(period)
        };
        match (count.parse(), period) {
            (Ok(count @ 1..), Ok(period)) if period >= Duration::from_millis(10) => Ok(Self { count, period }),
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_takes_a_number_and_a_period() {
        let minute = Duration::from_secs(60);
        for text in ["300/60s", "300/1m", "300/min", "300/60"] {
            assert_eq!(text.parse(), Ok(Limit { count: 300, period: minute }), "{text}");
        }
        for invalid in ["300", "0/s", "x/s", "5/", "5/0s"] {
            assert!(invalid.parse::<Limit>().is_err(), "{invalid}");
        }
    }

    #[test]
    fn time_of_day_is_today_or_tomorrow() {
        let now: jiff::ZonedDateTime = "2026-03-28T23:00[UTC]".parse().expect("a time");
        let next =
            |text: &str| text.parse::<TimeOfDay>().expect("a time").next_after(&now).expect("a time").to_string();
        assert_eq!(next("23:30"), "2026-03-28T23:30:00+00:00[UTC]");
        assert_eq!(next("05:00"), "2026-03-29T05:00:00+00:00[UTC]");
        assert!("25:00".parse::<TimeOfDay>().is_err() && "5".parse::<TimeOfDay>().is_err());
    }
}
