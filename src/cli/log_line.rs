//! Lines on standard error that look like those of the log.

use std::io::{self, Write};

/// Prints a text to standard error as one JSON object on one line, like the log. A failure to write is ignored.
pub(crate) fn eprint_json(level: &str, text: &str) {
    let message = anstream::adapter::strip_str(text).to_string();
    if message.trim().is_empty() {
        return;
    }
    let timestamp = jiff::Timestamp::now().to_string();
    let line = serde_json::json!({ "timestamp": timestamp, "level": level, "message": message.trim_end() });
    let _gone = writeln!(io::stderr().lock(), "{line}");
}
