//! How names are compared: without regard to case and to Unicode composition.
//!
//! Webex does not document whether `Ward` and `ward` are different names. The safe assumption is that they are not, so
//! two networks of a location never get names that differ in nothing else.

use std::cmp::Ordering;
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

/// Whether two texts are canonically equivalent.
pub fn same_text(one: &str, other: &str) -> bool {
    one == other || (!(one.is_ascii() && other.is_ascii()) && one.nfc().eq(other.nfc()))
}

/// A name in Unicode composed form (NFC): to find out how two names of one key differ, and to show it.
pub fn nfc(name: &str) -> String {
    name.nfc().collect()
}

/// A name that sorts as readers expect: `ward 2` before `Ward 10`. Names that differ are never equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NaturalName {
    key: NameKey,
    name: Arc<str>,
}

impl NaturalName {
    pub fn of(name: &str) -> Self {
        Self { key: NameKey::of(name), name: name.into() }
    }
}

impl Ord for NaturalName {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = alphanumeric_sort::compare_str(self.key.as_str(), other.key.as_str());
        order.then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for NaturalName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_sort_by_value() {
        let mut names = ["Ward 10", "ward 2", "Ward 02", "Ward", "Ward 1b", "Annex", "Étage 9", "Étage 10", "10", "9"];
        names.sort_by_cached_key(|name| NaturalName::of(name));
        let expected = ["9", "10", "Annex", "Ward", "Ward 1b", "ward 2", "Ward 02", "Ward 10", "Étage 9", "Étage 10"];
        assert_eq!(names, expected);
    }

    proptest! {
        /// Sorting panics, or never ends the same way, with an order that contradicts itself.
        #[test]
        fn the_order_contradicts_itself_nowhere(names in prop::collection::vec("[01 9aÅ中-]{0,6}", 3)) {
            let [a, b, c] = [0, 1, 2].map(|at: usize| NaturalName::of(&names[at]));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c, "{:?} {:?} {:?}", a, b, c);
            }
        }
    }

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
