//! The keys of this deployment, from the text that the secret store holds.

use api::cursor::CursorSealer;
use app::auth::{Secrets, SecretsError};
use sha2::{Digest, Sha256};

/// What tokens are signed, codes are hashed and cursors are sealed with; the same in every copy of every function.
#[derive(Clone)]
pub struct Keys {
    pub secrets: Secrets,
    pub cursors: CursorSealer,
}

impl Keys {
    /// A random text as the secret store generates one, or the JSON of [`Secrets`], with which keys can be rotated so that tokens of
    /// the ones before stay good.
    pub fn from_text(text: &str) -> Result<Self, SecretsError> {
        let text = text.trim();
        let secrets = if text.starts_with('{') { Secrets::from_json(text)? } else { Secrets::from_seed(text)? };
        let cursor_key = Sha256::new().chain_update("stockgpt cursors").chain_update(text).finalize();
        Ok(Self { secrets, cursors: CursorSealer::new(&cursor_key) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_text_and_a_set_of_keys_both_serve() {
        let seed = "k7Qw9ZpXr2TnVb4MsLd8GfHj1CyAe6UoKi3Rt5Wq0ExNzYhBvPmSgDcJaFuIlOt";
        assert_eq!(Keys::from_text(&format!("{seed}\n")).unwrap().secrets, Keys::from_text(seed).unwrap().secrets);
        let secrets = Secrets::generate();
        assert_eq!(Keys::from_text(&secrets.to_json()).unwrap().secrets, secrets);
        for wrong in ["", "short", "{}", "{\"signing_keys\":[]}"] {
            assert!(Keys::from_text(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_copy_opens_the_cursors_of_every_other() {
        let [one, other] = [Keys::from_text(&"s".repeat(64)).unwrap(), Keys::from_text(&"s".repeat(64)).unwrap()];
        assert_eq!(other.cursors.open("orders:ann", &one.cursors.seal("orders:ann", "7")).unwrap(), "7");
    }
}
