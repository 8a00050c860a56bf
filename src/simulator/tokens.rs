//! Accepted tokens, and tokens issued to the service app.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::request::Query;
use super::responses::ApiErrorResponse;
use crate::runtime::Instant;

/// Default token.
pub const TOKEN: &str = "simulated-token";

pub const CLIENT_ID: &str = "simulated-client";

pub const CLIENT_SECRET: &str = "simulated-secret";

/// The refresh token of the service app.
pub const REFRESH_TOKEN: &str = "simulated-refresh-token";

/// Accepted tokens, shared between clones and by several organizations.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Arc<Mutex<KnownTokens>>);

#[derive(Debug)]
struct KnownTokens {
    given: String,
    /// An issued token and its expiry.
    granted: HashMap<String, Option<Instant>>,
}

impl Default for KnownTokens {
    fn default() -> Self {
        Self { given: TOKEN.to_owned(), granted: HashMap::new() }
    }
}

impl Tokens {
    pub(super) fn set(&self, token: String) {
        self.known().given = token;
    }

    pub(super) fn accepts(&self, token: Option<&str>, now: Instant) -> bool {
        let Some(token) = token else { return false };
        let known = self.known();
        token == known.given || known.granted.get(token).is_some_and(|until| until.is_none_or(|until| until > now))
    }

    /// Issues an access token with a lifetime, or without an expiry.
    pub(super) fn issue(&self, form: &[u8], life: Option<Duration>, now: Instant) -> Result<Value, ApiErrorResponse> {
        let form = Query::of(&String::from_utf8_lossy(form));
        let field = |name: &str| form.get(name).unwrap_or_default();
        if field("grant_type") != "refresh_token" {
            return Err(ApiErrorResponse::new(400, 400, "unsupported grant type"));
        }
        if (field("client_id").as_str(), field("client_secret").as_str()) != (CLIENT_ID, CLIENT_SECRET) {
            return Err(ApiErrorResponse::new(401, 401, "unknown client"));
        }
        if field("refresh_token") != REFRESH_TOKEN {
            return Err(ApiErrorResponse::new(400, 400, "unknown refresh token"));
        }
        let mut known = self.known();
        let token = format!("granted-token-{}", known.granted.len() + 1);
        known.granted.insert(token.clone(), life.map(|life| now + life));
        Ok(json!({
            "access_token": token,
            "expires_in": life.map_or(1_209_600, |life| life.as_secs()),
            "refresh_token": REFRESH_TOKEN,
            "refresh_token_expires_in": 7_776_000,
        }))
    }

    fn known(&self) -> MutexGuard<'_, KnownTokens> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
