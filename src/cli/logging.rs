//! Logging to standard error: `-v` each request, `-vv` also waits, `-qq` errors only.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

use super::args::{ColorChoice, LogFormat, OutputOptions};

/// Starts logging for the whole process.
pub(crate) fn start(output: OutputOptions) {
    let level = match (output.quiet, output.verbose) {
        (2.., _) => LevelFilter::ERROR,
        (1, _) | (0, 0) => LevelFilter::WARN,
        (0, 1) => LevelFilter::INFO,
        (0, _) => LevelFilter::DEBUG,
    };
    let colors = match output.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    };
    let builder = fmt().with_max_level(level).with_writer(io::stderr).with_ansi(colors).with_target(false);
    // A log that cannot be written must not end a run: by default, the failure itself is printed with a panic.
    let builder = builder.log_internal_errors(false);
    match output.log_format {
        LogFormat::Text => builder.compact().init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}
