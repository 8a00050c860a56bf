//! The token of this moment, and everything that must never be seen in a message.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;

use super::source::{ServiceApp, Source};
use super::token::Token;

/// What a token endpoint answers with.
#[derive(Clone, Debug)]
pub(in crate::webex) struct Granted {
    pub(in crate::webex) token: Token,
    pub(in crate::webex) refresh_token: Option<secrecy::SecretString>,
    pub(in crate::webex) expires: Option<Timestamp>,
}

/// Keeps the token.
#[derive(Debug)]
pub(in crate::webex) struct Keeper {
    source: RefCell<Source>,
    /// The newest last; the older ones may still be repeated by a server.
    tokens: RefCell<Vec<Token>>,
    expires: Cell<Option<Timestamp>>,
}

impl Keeper {
    pub(in crate::webex) fn of(source: Source) -> Self {
        let first = if let Source::Given(token) = &source { vec![token.clone()] } else { Vec::new() };
        Self { source: RefCell::new(source), tokens: RefCell::new(first), expires: Cell::new(None) }
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
        self.tokens.borrow().last()?.header()
    }

    /// Takes a token; false if it is the one that is there.
    pub(in crate::webex) fn take(&self, token: Token) -> bool {
        let mut tokens = self.tokens.borrow_mut();
        let is_new = tokens.last().is_none_or(|last| !last.is(&token));
        if is_new {
            tokens.push(token);
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
            *app = ServiceApp { refresh_token, ..app.clone() };
        }
        self.take(granted.token)
    }

    /// A text of somebody else's without any of the secrets: some servers repeat what they refuse.
    pub(in crate::webex) fn hidden_in(&self, text: String) -> String {
        let text = self.tokens.borrow().iter().fold(text, |text, token| token.hidden_in(text));
        match &*self.source.borrow() {
            Source::ServiceApp(app) => [&app.client_secret, &app.refresh_token]
                .into_iter()
                .map(ExposeSecret::expose_secret)
                .filter(|secret| !secret.is_empty())
                .fold(text, |text, secret| text.replace(secret, "[secret]")),
            Source::Given(_) | Source::File(_) | Source::Command(_) => text,
        }
    }
}
