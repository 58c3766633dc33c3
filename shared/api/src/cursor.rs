//! Cursors that clients carry and cannot forge.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::problem::Problem;

/// Seals positions in lists: the position, readable, and a keyed hash of it and of whose list it is.
#[derive(Clone)]
pub struct CursorSealer(Hmac<Sha256>);

/// 128 bits cannot be guessed; a cursor stays short.
const TAG_BYTES: usize = 16;

impl CursorSealer {
    /// `key` is secret, and the same in every running copy.
    pub fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    fn tagged(&self, scope: &str, position: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&(scope.len() as u64).to_be_bytes());
        mac.update(scope.as_bytes());
        mac.update(position.as_bytes());
        mac
    }

    /// `scope` names the list and its owner (`orders:` and the user's id): a cursor is of no use elsewhere.
    pub fn seal(&self, scope: &str, position: &str) -> String {
        let tag = self.tagged(scope, position).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&tag[..TAG_BYTES], position.as_bytes()].concat())
    }

    /// The position that was sealed for the same scope.
    pub fn open(&self, scope: &str, cursor: &str) -> Result<String, Problem> {
        let invalid = || Problem::unusable("cursor", "is not a cursor of this list; start without one");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let (tag, position) = bytes.split_at_checked(TAG_BYTES).ok_or_else(invalid)?;
        let position = std::str::from_utf8(position).map_err(|_| invalid())?;
        self.tagged(scope, position).verify_truncated_left(tag).map_err(|_| invalid())?;
        Ok(position.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cursor_sealed_with_this_key_for_this_list_opens() {
        let sealer = CursorSealer::new(b"key");
        let cursor = sealer.seal("orders:ann", "2022-01-03|42");
        assert_eq!(sealer.open("orders:ann", &cursor).unwrap(), "2022-01-03|42");

        let mut flipped = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        *flipped.last_mut().unwrap() ^= 1;
        for (scope, forged) in [
            ("orders:bob", cursor.clone()),
            ("orders:ann", CursorSealer::new(b"other").seal("orders:ann", "2022-01-03|42")),
            ("orders:ann", URL_SAFE_NO_PAD.encode(flipped)),
            ("orders:ann", String::new()),
            ("orders:ann", "AAAA".into()),
            ("orders:ann", "not base64!".into()),
        ] {
            assert_eq!(sealer.open(scope, &forged).unwrap_err().status(), 422, "{forged}");
        }
    }
}
