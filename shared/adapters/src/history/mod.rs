//! Price history and named objects: how they are encoded, and where they are kept.

pub mod directory;
pub mod parquet;
#[cfg(feature = "cloud")]
pub mod s3;

use app::ports::{HistoryError, Version};
use domain::{PriceHistory, Symbol};
use sha2::{Digest, Sha256};

/// Where the price histories are, among the objects.
const PRICES: &str = "prices/";
const EXTENSION: &str = ".parquet";

/// The object that holds a symbol's price history.
fn history_object(symbol: &Symbol) -> String {
    format!("{PRICES}{symbol}{EXTENSION}")
}

/// The version of what these bytes are: equal bytes are the same state, whoever wrote them.
fn version_of(bytes: &[u8]) -> Version {
    Version(hex::encode(&Sha256::digest(bytes)[..16]))
}

/// The symbol whose history an object holds, from the part of its name below [`PRICES`]. Other objects may lie there: a person's
/// notes are no stock.
fn symbol_of(name: &str) -> Option<Symbol> {
    name.strip_suffix(EXTENSION)?.parse().ok()
}

/// Names are `part/part/…` of letters, digits, `.`, `_` and `-`; no part begins with a dot, so none leads out of a directory.
fn check_name(name: &str) -> Result<(), HistoryError> {
    let proper = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    if name.split('/').all(proper) {
        Ok(())
    } else {
        Err(HistoryError::Unavailable(format!("`{}` cannot be an object's name", name.escape_debug())))
    }
}

/// The history in an object's bytes, which must be whole and of this stock.
fn decode_history(symbol: &Symbol, bytes: Vec<u8>) -> Result<PriceHistory, HistoryError> {
    let damaged = |reason| HistoryError::Damaged { object: history_object(symbol), reason };
    let history = parquet::decode(bytes.into()).map_err(|damage| damaged(damage.to_string()))?;
    if history.symbol == *symbol { Ok(history) } else { Err(damaged(format!("it holds {}", history.symbol))) }
}

fn encode_history(history: &PriceHistory) -> Result<Vec<u8>, HistoryError> {
    parquet::encode(history).map_err(|reason| HistoryError::Damaged { object: history_object(&history.symbol), reason: reason.to_string() })
}
