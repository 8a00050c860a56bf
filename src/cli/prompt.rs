//! Asks a person, on a terminal.

use std::io::{self, BufRead, IsTerminal, Write};

/// Whether there is somebody to ask.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that only `yes` answers with yes. Waits on a thread of its own, so that a signal still gets through.
pub(crate) async fn confirm(question: &str) -> bool {
    // What was typed before is no answer to this.
    #[cfg(unix)]
    let _flushed = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
    let mut stderr = io::stderr();
    let _gone = write!(stderr, "{question} [yes/no] ").and_then(|()| stderr.flush());
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    matches!(answer.await, Ok(Ok(line)) if matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
