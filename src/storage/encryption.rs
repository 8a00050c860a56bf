//! Authenticated encryption of plans and of the codes in journals, in the age format.
//!
//! All that a command writes is encrypted to one X25519 key: the one that the user gave, or one that is derived from a
//! passphrase and a salt. The salt stands in the header of each file, in a stanza of its own, and the derived key is kept.
//! So a command derives a key once for all files of one salt, where the usual stanza for passphrases would derive one for
//! every file and code.
//!
//! Who knows the public key could write files that it decrypts. So each file has a tag that only a writer with the private
//! one can make: an HMAC of the key of the file.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use age::x25519;
use age_core::format::{FileKey, Stanza};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bech32::{Bech32, Hrp};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

const MAGIC: &[u8] = b"age-encryption.org/v1";
const IDENTITY_PREFIX: &str = "AGE-SECRET-KEY-";
const ENCRYPTED_PREFIX: &str = "encrypted:";

/// The stanza that has the salt and the work factor: `-> dectl-scrypt SALT 15`.
const SALT_STANZA: &str = "dectl-scrypt";
const SALT_LENGTH: usize = 16;

/// The stanza that has the tag: `-> dectl-tag HMAC`.
const TAG_STANZA: &str = "dectl-tag";

/// scrypt with N = 2¹⁵, r = 8, p = 1: 32 MiB, and about a tenth of a second of a core. What protects a file is the passphrase,
/// which is random in a pipeline; a higher factor would cost each run memory that its container may not have.
const WORK_FACTOR: u8 = 15;
/// Files with a higher factor are refused: a file must not choose how much memory is used.
const MAX_WORK_FACTOR: u8 = 16;
const BLOCK_SIZE: u32 = 8;

pub(super) fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// What encrypts saved plans and the access codes in journals: an age identity or a passphrase.
#[derive(Clone)]
pub struct PlanKey(Arc<Secret>);

enum Secret {
    Identity(x25519::Identity),
    Passphrase { text: SecretString, derived: Mutex<Vec<(Salt, x25519::Identity)>> },
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Salt {
    bytes: [u8; SALT_LENGTH],
    work_factor: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanKeyError {
    #[error(
        "it is an age identity that is not complete; it must be one line of `AGE-SECRET-KEY-1` and 58 more characters"
    )]
    InvalidIdentity,
    #[error("it is the public key of age; set the identity (AGE-SECRET-KEY-1…), which decrypts, too")]
    PublicKey,
}

impl PlanKey {
    /// An age identity (`AGE-SECRET-KEY-1…`), or else a passphrase.
    ///
    /// # Errors
    /// If it begins like a key of age and is none.
    pub fn new(text: &str) -> Result<Self, PlanKeyError> {
        let secret =
            if text.get(..IDENTITY_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(IDENTITY_PREFIX)) {
                Secret::Identity(text.parse().map_err(|_| PlanKeyError::InvalidIdentity)?)
            } else if text.parse::<x25519::Recipient>().is_ok() {
                return Err(PlanKeyError::PublicKey);
            } else {
                Secret::Passphrase { text: SecretString::from(text), derived: Mutex::default() }
            };
        Ok(Self(Arc::new(secret)))
    }

    pub(super) fn encrypt(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let recipient = self.recipient()?;
        let recipients = std::iter::once(&recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(|error| error.to_string())?;
        let mut encrypted = Vec::new();
        let write = |encrypted: &mut Vec<u8>| {
            let mut writer = encryptor.wrap_output(encrypted)?;
            writer.write_all(text)?;
            writer.finish().map(|_| ())
        };
        write(&mut encrypted).map_err(|error: std::io::Error| error.to_string())?;
        Ok(encrypted)
    }

    /// Returns the plaintext, or `None` if the key is wrong or a byte was changed.
    pub(super) fn decrypt(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        let decryptor = age::Decryptor::new(encrypted).ok()?;
        let mut text = Vec::new();
        decryptor.decrypt(std::iter::once(self as &dyn age::Identity)).ok()?.read_to_end(&mut text).ok()?;
        Some(text)
    }

    /// Encrypts an access code; `None` if that fails.
    pub(super) fn encrypt_code(&self, code: &str) -> Option<String> {
        let encrypted = self.encrypt(code.as_bytes()).ok()?;
        Some(format!("{ENCRYPTED_PREFIX}{}", STANDARD_NO_PAD.encode(encrypted)))
    }

    pub(super) fn decrypt_code(&self, encrypted: &str) -> Option<String> {
        let bytes = STANDARD_NO_PAD.decode(encrypted.strip_prefix(ENCRYPTED_PREFIX)?).ok()?;
        String::from_utf8(self.decrypt(&bytes)?).ok()
    }

    /// Whom to encrypt to. A passphrase takes the salt that it knows already, if there is one.
    fn recipient(&self) -> Result<Recipient, String> {
        let (text, derived) = match &*self.0 {
            Secret::Identity(identity) => return Ok(Recipient { identity: identity.clone(), salt: None }),
            Secret::Passphrase { text, derived } => (text, derived),
        };
        let mut derived = derived.lock().unwrap_or_else(PoisonError::into_inner);
        if derived.is_empty() {
            let salt = Salt::random().ok_or("the system has no random numbers")?;
            derived.push((salt, salt.derive(text).ok_or("cannot derive a key")?));
        }
        let (salt, identity) = &derived[0];
        Ok(Recipient { identity: identity.clone(), salt: Some(*salt) })
    }

    fn identity_of(&self, salt: Option<Salt>) -> Option<x25519::Identity> {
        match (&*self.0, salt) {
            (Secret::Identity(identity), _) => Some(identity.clone()),
            (Secret::Passphrase { .. }, None) => None,
            (Secret::Passphrase { text, derived }, Some(salt)) => {
                let mut derived = derived.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, identity)) = derived.iter().find(|(known, _)| *known == salt) {
                    return Some(identity.clone());
                }
                let identity = salt.derive(text)?;
                derived.push((salt, identity.clone()));
                Some(identity)
            }
        }
    }
}

impl Salt {
    fn random() -> Option<Self> {
        let mut bytes = [0; SALT_LENGTH];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self { bytes, work_factor: WORK_FACTOR })
    }

    fn of(stanza: &Stanza) -> Option<Self> {
        let [salt, work_factor] = &stanza.args[..] else { return None };
        let bytes = STANDARD_NO_PAD.decode(salt).ok()?.try_into().ok()?;
        let work_factor = work_factor.parse().ok().filter(|factor| (1..=MAX_WORK_FACTOR).contains(factor))?;
        (stanza.tag == SALT_STANZA).then_some(Self { bytes, work_factor })
    }

    fn stanza(self) -> Stanza {
        let args = vec![STANDARD_NO_PAD.encode(self.bytes), self.work_factor.to_string()];
        Stanza { tag: SALT_STANZA.to_owned(), args, body: Vec::new() }
    }

    fn derive(self, passphrase: &SecretString) -> Option<x25519::Identity> {
        let mut key = Zeroizing::new([0; 32]);
        let parameters = scrypt::Params::new(self.work_factor, BLOCK_SIZE, 1, key.len()).ok()?;
        scrypt::scrypt(passphrase.expose_secret().as_bytes(), &self.bytes, &parameters, &mut *key).ok()?;
        let text = Zeroizing::new(bech32::encode_upper::<Bech32>(Hrp::parse(IDENTITY_PREFIX).ok()?, &*key).ok()?);
        text.parse().ok()
    }
}

/// What only a writer with the private key can compute.
fn tag(identity: &x25519::Identity, file_key: &FileKey) -> Option<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(identity.to_string().expose_secret().as_bytes()).ok()?;
    Some(mac.chain_update(TAG_STANZA).chain_update(file_key.expose_secret()))
}

struct Recipient {
    identity: x25519::Identity,
    salt: Option<Salt>,
}

impl age::Recipient for Recipient {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let (mut stanzas, labels) = self.identity.to_public().wrap_file_key(file_key)?;
        stanzas.extend(self.salt.map(Salt::stanza));
        stanzas.extend(tag(&self.identity, file_key).map(|tag| Stanza {
            tag: TAG_STANZA.to_owned(),
            args: vec![STANDARD_NO_PAD.encode(tag.finalize().into_bytes())],
            body: Vec::new(),
        }));
        Ok((stanzas, labels))
    }
}

impl age::Identity for PlanKey {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, age::DecryptError>> {
        let identity = self.identity_of(stanzas.iter().find_map(Salt::of))?;
        let file_key = identity.unwrap_stanzas(stanzas)?;
        let is_authentic = |file_key: &FileKey| {
            let stanza = stanzas.iter().find(|stanza| stanza.tag == TAG_STANZA)?;
            let recorded = STANDARD_NO_PAD.decode(stanza.args.first()?).ok()?;
            tag(&identity, file_key)?.verify_slice(&recorded).ok()
        };
        Some(file_key.and_then(|file_key| match is_authentic(&file_key) {
            Some(()) => Ok(file_key),
            None => Err(age::DecryptError::NoMatchingKeys),
        }))
    }
}

impl std::fmt::Debug for PlanKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlanKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derivations(key: &PlanKey) -> usize {
        match &*key.0 {
            Secret::Identity(_) => 0,
            Secret::Passphrase { derived, .. } => derived.lock().expect("no panic").len(),
        }
    }

    #[test]
    fn a_command_derives_one_key_for_all_that_it_reads_and_writes() {
        let plan = PlanKey::new("correct horse").expect("a passphrase").encrypt(b"plan").expect("encrypted");
        let key = PlanKey::new("correct horse").expect("a passphrase");
        assert_eq!(key.decrypt(&plan).as_deref(), Some(&b"plan"[..]));
        let codes: Vec<_> = (0..20).map(|code| key.encrypt_code(&code.to_string()).expect("encrypted")).collect();
        assert_eq!(key.decrypt_code(&codes[7]).as_deref(), Some("7"));
        assert_eq!(derivations(&key), 1);
        let other = PlanKey::new("correct horses").expect("a passphrase");
        assert_eq!((other.decrypt(&plan), other.decrypt_code(&codes[7])), (None, None));
    }

    #[test]
    fn an_age_identity_needs_no_derivation_and_makes_plain_age_files() {
        let identity = x25519::Identity::generate();
        let key = PlanKey::new(identity.to_string().expose_secret()).expect("an identity");
        let encrypted = key.encrypt(b"plan").expect("encrypted");
        assert_eq!(age::decrypt(&identity, &encrypted).expect("decrypted"), b"plan");
        assert_eq!(key.decrypt(&encrypted).as_deref(), Some(&b"plan"[..]));
        assert_eq!(derivations(&key), 0);
        let passphrase = PlanKey::new("correct horse").expect("a passphrase");
        assert_eq!(passphrase.decrypt(&encrypted), None);
        assert_eq!(key.decrypt(&passphrase.encrypt(b"plan").expect("encrypted")), None);
    }

    #[test]
    fn a_file_whose_writer_had_the_public_key_only_is_refused() {
        let identity = x25519::Identity::generate();
        let key = PlanKey::new(identity.to_string().expose_secret()).expect("an identity");
        let substituted = age::encrypt(&identity.to_public(), b"plan").expect("encrypted");
        assert_eq!(key.decrypt(&substituted), None);
    }

    #[test]
    fn what_begins_like_a_key_of_age_is_no_passphrase() {
        let identity = x25519::Identity::generate();
        let text = identity.to_string();
        assert_eq!(PlanKey::new(&text.expose_secret()[..40]).err(), Some(PlanKeyError::InvalidIdentity));
        assert_eq!(PlanKey::new(&text.expose_secret().to_lowercase()[..40]).err(), Some(PlanKeyError::InvalidIdentity));
        assert_eq!(PlanKey::new(&identity.to_public().to_string()).err(), Some(PlanKeyError::PublicKey));
    }

    #[test]
    fn a_file_does_not_choose_how_much_memory_is_used() {
        let mut stanza = Salt::random().expect("random numbers").stanza();
        assert!(Salt::of(&stanza).is_some());
        for factor in ["17", "0", "255", "x"] {
            factor.clone_into(&mut stanza.args[1]);
            assert!(Salt::of(&stanza).is_none(), "{factor}");
        }
    }
}
