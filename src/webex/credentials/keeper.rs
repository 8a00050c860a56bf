//! The token of this moment, and everything that must never be seen in a message.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::source::{ServiceApp, Source};
use super::token::Token;

/// What a token endpoint answers with.
#[derive(Clone, Debug)]
pub(in crate::webex) struct Granted {
    pub(in crate::webex) token: Token,
    pub(in crate::webex) refresh_token: Option<SecretString>,
    pub(in crate::webex) expires: Option<Timestamp>,
}

/// Keeps the token.
#[derive(Debug)]
pub(in crate::webex) struct Keeper {
    source: RefCell<Source>,
    token: RefCell<Option<Token>>,
    expires: Cell<Option<Timestamp>>,
    hidden: RefCell<Vec<Hidden>>,
}

/// A secret in one spelling, and what is shown in its place.
#[derive(Debug)]
struct Hidden {
    spelling: SecretString,
    shown: &'static str,
}

impl Keeper {
    pub(in crate::webex) fn of(source: Source) -> Self {
        let keeper = Self {
            source: RefCell::new(source.clone()),
            token: RefCell::default(),
            expires: Cell::new(None),
            hidden: RefCell::default(),
        };
        match &source {
            Source::Given(token) => {
                keeper.take(token.clone());
            }
            Source::ServiceApp(app) => {
                keeper.hide(&app.client_secret, "[secret]");
                keeper.hide(&app.refresh_token, "[secret]");
            }
            Source::File(_) | Source::Command(_) => {}
        }
        keeper
    }

    pub(in crate::webex) fn source(&self) -> Source {
        self.source.borrow().clone()
    }

    /// When the token ends, if that was said.
    pub(in crate::webex) fn expires(&self) -> Option<Timestamp> {
        self.expires.get()
    }

    /// The value of the `Authorization` header, once there is a token.
    pub(in crate::webex) fn header(&self) -> Option<HeaderValue> {
        self.token.borrow().as_ref()?.header()
    }

    /// Takes a token; false if it is the one that is there.
    pub(in crate::webex) fn take(&self, token: Token) -> bool {
        let is_new = self.token.borrow().as_ref().is_none_or(|known| !known.is(&token));
        if is_new {
            self.hide(token.secret(), "[token]");
            self.token.replace(Some(token));
        }
        is_new
    }

    /// Takes what a token endpoint has granted. The refresh token may have been replaced.
    pub(in crate::webex) fn granted(&self, granted: Granted) -> bool {
        self.expires.set(granted.expires);
        if let (Source::ServiceApp(app), Some(refresh_token)) = (&mut *self.source.borrow_mut(), granted.refresh_token)
            && app.refresh_token.expose_secret() != refresh_token.expose_secret()
        {
            tracing::warn!(
                "Webex has replaced the refresh token of the service app; it is used for the rest of this run, \
                 the one in SERVICE_APP_REFRESH_TOKEN may not be good any more"
            );
            self.hide(&refresh_token, "[secret]");
            *app = ServiceApp { refresh_token, ..app.clone() };
        }
        self.take(granted.token)
    }

    /// Shows something else wherever a secret stands, for good: what is replaced may still be repeated by a server.
    fn hide(&self, secret: &SecretString, shown: &'static str) {
        let spellings = spellings(secret.expose_secret()).into_iter();
        self.hidden.borrow_mut().extend(spellings.map(|spelling| Hidden { spelling: spelling.into(), shown }));
    }

    /// A text of somebody else's without any of the secrets: some servers repeat what they refuse.
    pub(in crate::webex) fn hidden_in(&self, text: String) -> String {
        self.hidden.borrow().iter().fold(text, |text, Hidden { spelling, shown }| {
            let spelling = spelling.expose_secret();
            if text.contains(spelling) { text.replace(spelling, shown) } else { text }
        })
    }
}

/// A secret as it is, and as it stands in forms and addresses, which is how we send some of them.
fn spellings(secret: &str) -> Vec<String> {
    let mut form = reqwest::Url::parse("form:").ok();
    let form = form.as_mut().and_then(|url| {
        url.query_pairs_mut().append_key_only(secret);
        url.query().map(str::to_owned)
    });
    let mut spellings = vec![secret.to_owned()];
    for encoded in form.into_iter().chain([utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string()]) {
        let in_small_letters = small_digits(&encoded);
        spellings.extend([encoded, in_small_letters]);
    }
    // The longest first, so that no shorter one takes a piece out of it.
    spellings.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    spellings.dedup();
    spellings.retain(|spelling| !spelling.is_empty());
    spellings
}

/// The same text with `%2f` for `%2F`.
fn small_digits(encoded: &str) -> String {
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
        let keeper = Keeper::of(Source::ServiceApp(app));
        let refresh_token = Some("new~token*".into());
        let token = Token::new("tok.en_1").expect("a token");
        assert!(keeper.granted(Granted { token, refresh_token, expires: None }));
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
            assert_eq!(keeper.hidden_in(format!("<{text}>")), "<[secret]>", "{text}");
        }
        assert_eq!(keeper.hidden_in("tok.en_1 tok%2Een%5F1".to_owned()), "[token] [token]");
        assert!(!format!("{keeper:?}").contains("s3cr"));
    }
}
