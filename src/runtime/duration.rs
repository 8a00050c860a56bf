//! Parses human-readable durations.

use std::time::Duration;

/// Parses `90`, `90s`, `150ms`, `10m` or `1.5h`; a bare number is in seconds.
///
/// # Errors
/// Which format is expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration, e.g. 150ms, 90s, 10m or 1h".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => return Err(wrong()),
    };
    let seconds = digits.parse::<f64>().map_err(|_| wrong())? * unit;
    if (0.0..=1e6).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("duration out of range".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("150ms"), Ok(Duration::from_millis(150)));
        for wrong in ["", "m", "-1s", "5 minutes", "NaN", "1e99s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
