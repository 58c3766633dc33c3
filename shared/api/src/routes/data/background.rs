//! Ingestion as a job that may outlive its request.

use app::data::{Data, Run, RunKind};
use async_trait::async_trait;
use domain::{Symbol, Timestamp};

use crate::problem::Problem;

/// What an ingestion run is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub(super) fn symbols(&self) -> usize {
        match self {
            Self::Stocks { symbols, .. } => symbols.len(),
            Self::Scheduled | Self::StockList => 0,
        }
    }

    pub(super) fn kind(&self) -> RunKind {
        match self {
            Self::Stocks { .. } => RunKind::Stocks,
            Self::Scheduled => RunKind::Scheduled,
            Self::StockList => RunKind::StockList,
        }
    }

    /// Does the job and gives the finished run.
    pub async fn run(&self, data: &Data, now: Timestamp) -> Result<Run, app::UseCaseError> {
        match self {
            Self::Stocks { symbols, days_back } => data.ingest_stocks(symbols, *days_back, now, &|_, _| {}).await,
            Self::Scheduled => data.ingest_daily(now, &|_, _| {}).await,
            Self::StockList => data.ingest_companies(now).await,
        }
    }
}

/// Starts jobs that outlive the request: a task on one machine, an event in the cloud.
#[async_trait]
pub trait Background: Send + Sync {
    async fn start(&self, job: IngestJob, now: Timestamp) -> Result<(), Problem>;
}

/// Jobs as tasks of this process.
pub struct InProcess(pub Data);

#[async_trait]
impl Background for InProcess {
    async fn start(&self, job: IngestJob, now: Timestamp) -> Result<(), Problem> {
        let data = self.0.clone();
        tokio::spawn(async move {
            if let Err(error) = job.run(&data, now).await {
                tracing::error!(%error, ?job, "an ingestion in the background failed");
            }
        });
        Ok(())
    }
}
