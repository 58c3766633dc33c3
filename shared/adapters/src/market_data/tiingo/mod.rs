//! Tiingo.

mod convert;
mod wire;

use std::io::{Cursor, Read};

use app::ports::{MarketData, Quote, VendorError, VendorHistory};
use async_trait::async_trait;
use domain::{BarRecord, Company, CorporateAction, Date, Source, Symbol, Timestamp, TradingDate, calendar};
use futures::{StreamExt, TryStreamExt, stream};
use zip::ZipArchive;

use self::wire::{Day, IexQuote, Meta, malformed};
use super::client::{Client, Retry};

const NAME: &str = "Tiingo";

/// The longest list of tickers in one address that servers on the way surely take.
const QUOTE_TICKERS: usize = 100;
/// Requests under way at a time where each stock needs its own.
const AT_A_TIME: usize = 4;
/// Well above the list of all tickers (3.5 MB), well below what would hurt.
const LONGEST_LIST_BYTES: u64 = 64 << 20;
const LIST: &str = "/docs/tiingo/daily/supported_tickers.zip";

/// A [`MarketData`] over Tiingo's REST interface.
#[derive(Debug, Clone)]
pub struct Tiingo {
    client: Client,
    /// The list of tickers lies on another host, for everybody: it gets no key.
    media: Client,
}

impl Tiingo {
    /// The official address.
    pub const BASE_URL: &str = "https://api.tiingo.com";
    /// The official address of the list of tickers.
    pub const MEDIA_URL: &str = "https://apimedia.tiingo.com";

    /// With the official address of the list of tickers when `base_url` is the official one, else `base_url` for both.
    pub fn new(key: &str, base_url: &str) -> Result<Self, VendorError> {
        Self::with_retry(key, base_url, Retry::default())
    }

    pub fn with_retry(key: &str, base_url: &str, retry: Retry) -> Result<Self, VendorError> {
        let media_url = if base_url == Self::BASE_URL { Self::MEDIA_URL } else { base_url };
        Ok(Self {
            client: Client::new(NAME, base_url, Some(&format!("Token {key}")), retry)?,
            media: Client::new(NAME, media_url, None, retry)?,
        })
    }

    /// One company with its name, which the list of all does not tell.
    pub async fn company(&self, symbol: &Symbol, now: Timestamp) -> Result<Company, VendorError> {
        let answer = self.client.get(&format!("/tiingo/daily/{}", convert::ticker(symbol))).await?;
        let meta: Meta = wire::read(&answer, Some(symbol))?;
        Ok(convert::company(symbol, meta, now))
    }

    async fn days(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<Vec<Day>, VendorError> {
        let last = last.min(calendar::last_closed_session(now).date());
        if last < first {
            return Ok(Vec::new());
        }
        let ticker = convert::ticker(symbol);
        let path = format!("/tiingo/daily/{ticker}/prices?startDate={first}&endDate={last}&format=json&resampleFreq=daily");
        let mut dated = Vec::new();
        for day in wire::read::<Vec<Day>>(&self.client.get(&path).await?, Some(symbol))? {
            dated.push((convert::date(&day)?, day));
        }
        dated.retain(|(date, _)| (first..=last).contains(date));
        dated.sort_by_key(|(date, _)| *date);
        dated.dedup_by_key(|(date, _)| *date);
        Ok(dated.into_iter().map(|(_, day)| day).collect())
    }

    async fn actions_of(
        &self,
        symbol: &Symbol,
        first: Date,
        last: Date,
        now: Timestamp,
    ) -> Result<Vec<(Symbol, CorporateAction)>, VendorError> {
        let days = self.days(symbol, first, last, now).await?;
        let actions = days.iter().map(convert::actions).collect::<Result<Vec<_>, _>>()?;
        Ok(actions.into_iter().flatten().map(|action| (symbol.clone(), action)).collect())
    }
}

#[async_trait]
impl MarketData for Tiingo {
    fn source(&self) -> Source {
        Source::Tiingo
    }

    /// The list holds no names: a ticker stands for its company's name, which [`Tiingo::company`] has.
    async fn companies(&self, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        let answer = self.media.get(LIST).await?;
        if answer.status != 200 {
            return Err(wire::refusal(&answer, None));
        }
        let mut companies: Vec<_> = unzipped(answer.body)?.lines().skip(1).filter_map(|line| convert::listed_company(line, now)).collect();
        // A ticker that was given to another company is listed twice: the one that traded last has it now.
        companies.sort_by(|a, b| a.symbol.cmp(&b.symbol).then(b.is_active.cmp(&a.is_active)).then(b.delisted_on.cmp(&a.delisted_on)));
        companies.dedup_by(|a, b| a.symbol == b.symbol);
        Ok(companies)
    }

    async fn history(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        let mut history = VendorHistory::default();
        for day in self.days(symbol, first, last, now).await? {
            history.bars.extend(convert::bar(&day, now)?);
            history.actions.extend(convert::actions(&day)?);
        }
        Ok(history)
    }

    /// The free list of all tickers' newest prices holds one session only, and who may ask for it is not documented.
    async fn session(&self, _date: TradingDate, _now: Timestamp) -> Result<Vec<(Symbol, BarRecord)>, VendorError> {
        Err(VendorError::NotInPlan(NAME, "a session of the whole market in one request".into()))
    }

    fn calls(&self) -> u64 {
        self.client.calls() + self.media.calls()
    }

    async fn quotes(&self, symbols: &[Symbol], now: Timestamp) -> Result<Vec<Quote>, VendorError> {
        let Some(today) = TradingDate::new(calendar::new_york_date(now)).ok().filter(|today| today.open() <= now) else {
            return Ok(Vec::new());
        };
        let mut quotes = Vec::with_capacity(symbols.len());
        for some in symbols.chunks(QUOTE_TICKERS) {
            let tickers = some.iter().map(convert::ticker).collect::<Vec<_>>().join(",");
            let rows: Vec<IexQuote> = wire::read(&self.client.get(&format!("/iex/?tickers={tickers}")).await?, None)?;
            quotes.extend(rows.iter().filter_map(|row| convert::quote(row, today, now)).filter(|quote| some.contains(&quote.symbol)));
        }
        Ok(quotes)
    }

    /// Tiingo tells of an action in its ex-date's own row, which comes after that session's close.
    async fn actions(
        &self,
        symbols: &[Symbol],
        first: Date,
        last: Date,
        now: Timestamp,
    ) -> Result<Vec<(Symbol, CorporateAction)>, VendorError> {
        let requests: Vec<_> = symbols.iter().map(|symbol| self.actions_of(symbol, first, last, now)).collect();
        let of_all: Vec<_> = stream::iter(requests).buffered(AT_A_TIME).try_collect().await?;
        Ok(of_all.concat())
    }
}

/// The only file in the archive.
fn unzipped(archive: Vec<u8>) -> Result<String, VendorError> {
    let broken = |error: &dyn std::fmt::Display| malformed(&format!("the list of tickers cannot be unpacked: {error}"));
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(|error| broken(&error))?;
    let file = archive.by_index(0).map_err(|error| broken(&error))?;
    let mut text = String::new();
    file.take(LONGEST_LIST_BYTES).read_to_string(&mut text).map_err(|error| broken(&error))?;
    Ok(text)
}

#[cfg(test)]
mod tests;
