//! Tiingo's answers.

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use domain::{Date, Decimal, Symbol, calendar};
use serde::Serialize;
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    market::{Row, Stock, number},
    query::Query,
    simulator::Reply,
    view::{Seen, View},
};

pub(super) fn answer(view: &View, path: &[&str], query: &Query) -> Reply {
    match path {
        ["api", "test"] => Reply::json(200, &json!({ "message": "You successfully sent a request" })),
        ["tiingo", "daily", "prices"] => newest_of_all(view),
        ["tiingo", "daily", ticker] => stock(view, ticker).map_or_else(|| not_found("Not found."), |stock| metadata(view, stock)),
        ["tiingo", "daily", ticker, "prices"] => match stock(view, ticker) {
            Some(stock) => prices(view, stock, query),
            None => not_found(&format!("Error: Ticker '{ticker}' not found")),
        },
        ["iex"] => quotes(view, query.get("tickers").unwrap_or_default()),
        ["iex", tickers] => quotes(view, tickers),
        ["docs", "tiingo", "daily", "supported_tickers.zip"] => supported_tickers(view),
        _ => not_found("Not found."),
    }
}

/// The symbol that counts against a month's quota, if the request is about one.
pub(super) fn symbol_of(path: &[&str]) -> Option<String> {
    match path {
        ["tiingo", "daily", ticker, ..] if *ticker != "prices" => Some(ticker.to_ascii_uppercase()),
        _ => None,
    }
}

/// Classes are written with a dash; case does not matter.
fn stock<'a>(view: &'a View, ticker: &str) -> Option<&'a Stock> {
    if ticker.contains('.') {
        return None;
    }
    view.market.get(&ticker.replace('-', ".").parse::<Symbol>().ok()?)
}

fn ticker(stock: &Stock) -> String {
    stock.company.symbol.as_str().replace('.', "-")
}

fn metadata(view: &View, stock: &Stock) -> Reply {
    let told = stock.between(Date::MIN, view.last_day());
    Reply::json(
        200,
        &json!({
            "ticker": ticker(stock), "name": stock.company.name, "exchangeCode": exchange(stock),
            "description": stock.company.industry, "startDate": told.first().map(|row| row.day), "endDate": told.last().map(|row| row.day),
        }),
    )
}

fn exchange(stock: &Stock) -> &'static str {
    match stock.company.exchange.as_deref() {
        Some("XNAS") => "NASDAQ",
        Some("XASE") => "NYSE MKT",
        Some("ARCX") => "NYSE ARCA",
        _ => "NYSE",
    }
}

/// One row in the order of fields of an answer for a range of days.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Day {
    date: String,
    close: f64,
    high: f64,
    low: f64,
    open: f64,
    volume: u64,
    adj_close: f64,
    adj_high: f64,
    adj_low: f64,
    adj_open: f64,
    adj_volume: u64,
    div_cash: f64,
    split_factor: f64,
}

fn prices(view: &View, stock: &Stock, query: &Query) -> Reply {
    if query.get("resampleFreq").is_some_and(|frequency| !frequency.eq_ignore_ascii_case("daily")) {
        return detail(400, "Error: only daily prices are simulated");
    }
    let (first, last) = (query.date("startDate"), query.date("endDate"));
    let mut days = match (first, last) {
        (None, None) => return newest(view, stock),
        (first, last) => days(view, stock, first.unwrap_or(Date::MIN), last.unwrap_or(Date::MAX)),
    };
    if query.get("sort") == Some("-date") {
        days.reverse();
    }
    if query.get("format") == Some("csv") { Reply { kind: "text/csv", ..Reply::text(200, csv(&days)) } } else { Reply::json(200, &days) }
}

/// Adjusted as CRSP does: each split, and each dividend as its part of the close before.
fn days(view: &View, stock: &Stock, first: Date, last: Date) -> Vec<Day> {
    let told = stock.between(Date::MIN, view.last_day());
    let (mut price_factor, mut share_factor) = (1.0, 1.0);
    let mut days = Vec::new();
    for (index, row) in told.iter().enumerate().rev() {
        let (ratio, cash) = stock.events_of(row.day);
        if (first..=last).contains(&row.day) {
            days.push(day(row, ratio, cash, price_factor, share_factor));
        }
        // A day that is said twice has its events once.
        let before = index.checked_sub(1).map(|index| &told[index]);
        if let Some(before) = before.filter(|before| before.day < row.day) {
            price_factor *= (1.0 - number(cash * ratio / before.close)) / number(ratio);
            share_factor *= number(ratio);
        }
    }
    days.reverse();
    days
}

fn day(row: &Row, ratio: Decimal, cash: Decimal, price_factor: f64, share_factor: f64) -> Day {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "volumes are small and positive")]
    let adj_volume = (row.volume as f64 * share_factor).round() as u64;
    Day {
        date: format!("{}T00:00:00.000Z", row.day),
        close: number(row.close),
        high: number(row.high),
        low: number(row.low),
        open: number(row.open),
        volume: row.volume,
        adj_close: number(row.close) * price_factor,
        adj_high: number(row.high) * price_factor,
        adj_low: number(row.low) * price_factor,
        adj_open: number(row.open) * price_factor,
        adj_volume,
        div_cash: number(cash),
        split_factor: number(ratio),
    }
}

fn csv(days: &[Day]) -> String {
    let mut text = "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor\n".to_owned();
    for day in days {
        let Day { date, close, high, low, open, volume, adj_close, adj_high, adj_low, adj_open, adj_volume, div_cash, split_factor } = day;
        let _ = writeln!(
            text,
            "{},{close},{high},{low},{open},{volume},{adj_close},{adj_high},{adj_low},{adj_open},{adj_volume},{div_cash:?},{split_factor:?}",
            &date[..10]
        );
    }
    text
}

/// Without dates there is the latest day only, written otherwise: fields by the alphabet, and another form of date.
fn newest(view: &View, stock: &Stock) -> Reply {
    Reply::json(200, &latest(view, stock).into_iter().collect::<Vec<_>>())
}

fn latest(view: &View, stock: &Stock) -> Option<Value> {
    let last = stock.between(Date::MIN, view.last_day()).last()?.day;
    let newest = days(view, stock, last, last).pop()?;
    let mut value = serde_json::to_value(newest).expect("a day serialises");
    value["date"] = json!(format!("{last}T00:00:00+00:00"));
    Some(value)
}

fn newest_of_all(view: &View) -> Reply {
    let rows = view.market.stocks().filter_map(|stock| {
        let mut row = latest(view, stock)?;
        row["ticker"] = json!(ticker(stock));
        Some(row)
    });
    Reply::json(200, &rows.collect::<Vec<_>>())
}

fn quotes(view: &View, tickers: &str) -> Reply {
    let rows = tickers.split(',').filter_map(|ticker| quote(view, stock(view, ticker)?));
    Reply::json(200, &rows.collect::<Vec<_>>())
}

/// Bid and ask are null, as after the close.
fn quote(view: &View, stock: &Stock) -> Option<Value> {
    let Seen { row, before, is_closed, last, at } = view.seen(stock)?;
    let stamp = if is_closed {
        at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
    } else {
        at.to_zoned(calendar::new_york()).strftime("%Y-%m-%dT%H:%M:%S.000000000%:z").to_string()
    };
    Some(json!({
        "ticker": ticker(stock), "timestamp": stamp, "lastSaleTimestamp": stamp, "quoteTimestamp": stamp,
        "last": number(last), "tngoLast": number(last), "lastSize": null, "prevClose": number(before.close), "open": number(row.open),
        "high": number(if is_closed { row.high } else { row.open }), "low": number(if is_closed { row.low } else { row.open }),
        "mid": null, "volume": if is_closed { row.volume / 50 } else { 0 },
        "bidSize": null, "bidPrice": null, "askSize": null, "askPrice": null,
    }))
}

fn supported_tickers(view: &View) -> Reply {
    let mut text = "ticker,exchange,assetType,priceCurrency,startDate,endDate\r\n".to_owned();
    for stock in view.market.stocks() {
        let told = stock.between(Date::MIN, view.last_day());
        let (first, last) = (told.first().map(|row| row.day.to_string()), told.last().map(|row| row.day.to_string()));
        let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
        let _ = write!(text, "{},{},Stock,USD,{first},{last}\r\n", ticker(stock), exchange(stock));
    }
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("supported_tickers.csv", SimpleFileOptions::default()).expect("memory takes a file");
    archive.write_all(text.as_bytes()).expect("memory takes bytes");
    let body = archive.finish().expect("memory takes an archive").into_inner();
    Reply { status: 200, kind: "application/zip", body, retry_after_seconds: None }
}

fn detail(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "detail": text }))
}

fn not_found(text: &str) -> Reply {
    detail(404, text)
}

fn over_quota(of: &str) -> Reply {
    let text =
        format!("Error: You have run over your {of}. Please upgrade at https://api.tiingo.com/pricing to have your limits increased.");
    detail(429, &text)
}

pub(super) fn no_key() -> Reply {
    detail(403, "Please supply a token")
}

pub(super) fn unknown_key() -> Reply {
    detail(401, "Invalid token.")
}

pub(super) fn not_permitted() -> Reply {
    detail(403, "You do not have permission to access the News API")
}

pub(super) fn throttled() -> Reply {
    over_quota("hourly request allocation")
}

pub(super) fn too_many_bytes() -> Reply {
    over_quota("monthly bandwidth allocation")
}

/// A success that is none.
pub(super) fn too_many_symbols(most: usize) -> Reply {
    let text = format!(
        "You have run over your {most} symbol look up for this month. Please upgrade at https://api.tiingo.com/pricing to have your limits increased."
    );
    Reply::text(200, text)
}
