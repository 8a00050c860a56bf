//! An access token: kept out of everything that is printed, wiped from memory when it is dropped.

use secrecy::{ExposeSecret, SecretString};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is empty")]
    Empty,
    /// It holds something that no header can carry. Which character it is, is not told.
    #[error("the token holds a blank, a line break or another character that no token has")]
    Malformed,
}

#[derive(Clone, Debug)]
pub struct Token(SecretString);

impl Token {
    /// Checks the text; white space around it is dropped.
    ///
    /// # Errors
    /// If nothing is left, or something that cannot stand in a header.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        // People paste the whole header.
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

    /// The token itself, for those who hide it.
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
    fn what_cannot_be_a_token_is_refused() {
        assert_eq!(Token::new(" \n").map(|_| ()), Err(TokenError::Empty));
        assert_eq!(Token::new("two words").map(|_| ()), Err(TokenError::Malformed));
    }
}
