//! Bringing market data in, and telling how that went.

mod ingest;
mod quarantine;
pub mod run;
mod status;

use std::sync::Arc;

pub use ingest::Progress;
pub use quarantine::{QuarantineState, QuarantinedBar};
pub use run::{Run, RunKind, RunState};
pub use status::DataStatus;

use crate::{
    UseCaseError,
    market::Market,
    ports::{HistoryStore, MarketData},
};

/// The use cases of data management.
#[derive(Clone)]
pub struct Data {
    market: Market,
    histories: Arc<dyn HistoryStore>,
    vendor: Arc<dyn MarketData>,
}

impl Data {
    pub fn new(market: Market, histories: Arc<dyn HistoryStore>, vendor: Arc<dyn MarketData>) -> Self {
        Self { market, histories, vendor }
    }

    pub async fn run(&self, id: &str) -> Result<Run, UseCaseError> {
        self.market.companies().run(id).await?.ok_or_else(|| UseCaseError::NotFound(format!("run {id}")))
    }

    /// Records that a run is about to begin, so that it can be asked for before it does.
    pub async fn announce(&self, run: &Run) -> Result<(), UseCaseError> {
        Ok(self.market.companies().put_run(run).await?)
    }

    pub async fn runs(&self, limit: usize) -> Result<Vec<Run>, UseCaseError> {
        Ok(self.market.companies().runs(limit).await?)
    }
}
