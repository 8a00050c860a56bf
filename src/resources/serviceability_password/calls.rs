//! The requests about serviceability passwords.

use jiff::Timestamp;

use super::state::{PasswordStatus, ServiceabilityPassword};
use super::wire;
use crate::webex::calls::{Call, Effect, NetworkPath};
use crate::webex::response::{self, Subject};
use crate::webex::{ApiError, ErrorClass, MaybeApplied, Method, ResponseHead, WriteAck};

/// Reads whether the serviceability password of a network is enabled ("Get DECT Serviceability Password status").
pub fn get_serviceability_password(network: NetworkPath<'_>) -> Call<'_, PasswordStatus> {
    let path = network.join(&["serviceabilityPassword"]);
    Call::new(
        Effect::Reads,
        "reading the serviceability password",
        (Method::Get, path),
        response::body_of(Subject::Networks, wire::status),
    )
}

/// Enables or disables the serviceability password of a network ("Update DECT Serviceability Password status"). Cisco warns that
/// this can reboot the entire network.
pub fn set_serviceability_password(network: NetworkPath<'_>, is_enabled: bool) -> Call<'_, WriteAck> {
    let path = network.join(&["serviceabilityPassword"]);
    Call::new(
        Effect::Adds,
        "setting the serviceability password",
        (Method::Put, path),
        response::acknowledgement_of(Subject::Networks),
    )
    .with_body(wire::change(is_enabled))
}

/// Generates and enables a new serviceability password of a network ("Generate and Enable DECT Serviceability Password").
/// Cisco warns that this can reboot the entire network. It is returned this once.
pub fn generate_password(network: NetworkPath<'_>) -> Call<'_, ServiceabilityPassword> {
    let path = network.join(&["serviceabilityPassword", "actions", "generate", "invoke"]);
    Call::new(Effect::Adds, "generating a password", (Method::Post, path), generated)
}

/// Reads a generated password. A body that has none is not quoted: it may be one in another form.
fn generated(head: &ResponseHead, body: &[u8], now: Timestamp) -> Result<ServiceabilityPassword, ApiError> {
    response::success(head, body, now)?;
    wire::generated(body).ok_or_else(|| ApiError {
        status: Some(head.status),
        tracking_id: head.tracking_id.clone(),
        ..ApiError::no_response(ErrorClass::Permanent, "the response has no password", MaybeApplied::Unknown)
    })
}
