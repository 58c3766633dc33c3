//! The real data that ships with the program, as a vendor who tells nothing before its time.

mod data;

use app::ports::{MarketData, Quote, VendorActions, VendorError, VendorHistory, VendorSession};
use async_trait::async_trait;
use domain::{Bar, Company, CorporateAction, Date, PriceHistory, Source, Symbol, Timestamp, TradingDate, calendar};

const NAME: &str = "the bundled data";

/// Sixty large US stocks of all sectors, every session from 2018-01-02 to 2024-03-08, with splits, spin-offs and dividends.
///
/// Where the numbers come from, and how they were made, is told beside them (`infra/data/README.md`).
#[derive(Debug)]
pub struct Bundled {
    companies: Vec<Company>,
    /// Sorted by symbol, one for each company.
    histories: Vec<PriceHistory>,
}

impl Bundled {
    /// Decodes what is compiled into the program: a few hundredths of a second.
    #[expect(clippy::new_without_default, reason = "a default that takes this long would surprise")]
    pub fn new() -> Self {
        Self { companies: data::companies(), histories: data::histories() }
    }

    /// Everything there is of every stock, sorted by symbol, with no regard to any present: for loading and for replay.
    pub fn histories(&self) -> &[PriceHistory] {
        &self.histories
    }

    /// As [`Self::histories`] for one stock.
    pub fn history_of(&self, symbol: &Symbol) -> Option<&PriceHistory> {
        self.histories.binary_search_by(|history| history.symbol.cmp(symbol)).ok().map(|index| &self.histories[index])
    }

    /// Every company, sorted by symbol.
    pub fn all_companies(&self) -> &[Company] {
        &self.companies
    }

    /// The first session that there are bars of.
    pub fn first_date(&self) -> TradingDate {
        self.bar_dates(<[_]>::first).min().expect("there is bundled data")
    }

    /// The last session that there are bars of.
    pub fn last_date(&self) -> TradingDate {
        self.bar_dates(<[_]>::last).max().expect("there is bundled data")
    }

    fn bar_dates(&self, pick: impl Fn(&[domain::BarRecord]) -> Option<&domain::BarRecord>) -> impl Iterator<Item = TradingDate> {
        self.histories.iter().filter_map(move |history| pick(&history.bars)).map(|record| record.bar.date)
    }
}

#[async_trait]
impl MarketData for Bundled {
    fn source(&self) -> Source {
        Source::Bundled
    }

    async fn companies(&self, _now: Timestamp) -> Result<Vec<Company>, VendorError> {
        Ok(self.companies.clone())
    }

    async fn company(&self, symbol: &Symbol, _now: Timestamp) -> Result<Company, VendorError> {
        let found = self.companies.iter().find(|company| company.symbol == *symbol);
        found.cloned().ok_or_else(|| VendorError::UnknownSymbol(NAME, symbol.clone()))
    }

    /// All of them are listed to this day.
    async fn delisted(&self, _since: Date, _now: Timestamp) -> Result<Vec<Company>, VendorError> {
        Ok(Vec::new())
    }

    async fn history(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        let history = self.history_of(symbol).ok_or_else(|| VendorError::UnknownSymbol(NAME, symbol.clone()))?;
        let closed = last.min(calendar::last_closed_session(now).date());
        let bars = between(&history.bars, |record| record.bar.date.date(), first, closed).to_vec();
        Ok(VendorHistory { bars, actions: effective_actions(history, first, last, now).to_vec(), rejected: Vec::new() })
    }

    async fn session(&self, date: TradingDate, now: Timestamp) -> Result<VendorSession, VendorError> {
        if date > calendar::last_closed_session(now) {
            return Ok(VendorSession::default());
        }
        let bars = self.histories.iter().filter_map(|history| Some((history.symbol.clone(), *history.bar_on(date.date())?)));
        Ok(VendorSession { bars: bars.collect(), rejected: Vec::new() })
    }

    /// Nothing leaves this machine.
    fn calls(&self) -> u64 {
        0
    }

    async fn quotes(&self, symbols: &[Symbol], now: Timestamp) -> Result<Vec<Quote>, VendorError> {
        let Ok(today) = TradingDate::new(calendar::new_york_date(now)) else {
            return Ok(Vec::new());
        };
        let (open, close) = (today.open(), today.close());
        if now < open {
            return Ok(Vec::new());
        }
        let quote = |symbol: &Symbol| {
            let bar = self.history_of(symbol)?.bar_on(today.date())?.bar;
            Some(if now < close { at_open(symbol, bar, open) } else { at_close(symbol, bar, close) })
        };
        Ok(symbols.iter().filter_map(quote).collect())
    }

    async fn actions(&self, symbols: &[Symbol], first: Date, last: Date, now: Timestamp) -> Result<VendorActions, VendorError> {
        let of = |symbol: &Symbol| {
            let actions = self.history_of(symbol).map_or(&[][..], |history| effective_actions(history, first, last, now));
            actions.iter().map(|action| (symbol.clone(), action.clone())).collect::<Vec<_>>()
        };
        let mut actions: Vec<_> = symbols.iter().flat_map(of).collect();
        actions.sort_by_key(|(_, action)| action.ex_date);
        Ok(VendorActions { actions, rejected: Vec::new() })
    }
}

/// A daily bar shows two moments. From the open to the close only the first has happened.
fn at_open(symbol: &Symbol, bar: Bar, open: Timestamp) -> Quote {
    Quote { symbol: symbol.clone(), date: bar.date, open: Some(bar.open), last: bar.open, last_at: open, bar: None }
}

fn at_close(symbol: &Symbol, bar: Bar, close: Timestamp) -> Quote {
    Quote { symbol: symbol.clone(), date: bar.date, open: Some(bar.open), last: bar.close, last_at: close, bar: Some(bar) }
}

fn effective_actions(history: &PriceHistory, first: Date, last: Date, now: Timestamp) -> &[CorporateAction] {
    between(&history.actions, |action| action.ex_date, first, last.min(calendar::new_york_date(now)))
}

/// The part of what is sorted by date that lies from `first` to `last` inclusive.
fn between<T>(items: &[T], date: impl Fn(&T) -> Date, first: Date, last: Date) -> &[T] {
    let start = items.partition_point(|item| date(item) < first);
    let end = items.partition_point(|item| date(item) <= last);
    items.get(start..end).unwrap_or(&[])
}

#[cfg(test)]
mod tests;
