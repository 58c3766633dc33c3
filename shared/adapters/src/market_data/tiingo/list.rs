//! Lists about many tickers.

use std::io::{Cursor, Read};

use app::ports::VendorError;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use zip::ZipArchive;

use super::{NAME, wire::malformed};
use crate::market_data::client::excerpt;

/// Well above the list of all tickers (3.5 MB), well below what would hurt.
const LONGEST_LIST_BYTES: u64 = 64 << 20;

/// The text of the only file in the archive.
pub(super) fn unzipped(archive: Vec<u8>) -> Result<String, VendorError> {
    let broken = |error: &dyn std::fmt::Display| malformed(&format!("the list of tickers cannot be unpacked: {error}"));
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(|error| broken(&error))?;
    let file = archive.by_index(0).map_err(|error| broken(&error))?;
    let mut text = String::new();
    // What the archive says of its size is not to be believed.
    file.take(LONGEST_LIST_BYTES + 1).read_to_string(&mut text).map_err(|error| broken(&error))?;
    if text.len() as u64 > LONGEST_LIST_BYTES {
        return Err(broken(&"it is too long"));
    }
    Ok(text)
}

/// A row that cannot be read is passed over: it belongs to nobody.
pub(super) fn readable<T: DeserializeOwned>(row: &RawValue) -> Option<T> {
    let read = serde_json::from_str(row.get());
    read.inspect_err(|error| tracing::warn!(vendor = NAME, %error, row = excerpt(row.get().as_bytes()), "a row was passed over")).ok()
}
