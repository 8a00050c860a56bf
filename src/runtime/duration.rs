//! Parses human-readable durations.

use std::time::Duration;

use jiff::SignedDuration;

/// No wait and no timeout is longer: eleven days.
const MAX_DURATION: Duration = Duration::from_secs(1_000_000);

/// Parses `90`, `90s`, `150ms`, `10m`, `1.5h` or `1h 30m`; a bare number is in seconds.
///
/// # Errors
/// Which format is expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let with_unit = if is_number { format!("{text}s") } else { text.to_owned() };
    let wrong = |_| "expected a duration, e.g. 150ms, 90s, 10m or 1h".to_owned();
    let duration: SignedDuration = with_unit.parse().map_err(wrong)?;
    match Duration::try_from(duration) {
        Ok(duration) if duration <= MAX_DURATION => Ok(duration),
        _ => Err("duration out of range".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("150ms"), Ok(Duration::from_millis(150)));
        for wrong in ["", "m", "-1s", "5 parsecs", "5 m 3", "NaN", "1e99s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
