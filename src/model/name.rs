//! Valid names. Lengths count characters, not bytes: names are often not ASCII.

use std::fmt;
use std::sync::Arc;

use super::name_key::nfc;

/// Longest name of a network, in characters (Webex: "1–40 characters").
pub const NAME_MAX: usize = 40;

/// Longest `customDisplayName` of a handset, in characters (Webex: 1 to 16).
pub const HANDSET_NAME_MAX: usize = 16;

/// Longest display name that Webex documents, in characters. It states the limit for creating a network only, and its
/// own example of an update sends 16, so a longer one is a warning, not an error.
pub const DISPLAY_NAME_RECOMMENDED_MAX: usize = 11;

/// Why a text is not a valid name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("is empty")]
    Empty,
    #[error("has {length} characters (maximum {max})")]
    TooLong { length: usize, max: usize },
    /// A line break, a tab or another control character.
    #[error("contains a control character (U+{:04X})", *character as u32)]
    Control { character: char },
}

/// The name of a network: 1 to 40 characters, no control characters, unique in its location.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NetworkName(Arc<str>);

impl NetworkName {
    /// Validates the text.
    ///
    /// # Errors
    /// If it is empty, too long or contains control characters.
    pub fn new(text: &str) -> Result<Self, NameError> {
        Ok(Self(composed(text, NAME_MAX)?))
    }

    /// Validates a text that Webex has; it is sent back as it is.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn as_listed(text: &str) -> Result<Self, NameError> {
        composed(text, NAME_MAX).map(|_| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The `customDisplayName` of a handset: 1 to 16 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HandsetName(Arc<str>);

impl HandsetName {
    /// Validates the text.
    ///
    /// # Errors
    /// If it is empty, too long or contains control characters.
    pub fn new(text: &str) -> Result<Self, NameError> {
        Ok(Self(composed(text, HANDSET_NAME_MAX)?))
    }

    /// Validates a text that Webex has; it is sent back as it is.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn as_listed(text: &str) -> Result<Self, NameError> {
        composed(text, HANDSET_NAME_MAX).map(|_| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// The name that handsets show: not empty, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DisplayName(Arc<str>);

impl DisplayName {
    /// Validates the text.
    ///
    /// # Errors
    /// If it is empty or contains control characters.
    pub fn new(text: &str) -> Result<Self, NameError> {
        Ok(Self(composed(text, usize::MAX)?))
    }

    /// Validates a text that Webex has; it is sent back as it is.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn as_listed(text: &str) -> Result<Self, NameError> {
        composed(text, usize::MAX).map(|_| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The number of characters, if it exceeds the documented maximum.
    pub fn exceeds_recommended(&self) -> Option<usize> {
        let length = self.0.chars().count();
        (length > DISPLAY_NAME_RECOMMENDED_MAX).then_some(length)
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text in Unicode composed form (NFC), which is what is counted and sent: some systems write `é` as two characters.
fn composed(text: &str, max: usize) -> Result<Arc<str>, NameError> {
    check_characters(text)?;
    let text = nfc(text);
    let length = text.chars().count();
    if length > max { Err(NameError::TooLong { length, max }) } else { Ok(text.into()) }
}

fn check_characters(text: &str) -> Result<(), NameError> {
    if text.trim().is_empty() {
        return Err(NameError::Empty);
    }
    match text.chars().find(|character| character.is_control()) {
        Some(character) => Err(NameError::Control { character }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_characters() {
        assert!(NetworkName::new(&"å".repeat(40)).is_ok());
        let decomposed = NetworkName::new(&"a\u{30a}".repeat(40)).expect("40 letters");
        assert_eq!(decomposed.as_str(), "å".repeat(40));
        let listed = NetworkName::as_listed(&"a\u{30a}".repeat(40)).expect("40 letters");
        assert_eq!(listed.as_str(), "a\u{30a}".repeat(40));
        assert!(HandsetName::new(&"e\u{301}".repeat(16)).is_ok());
        assert_eq!(DisplayName::new("e\u{301}").map(|name| name.as_str().to_owned()), Ok("é".to_owned()));
        assert_eq!(NetworkName::new(&"å".repeat(41)), Err(NameError::TooLong { length: 41, max: NAME_MAX }));
        assert_eq!(DisplayName::new("Ward 1").map(|name| name.exceeds_recommended()), Ok(None));
        assert_eq!(DisplayName::new("Demo-DectNetwork").map(|name| name.exceeds_recommended()), Ok(Some(16)));
    }

    #[test]
    fn blanks_and_control_characters_are_no_name() {
        assert_eq!(NetworkName::new(" \u{a0} "), Err(NameError::Empty));
        assert_eq!(NetworkName::new("a\tb"), Err(NameError::Control { character: '\t' }));
    }
}
