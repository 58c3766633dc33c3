//! Polygon's answers.

use domain::{ActionKind, Company, Date, Decimal, Symbol, Timestamp, calendar};
use jiff::{ToSpan, civil::Time};
use serde_json::{Value, json};

use super::{
    market::{Row, Stock, number},
    query::Query,
    simulator::Reply,
    view::{Seen, View},
};

const REQUEST_ID: &str = "6a7e466379af0a71039d60cc78e72282";

pub(super) fn answer(view: &View, path: &[&str], query: &Query) -> Reply {
    let answered = match path {
        ["v2", "aggs", "ticker", ticker, "range", multiplier, timespan, from, to] => {
            aggregates(view, ticker, [multiplier, timespan], [from, to], query)
        }
        ["v2", "aggs", "grouped", "locale", "us", "market", "stocks", date] => grouped(view, date, query),
        ["v3", "reference", "tickers"] => tickers(view, query),
        ["v3", "reference", "tickers", ticker] => details(view, ticker),
        ["v3", "reference", "splits"] => splits(view, query, false),
        ["stocks", "v1", "splits"] => splits(view, query, true),
        ["v3", "reference", "dividends"] => dividends(view, query, false),
        ["stocks", "v1", "dividends"] => dividends(view, query, true),
        ["v2", "snapshot", "locale", "us", "markets", "stocks", "tickers"] => snapshots(view, query),
        _ => Err(Reply::text(404, "404 page not found\n")),
    };
    answered.unwrap_or_else(|refusal| refusal)
}

type Answered = Result<Reply, Reply>;

fn aggregates(view: &View, ticker: &str, window: [&&str; 2], [from, to]: [&&str; 2], query: &Query) -> Answered {
    if window != [&"1", &"day"] {
        return Err(bad_request("Only windows of one day are simulated"));
    }
    let (Some(from), Some(to)) = (day_of(from), day_of(to)) else {
        return Err(bad_request("Could not parse the time range: expected YYYY-MM-DD or milliseconds"));
    };
    if view.plan.is_basic && from < view.today().saturating_sub(2.years()) {
        return Err(not_authorized(
            "Your plan doesn't include this data timeframe. Please upgrade your plan at https://massive.com/pricing",
        ));
    }
    let (first, _) = query.page()?;
    let (limit, is_adjusted) = (first.limit(5000, 50_000)?.min(view.longest_page), !first.is_off("adjusted"));
    let is_descending = first.get("sort") == Some("desc");
    let Some(stock) = ticker.parse::<Symbol>().ok().and_then(|symbol| view.market.get(&symbol)) else {
        return Ok(Reply::json(200, &nothing(Some(ticker), is_adjusted)));
    };
    let mut rows: Vec<&Row> = stock.between(from, to.min(view.last_day())).iter().collect();
    if rows.is_empty() {
        return Ok(Reply::json(200, &nothing(Some(ticker), is_adjusted)));
    }
    if is_descending {
        rows.reverse();
    }
    let results: Vec<Value> = rows.iter().take(limit).map(|row| aggregate(view, stock, row, is_adjusted, stamp(row.day, 0))).collect();
    let mut body = json!({
        "ticker": ticker, "queryCount": results.len(), "resultsCount": results.len(), "adjusted": is_adjusted, "results": results,
        "status": status(view), "request_id": REQUEST_ID, "count": results.len(),
    });
    if let Some(next) = rows.get(limit) {
        let milliseconds = stamp(next.day, 0).as_millisecond();
        let (from, to) =
            if is_descending { (from.to_string(), milliseconds.to_string()) } else { (milliseconds.to_string(), to.to_string()) };
        let cursor = first.cursor(0);
        body["next_url"] = json!(format!("{}/v2/aggs/ticker/{ticker}/range/1/day/{from}/{to}?cursor={cursor}", view.url));
    }
    Ok(Reply::json(200, &body))
}

fn grouped(view: &View, date: &str, query: &Query) -> Answered {
    let Ok(day) = date.parse::<Date>() else {
        return Err(bad_request("Could not parse the date: expected YYYY-MM-DD"));
    };
    if view.plan.is_basic && day == view.today() && day > view.last_day() {
        return Err(not_authorized(
            "Attempted to request today's data before end of day. Please upgrade your plan at https://polygon.io/pricing",
        ));
    }
    let is_adjusted = !query.is_off("adjusted");
    let mut results = Vec::new();
    for stock in view.market.stocks().filter(|_| day <= view.last_day()) {
        for row in stock.between(day, day) {
            let mut result = aggregate(view, stock, row, is_adjusted, stamp(day, 16));
            result["T"] = json!(stock.company.symbol);
            results.push(result);
        }
    }
    if results.is_empty() {
        return Ok(Reply::json(200, &nothing(None, is_adjusted)));
    }
    let count = results.len();
    let body = json!({
        "queryCount": count, "resultsCount": count, "adjusted": is_adjusted, "results": results, "status": status(view),
        "request_id": REQUEST_ID, "count": count,
    });
    Ok(Reply::json(200, &body))
}

fn aggregate(view: &View, stock: &Stock, row: &Row, is_adjusted: bool, at: Timestamp) -> Value {
    let factor = if is_adjusted { stock.split_factor(row.day, view.today()) } else { Decimal::ONE };
    let price = |price: Decimal| number((price / factor).round_dp(4).normalize());
    let volume = if is_adjusted { number(Decimal::from(row.volume) * factor) } else { number(row.volume.into()) };
    json!({
        "v": volume, "vw": price((row.high + row.low + row.close) / Decimal::from(3)), "o": price(row.open), "c": price(row.close),
        "h": price(row.high), "l": price(row.low), "t": at.as_millisecond(), "n": row.volume / 100 + 1,
    })
}

fn tickers(view: &View, query: &Query) -> Answered {
    let (first, before) = query.page()?;
    let limit = first.limit(100, 1000)?.min(view.longest_page);
    let is_active = !first.is_off("active");
    let mut found: Vec<&Company> = view
        .market
        .stocks()
        .map(|stock| &stock.company)
        .filter(|company| company.is_active == is_active && first.admits("ticker", company.symbol.as_str()))
        .filter(|_| first.get("market").is_none_or(|market| market == "stocks") && first.get("type").is_none_or(|kind| kind == "CS"))
        .filter(|company| first.get("exchange").is_none_or(|code| company.exchange.as_deref() == Some(code)))
        .collect();
    if first.get("sort") == Some("delisted_utc") {
        found.sort_by_key(|company| company.delisted_on);
    }
    if first.get("order") == Some("desc") {
        found.reverse();
    }
    let page: Vec<Value> = found.iter().skip(before).take(limit).map(|company| listed(company)).collect();
    let mut body = json!({ "results": page, "status": "OK", "request_id": REQUEST_ID, "count": page.len() });
    if before + limit < found.len() {
        body["next_url"] = json!(format!("{}/v3/reference/tickers?cursor={}", view.url, first.cursor(before + limit)));
    }
    Ok(Reply::json(200, &body))
}

fn listed(company: &Company) -> Value {
    let mut row = json!({
        "ticker": company.symbol, "name": company.name, "market": "stocks", "locale": "us", "primary_exchange": company.exchange,
        "type": "CS", "active": company.is_active, "currency_name": company.currency.to_ascii_lowercase(),
        "last_updated_utc": "2021-04-25T00:00:00Z",
    });
    if let Some(figi) = &company.figi {
        row["share_class_figi"] = json!(figi);
    }
    if let Some(day) = company.delisted_on {
        row["delisted_utc"] = json!(format!("{day}T00:00:00Z"));
    }
    row
}

fn details(view: &View, ticker: &str) -> Answered {
    let stock = ticker.parse::<Symbol>().ok().and_then(|symbol| view.market.get(&symbol));
    let Some(company) = stock.map(|stock| &stock.company) else {
        return Err(Reply::json(404, &json!({ "status": "NOT_FOUND", "request_id": REQUEST_ID, "message": "Ticker not found." })));
    };
    let mut results = listed(company);
    let more = [
        ("market_cap", company.market_cap.map(|cap| json!(number(cap.decimal())))),
        ("sic_description", company.industry.as_deref().map(|industry| json!(industry.to_ascii_uppercase()))),
        ("list_date", company.listed_on.map(|day| json!(day))),
        ("ticker_root", Some(json!(ticker.split('.').next()))),
        ("round_lot", Some(json!(100))),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            results[name] = value;
        }
    }
    Ok(Reply::json(200, &json!({ "request_id": REQUEST_ID, "results": results, "status": "OK" })))
}

fn splits(view: &View, query: &Query, is_current: bool) -> Answered {
    events(view, query, if is_current { "stocks/v1/splits" } else { "v3/reference/splits" }, "execution_date", |stock, index| {
        let action = &stock.actions[index];
        let ActionKind::Split { ratio } = action.kind else { return None };
        let (from, to) = terms(ratio);
        let mut row = json!({
            "execution_date": action.ex_date, "id": event_id(stock, index), "split_from": number(from), "split_to": number(to),
            "ticker": stock.company.symbol,
        });
        if is_current {
            row["adjustment_type"] = json!(if ratio > Decimal::ONE { "forward_split" } else { "reverse_split" });
            row["historical_adjustment_factor"] = json!(1.0 / number(stock.split_factor(action.ex_date, view.today()) * ratio));
        }
        Some(row)
    })
}

fn dividends(view: &View, query: &Query, is_current: bool) -> Answered {
    events(view, query, if is_current { "stocks/v1/dividends" } else { "v3/reference/dividends" }, "ex_dividend_date", |stock, index| {
        let action = &stock.actions[index];
        let ActionKind::Dividend { amount, pay_date } = action.kind else { return None };
        let mut row = json!({
            "cash_amount": number(amount), "ex_dividend_date": action.ex_date, "id": event_id(stock, index), "ticker": stock.company.symbol,
            "frequency": 4,
        });
        if let Some(day) = pay_date {
            row["pay_date"] = json!(day);
        }
        if is_current {
            row["currency"] = json!("USD");
            row["distribution_type"] = json!("recurring");
            let adjusted = amount / stock.split_factor(action.ex_date, view.today());
            row["split_adjusted_cash_amount"] = json!(number(adjusted.round_dp(6)));
        } else {
            row["dividend_type"] = json!("CD");
            row["currency"] = json!("USD");
        }
        Some(row)
    })
}

/// Newest first, as the vendor sorts them.
fn events(view: &View, query: &Query, path: &str, date: &str, row: impl Fn(&Stock, usize) -> Option<Value>) -> Answered {
    let (first, before) = query.page()?;
    let limit = first.limit(10, 5000)?.min(view.longest_page);
    let mut rows: Vec<Value> = Vec::new();
    for stock in view.market.stocks().filter(|stock| first.admits("ticker", stock.company.symbol.as_str())) {
        let known = stock.actions.iter().enumerate().filter(|(_, action)| first.admits(date, &action.ex_date.to_string()));
        rows.extend(known.filter_map(|(index, _)| row(stock, index)));
    }
    rows.sort_by(|a, b| b[date].as_str().cmp(&a[date].as_str()));
    let page: Vec<&Value> = rows.iter().skip(before).take(limit).collect();
    let mut body = json!({ "results": page, "status": "OK", "request_id": REQUEST_ID });
    if before + limit < rows.len() {
        body["next_url"] = json!(format!("{}/{path}?cursor={}", view.url, first.cursor(before + limit)));
    }
    Ok(Reply::json(200, &body))
}

fn event_id(stock: &Stock, index: usize) -> String {
    format!("E{}{index}", stock.company.symbol)
}

/// A ratio as vendors write it: shares from, shares to.
fn terms(ratio: Decimal) -> (Decimal, Decimal) {
    let whole = (1..=1000).map(Decimal::from).find(|from| {
        let to = ratio * from;
        (to - to.round()).abs() < Decimal::new(1, 6)
    });
    whole.map_or((Decimal::ONE, ratio), |from| (from, (ratio * from).round()))
}

fn snapshots(view: &View, query: &Query) -> Answered {
    if view.plan.is_basic {
        return Err(not_entitled());
    }
    let asked: Option<Vec<&str>> = query.get("tickers").map(|tickers| tickers.split(',').collect());
    let wanted = |symbol: &Symbol| asked.as_ref().is_none_or(|asked| asked.contains(&symbol.as_str()));
    let tickers: Vec<Value> =
        view.market.stocks().filter(|stock| wanted(&stock.company.symbol)).filter_map(|stock| snapshot(view, stock)).collect();
    Ok(Reply::json(200, &json!({ "count": tickers.len(), "status": "OK", "tickers": tickers })))
}

fn snapshot(view: &View, stock: &Stock) -> Option<Value> {
    let Seen { row, before, is_closed, last, at } = view.seen(stock)?;
    let (high, low) = if is_closed { (row.high, row.low) } else { (row.open, row.open) };
    let volume = if is_closed { row.volume } else { 0 };
    let nanoseconds = i64::try_from(at.as_nanosecond()).ok()?;
    let change = number(last - before.close);
    Some(json!({
        "ticker": stock.company.symbol, "todaysChange": change, "todaysChangePerc": 100.0 * change / number(before.close),
        "updated": nanoseconds,
        "day": { "o": number(row.open), "h": number(high), "l": number(low), "c": number(last), "v": volume, "vw": number(last) },
        "lastTrade": { "c": [14, 41], "i": "71675577320245", "p": number(last), "s": 100, "t": nanoseconds - 1, "x": 4 },
        "lastQuote": { "P": number(last), "S": 1, "p": number(last), "s": 1, "t": nanoseconds - 1 },
        "min": { "av": volume, "c": number(last), "h": number(last), "l": number(last), "o": number(last), "v": 100, "vw": number(last),
            "t": at.as_millisecond(), "n": 1 },
        "prevDay": { "o": number(before.open), "h": number(before.high), "l": number(before.low), "c": number(before.close),
            "v": before.volume, "vw": number(before.close) },
    }))
}

/// `YYYY-MM-DD`, or the New York day of milliseconds since 1970.
fn day_of(text: &str) -> Option<Date> {
    let instant = |milliseconds: i64| Timestamp::from_millisecond(milliseconds).ok().map(calendar::new_york_date);
    text.parse().ok().or_else(|| instant(text.parse().ok()?))
}

fn stamp(day: Date, hour: i8) -> Timestamp {
    calendar::new_york_instant(day, Time::constant(hour, 0, 0, 0))
}

/// Plans without real-time data are told that what they get is late.
fn status(view: &View) -> &'static str {
    if view.plan.is_basic { "DELAYED" } else { "OK" }
}

fn nothing(ticker: Option<&str>, is_adjusted: bool) -> Value {
    let mut body = json!({
        "queryCount": 0, "resultsCount": 0, "adjusted": is_adjusted, "status": "OK", "request_id": REQUEST_ID, "count": 0,
    });
    if let Some(ticker) = ticker {
        body["ticker"] = json!(ticker);
    }
    body
}

fn error(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "status": "ERROR", "request_id": REQUEST_ID, "error": text }))
}

fn not_authorized(text: &str) -> Reply {
    Reply::json(403, &json!({ "status": "NOT_AUTHORIZED", "request_id": REQUEST_ID, "message": text }))
}

pub(super) fn bad_request(text: &str) -> Reply {
    error(400, text)
}

pub(super) fn not_entitled() -> Reply {
    not_authorized("You are not entitled to this data. Please upgrade your plan at https://massive.com/pricing")
}

pub(super) fn no_key() -> Reply {
    error(401, "API Key was not provided")
}

pub(super) fn unknown_key() -> Reply {
    error(401, "Unknown API Key")
}

pub(super) fn throttled() -> Reply {
    let text = "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue. https://massive.com/pricing";
    error(429, text)
}
