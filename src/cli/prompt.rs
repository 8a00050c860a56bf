//! Confirmation prompts on a terminal.

use std::io::{self, BufRead, IsTerminal, Write};

/// Whether a prompt is possible.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Prompts for confirmation; only `expected` confirms, or `y` for `yes`. Reads on a separate thread, so that signals are
/// still handled.
pub(crate) async fn confirm(question: &str, expected: &str) -> bool {
    // Discard earlier input.
    #[cfg(unix)]
    let _flushed = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
    let mut stderr = io::stderr();
    let choices = if expected == "yes" { " [yes/no]" } else { "" };
    let _gone = write!(stderr, "{question}{choices} ").and_then(|()| stderr.flush());
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let Ok(Ok(line)) = answer.await else { return false };
    let answer = line.trim().to_ascii_lowercase();
    answer == expected || (expected == "yes" && answer == "y")
}
