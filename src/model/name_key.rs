//! How names are compared: without regard to case and to Unicode composition.
//!
//! Webex does not document whether `Ward` and `ward` are different names. The safe assumption is that they are not, so
//! two networks of a location never get names that differ in nothing else.

use std::sync::Arc;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// What equal names have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey(Arc<str>);

impl NameKey {
    /// The key of a name, live or desired.
    pub fn of(name: &str) -> Self {
        if name.is_ascii() {
            return Self(name.to_ascii_lowercase().into());
        }
        // Upper-casing first also folds what lower-casing alone leaves apart: `ß` and `SS`, `ς` and `σ`.
        let folded = name.to_uppercase().to_lowercase();
        Self(if is_nfc(&folded) { folded.into() } else { folded.nfc().collect::<String>().into() })
    }

    /// The folded text, for sorting and hashing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name in Unicode composed form (NFC): to find out how two names of one key differ, and to show it.
pub fn nfc(name: &str) -> String {
    name.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_composition_do_not_tell_names_apart() {
        for (one, other) in [
            ("HQ Ward 1", "hq WARD 1"),
            ("Ålesund", "A\u{30a}lesund"),
            ("ÅLESUND", "a\u{30a}lesund"),
            ("Straße", "STRASSE"),
            ("ΣΟΦΟΣ", "σοφος"),
        ] {
            assert_eq!(NameKey::of(one), NameKey::of(other), "{one} {other}");
        }
        assert_ne!(NameKey::of("Ward 1"), NameKey::of("Ward 1 "));
    }
}
