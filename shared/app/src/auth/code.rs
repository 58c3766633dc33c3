//! One-time codes: made, hashed, compared.

use std::time::Duration;

use domain::{Email, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Secrets, entropy};
use crate::ports::CodeRecord;

/// Decimal digits of a code.
pub const CODE_LENGTH: usize = 6;

/// How many codes there are.
const CODES: u32 = 1_000_000;

/// A fresh code from the operating system's randomness, with leading zeros.
pub(super) fn generate() -> String {
    format!("{:0width$}", entropy::below(CODES), width = CODE_LENGTH)
}

/// Turns codes into what may be stored. A million codes are searched in a blink, so the hash has a key that is not in the store.
pub(super) struct CodeHasher {
    mac: Hmac<Sha256>,
}

impl CodeHasher {
    pub(super) fn new(secrets: &Secrets) -> Self {
        Self { mac: Hmac::new_from_slice(secrets.code_key()).expect("a key of any length makes an HMAC") }
    }

    fn mac(&self, challenge: &str, email: &Email, code: &str) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        // A separator that none of the parts contains: no two inputs run together to the same bytes.
        for part in [challenge, email.as_str(), code] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        mac
    }

    pub(super) fn record(&self, email: &Email, code: &str, now: Timestamp, life: Duration) -> CodeRecord {
        let challenge = entropy::id();
        let hash = hex::encode(self.mac(&challenge, email, code).finalize().into_bytes());
        CodeRecord { challenge, hash, expires_at: now + life }
    }

    /// In time that does not depend on how much of the code is right.
    pub(super) fn matches(&self, record: &CodeRecord, email: &Email, code: &str) -> bool {
        hex::decode(&record.hash).is_ok_and(|hash| self.mac(&record.challenge, email, code).verify_slice(&hash).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_six_digits() {
        for _ in 0..1000 {
            let code = generate();
            assert!(code.len() == CODE_LENGTH && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
    }

    #[test]
    fn a_hash_holds_for_its_address_code_challenge_and_key_only() {
        let hasher = CodeHasher::new(&Secrets::generate());
        let ann: Email = "ann@example.com".parse().unwrap();
        let record = hasher.record(&ann, "123456", Timestamp::UNIX_EPOCH, Duration::from_mins(5));
        assert!(hasher.matches(&record, &ann, "123456"));
        assert!(!hasher.matches(&record, &ann, "123457"));
        assert!(!hasher.matches(&record, &ann, ""));
        assert!(!hasher.matches(&record, &"bob@example.com".parse().unwrap(), "123456"));
        assert!(!hasher.matches(&CodeRecord { challenge: "other".into(), ..record.clone() }, &ann, "123456"));
        assert!(!CodeHasher::new(&Secrets::generate()).matches(&record, &ann, "123456"));
        assert!(!record.hash.contains("123456"));
    }
}
