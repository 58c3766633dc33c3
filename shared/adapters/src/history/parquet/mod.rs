//! A price history as one ordinary Parquet file, which any reader of Parquet understands.
//!
//! One row a bar or corporate action, sorted by date (actions first: they are effective before the open). What does not
//! apply to a row is null.
//!
//! | column | type | |
//! |---|---|---|
//! | `record` | string | `bar`, `split`, `spin_off`, `dividend`, `symbol_change` or `delisting` |
//! | `date` | date | the session, or the ex-date |
//! | `open`, `high`, `low`, `close` | decimal(18,4) | dollars as traded |
//! | `volume` | int64 | shares |
//! | `ratio` | decimal(18,9) | of a split or spin-off |
//! | `amount` | decimal(18,6) | dollars a share: of a dividend, or what is left at a delisting, where known |
//! | `pay_date` | date | of a dividend, where known |
//! | `new_symbol` | string | of a symbol change |
//! | `source` | string | who reported it |
//! | `known_at` | timestamp, µs UTC | since when it has been known |
//!
//! The file's metadata name the `symbol` and the `format_version`. A checksum of the whole file lies between the last
//! page and the footer, where readers of Parquet do not look (see `seal`), so that a flipped bit is damage and never a price.

mod column;
mod decode;
mod encode;
mod schema;
mod seal;

pub(crate) use column::Rows;
pub use decode::decode;
pub use encode::encode;

/// Why bytes are not a price history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Damage(pub String);

impl From<::parquet::errors::ParquetError> for Damage {
    fn from(error: ::parquet::errors::ParquetError) -> Self {
        Self(error.to_string())
    }
}

/// Why a history cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotStorable {
    #[error("the {field} of {date} is out of range: {value}")]
    OutOfRange { field: &'static str, date: domain::Date, value: String },
    #[error("its bars or actions are not in order")]
    Unordered,
}

/// What reads a history may rely on its order.
fn is_ordered(history: &domain::PriceHistory) -> bool {
    history.bars.is_sorted_by_key(|record| (record.bar.date, record.known_at))
        && history.actions.is_sorted_by_key(|action| (action.ex_date, action.known_at))
}

#[cfg(test)]
mod tests;
