//! An ingestion that somebody asked for.

use domain::{Symbol, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Data, Progress, Run, RunKind, plan};
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
    /// The record of the run that the job begins at `now`, before anything is planned. Its id is the one that the run will have.
    pub fn start(&self, now: Timestamp) -> Run {
        match self {
            Self::Stocks { symbols, days_back } => Run::over(&plan::ascending(symbols.clone()), Some(plan::first(*days_back, now)), now),
            Self::Scheduled => Run::start(RunKind::Scheduled, now, 0),
            Self::StockList => Run::start(RunKind::StockList, now, 0),
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
