//! Parses `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3), tolerating malformed values.

use std::time::Duration;

use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Wait this long. A date in the past means zero.
    Wait(Duration),
    /// Malformed or negative.
    Unreadable,
}

impl RetryAfter {
    /// Parses the header. A date is relative to `now`, preferably the `Date` of the same response.
    pub fn parse(header: &str, now: Timestamp) -> Self {
        let header = header.trim();
        if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
            // An overflow is a very long time, which the caller bounds.
            return Self::Wait(Duration::from_secs(header.parse().unwrap_or(u64::MAX / 2)));
        }
        if let Some(seconds) = header.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0) {
            return Duration::try_from_secs_f64(seconds).map_or(Self::Unreadable, Self::Wait);
        }
        match http_date(header) {
            Some(date) => Self::Wait(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO)),
            None => Self::Unreadable,
        }
    }

    /// The wait, if it was valid.
    pub const fn wait(self) -> Option<Duration> {
        match self {
            Self::Wait(duration) => Some(duration),
            Self::Unreadable => None,
        }
    }
}

/// The three forms of an HTTP date (RFC 9110, section 5.6.7).
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    use jiff::civil::DateTime;
    use jiff::fmt::strtime::parse;
    use jiff::tz::TimeZone;
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"].iter().find_map(|format| {
        let civil: DateTime = parse(format, text).ok()?.to_datetime().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> RetryAfter {
        RetryAfter::parse(header, "2026-11-23T10:00:00Z".parse().expect("a timestamp"))
    }

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(parse("7"), RetryAfter::Wait(Duration::from_secs(7)));
        assert_eq!(parse(" 0 "), RetryAfter::Wait(Duration::ZERO));
        assert_eq!(parse("1.5"), RetryAfter::Wait(Duration::from_millis(1_500)));
        assert_eq!(parse("Mon, 23 Nov 2026 10:00:30 GMT"), RetryAfter::Wait(Duration::from_secs(30)));
        assert_eq!(parse("Monday, 23-Nov-26 10:00:30 GMT"), RetryAfter::Wait(Duration::from_secs(30)));
        assert_eq!(parse("Mon Nov 23 10:00:30 2026"), RetryAfter::Wait(Duration::from_secs(30)));
        assert_eq!(parse("Mon, 23 Nov 2026 09:00:00 GMT"), RetryAfter::Wait(Duration::ZERO));
    }

    #[test]
    fn malformed_headers_are_unreadable() {
        for header in ["", "-5", "soon", "NaN", "inf", "7 seconds", "Mon, 99 Nov 2026 10:00:30 GMT"] {
            assert_eq!(parse(header), RetryAfter::Unreadable, "{header:?}");
        }
    }

    #[test]
    fn absurd_numbers_are_a_very_long_time() {
        assert!(parse("99999999999999999999999").wait() > Some(Duration::from_secs(1 << 40)));
    }
}
