//! The serviceability password of a network, of which only its switch can be read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::network::SimNetwork;
use super::organization::SimulatedOrganization;
use super::request::Place;
use super::responses::ApiErrorResponse;

/// "Generates and enables a 16-character DECT serviceability password."
const PASSWORD_LENGTH: usize = 16;

impl SimulatedOrganization {
    /// Whether it is enabled, which it may be although none was generated.
    pub(super) fn serviceability(&self, network: &SimNetwork) -> Value {
        json!({ "enabled": self.state.passwords.get(&network.id).copied().unwrap_or(false) })
    }

    /// Enables or disables it. One that was never generated is enabled without a word, as described.
    pub(super) fn set_serviceability(&mut self, place: &Place, body: &[u8]) -> Result<(), ApiErrorResponse> {
        let id = self.find_network(place)?.id.clone();
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        // The schema says a Boolean, the published example is a text.
        let enabled = value["enabled"].as_bool().or_else(|| value["enabled"].as_str()?.parse().ok());
        let enabled = enabled.ok_or_else(|| ApiErrorResponse::new(400, 25_008, "enabled is missing"))?;
        self.state.passwords.insert(id, enabled);
        Ok(())
    }

    /// Generates and enables one, and returns it this once.
    pub(super) fn generate_password(&mut self, place: &Place) -> Result<Value, ApiErrorResponse> {
        let id = self.find_network(place)?.id.clone();
        let digest: [u8; 32] = Sha256::digest(format!("{id}/{}", self.counters.requests)).into();
        let password: String = STANDARD_NO_PAD.encode(digest).chars().take(PASSWORD_LENGTH).collect();
        self.state.passwords.insert(id, true);
        Ok(json!({ "password": password }))
    }
}
