//! Objects in JSON: what is computed from all histories, and what one ingestion leaves to the next.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::ports::{HistoryError, check_format};

/// The newest format, which everything is written in. Raised by a change that programs of today would misunderstand; of each older one
/// `tests/fixtures/stored` has an example, and [`parse`] makes it what it would be today.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct Versioned<'a, T> {
    format_version: u32,
    content: &'a T,
}

#[derive(Deserialize)]
struct Stored<T> {
    format_version: u32,
    content: T,
}

/// Of an object whose content is not understood.
#[derive(Deserialize)]
struct Head {
    format_version: u32,
}

pub(crate) fn to_bytes(content: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(&Versioned { format_version: FORMAT_VERSION, content }).expect("the keys of stored objects are texts")
}

/// What an object means. One that a newer program wrote is damaged to this one, which must not guess.
pub(crate) fn parse<T: DeserializeOwned>(object: &str, bytes: &[u8]) -> Result<T, HistoryError> {
    let damaged = |reason| HistoryError::Damaged { object: object.to_owned(), reason };
    let stored = match serde_json::from_slice::<Stored<T>>(bytes) {
        Ok(stored) => stored,
        Err(error) => {
            let head = serde_json::from_slice::<Head>(bytes).ok();
            let newer = head.and_then(|head| check_format(head.format_version, FORMAT_VERSION).err());
            return Err(damaged(newer.unwrap_or_else(|| error.to_string())));
        }
    };
    check_format(stored.format_version, FORMAT_VERSION).map_err(damaged)?;
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
