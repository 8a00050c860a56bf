//! Sealing: encrypted and authenticated by a passphrase, in the format of age.

use std::io::{Read, Write};

use secrecy::SecretString;

/// How every sealed file begins.
const MAGIC: &[u8] = b"age-encryption.org/v1";

pub(super) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

pub(super) fn seal(text: &[u8], key: &SecretString) -> Result<Vec<u8>, String> {
    let mut sealed = Vec::new();
    let write = |sealed: &mut Vec<u8>| {
        let mut writer = age::Encryptor::with_user_passphrase(key.clone()).wrap_output(sealed)?;
        writer.write_all(text)?;
        writer.finish().map(|_| ())
    };
    write(&mut sealed).map_err(|error: std::io::Error| error.to_string())?;
    Ok(sealed)
}

/// The text, or nothing if the key is another one or a single byte was changed.
pub(super) fn open(sealed: &[u8], key: &SecretString) -> Option<Vec<u8>> {
    let identity = age::scrypt::Identity::new(key.clone());
    let decryptor = age::Decryptor::new(sealed).ok()?;
    let mut text = Vec::new();
    decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).ok()?.read_to_end(&mut text).ok()?;
    Some(text)
}
