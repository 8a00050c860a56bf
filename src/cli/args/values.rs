//! Values of options with a syntax of their own.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use dectl::runtime::parse_duration;
use dectl::simulator::{Fault, Probability};
use jiff::tz::Offset;

/// A file or directory to write to. Its content often holds access codes, so a file called `-` is not meant, and standard output has the
/// report.
pub(crate) fn file_to_write(text: &str) -> Result<PathBuf, String> {
    match text {
        "-" | "" => Err("name a file or directory; the report goes to standard output".to_owned()),
        _ => Ok(PathBuf::from(text)),
    }
}

/// A number of deletions: what is deleted has to be counted.
pub(super) fn number_of_deletions(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "use the number of deletions, which the plan shows; `all` is not accepted".to_owned())
}

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

/// The end of a maintenance window: a local time of day, or a local date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WindowEnd {
    end: CivilEnd,
    /// The offset from UTC; `None` for the local time zone.
    offset: Option<Offset>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CivilEnd {
    Time(jiff::civil::Time),
    DateTime(jiff::civil::DateTime),
}

/// A time of day that is further away has probably just passed.
const MAX_WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_hours(16);

impl FromStr for WindowEnd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (text, offset) = split_offset(text);
        if let Ok(time) = jiff::civil::Time::strptime("%H:%M", text) {
            return Ok(Self { end: CivilEnd::Time(time), offset });
        }
        ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|format| jiff::civil::DateTime::strptime(format, text).ok())
            .map(|end| Self { end: CivilEnd::DateTime(end), offset })
            .ok_or_else(|| {
                "expected a time such as 05:30, or a date and time such as 2026-11-26T05:30, and if it is not local time its \
                 offset: 05:30+01:00 or 05:30Z"
                    .to_owned()
            })
    }
}

impl WindowEnd {
    /// Whether the time says how far it is from UTC.
    pub(crate) const fn has_offset(&self) -> bool {
        self.offset.is_some()
    }

    /// The end of the window, after `now`.
    ///
    /// # Errors
    /// If it has passed, or if a time of day is implausibly far away.
    pub(crate) fn after(self, now: &jiff::ZonedDateTime) -> Result<jiff::ZonedDateTime, String> {
        let now = &match self.offset {
            Some(offset) => now.with_time_zone(offset.to_time_zone()),
            None => now.clone(),
        };
        let end = match self.end {
            CivilEnd::DateTime(end) => now.time_zone().to_ambiguous_zoned_datetime(end).compatible(),
            CivilEnd::Time(time) => now
                .with()
                .time(time)
                .build()
                .and_then(|today| if today > *now { Ok(today) } else { now.tomorrow()?.with().time(time).build() }),
        };
        let end = end.map_err(|error| error.to_string())?;
        let shown = end.strftime("%Y-%m-%dT%H:%M");
        if end <= *now {
            return Err(format!("{shown} has passed"));
        }
        if matches!(self.end, CivilEnd::Time(_)) && end.timestamp().duration_since(now.timestamp()) > MAX_WINDOW {
            return Err(format!(
                "the next {} is more than {} hours away ({shown}); if this is intended, give the date: --until {shown}",
                end.strftime("%H:%M"),
                MAX_WINDOW.as_hours()
            ));
        }
        Ok(end)
    }
}

/// Splits the offset from the end of a time: `Z`, `+01:00` or `-0530`.
fn split_offset(text: &str) -> (&str, Option<Offset>) {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return (time, Some(Offset::UTC));
    }
    // A date has hyphens, too, but no colon before them.
    let after_hour = text.find(':').unwrap_or(text.len());
    let Some(at) = text[after_hour..].find(['+', '-']).map(|at| after_hour + at) else { return (text, None) };
    let digits = text[at + 1..].replace(':', "");
    let number = digits.parse::<i32>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = match (digits.len(), number) {
        (2, Some(hours)) => Some(hours * 3_600),
        (4, Some(both)) if both % 100 < 60 => Some(both / 100 * 3_600 + both % 100 * 60),
        _ => None,
    };
    let sign = if text.as_bytes()[at] == b'-' { -1 } else { 1 };
    // No zone is further from UTC.
    let seconds = seconds.filter(|seconds| *seconds <= 14 * 3_600);
    match seconds.and_then(|seconds| Offset::from_seconds(sign * seconds).ok()) {
        Some(offset) => (&text[..at], Some(offset)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_today_or_tomorrow_but_not_when_it_has_just_passed() {
        let now: jiff::ZonedDateTime = "2026-03-28T23:00[UTC]".parse().expect("a time");
        let after = |text: &str| {
            text.parse::<WindowEnd>().expect("a time").after(&now).map(|end| end.strftime("%Y-%m-%dT%H:%M").to_string())
        };
        assert_eq!(after("23:30").as_deref(), Ok("2026-03-28T23:30"));
        assert_eq!(after("05:00").as_deref(), Ok("2026-03-29T05:00"));
        assert_eq!(after("2026-03-29T22:59").as_deref(), Ok("2026-03-29T22:59"));
        assert!(after("22:59").is_err_and(|error| error.contains("--until 2026-03-29T22:59")));
        assert!(after("2026-03-28 22:59").is_err_and(|error| error.contains("has passed")));
        assert_eq!(after("01:30+02:00").as_deref(), Ok("2026-03-29T01:30"));
        assert_eq!(after("23:30Z").as_deref(), Ok("2026-03-28T23:30"));
        assert_eq!(after("2026-03-28T18:30-0500").as_deref(), Ok("2026-03-28T18:30"));
        assert!("05:30+0199".parse::<WindowEnd>().is_err() && "05:30-+100".parse::<WindowEnd>().is_err());
        assert!("05:30+x".parse::<WindowEnd>().is_err() && "05:30+9999".parse::<WindowEnd>().is_err());
        assert!("25:00".parse::<WindowEnd>().is_err() && "5".parse::<WindowEnd>().is_err());
    }
}
