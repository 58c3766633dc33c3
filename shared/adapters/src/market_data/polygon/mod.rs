//! Polygon.io, since October 2025 named Massive.

mod convert;
mod wire;

use std::collections::HashSet;

use app::ports::{MarketData, Quote, VendorError, VendorHistory};
use async_trait::async_trait;
use domain::{BarRecord, Company, CorporateAction, Date, Source, Symbol, Timestamp, TradingDate, calendar};
use reqwest::Url;
use serde::de::DeserializeOwned;

use self::wire::{Aggregate, Dividend, Page, Snapshot, Split, Ticker, malformed};
use super::client::{Answer, Client, Retry};

const NAME: &str = "Polygon";

/// The longest list of tickers in one address that servers on the way surely take.
const SNAPSHOT_TICKERS: usize = 200;
/// Asking for each stock costs a request; for more than these the whole market's actions of the dates cost fewer.
const ACTIONS_ONE_BY_ONE: usize = 4;
/// More pages than the longest list has: a list that does not end is a fault.
const MOST_PAGES: usize = 500;
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

    /// One company with what the list of all does not tell: market capitalisation, industry, day of listing.
    pub async fn company(&self, symbol: &Symbol, now: Timestamp) -> Result<Company, VendorError> {
        let path = format!("/v3/reference/tickers/{symbol}?date={}", calendar::new_york_date(now));
        let row: Ticker = wire::one(&self.client.get(&path).await?, symbol)?;
        convert::company(row).filter(|company| company.symbol == *symbol).ok_or_else(|| malformed("the details of another stock"))
    }

    async fn bars(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<Vec<BarRecord>, VendorError> {
        let last = last.min(calendar::last_closed_session(now).date());
        if last < first {
            return Ok(Vec::new());
        }
        let path = format!("/v2/aggs/ticker/{symbol}/range/1/day/{first}/{last}?adjusted=false&sort=asc&limit=50000");
        let rows: Vec<Aggregate> = self.list(self.client.get(&path).await?, Some(symbol)).await?;
        if rows.is_empty() {
            // An unknown stock and one that did not trade look alike here; the reference tells them apart.
            self.company(symbol, now).await?;
        }
        let mut bars = Vec::with_capacity(rows.len());
        for row in rows {
            bars.extend(convert::bar(&row, now)?.filter(|record| (first..=last).contains(&record.bar.date.date())));
        }
        bars.sort_by_key(|record| record.bar.date);
        bars.dedup_by_key(|record| record.bar.date);
        Ok(bars)
    }

    /// Splits and dividends of one stock, or with `None` of the whole market, sorted by ex-date.
    async fn actions_of(
        &self,
        symbol: Option<&Symbol>,
        first: Date,
        last: Date,
        now: Timestamp,
    ) -> Result<Vec<(Symbol, CorporateAction)>, VendorError> {
        let last = last.min(calendar::new_york_date(now));
        if last < first {
            return Ok(Vec::new());
        }
        let query = |date: &str| {
            let ticker = symbol.map(|symbol| format!("ticker={symbol}&")).unwrap_or_default();
            format!("{ticker}{date}.gte={first}&{date}.lte={last}&limit=1000")
        };
        let splits: Vec<Split> = self.events("splits", &query("execution_date"), symbol).await?;
        let dividends: Vec<Dividend> = self.events("dividends", &query("ex_dividend_date"), symbol).await?;

        let mut actions = Vec::with_capacity(splits.len() + dividends.len());
        for row in &splits {
            if let Some(symbol) = convert::symbol(&row.ticker) {
                actions.push((symbol, convert::split(row)?));
            }
        }
        actions.extend(dividends.iter().filter_map(|row| Some((convert::symbol(&row.ticker)?, convert::dividend(row)?))));
        actions.retain(|(of, action)| (first..=last).contains(&action.ex_date) && symbol.is_none_or(|asked| asked == of));
        actions.sort_by_key(|(_, action)| action.ex_date);
        Ok(actions)
    }

    /// All of `kind`, from the endpoint of today or, where it is missing or not in the plan, from the older one.
    async fn events<T: DeserializeOwned>(&self, kind: &str, query: &str, symbol: Option<&Symbol>) -> Result<Vec<T>, VendorError> {
        let mut answer = self.client.get(&format!("/stocks/v1/{kind}?{query}")).await?;
        if matches!(answer.status, 403 | 404) {
            answer = self.client.get(&format!("/v3/reference/{kind}?{query}")).await?;
        }
        self.list(answer, symbol).await
    }

    /// The rows of a list of which `answer` is the first page.
    async fn list<T: DeserializeOwned>(&self, mut answer: Answer, symbol: Option<&Symbol>) -> Result<Vec<T>, VendorError> {
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let Page { mut rows, next_url } = wire::page(&answer, symbol)?;
            all.append(&mut rows);
            let Some(next) = next_url else { return Ok(all) };
            let path = path_of(&next).ok_or_else(|| malformed("the next page has no address"))?;
            if seen.len() >= MOST_PAGES || !seen.insert(path.clone()) {
                return Err(malformed("a list without end"));
            }
            answer = self.client.get(&path).await?;
        }
    }
}

/// The path and query of the next page's address. Its host is left out: the key goes to our base address only.
fn path_of(next_url: &str) -> Option<String> {
    let url = Url::parse(next_url).ok()?;
    Some(format!("{}?{}", url.path(), url.query()?))
}

#[async_trait]
impl MarketData for Polygon {
    fn source(&self) -> Source {
        Source::Polygon
    }

    /// Market capitalisation and industry are not in the list: [`Polygon::company`] has them.
    async fn companies(&self, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        let mut companies = Vec::new();
        for kind in STOCK_TYPES {
            let path =
                format!("/v3/reference/tickers?market=stocks&active=true&type={kind}&date={}&limit=1000", calendar::new_york_date(now));
            let rows: Vec<Ticker> = self.list(self.client.get(&path).await?, None).await?;
            companies.extend(rows.into_iter().filter_map(convert::company));
        }
        companies.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        companies.dedup_by(|a, b| a.symbol == b.symbol);
        Ok(companies)
    }

    async fn history(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        let bars = self.bars(symbol, first, last, now).await?;
        let actions = self.actions_of(Some(symbol), first, last, now).await?;
        Ok(VendorHistory { bars, actions: actions.into_iter().map(|(_, action)| action).collect() })
    }

    async fn session(&self, date: TradingDate, now: Timestamp) -> Result<Vec<(Symbol, BarRecord)>, VendorError> {
        if date > calendar::last_closed_session(now) {
            return Ok(Vec::new());
        }
        let path = format!("/v2/aggs/grouped/locale/us/market/stocks/{date}?adjusted=false");
        let rows: Vec<Aggregate> = self.list(self.client.get(&path).await?, None).await?;
        let mut bars = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(symbol) = row.ticker.as_deref().and_then(convert::symbol) else { continue };
            bars.extend(convert::bar(&row, now)?.filter(|record| record.bar.date == date).map(|record| (symbol, record)));
        }
        bars.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(bars)
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
            let tickers = some.iter().map(Symbol::as_str).collect::<Vec<_>>().join(",");
            let answer = self.client.get(&format!("/v2/snapshot/locale/us/markets/stocks/tickers?tickers={tickers}")).await?;
            let rows: Vec<Snapshot> = self.list(answer, None).await?;
            quotes.extend(rows.iter().filter_map(|row| convert::quote(row, today, now)).filter(|quote| some.contains(&quote.symbol)));
        }
        Ok(quotes)
    }

    async fn actions(
        &self,
        symbols: &[Symbol],
        first: Date,
        last: Date,
        now: Timestamp,
    ) -> Result<Vec<(Symbol, CorporateAction)>, VendorError> {
        let mut actions = Vec::new();
        if symbols.len() <= ACTIONS_ONE_BY_ONE {
            for symbol in symbols {
                actions.extend(self.actions_of(Some(symbol), first, last, now).await?);
            }
        } else {
            let asked: HashSet<&Symbol> = symbols.iter().collect();
            actions = self.actions_of(None, first, last, now).await?;
            actions.retain(|(symbol, _)| asked.contains(symbol));
        }
        Ok(actions)
    }
}

#[cfg(test)]
mod tests;
