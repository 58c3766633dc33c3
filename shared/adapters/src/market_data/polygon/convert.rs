//! From Polygon's rows to the domain's values.

use app::ports::{Quote, RowFault};
use domain::{ActionKind, Bar, BarRecord, Company, CorporateAction, Date, Decimal, Money, Price, Source, Timestamp, TradingDate, calendar};
use jiff::civil::Time;

use super::wire::{Aggregate, Dividend, Snapshot, SnapshotDay, Split, Ticker};
use crate::market_data::{
    action_known_at,
    notation::polygon::symbol,
    number::Exact,
    positive_amount, positive_ratio,
    rows::{self, Rejection},
};

/// Which end of its window a row's stamp marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// Midnight in New York.
    Start,
    /// The close: 16:00 in New York, on a half day perhaps 13:00.
    End,
}

impl Stamp {
    fn marks(self, instant: Timestamp, day: Date) -> bool {
        match self {
            Self::Start => instant == calendar::new_york_instant(day, Time::midnight()),
            Self::End => instant == calendar::new_york_instant(day, Time::constant(16, 0, 0, 0)) || instant == calendar::close_instant(day),
        }
    }
}

pub(super) fn bar(row: &Aggregate, stamp: Stamp, now: Timestamp) -> Result<BarRecord, Rejection> {
    let instant = Timestamp::from_millisecond(row.t).map_err(|_| Rejection::number(None, "timestamp", &row.t))?;
    let day = calendar::new_york_date(instant);
    if !stamp.marks(instant, day) {
        return Err(Rejection::of(day, RowFault::OffWindow(instant)));
    }
    rows::bar(Source::Polygon, day, [row.o, row.h, row.l, row.c], row.v, now)
}

pub(super) fn split(row: &Split) -> Result<CorporateAction, Rejection> {
    let ratio = positive_ratio(row.split_to.0, row.split_from.0)
        .ok_or_else(|| Rejection::number(row.execution_date, "split ratio", &format_args!("{} to {}", row.split_from.0, row.split_to.0)))?;
    Ok(action(row.execution_date, ActionKind::Split { ratio }))
}

/// Cash in another currency cannot be booked, nor can none.
pub(super) fn dividend(row: &Dividend) -> Result<CorporateAction, Rejection> {
    let ex_date = row.ex_dividend_date;
    if let Some(currency) = row.currency.as_deref().filter(|currency| !currency.eq_ignore_ascii_case("USD")) {
        return Err(Rejection::of(ex_date, RowFault::Currency(currency.chars().take(12).collect())));
    }
    let amount = positive_amount(row.cash_amount.0).ok_or_else(|| Rejection::number(ex_date, "dividend", &row.cash_amount.0))?;
    Ok(action(ex_date, ActionKind::Dividend { amount, pay_date: row.pay_date }))
}

fn action(ex_date: Date, kind: ActionKind) -> CorporateAction {
    CorporateAction { ex_date, kind, source: Source::Polygon, known_at: action_known_at(ex_date) }
}

/// `None` for what is no common ticker of ours, such as preferred shares (`KIMpL`).
pub(super) fn company(row: Ticker) -> Option<Company> {
    let symbol = symbol(&row.ticker)?;
    let delisted_on = delisted_on(&row);
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
        delisted_on,
        is_active: row.active.unwrap_or(true),
    })
}

/// The instant is midnight UTC of the day.
pub(super) fn delisted_on(row: &Ticker) -> Option<Date> {
    row.delisted_utc.as_deref()?.get(..10)?.parse().ok()
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
