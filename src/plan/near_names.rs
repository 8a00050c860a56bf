//! Whether two names are so similar that one of them is probably a misspelling of the other.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::NameKey;

/// Names in which near ones are looked up. What near names have in common is the simplified name, or a text that is left if
/// one character is taken away from one of them, or from both: that is the case for every single edit.
pub(super) struct NearNames<'a> {
    names: Vec<&'a str>,
    /// Places of names, by the hash of what they have in common with near ones.
    by_key: HashMap<u64, Vec<usize>>,
}

impl<'a> NearNames<'a> {
    pub(super) fn of(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        let mut by_key: HashMap<u64, Vec<usize>> = HashMap::new();
        for (at, name) in names.iter().enumerate() {
            for key in keys(name) {
                by_key.entry(key).or_default().push(at);
            }
        }
        Self { names, by_key }
    }

    /// The place of the first name that is near this one.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let candidates = keys(name).into_iter().filter_map(|key| self.by_key.get(&key)).flatten();
        candidates.copied().filter(|at| is_near(name, self.names[*at])).min()
    }
}

/// The hashes of what a name may have in common with near ones.
fn keys(name: &str) -> Vec<u64> {
    let hash = |text: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        text(&mut hasher);
        hasher.finish()
    };
    let key = NameKey::of(name);
    let characters: Vec<char> = key.as_str().chars().collect();
    let without = |left_out: Option<usize>| {
        hash(&|hasher| {
            let kept = characters.iter().enumerate().filter(|(at, _)| Some(*at) != left_out);
            kept.for_each(|(_, character)| character.hash(hasher));
        })
    };
    let simplified = hash(&|hasher| simplified(key.as_str()).hash(hasher));
    let shorter = (0..characters.len()).map(|at| without(Some(at)));
    [simplified, without(None)].into_iter().chain(shorter).collect()
}

/// Whether two different names are near each other: equal without case, spaces, punctuation and leading zeros, or one edit
/// apart that is not in a digit. `Ward 12` and `Ward 13` are two wards.
fn is_near(one: &str, other: &str) -> bool {
    let (one, other) = (NameKey::of(one), NameKey::of(other));
    if one == other {
        return false;
    }
    simplified(one.as_str()) == simplified(other.as_str())
        || is_one_edit(&one.as_str().chars().collect::<Vec<_>>(), &other.as_str().chars().collect::<Vec<_>>())
}

/// A name without spaces and punctuation, its numbers without leading zeros.
fn simplified(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric());
    let numbers = words.flat_map(|word| word.split_inclusive(|c: char| !c.is_ascii_digit()));
    numbers.map(|part| part.trim_start_matches('0')).collect()
}

/// Whether one insertion, deletion, substitution or transposition of characters other than digits leads from one text to
/// the other.
fn is_one_edit(one: &[char], other: &[char]) -> bool {
    let start = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[start..], &other[start..]);
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[..one.len() - end], &other[..other.len() - end]);
    let is_edit = match (one, other) {
        ([_], []) | ([], [_]) | ([_], [_]) => true,
        ([first, second], [third, fourth]) => first == fourth && second == third,
        _ => false,
    };
    is_edit && !one.iter().chain(other).any(char::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::{NearNames, is_near};

    #[test]
    fn misspellings_are_near_and_numbers_are_not() {
        for (one, other) in [
            ("Ward 7", "ward-07"),
            ("HQ Ward 7", "HQWard7"),
            ("HQ Ward 7", "HQ Wrad 7"),
            ("HQ Ward 7", "HQ Wards 7"),
            ("Surgery", "Surgury"),
            ("Ward 00", "Ward 0"),
            ("Ward 1 2", "Ward 12"),
            ("W007B02", "w7b2"),
        ] {
            assert!(is_near(one, other) && is_near(other, one), "{one} {other}");
            assert_eq!(NearNames::of(["Lobby", one]).find(other), Some(1), "{one} {other}");
            assert_eq!(NearNames::of([other]).find(one), Some(0), "{one} {other}");
        }
        for (one, other) in [
            ("Ward 12", "Ward 13"),
            ("Ward 1", "Ward 11"),
            ("Ward 12", "Ward 21"),
            ("Ward 10", "Ward 1"),
            ("Ward A", "Ward BC"),
            ("North", "South"),
            ("Ward 7", "ward 7"),
        ] {
            assert!(!is_near(one, other), "{one} {other}");
            assert_eq!(NearNames::of([one]).find(other), None, "{one} {other}");
        }
    }
}
