//! What became of a request that did not succeed.

use std::fmt;

use super::retry_after::RetryAfter;
use crate::model::Settings;

/// What kind of failure it is, which decides what a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// 429: too many requests. Everybody waits.
    RateLimited,
    /// 423: locked for now. The location waits.
    Locked,
    /// 401 or 403: the token, its scope or its role does not suffice. Everything stops.
    Unauthorized,
    /// 404 or 410: it is not there.
    NotFound,
    /// 409: a name or code is taken.
    Conflict,
    /// 5xx, or no whole answer at all: trying again may help.
    Transient,
    /// Anything else: this request will not succeed as it is.
    Permanent,
}

/// Whether a write may have been applied although it was not acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MaybeApplied {
    /// The server said no, or was never reached.
    #[default]
    No,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub class: ErrorClass,
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// What the server says, or what went wrong on the way; one line, never with a token or an access code.
    pub message: String,
    pub tracking_id: Option<String>,
    /// How long the server wants us to wait.
    pub retry_after: Option<RetryAfter>,
    pub applied: MaybeApplied,
}

impl ApiError {
    pub fn no_response(class: ErrorClass, message: impl Into<String>, applied: MaybeApplied) -> Self {
        Self { class, status: None, message: message.into(), tracking_id: None, retry_after: None, applied }
    }

    #[must_use]
    pub fn with_context(self, more: &str) -> Self {
        Self { message: format!("{}; {more}", self.message), ..self }
    }

    /// The same as long as anybody reads it. What is secret must have been hidden before.
    #[must_use]
    pub fn truncated(self) -> Self {
        let tracking_id = self.tracking_id.map(|id| cut(id, MAX_TRACKING_ID_LEN));
        Self { message: cut(self.message, MAX_MESSAGE_LEN), tracking_id, ..self }
    }

    /// The same with the access code of `sent` hidden: some servers repeat what they refuse.
    #[must_use]
    pub fn redact_code_of(mut self, sent: &Settings) -> Self {
        if let Some(code) = sent.code.as_ref().map(|code| code.expose_secret()).filter(|code| !code.is_empty()) {
            self.message = self.message.replace(code, "••••");
            let spelt_out = |id: &String| id.split(|c: char| !c.is_alphanumeric()).any(|word| word == code);
            self.tracking_id = self.tracking_id.map(|id| if spelt_out(&id) { id.replace(code, "••••") } else { id });
        }
        self
    }
}

/// How long somebody else's words may get in a message.
const MAX_MESSAGE_LEN: usize = 300;

const MAX_TRACKING_ID_LEN: usize = 200;

fn cut(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What went wrong, as everybody tells it: the words, the status, and what Cisco support asks for.
///
/// # Errors
/// As the formatter.
pub fn fmt_api_error(
    f: &mut fmt::Formatter<'_>,
    message: &str,
    status: Option<u16>,
    tracking_id: Option<&str>,
) -> fmt::Result {
    match status {
        Some(status) if message.is_empty() => write!(f, "status {status}")?,
        Some(status) => write!(f, "{message} (status {status})")?,
        None => f.write_str(message)?,
    }
    match tracking_id {
        Some(tracking_id) => write!(f, ", tracking id {tracking_id}"),
        None => Ok(()),
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_api_error(f, &self.message, self.status, self.tracking_id.as_deref())
    }
}

impl std::error::Error for ApiError {}
