//! Sources of access tokens. Their content is never printed.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::token::Token;
use crate::model::utf8_text;

/// Timeout for a token file or command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Timeout for reading the rest of a pipe.
const PIPE_DRAIN_TIMEOUT: Duration = Duration::from_millis(100);

/// Maximum length of a token.
const MAX_OUTPUT_LEN: u64 = 64 * 1024;

#[derive(Clone, Debug)]
pub enum TokenSource {
    /// A literal token that cannot be refreshed, and where it is from, in words.
    Literal {
        token: Token,
        origin: String,
    },
    /// The content of a file, which another program may update.
    File(PathBuf),
    Command(String),
    /// A service app, which obtains tokens with its refresh token.
    ServiceApp(ServiceApp),
}

#[derive(Clone, Debug)]
pub struct ServiceApp {
    pub client_id: String,
    pub client_secret: SecretString,
    /// Credentials that are exchanged for an access token.
    pub refresh_token: SecretString,
}

/// Why a file or command provided no token. The message never contains what was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {reason}")]
pub struct SourceError {
    what: String,
    reason: String,
}

impl TokenSource {
    pub fn describe(&self) -> String {
        match self {
            Self::Literal { origin, .. } => origin.clone(),
            Self::File(path) => format!("file {}", path.display()),
            Self::Command(_) => "token command".to_owned(),
            Self::ServiceApp(_) => "service app (SERVICE_APP_CLIENT_ID)".to_owned(),
        }
    }
}

/// Reads the token from a file on a separate thread: a pipe or an unresponsive disk must not block
/// signal handling.
pub(in crate::webex) async fn read_token_file(path: &Path) -> Result<Token, SourceError> {
    let failed = |reason: String| SourceError { what: format!("token file {}", path.display()), reason };
    let opened = path.to_path_buf();
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        std::fs::File::open(opened)?.take(MAX_OUTPUT_LEN + 1).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    });
    match tokio::time::timeout(COMMAND_TIMEOUT, reading).await {
        Ok(Ok(Ok(bytes))) => token(bytes).map_err(failed),
        Ok(Ok(Err(error))) => Err(failed(format!("cannot be read: {error}"))),
        Ok(Err(error)) => Err(failed(format!("cannot be read: {error}"))),
        Err(_) => Err(failed(timeout_error())),
    }
}

/// Runs the token command in a shell. Its standard error is inherited, so that its messages are visible.
pub(in crate::webex) async fn run_token_command(command: &str) -> Result<Token, SourceError> {
    let failed = |reason: String| SourceError { what: "token command".to_owned(), reason };
    let mut shell = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    shell.arg(if cfg!(windows) { "/C" } else { "-c" }).arg(command);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    #[cfg(unix)]
    // A command in a group of its own cannot read from the terminal, which helpers may have to do.
    let own_group = !io::IsTerminal::is_terminal(&io::stdin());
    #[cfg(unix)]
    if own_group {
        shell.process_group(0);
    }
    let child = shell.spawn().map_err(|error| failed(format!("cannot be started: {error}")))?;
    #[cfg(unix)]
    let _group = ProcessGroup(child.id().filter(|_| own_group));
    match tokio::time::timeout(COMMAND_TIMEOUT, read_output(child)).await {
        Ok(Ok((bytes, Some(status)))) if !status.success() && bytes.len() as u64 <= MAX_OUTPUT_LEN => {
            Err(failed(format!("exited with {status}")))
        }
        Ok(Ok((bytes, _))) => token(bytes).map_err(failed),
        Ok(Err(error)) => Err(failed(format!("its output cannot be read: {error}"))),
        Err(_) => Err(failed(timeout_error())),
    }
}

/// Kills the processes that a command has left when it is done with or timed out.
#[cfg(unix)]
struct ProcessGroup(Option<u32>);

#[cfg(unix)]
impl Drop for ProcessGroup {
    fn drop(&mut self) {
        let id = self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // Nothing is left to kill in the normal case.
            let _gone = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}

/// Returns the output of a command and its exit status; does not wait for the exit if the output is too long.
async fn read_output(mut child: Child) -> io::Result<(Vec<u8>, Option<ExitStatus>)> {
    let mut bytes = Vec::new();
    let Some(stdout) = child.stdout.take() else { return Ok((bytes, Some(child.wait().await?))) };
    let mut stdout = stdout.take(MAX_OUTPUT_LEN + 1);
    let status = loop {
        tokio::select! {
            read = stdout.read_buf(&mut bytes) => match read? {
                0 if bytes.len() as u64 > MAX_OUTPUT_LEN => return Ok((bytes, None)),
                0 => break child.wait().await?,
                _ => {}
            },
            status = child.wait() => break status?,
        }
    };
    // The output is in the pipe. Child processes may keep the pipe open; they are not waited for.
    while let Ok(read) = tokio::time::timeout(PIPE_DRAIN_TIMEOUT, stdout.read_buf(&mut bytes)).await {
        if read? == 0 {
            break;
        }
    }
    Ok((bytes, Some(status)))
}

fn token(bytes: Vec<u8>) -> Result<Token, String> {
    if bytes.len() as u64 > MAX_OUTPUT_LEN {
        return Err(format!("output exceeds {} KiB, so it is not a token", MAX_OUTPUT_LEN / 1024));
    }
    let text = utf8_text(&bytes).map_err(|error| format!("it {error}"))?;
    Token::new(text).map_err(|error| error.to_string())
}

fn timeout_error() -> String {
    format!("timed out after {} s", COMMAND_TIMEOUT.as_secs())
}
