//! An ingestion that somebody asked for.

use domain::{Symbol, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Data, Progress, Run, RunKind};
use crate::UseCaseError;

/// What an ingestion run is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IngestJob {
    /// These symbols, so many calendar days back.
    Stocks { symbols: Vec<Symbol>, days_back: u32 },
    /// All active symbols, from each one's newest session on.
    Scheduled,
    /// The list of companies.
    StockList,
}

impl IngestJob {
    /// How many symbols were asked for.
    pub fn symbols(&self) -> usize {
        match self {
            Self::Stocks { symbols, .. } => symbols.len(),
            Self::Scheduled | Self::StockList => 0,
        }
    }

    pub fn kind(&self) -> RunKind {
        match self {
            Self::Stocks { .. } => RunKind::Stocks,
            Self::Scheduled => RunKind::Scheduled,
            Self::StockList => RunKind::StockList,
        }
    }

    /// Does the job, telling `progress` of each symbol, and gives the run: finished, or still running where the time was up. Called again
    /// with the same `now` it goes on where it stopped.
    pub async fn run(&self, data: &Data, now: Timestamp, progress: Progress<'_>) -> Result<Run, UseCaseError> {
        match self {
            Self::Stocks { symbols, days_back } => data.ingest_stocks(symbols, *days_back, now, progress).await,
            Self::Scheduled => data.ingest_daily(now, progress).await,
            Self::StockList => data.ingest_companies(now).await,
        }
    }
}
