//! How times are shown.

use jiff::Timestamp;

/// A time in UTC to the minute: `2026-11-29 22:40 UTC`.
pub fn to_minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
