//! From Polygon's rows to the domain's values.

use app::ports::{Quote, VendorError};
use domain::{
    ActionKind, Bar, BarRecord, Company, CorporateAction, Date, Decimal, Money, Price, Source, Symbol, Timestamp, TradingDate, calendar,
};

use super::wire::{Aggregate, Dividend, Snapshot, SnapshotDay, Split, Ticker, malformed};
use crate::market_data::{action_known_at, bar_known_at, number::Exact, positive_amount, positive_ratio};

/// `None` on a day that is no session: a vendor's stray row, which no bar can be made of.
pub(super) fn bar(row: &Aggregate, now: Timestamp) -> Result<Option<BarRecord>, VendorError> {
    let instant = Timestamp::from_millisecond(row.t).map_err(|_| malformed(&format!("{} is no instant", row.t)))?;
    let day = calendar::new_york_date(instant);
    let Ok(date) = TradingDate::new(day) else {
        tracing::warn!(vendor = super::NAME, %day, "a bar of a day without trading was dropped");
        return Ok(None);
    };
    let price = |exact: Exact, field| price(exact, field, day);
    let bar = Bar {
        date,
        open: price(row.o, "open")?,
        high: price(row.h, "high")?,
        low: price(row.l, "low")?,
        close: price(row.c, "close")?,
        volume: row.v.shares().ok_or_else(|| malformed(&format!("the volume of {day} is {}", row.v.0)))?,
    };
    Ok(Some(BarRecord { bar, source: Source::Polygon, known_at: bar_known_at(date).min(now) }))
}

pub(super) fn split(row: &Split) -> Result<CorporateAction, VendorError> {
    let ratio = positive_ratio(row.split_to.0, row.split_from.0)
        .ok_or_else(|| malformed(&format!("a split of {} into {} on {}", row.split_from.0, row.split_to.0, row.execution_date)))?;
    Ok(action(row.execution_date, ActionKind::Split { ratio }))
}

/// `None` when nothing is paid, or not in dollars: such cash cannot be booked.
pub(super) fn dividend(row: &Dividend) -> Option<CorporateAction> {
    if row.currency.as_deref().is_some_and(|currency| !currency.eq_ignore_ascii_case("USD")) {
        tracing::warn!(vendor = super::NAME, ticker = row.ticker, ex_date = %row.ex_dividend_date, "a dividend in another currency was dropped");
        return None;
    }
    let amount = positive_amount(row.cash_amount.0)?;
    Some(action(row.ex_dividend_date, ActionKind::Dividend { amount, pay_date: row.pay_date }))
}

fn action(ex_date: Date, kind: ActionKind) -> CorporateAction {
    CorporateAction { ex_date, kind, source: Source::Polygon, known_at: action_known_at(ex_date) }
}

/// `None` for what is no common ticker of ours, such as preferred shares (`KIMpL`).
pub(super) fn company(row: Ticker) -> Option<Company> {
    let symbol = symbol(&row.ticker)?;
    Some(Company {
        name: row.name.unwrap_or_else(|| symbol.to_string()),
        symbol,
        sector: None,
        industry: row.sic_description,
        market_cap: row.market_cap.filter(|cap| cap.0 > Decimal::ZERO).map(|cap| Money::round(cap.0)),
        currency: row.currency_name.map_or_else(|| "USD".to_owned(), |name| name.to_ascii_uppercase()),
        exchange: row.primary_exchange,
        country: None,
        figi: row.share_class_figi,
        listed_on: row.list_date,
        delisted_on: row.delisted_utc.and_then(|instant| instant.get(..10)?.parse().ok()),
        is_active: row.active.unwrap_or(true),
    })
}

/// Polygon writes classes with a dot, as we do, and kinds of shares in lower case, which we do not have.
pub(super) fn symbol(ticker: &str) -> Option<Symbol> {
    if ticker.bytes().any(|byte| byte.is_ascii_lowercase()) { None } else { ticker.parse().ok() }
}

/// `None` when the stock has not traded in `today`'s session by `now`.
pub(super) fn quote(row: &Snapshot, today: TradingDate, now: Timestamp) -> Option<Quote> {
    let symbol = symbol(&row.ticker)?;
    let day = row.day.as_ref()?;
    let updated = Timestamp::from_nanosecond(row.updated?.into()).ok()?;
    if calendar::new_york_date(updated) != today.date() || updated < today.open() {
        return None;
    }
    let close = today.close();
    let whole = (now >= close).then(|| session_bar(day, today)).flatten();
    let traded = row.last_trade.as_ref().and_then(|trade| {
        let at = Timestamp::from_nanosecond(trade.t.into()).ok()?;
        let in_session = today.open() <= at && at < close;
        in_session.then_some((Price::round(trade.p.0).ok()?, at))
    });
    // After the close the day's own close counts: the last trade may be from after hours.
    let (last, last_at) = match (whole, traded) {
        (None, Some(traded)) => traded,
        (_, _) => (Price::round(day.c.0).ok()?, updated.min(close)),
    };
    let last_at = if whole.is_some() { close } else { last_at.min(now) };
    Some(Quote { symbol, date: today, open: Price::round(day.o.0).ok(), last, last_at, bar: whole })
}

fn session_bar(day: &SnapshotDay, date: TradingDate) -> Option<Bar> {
    let price = |exact: Exact| Price::round(exact.0).ok();
    Some(Bar { date, open: price(day.o)?, high: price(day.h)?, low: price(day.l)?, close: price(day.c)?, volume: day.v.shares()? })
}

fn price(exact: Exact, field: &str, day: Date) -> Result<Price, VendorError> {
    Price::round(exact.0).map_err(|error| malformed(&format!("the {field} of {day}: {error}")))
}
