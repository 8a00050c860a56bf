//! Where tokens come from. None of these prints what it holds.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::token::Token;

/// How long a credential helper may take.
const HELPER_TIME: Duration = Duration::from_secs(30);

/// A helper that says more than this does not say a token.
const LONGEST: u64 = 64 * 1024;

/// Where a token comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// It was given, and there is no other.
    Given(Token),
    /// The first line of a file, which somebody else may renew.
    File(PathBuf),
    /// What a command prints.
    Command(String),
    /// A service app, which gets new ones for as long as its refresh token is good.
    ServiceApp(ServiceApp),
}

/// A service app's credentials.
#[derive(Clone, Debug)]
pub struct ServiceApp {
    /// Which app.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// What an access token is got with.
    pub refresh_token: SecretString,
}

/// Why there is no token. Nothing of what was read is part of the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The file or command gives none.
    #[error("{what}: {reason}")]
    NoToken {
        /// The file or command.
        what: String,
        /// Why.
        reason: String,
    },
}

impl Source {
    /// What people call it.
    pub fn describe(&self) -> String {
        match self {
            Self::Given(_) => "the variable WEBEX_ACCESS_TOKEN".to_owned(),
            Self::File(path) => format!("the file {}", path.display()),
            Self::Command(_) => "the token command".to_owned(),
            Self::ServiceApp(_) => "a service app (SERVICE_APP_CLIENT_ID)".to_owned(),
        }
    }
}

/// Reads the token in a file.
pub(in crate::webex) fn of_file(path: &PathBuf) -> Result<Token, SourceError> {
    let what = || format!("the token file {}", path.display());
    let failed = |reason: String| SourceError::NoToken { what: what(), reason };
    let read = || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut std::io::Read::take(std::fs::File::open(path)?, LONGEST), &mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error: std::io::Error| failed(format!("it cannot be read: {error}")))?;
    Token::new(&text).map_err(|error| failed(error.to_string()))
}

/// Runs a credential helper with the shell. Its standard error is ours, so that what it says is seen.
pub(in crate::webex) async fn of_command(command: &str) -> Result<Token, SourceError> {
    let failed = |reason: String| SourceError::NoToken { what: "the token command".to_owned(), reason };
    let mut shell = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    shell.arg(if cfg!(windows) { "/C" } else { "-c" }).arg(command);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = shell.spawn().map_err(|error| failed(format!("it cannot be started: {error}")))?;
    let mut text = String::new();
    let ended = async {
        if let Some(stdout) = child.stdout.take() {
            stdout.take(LONGEST).read_to_string(&mut text).await?;
        }
        child.wait().await
    };
    let status = match tokio::time::timeout(HELPER_TIME, ended).await {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Err(failed(format!("what it says cannot be read: {error}"))),
        Err(_) => return Err(failed(format!("it took longer than {} s", HELPER_TIME.as_secs()))),
    };
    if !status.success() {
        return Err(failed(format!("it ended with {status}")));
    }
    Token::new(&text).map_err(|error| failed(error.to_string()))
}
