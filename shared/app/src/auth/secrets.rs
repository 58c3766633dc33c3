//! The keys that tokens are signed and codes are hashed with.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::entropy;

/// Bytes of a key: as many as SHA-256 gives, the least that RFC 7518 section 3.2 allows for HS256.
const KEY_BYTES: usize = 32;

/// Characters of a seed: of letters and digits alone, 32 are 190 bits.
const SEED_LENGTH: usize = 32;

/// Signing keys kept after a rotation; each lives until the next but one.
const PREVIOUS_KEYS: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    #[error("the secrets are not the JSON that was expected: {0}")]
    Malformed(String),
    #[error("the key `{0}` is not base64 of at least {KEY_BYTES} bytes")]
    BadKey(String),
    #[error("there is no signing key")]
    NoSigningKey,
    #[error("the signing key id `{0}` is used twice")]
    DuplicateId(String),
    #[error("the seed is shorter than {SEED_LENGTH} characters")]
    ShortSeed,
}

/// Signs tokens and, once another is current, still verifies those that it signed.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Names the key in a token's header (`kid`).
    pub id: String,
    secret: Vec<u8>,
}

/// All secrets of this service, as one JSON text for a secret store or a file that only the owner reads:
/// `{"signing_keys": [{"id", "secret"}, …], "next_key", "code_key"}`, keys in base64, the current signing key first.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    signing_keys: Vec<SigningKey>,
    /// Verifies already and signs from the next rotation on.
    next_key: Option<SigningKey>,
    code_key: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    signing_keys: Vec<KeyText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_key: Option<KeyText>,
    code_key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    id: String,
    secret: String,
}

impl SigningKey {
    pub fn generate() -> Self {
        Self { id: hex::encode(entropy::bytes::<4>()), secret: entropy::bytes::<KEY_BYTES>().to_vec() }
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }
}

impl Secrets {
    pub fn generate() -> Self {
        Self { signing_keys: vec![SigningKey::generate()], next_key: None, code_key: entropy::bytes::<KEY_BYTES>().to_vec() }
    }

    /// Makes the next key known, so that all copies accept its tokens before one of them signs with it.
    pub fn announce(&mut self) {
        self.next_key.get_or_insert_with(SigningKey::generate);
    }

    /// Signs with the announced key from now on, or with a fresh one. Tokens of the keys before stay good until they expire: rotate
    /// no more often than half a token's life.
    pub fn rotate(&mut self) {
        let next = self.next_key.take().unwrap_or_else(SigningKey::generate);
        self.signing_keys.insert(0, next);
        self.signing_keys.truncate(1 + PREVIOUS_KEYS);
    }

    pub fn from_json(json: &str) -> Result<Self, SecretsError> {
        // The parser's message names a place, never a value; its input would.
        let text: Text = serde_json::from_str(json).map_err(|error| SecretsError::Malformed(format!("line {}", error.line())))?;
        let mut signing_keys: Vec<SigningKey> = Vec::new();
        let has_next = text.next_key.is_some();
        for key in text.signing_keys.into_iter().chain(text.next_key) {
            if signing_keys.iter().any(|other| other.id == key.id) {
                return Err(SecretsError::DuplicateId(key.id));
            }
            let secret = decode(&key.id, &key.secret)?;
            signing_keys.push(SigningKey { id: key.id, secret });
        }
        let next_key = if has_next { signing_keys.pop() } else { None };
        if signing_keys.is_empty() {
            return Err(SecretsError::NoSigningKey);
        }
        Ok(Self { signing_keys, next_key, code_key: decode("code_key", &text.code_key)? })
    }

    /// Keys derived from one random text, such as a secret store generates by itself. The same text gives the same keys.
    ///
    /// HMAC of a label under the text is the expansion step of HKDF (RFC 5869 section 2.3) for a single block.
    pub fn from_seed(seed: &str) -> Result<Self, SecretsError> {
        if seed.len() < SEED_LENGTH {
            return Err(SecretsError::ShortSeed);
        }
        let derive = |label: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(seed.as_bytes()).expect("HMAC takes a key of any length");
            mac.update(label.as_bytes());
            mac.update(&[1]);
            mac.finalize().into_bytes().to_vec()
        };
        let id = hex::encode(&derive("stockgpt signing key id")[..4]);
        let signing_key = SigningKey { id, secret: derive("stockgpt signing key") };
        Ok(Self { signing_keys: vec![signing_key], next_key: None, code_key: derive("stockgpt code key") })
    }

    pub fn to_json(&self) -> String {
        let text = |key: &SigningKey| KeyText { id: key.id.clone(), secret: BASE64_STANDARD.encode(&key.secret) };
        let text = Text {
            signing_keys: self.signing_keys.iter().map(text).collect(),
            next_key: self.next_key.as_ref().map(text),
            code_key: BASE64_STANDARD.encode(&self.code_key),
        };
        serde_json::to_string_pretty(&text).expect("texts are JSON")
    }

    /// The current one first.
    pub(super) fn signing_keys(&self) -> &[SigningKey] {
        &self.signing_keys
    }

    /// All whose tokens are good.
    pub(super) fn verifying_keys(&self) -> impl Iterator<Item = &SigningKey> {
        self.signing_keys.iter().chain(&self.next_key)
    }

    pub(super) fn code_key(&self) -> &[u8] {
        &self.code_key
    }
}

fn decode(name: &str, secret: &str) -> Result<Vec<u8>, SecretsError> {
    let secret = BASE64_STANDARD.decode(secret).ok().filter(|secret| secret.len() >= KEY_BYTES);
    secret.ok_or_else(|| SecretsError::BadKey(name.into()))
}

/// Keys never reach a log.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("signing_keys", &self.signing_keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_survive_their_text() {
        let mut secrets = Secrets::generate();
        secrets.rotate();
        assert_eq!(Secrets::from_json(&secrets.to_json()), Ok(secrets.clone()));
        secrets.announce();
        assert_eq!(Secrets::from_json(&secrets.to_json()), Ok(secrets));
    }

    #[test]
    fn a_seed_gives_the_same_strong_keys_every_time_and_other_seeds_others() {
        let seed = "bW9uZGF5IGlzIGEgZ29vZCBkYXkgdG8gdHJhZGU";
        let secrets = Secrets::from_seed(seed).unwrap();
        assert_eq!(Secrets::from_seed(seed), Ok(secrets.clone()));
        assert_eq!(Secrets::from_json(&secrets.to_json()), Ok(secrets.clone()), "they are as long as keys must be");
        assert_ne!(secrets.code_key(), secrets.signing_keys()[0].secret());
        let other = Secrets::from_seed(&seed.to_lowercase()).unwrap();
        assert_ne!((other.code_key(), &other.signing_keys()[0].id), (secrets.code_key(), &secrets.signing_keys()[0].id));
        assert_eq!(Secrets::from_seed(&seed[..31]), Err(SecretsError::ShortSeed));
    }

    #[test]
    fn a_key_is_known_before_it_signs() {
        let mut secrets = Secrets::generate();
        let first = secrets.signing_keys()[0].clone();
        secrets.announce();
        let known: Vec<SigningKey> = secrets.verifying_keys().cloned().collect();
        assert_eq!((&secrets.signing_keys()[0], known.len()), (&first, 2));
        secrets.announce();
        secrets.rotate();
        assert_eq!(secrets.signing_keys(), [known[1].clone(), first]);
    }

    #[test]
    fn rotation_keeps_the_last_keys() {
        let mut secrets = Secrets::generate();
        let first = secrets.signing_keys()[0].clone();
        secrets.rotate();
        assert_eq!(secrets.signing_keys()[1], first);
        secrets.rotate();
        secrets.rotate();
        assert_eq!(secrets.signing_keys().len(), 3);
        assert!(!secrets.signing_keys().contains(&first));
    }

    #[test]
    fn weak_or_missing_keys_are_refused_without_being_repeated() {
        let good = BASE64_STANDARD.encode([7; 32]);
        let weak = BASE64_STANDARD.encode([7; 31]);
        let key = |id: &str, secret: &str| format!(r#"{{"id":"{id}","secret":"{secret}"}}"#);
        let text = |keys: &str, code: &str| format!(r#"{{"signing_keys":[{keys}],"code_key":"{code}"}}"#);
        for (json, expected) in [
            (text("", &good), SecretsError::NoSigningKey),
            (text(&key("a", &weak), &good), SecretsError::BadKey("a".into())),
            (text(&key("a", &good), &weak), SecretsError::BadKey("code_key".into())),
            (text(&key("a", &good), "%%"), SecretsError::BadKey("code_key".into())),
            (text(&format!("{},{}", key("a", &good), key("a", &good)), &good), SecretsError::DuplicateId("a".into())),
            (good.clone(), SecretsError::Malformed("line 1".into())),
        ] {
            assert_eq!(Secrets::from_json(&json), Err(expected));
        }
        assert!(!format!("{:?}", Secrets::from_json(&text(&key("a", &good), &good)).unwrap()).contains(&good));
    }
}
