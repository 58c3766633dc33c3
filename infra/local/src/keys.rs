//! Another signing key, without logging anybody out.

use std::io::{Read, Write};

use anyhow::Context;
use app::auth::Secrets;

use crate::cli::{KeyStep, Keys};

pub fn run(options: &Keys) -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("the secrets cannot be read from standard input")?;
    let changed = change(&text, options.step)?;
    std::io::stdout().write_all(changed.as_bytes()).context("the secrets cannot be written")
}

/// `text` is a generated text, as a secret store makes one, or the JSON of secrets.
fn change(text: &str, step: KeyStep) -> anyhow::Result<String> {
    let text = text.trim();
    let mut secrets = if text.starts_with('{') { Secrets::from_json(text)? } else { Secrets::from_seed(text)? };
    match step {
        KeyStep::Announce => secrets.announce(),
        KeyStep::Rotate => secrets.rotate(),
    }
    Ok(secrets.to_json())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_generated_text_becomes_keys_that_go_on_from_it() {
        let key = |text: &str, pointer: &str| serde_json::from_str::<Value>(text).unwrap().pointer(pointer).cloned();
        let announced = change(&format!("{}\n", "k".repeat(64)), KeyStep::Announce).unwrap();
        let rotated = change(&announced, KeyStep::Rotate).unwrap();
        assert_eq!(key(&rotated, "/signing_keys/0"), key(&announced, "/next_key"));
        assert_eq!(key(&rotated, "/signing_keys/1"), key(&announced, "/signing_keys/0"));
        assert_eq!((key(&rotated, "/next_key"), key(&rotated, "/code_key")), (None, key(&announced, "/code_key")));
        assert!(change("short", KeyStep::Rotate).is_err());
    }
}
