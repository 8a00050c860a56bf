//! The tokens that the simulated organization knows, and those that it grants to its service app.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::answers::Refusal;
use crate::time::Moment;

/// The token that is accepted unless another one is set.
pub const TOKEN: &str = "simulated-token";

/// The service app that is known.
pub const CLIENT_ID: &str = "simulated-client";

/// The secret of the service app.
pub const CLIENT_SECRET: &str = "simulated-secret";

/// The refresh token of the service app.
pub const REFRESH_TOKEN: &str = "simulated-refresh-token";

/// The tokens that are good.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    given: String,
    /// What was granted, and until when it is good.
    granted: HashMap<String, Option<Moment>>,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self { given: TOKEN.to_owned(), granted: HashMap::new() }
    }

    pub(super) fn set(&mut self, token: String) {
        self.given = token;
    }

    pub(super) fn knows(&self, token: Option<&str>, now: Moment) -> bool {
        let Some(token) = token else { return false };
        token == self.given || self.granted.get(token).is_some_and(|until| until.is_none_or(|until| until > now))
    }

    /// Grants an access token that is good for `life`, or for good.
    pub(super) fn grant(&mut self, form: &[u8], life: Option<Duration>, now: Moment) -> Result<Value, Refusal> {
        let field = |name: &str| form_field(form, name).unwrap_or_default();
        if field("grant_type") != "refresh_token" {
            return Err(Refusal::new(400, 400, "the grant type is not supported"));
        }
        if (field("client_id").as_str(), field("client_secret").as_str()) != (CLIENT_ID, CLIENT_SECRET) {
            return Err(Refusal::new(401, 401, "the client is not known"));
        }
        if field("refresh_token") != REFRESH_TOKEN {
            return Err(Refusal::new(400, 400, "the refresh token is not known"));
        }
        let token = format!("granted-token-{}", self.granted.len() + 1);
        self.granted.insert(token.clone(), life.map(|life| now + life));
        Ok(json!({
            "access_token": token,
            "expires_in": life.map_or(1_209_600, |life| life.as_secs()),
            "refresh_token": REFRESH_TOKEN,
            "refresh_token_expires_in": 7_776_000,
        }))
    }
}

/// A field of a form.
fn form_field(form: &[u8], name: &str) -> Option<String> {
    let query = format!("http://localhost/?{}", std::str::from_utf8(form).ok()?);
    let url = reqwest::Url::parse(&query).ok()?;
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
