//! A pattern for names, as a run is narrowed by it.

use globset::{GlobBuilder, GlobMatcher};

use super::name_key::NameKey;

/// A name, or a pattern in which `*` and `?` stand for other characters; compared without regard to case.
#[derive(Clone, Debug)]
pub struct NamePattern {
    /// A name may look like a pattern: `Clinic [North]`.
    exact: NameKey,
    glob: GlobMatcher,
}

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(text).case_insensitive(true).literal_separator(false).build();
        let glob = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
        Ok(Self { exact: NameKey::of(text), glob })
    }

    pub fn matches(&self, name: &str) -> bool {
        self.glob.is_match(name) || self.exact == NameKey::of(name)
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
        assert!(NamePattern::new("[").is_err());
    }
}
