//! How fresh the data is.

use domain::{Date, Source, Timestamp};

use super::{Data, RunState};
use crate::UseCaseError;

#[derive(Debug, Clone, PartialEq)]
pub struct DataStatus {
    pub vendor: Source,
    /// When the last ingestion that stored anything ended, in market time.
    pub last_ingestion: Option<Timestamp>,
    pub latest_bar_date: Option<Date>,
    pub symbols: usize,
}

impl Data {
    pub async fn status(&self) -> Result<DataStatus, UseCaseError> {
        let (runs, snapshot) = futures::try_join!(self.runs(20), self.market.snapshot())?;
        let last_ingestion =
            runs.iter().filter(|run| matches!(run.state, RunState::Succeeded | RunState::Partial)).find_map(|run| run.finished_at);
        Ok(DataStatus {
            vendor: self.vendor.source(),
            last_ingestion,
            latest_bar_date: snapshot.latest_date().map(domain::TradingDate::date),
            symbols: snapshot.stocks.len(),
        })
    }
}
