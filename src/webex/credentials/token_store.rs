//! The current token, and the secrets to redact from messages.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::token::Token;
use super::token_source::{ServiceApp, TokenSource};

#[derive(Clone, Debug)]
pub(in crate::webex) struct TokenResponse {
    pub(in crate::webex) token: Token,
    pub(in crate::webex) refresh_token: Option<SecretString>,
    pub(in crate::webex) expires: Option<Timestamp>,
}

#[derive(Debug)]
pub(in crate::webex) struct TokenStore {
    source: RefCell<TokenSource>,
    token: RefCell<Option<Token>>,
    expires: Cell<Option<Timestamp>>,
    redactions: RefCell<Vec<Redaction>>,
}

/// A secret in one encoding, and its placeholder.
#[derive(Debug)]
struct Redaction {
    pattern: SecretString,
    replacement: &'static str,
}

impl TokenStore {
    pub(in crate::webex) fn of(source: TokenSource) -> Self {
        let token_store = Self {
            source: RefCell::new(source.clone()),
            token: RefCell::default(),
            expires: Cell::new(None),
            redactions: RefCell::default(),
        };
        match &source {
            TokenSource::Literal { token, .. } => {
                token_store.take(token.clone());
            }
            TokenSource::ServiceApp(app) => {
                token_store.add_secret(&app.client_secret, "[secret]");
                token_store.add_secret(&app.refresh_token, "[secret]");
            }
            TokenSource::File(_) | TokenSource::Command(_) => {}
        }
        token_store
    }

    pub(in crate::webex) fn source(&self) -> TokenSource {
        self.source.borrow().clone()
    }

    /// Expiry of the token, if known.
    pub(in crate::webex) fn expires(&self) -> Option<Timestamp> {
        self.expires.get()
    }

    /// The value of the `Authorization` header, if there is a token.
    pub(in crate::webex) fn header(&self) -> Option<HeaderValue> {
        self.token.borrow().as_ref()?.header()
    }

    /// Stores a token; returns false if it is unchanged.
    pub(in crate::webex) fn take(&self, token: Token) -> bool {
        let is_new = self.token.borrow().as_ref().is_none_or(|known| !known.is(&token));
        if is_new {
            self.add_secret(token.secret(), "[token]");
            self.token.replace(Some(token));
        }
        is_new
    }

    /// Stores an issued token. The refresh token may have been replaced.
    pub(in crate::webex) fn accept_response(&self, response: TokenResponse) -> bool {
        self.expires.set(response.expires);
        if let (TokenSource::ServiceApp(app), Some(refresh_token)) =
            (&mut *self.source.borrow_mut(), response.refresh_token)
            && app.refresh_token.expose_secret() != refresh_token.expose_secret()
        {
            tracing::warn!(
                "Webex has replaced the refresh token of the service app; it is used for the rest of this run, \
                 the one in SERVICE_APP_REFRESH_TOKEN may no longer be valid"
            );
            self.add_secret(&refresh_token, "[secret]");
            *app = ServiceApp { refresh_token, ..app.clone() };
        }
        self.take(response.token)
    }

    /// Registers a secret for redaction, permanently: a server may still echo a replaced token.
    fn add_secret(&self, secret: &SecretString, replacement: &'static str) {
        let encodings = encodings(secret.expose_secret()).into_iter();
        self.redactions
            .borrow_mut()
            .extend(encodings.map(|pattern| Redaction { pattern: pattern.into(), replacement }));
    }

    /// Redacts all secrets from an external message; some servers echo rejected values.
    pub(in crate::webex) fn redact(&self, text: String) -> String {
        // Error pages echo values as HTML entities.
        let decoded = decode_entities(&text);
        let contains_secret =
            |text: &str| self.redactions.borrow().iter().any(|one| text.contains(one.pattern.expose_secret()));
        let text = if decoded != text && contains_secret(&decoded) { decoded } else { text };
        self.redactions.borrow().iter().fold(text, |text, Redaction { pattern, replacement }| {
            let pattern = pattern.expose_secret();
            if text.contains(pattern) { text.replace(pattern, replacement) } else { text }
        })
    }
}

/// Decodes numeric and the predefined named character references of HTML.
fn decode_entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        let reference = rest[1..].find(';').filter(|end| *end <= 10).map(|end| &rest[1..=end]);
        let character = reference.and_then(|reference| match reference {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => {
                let number = reference.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        match (character, reference) {
            (Some(character), Some(reference)) => {
                decoded.push(character);
                rest = &rest[reference.len() + 2..];
            }
            _ => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// Returns a secret as is, and in its form and URL encodings.
fn encodings(secret: &str) -> Vec<String> {
    let mut form = reqwest::Url::parse("form:").ok();
    let form = form.as_mut().and_then(|url| {
        url.query_pairs_mut().append_key_only(secret);
        url.query().map(str::to_owned)
    });
    let mut encodings = vec![secret.to_owned()];
    for encoded in form.into_iter().chain([utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string()]) {
        let in_small_letters = lowercase_percent_encoding(&encoded);
        encodings.extend([encoded, in_small_letters]);
    }
    // Longest first, so that a shorter secret does not replace part of a longer one.
    encodings.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    encodings.dedup();
    encodings.retain(|pattern| !pattern.is_empty());
    encodings
}

/// The same text with `%2f` for `%2F`.
fn lowercase_percent_encoding(encoded: &str) -> String {
    let mut small = String::with_capacity(encoded.len());
    let mut digits = 0;
    for character in encoded.chars() {
        small.push(if digits > 0 { character.to_ascii_lowercase() } else { character });
        digits = if character == '%' { 2 } else { digits - usize::from(digits > 0) };
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_spelling_and_after_it_was_replaced() {
        let app = ServiceApp {
            client_id: "id".to_owned(),
            client_secret: "s3cr/et+x==".into(),
            refresh_token: "old-ref/resh".into(),
        };
        let token_store = TokenStore::of(TokenSource::ServiceApp(app));
        let refresh_token = Some("new~token*".into());
        let token = Token::new("tok.en_1").expect("a token");
        assert!(token_store.accept_response(TokenResponse { token, refresh_token, expires: None }));
        for text in [
            "s3cr/et+x==",
            "s3cr%2Fet%2Bx%3D%3D",
            "s3cr%2fet%2bx%3d%3d",
            "old-ref/resh",
            "old-ref%2Fresh",
            "old%2Dref%2Fresh",
            "new~token*",
            "new%7Etoken*",
        ] {
            assert_eq!(token_store.redact(format!("<{text}>")), "<[secret]>", "{text}");
        }
        assert_eq!(token_store.redact("tok.en_1 tok%2Een%5F1".to_owned()), "[token] [token]");
        assert_eq!(token_store.redact("<b>tok&#46;en&#x5f;1 &amp; R&D</b>".to_owned()), "<b>[token] & R&D</b>");
        assert_eq!(token_store.redact("a &amp; b &#46;".to_owned()), "a &amp; b &#46;", "other text is unchanged");
        assert!(!format!("{token_store:?}").contains("s3cr"));
    }
}
