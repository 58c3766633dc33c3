//! Price history and other objects of some size: a bucket, or a directory on one machine.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{PriceHistory, Symbol};

/// Identifies one stored state of an object; changes whenever the object does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Somebody else wrote first: read again, merge again, write again.
    #[error("{0} was changed by another writer")]
    Conflict(String),
    /// The stored object cannot be understood; nothing was changed.
    #[error("{object} is damaged: {reason}")]
    Damaged { object: String, reason: String },
    #[error("the price history is unreachable: {0}")]
    Unavailable(String),
}

/// Stores one price history a symbol (Parquet), and named objects beside them (snapshots, models).
#[async_trait]
pub trait HistoryStore: Send + Sync {
    /// `None` when nothing is stored for the symbol.
    async fn read(&self, symbol: &Symbol) -> Result<Option<(Arc<PriceHistory>, Version)>, HistoryError>;

    /// Writes the whole history only if the stored one is still `expected` (`None`: only if there is none yet).
    async fn write(&self, history: &PriceHistory, expected: Option<&Version>) -> Result<Version, HistoryError>;

    /// What names the state of the stored history, told without reading it where that can be.
    async fn version(&self, symbol: &Symbol) -> Result<Option<Version>, HistoryError> {
        Ok(self.read(symbol).await?.map(|(_, version)| version))
    }

    /// As [`Self::version`], of an object.
    async fn object_version(&self, name: &str) -> Result<Option<Version>, HistoryError> {
        Ok(self.read_object(name).await?.map(|(_, version)| version))
    }

    /// All symbols with a stored history, sorted.
    async fn symbols(&self) -> Result<Vec<Symbol>, HistoryError>;

    async fn read_object(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, HistoryError>;

    async fn write_object(&self, name: &str, bytes: &[u8], expected: Option<&Version>) -> Result<Version, HistoryError>;

    /// As [`Self::write_object`] without a condition: for objects that are computed anew from others.
    async fn replace_object(&self, name: &str, bytes: &[u8]) -> Result<Version, HistoryError>;
}
