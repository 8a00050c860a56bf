//! The JSON of serviceability passwords.

use super::state::{PasswordStatus, ServiceabilityPassword};
use crate::webex::wire::WireError;

/// Whether a serviceability password is enabled: a Boolean in the schema, a text in the published example.
pub(crate) fn status(body: &[u8]) -> Result<PasswordStatus, WireError> {
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    let enabled = &value["enabled"];
    let enabled = enabled.as_bool().or_else(|| enabled.as_str()?.to_ascii_lowercase().parse().ok());
    let unclear = || WireError::Malformed("`enabled` is neither true nor false".to_owned());
    enabled.map(PasswordStatus::of).ok_or_else(unclear)
}

/// The body that enables or disables a serviceability password.
pub(crate) fn change(is_enabled: bool) -> Vec<u8> {
    serde_json::json!({ "enabled": is_enabled }).to_string().into_bytes()
}

/// A generated password.
pub(crate) fn generated(body: &[u8]) -> Option<ServiceabilityPassword> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    value["password"].as_str().filter(|text| !text.is_empty()).map(ServiceabilityPassword::new)
}
