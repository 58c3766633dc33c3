//! Price history and named objects: how they are encoded, and where they are kept.

pub mod directory;
pub mod parquet;

use app::ports::Version;
use domain::Symbol;
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
