//! View of the result of `auth check`.

use jiff::Timestamp;

use crate::webex::{ApiError, TokenOwner};

#[derive(Clone, Debug)]
pub struct AuthView {
    pub source: String,
    /// Owner of the token, if known.
    pub me: Result<TokenOwner, ApiError>,
    /// Number of networks and locations that can be listed.
    pub list: Result<(usize, usize), ApiError>,
    /// Number of locations that can be listed, with or without networks.
    pub locations: Result<usize, ApiError>,
    /// Expiry, if known.
    pub expires: Option<Timestamp>,
}

/// Explains a rejected list request.
pub(super) fn list_error_reason(error: &ApiError) -> &'static str {
    match error.status {
        Some(401) => "the token is invalid or has expired",
        Some(403) => "missing scope spark-admin:telephony_config_read or administrator role",
        _ => "the list request failed",
    }
}

pub(super) const WRITE_SCOPE_HINT: &str = "requires the scope spark-admin:telephony_config_write and the full administrator role; \
                                  only the first write shows whether they are granted";

pub(super) const LOCATIONS_HINT: &str = "locations without DECT networks cannot be looked up by name; use their id, or add the scope \
                                         spark-admin:locations_read";
