//! Stocks: who they are, what they cost, what the indicators say.

mod directory;
mod prices;

use std::sync::Arc;

use analysis::{FeatureRow, FeatureTable, Series};
use domain::{Company, Date, Symbol, Timestamp, ToSpan, calendar};
use jiff::civil::Time;

pub use directory::StockFilter;
pub use prices::{LatestPrice, PriceRow};

use crate::{UseCaseError, market::Market};

/// The use cases of market data.
#[derive(Clone)]
pub struct Stocks {
    market: Market,
}

/// Which sessions of a series are wanted: the newest `limit` of those from `start` to `end`, both inclusive.
#[derive(Debug, Clone, Copy)]
pub struct SessionRange {
    pub start: Option<Date>,
    pub end: Option<Date>,
    pub limit: usize,
}

impl SessionRange {
    /// Positions of the wanted sessions among ascending `dates`.
    pub(crate) fn select(&self, dates: &[Date]) -> std::ops::Range<usize> {
        let first = self.start.map_or(0, |start| dates.partition_point(|date| *date < start));
        let end = self.end.map_or(dates.len(), |end| dates.partition_point(|date| *date <= end));
        first.max(end.saturating_sub(self.limit)).min(end)..end
    }
}

impl Stocks {
    pub fn new(market: Market) -> Self {
        Self { market }
    }

    pub fn market(&self) -> &Market {
        &self.market
    }

    /// All companies, by symbol: the same copy again as long as nothing is known to have changed.
    pub async fn all(&self) -> Result<Arc<Vec<Company>>, UseCaseError> {
        Ok(self.market.companies().companies().await?)
    }

    /// Names of the sectors that have stocks, sorted.
    pub async fn sectors(&self) -> Result<Vec<String>, UseCaseError> {
        self.distinct(|company| company.sector.map(|sector| sector.name().to_owned())).await
    }

    /// Names of the industries that have stocks, sorted.
    pub async fn industries(&self) -> Result<Vec<String>, UseCaseError> {
        self.distinct(|company| company.industry.clone()).await
    }

    async fn distinct(&self, name: impl Fn(&Company) -> Option<String>) -> Result<Vec<String>, UseCaseError> {
        let companies = self.market.companies().companies().await?;
        let names: std::collections::BTreeSet<String> = companies.iter().filter_map(name).collect();
        Ok(names.into_iter().collect())
    }

    pub async fn company(&self, symbol: &Symbol) -> Result<Company, UseCaseError> {
        self.market.companies().company(symbol).await?.ok_or_else(|| UseCaseError::UnknownSymbol(symbol.clone()))
    }

    /// What everything that is told of the stock is made of, as a text that changes whenever that does.
    pub async fn state(&self, symbol: &Symbol) -> Result<String, UseCaseError> {
        let company = self.company(symbol).await?;
        Ok(format!("{} {}", self.market.state(symbol).await?, company.sector.map_or("", domain::Sector::name)))
    }

    /// As long as [`Self::state`] stays, what was told at `now` is told at every instant until this one: nothing more becomes known of the
    /// stock, and prices keep the share basis of their day.
    pub async fn unchanged_until(&self, symbol: &Symbol, now: Timestamp) -> Result<Timestamp, UseCaseError> {
        let tomorrow = calendar::new_york_instant(calendar::new_york_date(now).saturating_add(1.day()), Time::midnight());
        let known = self.market.next_known(symbol, now).await?;
        Ok(known.map_or(tomorrow, |known| known.min(tomorrow)))
    }

    /// Indicators of the wanted sessions, oldest first, on today's share basis, as adjusted prices are.
    pub async fn features(&self, symbol: &Symbol, range: SessionRange, now: Timestamp) -> Result<Vec<FeatureRow>, UseCaseError> {
        let (company, history, context) =
            futures::try_join!(self.company(symbol), self.market.history(symbol, now), self.market.context())?;
        let series = Series::new(&history, calendar::new_york_date(now));
        let table = FeatureTable::compute(&series, &context, company.sector);
        let dates: Vec<Date> = table.dates().iter().map(|date| date.date()).collect();
        Ok(range.select(&dates).map(|index| table.row(index)).collect())
    }
}
