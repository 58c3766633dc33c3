//! Objects in JSON: what is computed from all histories, and what one ingestion leaves to the next.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::ports::HistoryError;

/// The newest format, which everything is written in. Raised by a change that programs of today would misunderstand; of each older one
/// `tests/fixtures/stored` has an example, and [`parse`] makes it what it would be today.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct Versioned<'a, T> {
    format_version: u32,
    content: &'a T,
}

#[derive(Deserialize)]
struct Head {
    format_version: u32,
}

#[derive(Deserialize)]
struct Stored<T> {
    content: T,
}

pub(crate) fn to_bytes(content: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(&Versioned { format_version: FORMAT_VERSION, content }).expect("the keys of stored objects are texts")
}

/// What an object means. One that a newer program wrote is damaged to this one, which must not guess.
pub(crate) fn parse<T: DeserializeOwned>(object: &str, bytes: &[u8]) -> Result<T, HistoryError> {
    let damaged = |reason| HistoryError::Damaged { object: object.to_owned(), reason };
    let head: Head = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    if head.format_version > FORMAT_VERSION {
        let newer = head.format_version;
        return Err(damaged(format!("it has the format {newer}, and this program reads up to {FORMAT_VERSION}: a newer one wrote it")));
    }
    let stored: Stored<T> = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    Ok(stored.content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_back_or_say_why_not() {
        assert_eq!(parse::<Vec<u8>>("a.json", &to_bytes(&vec![1_u8, 2])).unwrap(), [1, 2]);
        for (bytes, expected) in [
            (r#"{"format_version": 2, "content": [1]}"#, "a.json is damaged: it has the format 2, and this program reads up to 1"),
            (r#"{"format_version": 2, "contents": "of another kind"}"#, "a.json is damaged: it has the format 2"),
            (r#"{"format_version": 1, "content": [1"#, "a.json is damaged: EOF while parsing a list"),
            (r#"{"format_version": 1}"#, "a.json is damaged: missing field `content`"),
            ("[1]", "a.json is damaged: "),
        ] {
            let error = parse::<Vec<u8>>("a.json", bytes.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
