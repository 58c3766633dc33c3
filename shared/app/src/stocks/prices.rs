//! Prices as clients want them: as traded, or adjusted on reading.

use domain::{
    BarRecord, Date, Decimal, Price, PriceHistory, Source, Symbol, Timestamp, TradingDate, calendar, history::Adjustment,
    money::round_half_up,
};

use super::{SessionRange, Stocks};
use crate::UseCaseError;

/// One session. Adjusted prices have at most four decimal places, as traded ones have.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceRow {
    pub date: TradingDate,
    pub open: Decimal,
    pub high: Decimal,
    pub low: Decimal,
    pub close: Decimal,
    pub volume: u64,
    /// The close adjusted for splits, spin-offs and dividends.
    pub adjusted_close: Decimal,
    /// The volume adjusted for splits.
    pub adjusted_volume: u64,
    /// Who reported the bar.
    pub source: Source,
    /// Since when this version of the bar has been known.
    pub known_at: Timestamp,
}

/// The newest session of a stock and where its prices come from.
#[derive(Debug, Clone, PartialEq)]
pub struct LatestPrice {
    pub row: PriceRow,
    pub known_at: Timestamp,
    pub source: Source,
    /// A price of the session that is on, when there is a feed of them.
    pub last: Option<(Price, Timestamp)>,
}

impl Stocks {
    /// The wanted sessions, oldest first. Adjusted: open, high, low and close for splits and spin-offs, on today's share
    /// basis; else as they traded.
    pub async fn prices(
        &self,
        symbol: &Symbol,
        range: SessionRange,
        adjusted: bool,
        now: Timestamp,
    ) -> Result<Vec<PriceRow>, UseCaseError> {
        let (_, history) = futures::try_join!(self.company(symbol), self.market.history(symbol, now))?;
        let adjustments = history.adjustments(domain::calendar::new_york_date(now));
        let dates: Vec<Date> = history.bars.iter().map(|record| record.bar.date.date()).collect();
        Ok(range.select(&dates).map(|index| row(&history.bars[index], adjustments[index], adjusted)).collect())
    }

    /// The newest bar, as traded; with `fresh`, while the market is open and there is a feed, also the running session's last price.
    /// A feed that does not answer is not waited for twice: the bar is told without it.
    pub async fn latest(&self, symbol: &Symbol, fresh: bool, now: Timestamp) -> Result<LatestPrice, UseCaseError> {
        let (_, history) = futures::try_join!(self.company(symbol), self.market.newest(symbol, now))?;
        let record = history.bars.last().ok_or_else(|| UseCaseError::NotFound(format!("price of {symbol} yet")))?;
        let adjustments = history.adjustments(domain::calendar::new_york_date(now));
        let row = row(record, *adjustments.last().expect("as many adjustments as bars"), false);
        let last = if fresh && calendar::is_open(now) { self.running_price(symbol, record.bar.date, now).await } else { None };
        Ok(LatestPrice { row, known_at: record.known_at, source: record.source, last })
    }

    /// The last price of a session after `newest`.
    async fn running_price(&self, symbol: &Symbol, newest: TradingDate, now: Timestamp) -> Option<(Price, Timestamp)> {
        match self.market.quotes(std::slice::from_ref(symbol), now).await {
            Ok(quotes) => quotes.first().filter(|quote| quote.date > newest).map(|quote| (quote.last, quote.last_at)),
            Err(error) => {
                tracing::warn!(%symbol, %error, "there is no fresh price");
                None
            }
        }
    }

    /// The whole history as known at `now`.
    pub async fn history(&self, symbol: &Symbol, now: Timestamp) -> Result<PriceHistory, UseCaseError> {
        self.market.history(symbol, now).await
    }
}

fn row(record: &BarRecord, adjustment: Adjustment, adjusted: bool) -> PriceRow {
    let bar = &record.bar;
    let factor = if adjusted { adjustment.price } else { Decimal::ONE };
    let price =
        |price: Price| if factor == Decimal::ONE { price.decimal() } else { round_half_up(price.decimal() * factor, Price::PLACES) };
    PriceRow {
        date: bar.date,
        open: price(bar.open),
        high: price(bar.high),
        low: price(bar.low),
        close: price(bar.close),
        volume: bar.volume,
        adjusted_close: round_half_up(bar.close.decimal() * adjustment.total_return, Price::PLACES),
        adjusted_volume: shares(Decimal::from(bar.volume) * adjustment.volume),
        source: record.source,
        known_at: record.known_at,
    }
}

fn shares(volume: Decimal) -> u64 {
    u64::try_from(round_half_up(volume, 0)).unwrap_or(u64::MAX)
}
