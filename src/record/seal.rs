//! Sealing: encrypted and authenticated by a passphrase, in the format of age.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

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

/// Seals the access codes of one journal. Opening a passphrase takes a second on purpose, so every run has a key of its
/// own, and only that is sealed with the passphrase.
pub(super) struct CodeSeal(age::x25519::Identity);

/// How a sealed code begins.
const SEALED: &str = "sealed:";

impl CodeSeal {
    pub(super) fn new() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// The key of this journal, sealed with the passphrase.
    pub(super) fn wrapped(&self, key: &SecretString) -> Result<String, String> {
        let sealed = seal(self.0.to_string().expose_secret().as_bytes(), key)?;
        Ok(STANDARD_NO_PAD.encode(sealed))
    }

    pub(super) fn unwrap(wrapped: &str, key: &SecretString) -> Option<Self> {
        let opened = open(&STANDARD_NO_PAD.decode(wrapped).ok()?, key)?;
        String::from_utf8(opened).ok()?.parse().ok().map(Self)
    }

    /// A code that only this journal's key opens; nothing if it cannot be sealed.
    pub(super) fn seal(&self, code: &str) -> Option<String> {
        let sealed = age::encrypt(&self.0.to_public(), code.as_bytes()).ok()?;
        Some(format!("{SEALED}{}", STANDARD_NO_PAD.encode(sealed)))
    }

    pub(super) fn open(&self, sealed: &str) -> Option<String> {
        let bytes = STANDARD_NO_PAD.decode(sealed.strip_prefix(SEALED)?).ok()?;
        String::from_utf8(age::decrypt(&self.0, &bytes).ok()?).ok()
    }
}

impl std::fmt::Debug for CodeSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeSeal")
    }
}
