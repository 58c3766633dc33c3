//! Polygon.io, since October 2025 named Massive.

mod convert;
mod lists;
mod wire;

use std::collections::HashSet;

use app::ports::{MarketData, Quote, VendorActions, VendorError, VendorHistory, VendorSession};
use async_trait::async_trait;
use domain::{Company, Date, Source, Symbol, Timestamp, TradingDate, calendar};

use self::{
    convert::Stamp,
    wire::{Aggregate, Snapshot, Ticker, malformed},
};
use super::{
    Pace,
    client::{Client, Retry},
    notation::polygon as notation,
    rows::{self, Bars},
};

const NAME: &str = "Polygon";

/// The longest list of tickers in one address that servers on the way surely take.
const SNAPSHOT_TICKERS: usize = 200;
/// Asking for each stock costs a request; for more than these the whole market's actions of the dates cost fewer.
const ACTIONS_ONE_BY_ONE: usize = 4;
/// What is a company's stock: common shares and deposit receipts of common shares.
const STOCK_TYPES: [&str; 2] = ["CS", "ADRC"];

/// A [`MarketData`] over Polygon's REST interface.
#[derive(Debug, Clone)]
pub struct Polygon {
    client: Client,
}

impl Polygon {
    /// The official address. `https://api.polygon.io` works as well, for as long as the vendor keeps it.
    pub const BASE_URL: &str = "https://api.massive.com";

    pub fn new(key: &str, base_url: &str) -> Result<Self, VendorError> {
        Self::with_retry(key, base_url, Retry::default())
    }

    pub fn with_retry(key: &str, base_url: &str, retry: Retry) -> Result<Self, VendorError> {
        let client = Client::new(NAME, base_url, Some(&format!("Bearer {key}")), retry)?.throttled_by_the_minute();
        Ok(Self { client })
    }

    /// Keeps to a plan's limits, together with all others who share the quota.
    pub fn paced(self, pace: Pace) -> Self {
        Self { client: self.client.paced(pace) }
    }

    async fn bars(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        let last = last.min(calendar::last_closed_session(now).date());
        if last < first {
            return Ok(VendorHistory::default());
        }
        let ticker = notation::ticker(symbol);
        let path = format!("/v2/aggs/ticker/{ticker}/range/1/day/{first}/{last}?adjusted=false&sort=asc&limit=50000");
        let (mut bars, mut is_empty) = (Bars::default(), true);
        self.each_row(self.client.get(&path).await?, Some(symbol), |row| {
            is_empty = false;
            let bar = rows::read::<Aggregate>(row).and_then(|row| convert::bar(&row, Stamp::Start, now));
            bars.add(symbol, &(first..=last), bar, row.get());
        })
        .await?;
        if is_empty {
            // An unknown stock and one that did not trade look alike here; the reference tells them apart.
            self.company(symbol, now).await?;
        }
        let (bars, rejected) = bars.finish();
        Ok(VendorHistory { bars: bars.into_iter().map(|(_, record)| record).collect(), actions: Vec::new(), rejected })
    }
}

#[async_trait]
impl MarketData for Polygon {
    fn source(&self) -> Source {
        Source::Polygon
    }

    /// Market capitalisation and industry are not in the list: [`Self::company`] has them.
    async fn companies(&self, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        let mut companies = Vec::new();
        for kind in STOCK_TYPES {
            let date = calendar::new_york_date(now);
            let path = format!("/v3/reference/tickers?market=stocks&active=true&type={kind}&date={date}&limit=1000");
            companies.extend(self.list::<Ticker>(self.client.get(&path).await?).await?.into_iter().filter_map(convert::company));
        }
        companies.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        companies.dedup_by(|a, b| a.symbol == b.symbol);
        Ok(companies)
    }

    async fn company(&self, symbol: &Symbol, now: Timestamp) -> Result<Company, VendorError> {
        let path = format!("/v3/reference/tickers/{}?date={}", notation::ticker(symbol), calendar::new_york_date(now));
        let row: Ticker = wire::one(&self.client.get(&path).await?, symbol)?;
        convert::company(row).filter(|company| company.symbol == *symbol).ok_or_else(|| malformed("the details of another stock"))
    }

    /// The newest delistings come first, so that a short time needs one page.
    async fn delisted(&self, since: Date, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        let mut companies = Vec::new();
        for kind in STOCK_TYPES {
            let path = format!("/v3/reference/tickers?market=stocks&active=false&type={kind}&sort=delisted_utc&order=desc&limit=1000");
            companies.extend(self.delisted_rows(&path, since).await?.into_iter().filter_map(convert::company));
        }
        let today = calendar::new_york_date(now);
        companies.retain(|company| company.delisted_on.is_some_and(|day| (since..=today).contains(&day)));
        companies.sort_by(|a, b| a.symbol.cmp(&b.symbol).then(b.delisted_on.cmp(&a.delisted_on)));
        companies.dedup_by(|a, b| a.symbol == b.symbol && a.figi == b.figi);
        Ok(companies)
    }

    async fn history(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        let mut history = self.bars(symbol, first, last, now).await?;
        let VendorActions { actions, rejected } = self.actions_of(Some(symbol), first, last, now).await?;
        history.actions = actions.into_iter().map(|(_, action)| action).collect();
        history.rejected.extend(rejected);
        Ok(history)
    }

    async fn session(&self, date: TradingDate, now: Timestamp) -> Result<VendorSession, VendorError> {
        if date > calendar::last_closed_session(now) {
            return Ok(VendorSession::default());
        }
        let day = date.date();
        let mut bars = Bars::default();
        let path = format!("/v2/aggs/grouped/locale/us/market/stocks/{date}?adjusted=false");
        self.each_row(self.client.get(&path).await?, None, |row| match lists::owner(row) {
            Ok(Some(symbol)) => {
                let bar = rows::read::<Aggregate>(row).and_then(|row| convert::bar(&row, Stamp::End, now));
                bars.add(&symbol, &(day..=day), bar, row.get());
            }
            // Shares of a kind that we do not have.
            Ok(None) => {}
            Err(unowned) => bars.reject(unowned),
        })
        .await?;
        let (bars, rejected) = bars.finish();
        Ok(VendorSession { bars, rejected })
    }

    fn calls(&self) -> u64 {
        self.client.calls()
    }

    async fn quotes(&self, symbols: &[Symbol], now: Timestamp) -> Result<Vec<Quote>, VendorError> {
        let Some(today) = TradingDate::new(calendar::new_york_date(now)).ok().filter(|today| today.open() <= now) else {
            return Ok(Vec::new());
        };
        let mut quotes = Vec::with_capacity(symbols.len());
        for some in symbols.chunks(SNAPSHOT_TICKERS) {
            let tickers = some.iter().map(notation::ticker).collect::<Vec<_>>().join(",");
            let answer = self.client.get(&format!("/v2/snapshot/locale/us/markets/stocks/tickers?tickers={tickers}")).await?;
            let rows = self.list::<Snapshot>(answer).await?;
            quotes.extend(rows.iter().filter_map(|row| convert::quote(row, today, now)).filter(|quote| some.contains(&quote.symbol)));
        }
        Ok(quotes)
    }

    async fn actions(&self, symbols: &[Symbol], first: Date, last: Date, now: Timestamp) -> Result<VendorActions, VendorError> {
        if symbols.len() > ACTIONS_ONE_BY_ONE {
            let asked: HashSet<&Symbol> = symbols.iter().collect();
            let mut all = self.actions_of(None, first, last, now).await?;
            all.actions.retain(|(symbol, _)| asked.contains(symbol));
            all.rejected.retain(|row| row.symbol.as_ref().is_none_or(|symbol| asked.contains(symbol)));
            return Ok(all);
        }
        let mut found = VendorActions::default();
        for symbol in symbols {
            let VendorActions { actions, rejected } = self.actions_of(Some(symbol), first, last, now).await?;
            found.actions.extend(actions);
            found.rejected.extend(rejected);
        }
        found.actions.sort_by_key(|(_, action)| action.ex_date);
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
