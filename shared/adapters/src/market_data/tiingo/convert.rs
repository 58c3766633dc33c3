//! From Tiingo's rows to the domain's values.

use app::ports::{Quote, RowFault};
use domain::{ActionKind, BarRecord, Company, CorporateAction, Date, Decimal, Price, Source, Symbol, Timestamp, TradingDate, calendar};

use super::wire::{Day, IexQuote, Meta};
use crate::market_data::{
    action_known_at,
    client::excerpt,
    notation::tiingo::symbol,
    number::Exact,
    positive_amount, positive_ratio,
    rows::{self, Rejection},
};

/// A stock is taken for delisted when its prices ended longer ago than any holiday lasts.
const DAYS_UNTIL_DELISTED: i32 = 10;

/// The literal date, whatever zone the instant is written in; any other time of day than midnight is no day's row.
pub(super) fn date(row: &Day) -> Result<Date, Rejection> {
    let text = row.date.as_str();
    let unreadable = || Rejection { day: None, fault: RowFault::Unreadable(format!("`{}` is no date", excerpt(text.as_bytes()))) };
    let day: Date = text.get(..10).and_then(|day| day.parse().ok()).ok_or_else(unreadable)?;
    if text.len() == 10 || text[10..].starts_with("T00:00:00") {
        return Ok(day);
    }
    let instant: Timestamp = text.parse().map_err(|_| unreadable())?;
    Err(Rejection::of(day, RowFault::OffWindow(instant)))
}

pub(super) fn bar(row: &Day, now: Timestamp) -> Result<BarRecord, Rejection> {
    rows::bar(Source::Tiingo, date(row)?, [row.open, row.high, row.low, row.close], row.volume, now)
}

/// The split and the dividend that a day's row tells of. The split comes first: the cash is for each share after it.
pub(super) fn actions(row: &Day) -> Result<Vec<CorporateAction>, Rejection> {
    let ex_date = date(row)?;
    let action = |kind| CorporateAction { ex_date, kind, source: Source::Tiingo, known_at: action_known_at(ex_date) };
    let mut actions = Vec::new();
    if row.split_factor.0 != Decimal::ONE {
        let ratio = positive_ratio(row.split_factor.0, Decimal::ONE)
            .ok_or_else(|| Rejection::number(ex_date, "split factor", &row.split_factor.0))?;
        actions.push(action(ActionKind::Split { ratio }));
    }
    if row.div_cash.0 < Decimal::ZERO {
        return Err(Rejection::number(ex_date, "dividend", &row.div_cash.0));
    }
    actions.extend(positive_amount(row.div_cash.0).map(|amount| action(ActionKind::Dividend { amount, pay_date: None })));
    Ok(actions)
}

pub(super) fn company(symbol: &Symbol, meta: Meta, now: Timestamp) -> Company {
    let last = meta.end_date;
    listing(
        symbol.clone(),
        meta.name.unwrap_or_else(|| meta.ticker.clone()),
        meta.exchange_code.as_deref(),
        "USD",
        meta.start_date,
        last,
        now,
    )
}

/// One line of the list of supported tickers: `ticker,exchange,assetType,priceCurrency,startDate,endDate`.
///
/// `None` for funds, for what trades off the exchanges or in another currency, and for what never traded.
pub(super) fn listed_company(line: &str, now: Timestamp) -> Option<Company> {
    let mut fields = line.trim_end().split(',');
    let (ticker, exchange, kind, currency) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let (first, last): (Date, Date) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    if kind != "Stock" || currency != "USD" || market_code(exchange).is_none() || first > calendar::new_york_date(now) {
        return None;
    }
    let symbol = symbol(ticker)?;
    Some(listing(symbol.clone(), symbol.to_string(), Some(exchange), currency, Some(first), Some(last), now))
}

fn listing(
    symbol: Symbol,
    name: String,
    exchange: Option<&str>,
    currency: &str,
    first: Option<Date>,
    last: Option<Date>,
    now: Timestamp,
) -> Company {
    let quiet_since = calendar::new_york_date(now).saturating_sub(jiff::Span::new().days(DAYS_UNTIL_DELISTED));
    let delisted_on = last.filter(|last| *last < quiet_since);
    Company {
        symbol,
        name,
        sector: None,
        industry: None,
        market_cap: None,
        currency: currency.to_owned(),
        exchange: exchange.and_then(market_code).map(str::to_owned),
        country: None,
        figi: None,
        listed_on: first,
        delisted_on,
        is_active: last.is_some() && delisted_on.is_none(),
    }
}

/// ISO 10383 codes of the exchanges that list companies.
fn market_code(exchange: &str) -> Option<&'static str> {
    match exchange {
        "NYSE" => Some("XNYS"),
        "NASDAQ" => Some("XNAS"),
        "AMEX" | "NYSE MKT" | "NYSE AMERICAN" => Some("XASE"),
        "NYSE ARCA" => Some("ARCX"),
        "BATS" => Some("BATS"),
        _ => None,
    }
}

/// `None` when the stock has not traded in `today`'s session by `now`. The exchange's own volume is no session's volume, so
/// there is never a bar.
pub(super) fn quote(row: &IexQuote, today: TradingDate, now: Timestamp) -> Option<Quote> {
    let symbol = symbol(&row.ticker)?;
    let at = row.last_sale_timestamp.or(row.timestamp)?;
    if calendar::new_york_date(at) != today.date() || at < today.open() {
        return None;
    }
    let price = |exact: Option<Exact>| exact.and_then(|exact| Price::round(exact.0).ok());
    Some(Quote {
        symbol,
        date: today,
        open: price(row.open),
        last: price(row.last).or_else(|| price(row.tngo_last))?,
        last_at: at.min(today.close()).min(now),
        bar: None,
    })
}
