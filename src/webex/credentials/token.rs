//! An access token: never printed, and zeroed in memory when dropped.

use secrecy::{ExposeSecret, SecretString};

use crate::model::{PlainTextError, secret_text};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is empty")]
    Empty,
    #[error("the token {0}")]
    Pasted(#[from] PlainTextError),
    /// Contains a character that is invalid in a header. The message does not reveal it.
    #[error("the token contains whitespace or another invalid character")]
    Malformed,
}

#[derive(Clone, Debug)]
pub struct Token(SecretString);

impl Token {
    /// Parses a token; surrounding whitespace is ignored.
    ///
    /// # Errors
    /// If it is empty or contains a character that is invalid in a header.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = secret_text(text)?;
        // The value is often pasted as a whole header.
        let text = text.strip_prefix("Bearer ").map_or(text, str::trim_start);
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Malformed);
        }
        Ok(Self(SecretString::from(text)))
    }

    pub(in crate::webex) fn is(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }

    /// Exposes the token, for redaction.
    pub(super) fn secret(&self) -> &SecretString {
        &self.0
    }

    /// The value of the `Authorization` header.
    pub(in crate::webex) fn header(&self) -> Option<reqwest::header::HeaderValue> {
        let mut value = reqwest::header::HeaderValue::from_str(&format!("Bearer {}", self.0.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_does_not_print_itself() {
        let token = Token::new(" Bearer s3cret\n").expect("a token");
        assert!(!format!("{token:?}").contains("s3cret"));
        assert!(!format!("{:?}", token.header()).contains("s3cret"));
    }

    #[test]
    fn invalid_tokens_are_rejected() {
        assert_eq!(Token::new(" \n").map(|_| ()), Err(TokenError::Empty));
        assert_eq!(Token::new("two words").map(|_| ()), Err(TokenError::Malformed));
    }
}
