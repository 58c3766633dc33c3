//! Tiingo.

mod convert;
mod days;
mod list;
mod wire;

use app::ports::{MarketData, Quote, VendorActions, VendorError, VendorHistory, VendorSession};
use async_trait::async_trait;
use domain::{Company, Date, Source, Symbol, Timestamp, TradingDate, calendar};
use futures::{StreamExt, TryStreamExt, stream};

use self::{
    days::Days,
    wire::{IexQuote, Meta, malformed},
};
use super::{
    Pace,
    client::{Client, Retry},
    notation::tiingo as notation,
};

const NAME: &str = "Tiingo";

/// The longest list of tickers in one address that servers on the way surely take.
const QUOTE_TICKERS: usize = 100;
/// Requests under way at a time where each stock needs its own.
const AT_A_TIME: usize = 4;
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

    /// Keeps to a plan's limits, together with all others who share the quota. The list of tickers is free.
    pub fn paced(self, pace: Pace) -> Self {
        Self { client: self.client.paced(pace), ..self }
    }

    /// The list of tickers, sorted by symbol; one that was given to another company comes first as it is now.
    async fn listed(&self, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        let answer = self.media.get(LIST).await?;
        if answer.status != 200 {
            return Err(wire::refusal(&answer, None));
        }
        let mut companies: Vec<_> =
            list::unzipped(answer.body)?.lines().skip(1).filter_map(|line| convert::listed_company(line, now)).collect();
        companies.sort_by(|a, b| a.symbol.cmp(&b.symbol).then(b.is_active.cmp(&a.is_active)).then(b.delisted_on.cmp(&a.delisted_on)));
        Ok(companies)
    }

    async fn days(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        let last = last.min(calendar::last_closed_session(now).date());
        if last < first {
            return Ok(VendorHistory::default());
        }
        self.client.count(symbol).await?;
        let ticker = notation::ticker(symbol);
        let path = format!("/tiingo/daily/{ticker}/prices?startDate={first}&endDate={last}&format=json&resampleFreq=daily");
        let answer = self.client.get(&path).await?;
        let mut days = Days::new(first..=last, now);
        for row in wire::rows(&answer, Some(symbol))? {
            days.add(symbol, row);
        }
        let (bars, actions, rejected) = days.finish();
        Ok(VendorHistory {
            bars: bars.into_iter().map(|(_, record)| record).collect(),
            actions: actions.into_iter().map(|(_, action)| action).collect(),
            rejected,
        })
    }
}

#[async_trait]
impl MarketData for Tiingo {
    fn source(&self) -> Source {
        Source::Tiingo
    }

    /// The list holds no names: a ticker stands for its company's name, which [`Tiingo::company`] has.
    async fn companies(&self, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        let mut companies = self.listed(now).await?;
        companies.retain(|company| company.is_active);
        companies.dedup_by(|a, b| a.symbol == b.symbol);
        Ok(companies)
    }

    async fn company(&self, symbol: &Symbol, now: Timestamp) -> Result<Company, VendorError> {
        self.client.count(symbol).await?;
        let answer = self.client.get(&format!("/tiingo/daily/{}", notation::ticker(symbol))).await?;
        let meta: Meta = wire::read(&answer, Some(symbol))?;
        if notation::symbol(&meta.ticker).as_ref() != Some(symbol) {
            return Err(malformed("the description of another stock"));
        }
        Ok(convert::company(symbol, meta, now))
    }

    /// As far as the list of tickers tells: by the day of the last price.
    async fn delisted(&self, since: Date, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        let mut companies = self.listed(now).await?;
        companies.retain(|company| company.delisted_on.is_some_and(|day| day >= since));
        Ok(companies)
    }

    async fn history(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        self.days(symbol, first, last, now).await
    }

    /// The list of all tickers' newest prices holds one session only, each stock's last; for whom it is, is not documented.
    async fn session(&self, date: TradingDate, now: Timestamp) -> Result<VendorSession, VendorError> {
        if date != calendar::last_closed_session(now) {
            return Err(VendorError::NotInPlan(NAME, format!("the whole market of {date} in one request: only the newest session is")));
        }
        let answer = self.client.get("/tiingo/daily/prices").await?;
        if answer.status == 404 {
            return Err(VendorError::NotInPlan(NAME, "a session of the whole market in one request".into()));
        }
        let mut days = Days::new(date.date()..=date.date(), now);
        for row in wire::rows(&answer, None)? {
            days.add_of_all(row);
        }
        let (bars, _, rejected) = days.finish();
        Ok(VendorSession { bars, rejected })
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
            let tickers = some.iter().map(notation::ticker).collect::<Vec<_>>().join(",");
            let answer = self.client.get(&format!("/iex/?tickers={tickers}")).await?;
            let rows = wire::rows(&answer, None)?.into_iter().filter_map(list::readable::<IexQuote>);
            quotes.extend(rows.filter_map(|row| convert::quote(&row, today, now)).filter(|quote| some.contains(&quote.symbol)));
        }
        Ok(quotes)
    }

    /// Tiingo tells of an action in its ex-date's own row, which comes after that session's close.
    async fn actions(&self, symbols: &[Symbol], first: Date, last: Date, now: Timestamp) -> Result<VendorActions, VendorError> {
        let requests: Vec<_> = symbols.iter().map(|symbol| self.days(symbol, first, last, now)).collect();
        let histories: Vec<_> = stream::iter(requests).buffered(AT_A_TIME).try_collect().await?;
        let mut found = VendorActions::default();
        for (symbol, history) in symbols.iter().zip(histories) {
            found.actions.extend(history.actions.into_iter().map(|action| (symbol.clone(), action)));
            found.rejected.extend(history.rejected);
        }
        found.actions.sort_by_key(|(_, action)| action.ex_date);
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
