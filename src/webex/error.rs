//! Errors of API requests.

use std::fmt;

use super::retry_after::RetryAfter;
use crate::model::Settings;

/// Class of a failure, which determines the reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// 429: rate limited. All requests wait.
    RateLimited,
    /// 423: location locked. Only the location waits.
    Locked,
    /// 401 or 403: token, scope or role is insufficient. The run stops.
    Unauthorized,
    /// 404 or 410: not found.
    NotFound,
    /// 409: a name or code is already used.
    Conflict,
    /// 5xx, or no complete response: a retry may succeed.
    Transient,
    /// Anything else: a retry will not succeed.
    Permanent,
}

/// Whether a write may have been applied although it was not acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MaybeApplied {
    /// The server rejected the request or was never reached.
    #[default]
    No,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub class: ErrorClass,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The error code of Webex, if the response has one.
    pub code: Option<u32>,
    /// Message of the server or cause of the failure; one line, without tokens or access codes.
    pub message: String,
    pub tracking_id: Option<String>,
    /// Requested wait (`Retry-After`).
    pub retry_after: Option<RetryAfter>,
    pub applied: MaybeApplied,
}

impl ApiError {
    pub fn no_response(class: ErrorClass, message: impl Into<String>, applied: MaybeApplied) -> Self {
        Self { class, status: None, code: None, message: message.into(), tracking_id: None, retry_after: None, applied }
    }

    #[must_use]
    pub fn with_context(self, more: &str) -> Self {
        Self { message: format!("{}; {more}", self.message), ..self }
    }

    /// Truncates the message for display. Secrets must be redacted before.
    #[must_use]
    pub fn truncated(self) -> Self {
        let tracking_id = self.tracking_id.map(|id| cut(id, MAX_TRACKING_ID_LEN));
        Self { message: cut(self.message, MAX_MESSAGE_LEN), tracking_id, ..self }
    }

    /// Redacts the access code of `sent`: some servers echo rejected values.
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

/// Maximum length of an external message.
const MAX_MESSAGE_LEN: usize = 300;

const MAX_TRACKING_ID_LEN: usize = 200;

fn cut(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Formats an error uniformly: message, status and the tracking id that Cisco support asks for.
///
/// # Errors
/// If the formatter fails.
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
