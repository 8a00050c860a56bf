//! Globs for names, as used by `--location` and `--network`.

use globset::{GlobBuilder, GlobMatcher};

use super::name_key::{NameKey, nfc};

/// A name, or a glob with `*` and `?`; compared without regard to case.
#[derive(Clone, Debug)]
pub struct NamePattern {
    /// A name may look like a glob: `Clinic [North]`.
    exact: NameKey,
    text: String,
    glob: GlobMatcher,
}

impl NamePattern {
    /// Parses a glob.
    ///
    /// # Errors
    /// Why it is invalid.
    pub fn new(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(&nfc(text)).case_insensitive(true).literal_separator(false).build();
        let glob = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
        Ok(Self { exact: NameKey::of(text), text: text.to_owned(), glob })
    }

    /// The glob as given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn matches(&self, name: &str) -> bool {
        self.glob.is_match(nfc(name)) || self.exact == NameKey::of(name)
    }
}

impl PartialEq for NamePattern {
    fn eq(&self, other: &Self) -> bool {
        self.exact == other.exact
    }
}

impl Eq for NamePattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_pattern_means_itself_too() {
        let matches = |pattern: &str, name: &str| NamePattern::new(pattern).expect("a pattern").matches(name);
        assert!(matches("oslo*", "Oslo HQ") && !matches("oslo*", "Bergen"));
        assert!(matches("Clinic [North]", "clinic [north]") && matches("Clinic [North]", "Clinic N"));
        assert!(matches("Cafe\u{301}*", "Caf\u{e9} M") && matches("Caf\u{e9}*", "Cafe\u{301} M"), "composed or not");
        assert!(NamePattern::new("[").is_err());
    }
}
