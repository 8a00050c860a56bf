//! What credentials are good for, as it is shown.

use jiff::Timestamp;

use crate::webex::{ApiError, TokenOwner};

#[derive(Clone, Debug)]
pub struct AuthView {
    pub source: String,
    /// Whose it is, if that is told.
    pub me: Result<TokenOwner, ApiError>,
    /// How many networks in how many locations it can list.
    pub list: Result<(usize, usize), ApiError>,
    /// Until when it is good, if that is known.
    pub expires: Option<Timestamp>,
}

/// What a refusal to list comes from.
pub(super) fn list_error_reason(error: &ApiError) -> &'static str {
    match error.status {
        Some(401) => "the token is not valid, or has expired",
        Some(403) => "the scope spark-admin:telephony_config_read, or an administrator's role, is missing",
        _ => "the list could not be read",
    }
}

pub(super) const WRITE_SCOPE_HINT: &str = "takes the scope spark-admin:telephony_config_write and a full administrator's role; \
                                  only the first write proves that they are there";
