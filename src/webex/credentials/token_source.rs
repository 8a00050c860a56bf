//! Where tokens come from. None of these prints what it holds.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::token::Token;

/// How long a file or a credential helper may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// How long something that is in a pipe may take.
const PIPE_DRAIN_TIMEOUT: Duration = Duration::from_millis(100);

/// What is longer than this is no token.
const LONGEST: u64 = 64 * 1024;

#[derive(Clone, Debug)]
pub enum TokenSource {
    /// It was given, and there is no other.
    Literal(Token),
    /// The first line of a file, which somebody else may renew.
    File(PathBuf),
    Command(String),
    /// A service app, which gets new ones for as long as its refresh token is good.
    ServiceApp(ServiceApp),
}

#[derive(Clone, Debug)]
pub struct ServiceApp {
    pub client_id: String,
    pub client_secret: SecretString,
    /// What an access token is got with.
    pub refresh_token: SecretString,
}

/// Why a file or command gives no token. Nothing of what was read is part of the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {reason}")]
pub struct SourceError {
    what: String,
    reason: String,
}

impl TokenSource {
    pub fn describe(&self) -> String {
        match self {
            Self::Literal(_) => "the variable WEBEX_ACCESS_TOKEN".to_owned(),
            Self::File(path) => format!("the file {}", path.display()),
            Self::Command(_) => "the token command".to_owned(),
            Self::ServiceApp(_) => "a service app (SERVICE_APP_CLIENT_ID)".to_owned(),
        }
    }
}

/// Reads the token in a file, on a thread of its own: a pipe, or a disk that does not answer, must not keep signals from
/// being heard.
pub(in crate::webex) async fn read_token_file(path: &Path) -> Result<Token, SourceError> {
    let failed = |reason: String| SourceError { what: format!("the token file {}", path.display()), reason };
    let opened = path.to_path_buf();
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        std::fs::File::open(opened)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    });
    match tokio::time::timeout(COMMAND_TIMEOUT, reading).await {
        Ok(Ok(Ok(bytes))) => token(bytes).map_err(failed),
        Ok(Ok(Err(error))) => Err(failed(format!("it cannot be read: {error}"))),
        Ok(Err(error)) => Err(failed(format!("it cannot be read: {error}"))),
        Err(_) => Err(failed(timeout_error())),
    }
}

/// Runs a credential helper with the shell. Its standard error is ours, so that what it says is seen.
pub(in crate::webex) async fn run_token_command(command: &str) -> Result<Token, SourceError> {
    let failed = |reason: String| SourceError { what: "the token command".to_owned(), reason };
    let mut shell = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    shell.arg(if cfg!(windows) { "/C" } else { "-c" }).arg(command);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let child = shell.spawn().map_err(|error| failed(format!("it cannot be started: {error}")))?;
    match tokio::time::timeout(COMMAND_TIMEOUT, read_output(child)).await {
        Ok(Ok((bytes, Some(status)))) if !status.success() && bytes.len() as u64 <= LONGEST => {
            Err(failed(format!("it ended with {status}")))
        }
        Ok(Ok((bytes, _))) => token(bytes).map_err(failed),
        Ok(Err(error)) => Err(failed(format!("what it says cannot be read: {error}"))),
        Err(_) => Err(failed(timeout_error())),
    }
}

/// What a command prints until it ends, and how it ended; that is not waited for where it has said too much already.
async fn read_output(mut child: Child) -> io::Result<(Vec<u8>, Option<ExitStatus>)> {
    let mut bytes = Vec::new();
    let Some(stdout) = child.stdout.take() else { return Ok((bytes, Some(child.wait().await?))) };
    let mut stdout = stdout.take(LONGEST + 1);
    let status = loop {
        tokio::select! {
            read = stdout.read_buf(&mut bytes) => match read? {
                0 if bytes.len() as u64 > LONGEST => return Ok((bytes, None)),
                0 => break child.wait().await?,
                _ => {}
            },
            status = child.wait() => break status?,
        }
    };
    // What it has said is in the pipe. Others whom it started may hold that open for ever, and are not waited for.
    while let Ok(read) = tokio::time::timeout(PIPE_DRAIN_TIMEOUT, stdout.read_buf(&mut bytes)).await {
        if read? == 0 {
            break;
        }
    }
    Ok((bytes, Some(status)))
}

fn token(bytes: Vec<u8>) -> Result<Token, String> {
    if bytes.len() as u64 > LONGEST {
        return Err(format!("it holds more than {} KiB, which is no token", LONGEST / 1024));
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    Token::new(&text).map_err(|error| error.to_string())
}

fn timeout_error() -> String {
    format!("it took longer than {} s", COMMAND_TIMEOUT.as_secs())
}
