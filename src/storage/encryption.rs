//! Authenticated encryption with a passphrase, in the age format.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

const MAGIC: &[u8] = b"age-encryption.org/v1";

pub(super) fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

pub(super) fn encrypt(text: &[u8], key: &SecretString) -> Result<Vec<u8>, String> {
    let mut encrypted = Vec::new();
    let write = |encrypted: &mut Vec<u8>| {
        let mut writer = age::Encryptor::with_user_passphrase(key.clone()).wrap_output(encrypted)?;
        writer.write_all(text)?;
        writer.finish().map(|_| ())
    };
    write(&mut encrypted).map_err(|error: std::io::Error| error.to_string())?;
    Ok(encrypted)
}

/// Returns the plaintext, or `None` if the key is wrong or a byte was changed.
pub(super) fn decrypt(encrypted: &[u8], key: &SecretString) -> Option<Vec<u8>> {
    let identity = age::scrypt::Identity::new(key.clone());
    let decryptor = age::Decryptor::new(encrypted).ok()?;
    let mut text = Vec::new();
    decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).ok()?.read_to_end(&mut text).ok()?;
    Some(text)
}

/// Encrypts the access codes of one journal. Deriving a key from a passphrase takes a second by design, so every run has
/// its own key, and only that key is encrypted with the passphrase.
pub(super) struct CodeCipher(age::x25519::Identity);

const ENCRYPTED_PREFIX: &str = "encrypted:";

impl CodeCipher {
    pub(super) fn new() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// The key of this journal, encrypted with the passphrase.
    pub(super) fn encrypted_key(&self, key: &SecretString) -> Result<String, String> {
        let encrypted = encrypt(self.0.to_string().expose_secret().as_bytes(), key)?;
        Ok(STANDARD_NO_PAD.encode(encrypted))
    }

    pub(super) fn decrypt_key(encrypted_key: &str, key: &SecretString) -> Option<Self> {
        let decrypted = decrypt(&STANDARD_NO_PAD.decode(encrypted_key).ok()?, key)?;
        String::from_utf8(decrypted).ok()?.parse().ok().map(Self)
    }

    /// Encrypts a code with this journal's key; `None` if that fails.
    pub(super) fn encrypt(&self, code: &str) -> Option<String> {
        let encrypted = age::encrypt(&self.0.to_public(), code.as_bytes()).ok()?;
        Some(format!("{ENCRYPTED_PREFIX}{}", STANDARD_NO_PAD.encode(encrypted)))
    }

    pub(super) fn decrypt(&self, encrypted: &str) -> Option<String> {
        let bytes = STANDARD_NO_PAD.decode(encrypted.strip_prefix(ENCRYPTED_PREFIX)?).ok()?;
        String::from_utf8(age::decrypt(&self.0, &bytes).ok()?).ok()
    }
}

impl std::fmt::Debug for CodeCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeCipher")
    }
}
