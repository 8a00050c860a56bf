//! Temporary names of networks while others are renamed.
//!
//! A temporary name contains a short hash of the location and the desired name, so that the next
//! run can match it without a journal and without ids in the file.

use sha2::{Digest, Sha256};

use crate::model::{LocationId, NAME_MAX, NameKey, NetworkName};

const PREFIX: &str = "dectl moving ";

/// Length of the hash: 50 bits, five per letter.
const HASH_LENGTH: usize = 10;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Whether a name is temporary.
pub fn is_temporary(name: &str) -> bool {
    parse_hash(name).is_some()
}

/// Returns the hash in a temporary name.
pub(super) fn parse_hash(name: &str) -> Option<&str> {
    let rest =
        name.get(PREFIX.len()..).filter(|_| name.as_bytes()[..PREFIX.len()].eq_ignore_ascii_case(PREFIX.as_bytes()))?;
    let hash = rest.get(..HASH_LENGTH)?;
    let known = hash.bytes().all(|byte| ALPHABET.contains(&byte.to_ascii_lowercase()));
    let ends = rest.len() == HASH_LENGTH || rest.as_bytes()[HASH_LENGTH] == b' ';
    (known && ends).then_some(hash)
}

/// Computes the hash for the desired name of a network in `location`.
pub(super) fn compute_hash(location: &LocationId, desired: &NameKey) -> String {
    let digest = Sha256::new()
        .chain_update(location.as_str().trim_end_matches('='))
        .chain_update([0])
        .chain_update(desired.as_str())
        .finalize();
    let bits = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..HASH_LENGTH).map(|at| char::from(ALPHABET[(bits >> (59 - 5 * at)) as usize & 31])).collect()
}

/// Returns a temporary name for the network with the name `desired`; `attempt` makes it unique.
pub(super) fn temporary_name(location: &LocationId, desired: &str, attempt: usize) -> Option<NetworkName> {
    let mut name = format!("{PREFIX}{} ", compute_hash(location, &NameKey::of(desired)));
    let number = if attempt == 0 { String::new() } else { format!(" {}", attempt + 1) };
    let available_length = NAME_MAX - name.chars().count() - number.chars().count();
    name.extend(desired.chars().take(available_length));
    NetworkName::new(&format!("{}{number}", name.trim_end())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_name_is_valid_and_identifies_its_network() {
        let location = LocationId::new("Y2lzY29=");
        let name = temporary_name(&location, &"Å".repeat(40), 3).expect("a name");
        assert_eq!(name.as_str().chars().count(), 40);
        assert_eq!(parse_hash(name.as_str()), Some(&*compute_hash(&location, &NameKey::of(&"å".repeat(40)))));
        assert_eq!(
            compute_hash(&location, &NameKey::of("A")),
            compute_hash(&LocationId::new("Y2lzY29"), &NameKey::of("a"))
        );
    }

    #[test]
    fn other_names_are_not_temporary() {
        for name in
            ["", "Ward 1", "dectl moving", "dectl moving vans", "dectl moving abcdefghijk", "dectl mövinå aaaaaaaaaa"]
        {
            assert!(!is_temporary(name), "{name}");
        }
    }
}
