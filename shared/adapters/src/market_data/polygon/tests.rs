use super::wire::{Dividend, Split};
use super::*;
use crate::market_data::{
    client::Answer,
    number::Exact,
    testing::{AT_ONCE, Reply, STATUSES, Vendor, nobody, reply, spoilt},
};
use app::ports::{RejectedRow, RowFault};
use domain::{ActionKind, Decimal};
use jiff::civil::date;
use proptest::prelude::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/polygon/", $name))
    };
}

const NOTHING: &str = r#"{"queryCount":0,"resultsCount":0,"adjusted":false,"status":"OK","request_id":"r","count":0}"#;
const NOT_FOUND: &str = r#"{"status":"NOT_FOUND","request_id":"r","message":"Ticker not found."}"#;

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-01-05T23:00:00Z")
}

fn client(vendor: &Vendor) -> Polygon {
    Polygon::with_retry("verysecret", &vendor.url, AT_ONCE).unwrap()
}

/// Answers each kind of request with one body, everything else with "no such page".
fn serving(bodies: &'static [(&'static str, &'static str)]) -> impl Fn(&str, usize) -> Reply + Send + Sync {
    move |path, _| match bodies.iter().find(|(start, _)| path.starts_with(start)) {
        Some((_, body)) => reply(200, *body),
        None => reply(404, "404 page not found"),
    }
}

#[tokio::test]
async fn recorded_bars_are_dated_in_new_york_and_exact() {
    let vendor = Vendor::start(serving(&[("/v2/aggs/ticker/AAPL/", fixture!("aggs_range.json")), ("/stocks/v1/", NOTHING)])).await;
    let history = client(&vendor).history(&symbol("AAPL"), date(2005, 4, 1), date(2005, 4, 30), now()).await.unwrap();
    let [first, second] = &history.bars[..] else { panic!("{history:?}") };
    // Midnight in New York is 05:00 UTC before the clocks change on 2005-04-03, and 04:00 after.
    assert_eq!((first.bar.date.to_string().as_str(), second.bar.date.to_string().as_str()), ("2005-04-01", "2005-04-04"));
    assert_eq!(
        [first.bar.open, first.bar.high, first.bar.low, first.bar.close].map(|price| price.to_string()),
        ["1.5032", "1.5064", "1.4489", "1.4604"]
    );
    assert_eq!((first.bar.volume, first.source, first.known_at), (642_646_396, Source::Polygon, at("2005-04-01T22:00:00Z")));
    assert_eq!(history.actions, []);

    let asked = vendor.asked();
    assert_eq!(asked[0].path, "/v2/aggs/ticker/AAPL/range/1/day/2005-04-01/2005-04-30?adjusted=false&sort=asc&limit=50000");
    assert!(asked.iter().all(|asked| asked.authorization.as_deref() == Some("Bearer verysecret")));
}

#[tokio::test]
async fn further_pages_are_asked_of_our_own_address() {
    let vendor = Vendor::start(|path, _| {
        let rows = |t: i64, next: &str| {
            reply(200, format!(r#"{{"status":"DELAYED","results":[{{"o":1,"h":2,"l":1,"c":2,"v":10.4,"t":{t}}}]{next}}}"#))
        };
        match path {
            path if path.contains("cursor=two") => rows(1_578_027_600_000, ""),
            path if path.starts_with("/v2/aggs") => rows(
                1_577_941_200_000,
                r#","next_url":"https://api.massive.com/v2/aggs/ticker/AAPL/range/1/day/1578114000000/2020-01-10?cursor=two""#,
            ),
            _ => reply(200, NOTHING),
        }
    })
    .await;
    let history = client(&vendor).history(&symbol("AAPL"), date(2020, 1, 1), date(2020, 1, 10), now()).await.unwrap();
    assert_eq!(
        history.bars.iter().map(|record| (record.bar.date.to_string(), record.bar.volume)).collect::<Vec<_>>(),
        [("2020-01-02".to_owned(), 10), ("2020-01-03".to_owned(), 10)]
    );
    assert_eq!(vendor.paths()[1], "/v2/aggs/ticker/AAPL/range/1/day/1578114000000/2020-01-10?cursor=two");
    assert!(vendor.asked().iter().all(|asked| asked.authorization.is_some()));
}

#[tokio::test]
async fn a_list_without_end_is_a_fault() {
    let vendor = Vendor::start(|_, _| {
        reply(200, r#"{"status":"OK","results":[],"next_url":"https://api.massive.com/v3/reference/tickers?cursor=again"}"#)
    })
    .await;
    assert_eq!(client(&vendor).companies(now()).await, Err(malformed("a list without end")));
    assert_eq!(vendor.asked().len(), 2);
}

#[tokio::test]
async fn nothing_is_asked_of_what_has_not_happened() {
    let vendor = Vendor::start(serving(&[("/", NOTHING)])).await;
    let polygon = client(&vendor);
    let before_close = at("2022-01-03T20:59:59Z");
    let history = polygon.history(&symbol("AAPL"), date(2022, 1, 3), date(2022, 1, 3), before_close).await.unwrap();
    assert_eq!(history, VendorHistory::default());
    assert!(
        vendor.paths().iter().all(|path| path.starts_with("/stocks/v1/")),
        "today's bar is not complete, today's actions are effective"
    );
    let before = vendor.asked().len();
    assert_eq!(polygon.quotes(&[symbol("AAPL")], at("2022-01-03T14:29:59Z")).await, Ok(vec![]));
    assert_eq!(polygon.quotes(&[symbol("AAPL")], at("2022-01-01T17:00:00Z")).await, Ok(vec![]));
    let tomorrow = polygon.actions(&[symbol("AAPL")], date(2022, 1, 4), date(2022, 1, 5), before_close).await;
    assert_eq!(tomorrow, Ok(VendorActions::default()));
    assert_eq!(polygon.session(TradingDate::new(date(2022, 1, 3)).unwrap(), before_close).await, Ok(VendorSession::default()));
    assert_eq!(vendor.asked().len(), before);
}

#[tokio::test]
async fn recorded_splits_and_dividends_become_actions() {
    let vendor =
        Vendor::start(serving(&[("/stocks/v1/splits", fixture!("splits.json")), ("/stocks/v1/dividends", fixture!("dividends.json"))]))
            .await;
    let stocks = ["GOOG", "AMZN", "BRW", "CM", "CIG.C", "CSSEN"].map(symbol);
    let found = client(&vendor).actions(&stocks, date(2022, 1, 1), date(2024, 12, 31), now()).await.unwrap();
    let (actions, rejected) = (found.actions, found.rejected);
    let days: Vec<_> = rejected.iter().map(|row| (row.symbol.as_ref().unwrap().as_str(), row.fault.to_string())).collect();
    let expected = [("CSSEN", "2025-06-12 was not asked for".to_owned()), ("CSSEN", "2025-03-13 was not asked for".to_owned())];
    assert_eq!(days, expected, "the recording is of a request without dates");
    let splits: Vec<_> = actions
        .iter()
        .filter(|(_, action)| matches!(action.kind, ActionKind::Split { .. }))
        .map(|(symbol, action)| (symbol.as_str(), action.ex_date, action.kind.share_ratio().to_string()))
        .collect();
    let expected = [
        ("CIG.C", date(2022, 5, 2), "1.333333333"),
        ("CM", date(2022, 5, 16), "2"),
        ("BRW", date(2022, 5, 20), "0.5"),
        ("AMZN", date(2022, 6, 6), "20"),
        ("GOOG", date(2022, 7, 18), "20"),
    ];
    assert_eq!(splits, expected.map(|(symbol, day, ratio)| (symbol, day, ratio.to_owned())));
    let (of, dividend) = actions.last().unwrap();
    assert_eq!((of.as_str(), dividend.ex_date, dividend.known_at), ("CSSEN", date(2024, 12, 12), at("2024-12-12T05:00:00Z")));
    assert_eq!(dividend.kind, ActionKind::Dividend { amount: decimal("0.59375"), pay_date: Some(date(2024, 12, 31)) });
    assert!(actions.iter().is_sorted_by_key(|(_, action)| action.ex_date));
    assert_eq!(vendor.asked().len(), 2, "the whole market in one request a kind");
}

#[tokio::test]
async fn old_endpoints_serve_where_today_s_are_missing_or_not_in_the_plan() {
    for (status, body) in
        [(404, "404 page not found"), (403, r#"{"status":"NOT_AUTHORIZED","message":"You are not entitled to this data."}"#)]
    {
        let vendor = Vendor::start(move |path, _| match path {
            path if path.starts_with("/v3/reference/splits") => reply(
                200,
                r#"{"results":[{"execution_date":"2020-08-31","id":"E","split_from":1,"split_to":4,"ticker":"AAPL"}],"status":"OK"}"#,
            ),
            path if path.starts_with("/v3/reference/dividends") => reply(200, NOTHING),
            _ => reply(status, body),
        })
        .await;
        let actions = client(&vendor).actions(&[symbol("AAPL")], date(2020, 8, 1), date(2020, 8, 31), now()).await.unwrap();
        assert_eq!(actions.actions[0].1.kind, ActionKind::Split { ratio: Decimal::from(4) });
        assert_eq!(
            vendor.paths()[1],
            "/v3/reference/splits?ticker=AAPL&execution_date.gte=2020-08-01&execution_date.lte=2020-08-31&limit=1000"
        );
    }
}

#[test]
fn dividends_that_are_no_dollars_are_not_booked() {
    let dividend = |currency: Option<&str>, amount: &str| {
        convert::dividend(&Dividend {
            ex_dividend_date: date(2022, 1, 3),
            cash_amount: Exact(decimal(amount)),
            currency: currency.map(str::to_owned),
            pay_date: None,
        })
    };
    assert!(dividend(None, "0.22").is_ok());
    assert!(dividend(Some("USD"), "0.22").is_ok());
    let fault = |currency, amount| dividend(currency, amount).unwrap_err().fault.to_string();
    assert_eq!(fault(Some("BRL"), "0.22"), "the dividend is paid in BRL, not in dollars");
    assert_eq!(fault(Some("USD"), "0"), "the dividend is 0");
}

#[test]
fn a_ratio_is_what_will_be_read_back() {
    let split = |from: i64, to: i64| {
        convert::split(&Split { execution_date: date(2022, 1, 3), split_from: Exact(from.into()), split_to: Exact(to.into()) })
            .map(|action| action.kind.share_ratio().to_string())
    };
    assert_eq!(split(3, 1).unwrap(), "0.333333333");
    assert_eq!(split(20, 21).unwrap(), "1.05");
    assert!(split(0, 1).is_err() && split(1, 0).is_err() && split(-1, 1).is_err());
}

#[tokio::test]
async fn recorded_companies_come_from_all_pages() {
    let vendor = Vendor::start(|path, _| match path {
        path if path.contains("cursor=") => reply(200, fixture!("tickers_page2.json")),
        path if path.contains("type=CS") => reply(200, fixture!("tickers_page1.json")),
        _ => reply(200, NOTHING),
    })
    .await;
    let companies = client(&vendor).companies(at("2022-04-27T20:00:00Z")).await.unwrap();
    let summary: Vec<_> =
        companies.iter().map(|company| (company.symbol.as_str(), company.name.as_str(), company.exchange.as_deref().unwrap())).collect();
    assert_eq!(summary[..2], [("A", "Agilent Technologies Inc.", "XNYS"), ("AA", "Alcoa Corporation", "XNYS")]);
    assert_eq!(companies.len(), 4);
    assert!(companies.iter().all(|company| company.currency == "USD" && company.is_active));
    assert!(vendor.paths()[0].contains("date=2022-04-27"));
}

#[tokio::test]
async fn a_recorded_company_has_its_size() {
    let vendor = Vendor::start(serving(&[("/v3/reference/tickers/AAPL", fixture!("ticker_details.json"))])).await;
    let apple = client(&vendor).company(&symbol("AAPL"), now()).await.unwrap();
    assert_eq!((apple.market_cap, apple.listed_on), (Some(domain::Money::dollars(2_488_795_282_370)), Some(date(1980, 12, 12))));
    assert_eq!((apple.industry.as_deref(), apple.exchange.as_deref()), (Some("ELECTRONIC COMPUTERS"), Some("XNAS")));
    assert_eq!(
        client(&vendor).company(&symbol("MSFT"), now()).await,
        Err(VendorError::Refused("Polygon", "status 404: 404 page not found".into()))
    );
}

#[tokio::test]
async fn a_recorded_snapshot_is_a_trade_then_a_bar() {
    let vendor = Vendor::start(serving(&[("/v2/snapshot/", fixture!("snapshot_all.json"))])).await;
    let quotes = async |now: &str| client(&vendor).quotes(&[symbol("BCAT"), symbol("BRK.B")], at(now)).await.unwrap();
    // The recorded last trade is of 2020-11-12 15:21:34.9 UTC.
    let [quote] = &quotes("2020-11-12T15:22:00Z").await[..] else { panic!() };
    assert_eq!((quote.last.to_string().as_str(), quote.open.unwrap().to_string().as_str(), quote.bar), ("20.506", "20.64", None));
    assert_eq!((quote.last_at.as_second(), quote.date.date()), (1_605_194_494 - 1600, date(2020, 11, 12)));
    let [quote] = &quotes("2020-11-12T21:00:00Z").await[..] else { panic!() };
    assert_eq!((quote.last_at, quote.bar.unwrap().volume), (at("2020-11-12T21:00:00Z"), 37216));
    assert_eq!(quotes("2020-11-13T15:00:00Z").await, [], "not traded yet today");
    assert_eq!(vendor.paths()[0], "/v2/snapshot/locale/us/markets/stocks/tickers?tickers=BCAT,BRK.B");
}

#[tokio::test]
async fn a_snapshot_cleared_for_the_night_is_no_quote() {
    let vendor = Vendor::start(|_, _| {
        reply(200, r#"{"status":"OK","tickers":[{"ticker":"AAPL","day":{"o":0,"h":0,"l":0,"c":0,"v":0},"updated":0},{"ticker":"MSFT"}]}"#)
    })
    .await;
    assert_eq!(client(&vendor).quotes(&[symbol("AAPL"), symbol("MSFT")], at("2020-11-12T15:00:00Z")).await, Ok(vec![]));
}

#[tokio::test]
async fn an_unknown_stock_is_told_from_one_that_did_not_trade() {
    let vendor = Vendor::start(|path, _| match path {
        path if path.starts_with("/v3/reference/tickers/ZZZZ") => reply(404, NOT_FOUND),
        path if path.starts_with("/v3/reference/tickers/AAPL") => reply(200, fixture!("ticker_details.json")),
        path if path.starts_with("/v2/aggs/ticker/AAPL") => reply(200, r#"{"status":"OK","results":null}"#),
        _ => reply(200, NOTHING),
    })
    .await;
    let history = async |stock: &str| client(&vendor).history(&symbol(stock), date(2022, 1, 3), date(2022, 1, 7), now()).await;
    assert_eq!(history("ZZZZ").await, Err(VendorError::UnknownSymbol("Polygon", symbol("ZZZZ"))));
    assert_eq!(history("AAPL").await, Ok(VendorHistory::default()));
}

#[tokio::test]
async fn each_refusal_has_its_name() {
    let text = "Text of the vendor.";
    let refused = |text: &str| VendorError::Refused("Polygon", text.into());
    let unavailable = VendorError::Unavailable("Polygon", "status 502: <html>Bad Gateway</html>".into());
    let quota = |seconds| VendorError::QuotaExhausted { vendor: "Polygon", detail: text.into(), retry_after_seconds: Some(seconds) };
    for (status, body, retry_after, expected, requests) in [
        (401, r#"{"status":"ERROR","error":"Text of the vendor."}"#, None, VendorError::Unauthorized("Polygon", text.into()), 1),
        (401, r#"{"status":"ERROR","message":"Text of the vendor."}"#, None, VendorError::Unauthorized("Polygon", text.into()), 1),
        (403, r#"{"status":"NOT_AUTHORIZED","message":"Text of the vendor."}"#, None, VendorError::NotInPlan("Polygon", text.into()), 1),
        (200, r#"{"status":"NOT_AUTHORIZED","message":"Text of the vendor."}"#, None, VendorError::NotInPlan("Polygon", text.into()), 1),
        (404, NOT_FOUND, None, VendorError::UnknownSymbol("Polygon", symbol("AAPL")), 1),
        (404, "404 page not found", None, refused("status 404: 404 page not found"), 1),
        (302, "moved", None, refused("status 302: moved"), 1),
        (200, r#"{"status":"ERROR","error":"Text of the vendor."}"#, None, refused("status 200: Text of the vendor."), 1),
        (400, r#"{"status":"ERROR","error":"Text of the vendor."}"#, None, refused("status 400: Text of the vendor."), 1),
        (429, r#"{"status":"ERROR","error":"Text of the vendor."}"#, None, quota(60), 4),
        (429, r#"{"status":"ERROR","error":"Text of the vendor."}"#, Some("0"), quota(0), 4),
        (429, r#"{"status":"ERROR","error":"Text of the vendor."}"#, Some("3600"), quota(3600), 1),
        (502, "<html>Bad Gateway</html>", None, unavailable, 4),
        (200, "<html>sign in</html>", None, malformed("expected value at line 1 column 1 in: <html>sign in</html>"), 1),
        (200, "", None, malformed("EOF while parsing a value at line 1 column 0 in: an empty answer"), 1),
        (200, r#"{"status":"OK","resu"#, None, malformed(r#"EOF while parsing a string at line 1 column 20 in: {"status":"OK","resu"#), 1),
        (200, r#"{"status":"OK","results":{}}"#, None, malformed("invalid type: map, expected a sequence at line 1 column 0 in: {}"), 1),
    ] {
        let vendor = Vendor::start(move |_, _| Reply { retry_after, ..reply(status, body) }).await;
        let answered = client(&vendor).history(&symbol("AAPL"), date(2020, 1, 1), date(2020, 1, 10), now()).await.unwrap_err();
        assert_eq!((answered, vendor.asked().len()), (expected, requests), "{status} {body}");
    }
}

#[tokio::test]
async fn a_bad_row_is_rejected_by_name_and_spoils_no_other() {
    let good = r#"{"o":1,"h":1,"l":1,"c":1,"v":1.0,"t":1577941200000}"#;
    let number = |field, value: &str| RowFault::BadNumber { field, value: value.into() };
    for (row, day, fault) in [
        (r#"{"o":0,"h":1,"l":1,"c":1,"v":1,"t":1578027600000}"#, Some(date(2020, 1, 3)), number("open", "0")),
        (r#"{"o":1,"h":1,"l":1,"c":-1,"v":1,"t":1578027600000}"#, Some(date(2020, 1, 3)), number("close", "-1")),
        (r#"{"o":1,"h":1,"l":1,"c":1,"v":-1,"t":1578027600000}"#, Some(date(2020, 1, 3)), number("volume", "-1")),
        (r#"{"o":1,"h":1,"l":1,"c":1,"v":1,"t":9223372036854775807}"#, None, number("timestamp", "9223372036854775807")),
        (r#"{"o":1,"h":1,"l":1,"c":1,"v":1,"t":1578114000000}"#, Some(date(2020, 1, 4)), RowFault::NotASession(date(2020, 1, 4))),
        // Midnight in Greenwich is the evening before in New York.
        (r#"{"o":1,"h":1,"l":1,"c":1,"v":1,"t":1578009600000}"#, Some(date(2020, 1, 2)), RowFault::OffWindow(at("2020-01-03T00:00:00Z"))),
        // The close, where the range is stamped at its start.
        (r#"{"o":1,"h":1,"l":1,"c":1,"v":1,"t":1578085200000}"#, Some(date(2020, 1, 3)), RowFault::OffWindow(at("2020-01-03T21:00:00Z"))),
        (r#"{"o":1,"h":1,"l":1,"c":1,"v":1,"t":1577854800000}"#, Some(date(2020, 1, 1)), RowFault::NotASession(date(2020, 1, 1))),
        (r#"{"o":1,"h":1,"l":1,"c":1,"v":1,"t":1580101200000}"#, Some(date(2020, 1, 27)), RowFault::OutOfRange(date(2020, 1, 27))),
        ("7", None, RowFault::Unreadable("invalid type: integer `7`, expected struct Aggregate at line 1 column 1".into())),
        (r#"{"o":1}"#, None, RowFault::Unreadable("missing field `h` at line 1 column 7".into())),
    ] {
        let vendor = Vendor::start(move |path, _| match path {
            path if path.starts_with("/v2") => reply(200, format!(r#"{{"status":"OK","results":[{row},{good},{good}]}}"#)),
            _ => reply(200, NOTHING),
        })
        .await;
        let history = client(&vendor).history(&symbol("AAPL"), date(2020, 1, 1), date(2020, 1, 10), now()).await.unwrap();
        assert_eq!(history.bars.iter().map(|record| record.bar.date.to_string()).collect::<Vec<_>>(), ["2020-01-02"], "{row}");
        let expected = RejectedRow { symbol: Some(symbol("AAPL")), day, fault, row: row.to_owned() };
        assert_eq!(history.rejected, [expected], "{row}");
    }
}

#[tokio::test]
async fn a_recorded_session_is_stamped_at_its_end() {
    let vendor = Vendor::start(serving(&[("/v2/aggs/grouped/", fixture!("grouped_daily.json"))])).await;
    let day = TradingDate::new(date(2020, 10, 14)).unwrap();
    let session = client(&vendor).session(day, now()).await.unwrap();
    assert_eq!(vendor.paths(), ["/v2/aggs/grouped/locale/us/market/stocks/2020-10-14?adjusted=false"]);
    let [(gik, record)] = &session.bars[..] else { panic!("{session:?}") };
    assert_eq!((gik.as_str(), record.bar.date, record.bar.volume, record.bar.close.to_string().as_str()), ("GIK", day, 895_345, "10.02"));
    assert_eq!((record.known_at, session.rejected), (at("2020-10-14T22:00:00Z"), vec![]));
}

#[tokio::test]
async fn a_session_takes_what_is_a_stock_s_bar_of_that_day() {
    let vendor = Vendor::start(|_, _| {
        let row = |ticker: &str, close: &str, t: i64| format!(r#"{{"T":"{ticker}","o":1,"h":2,"l":1,"c":{close},"v":10.5,"t":{t}}}"#);
        let rows = [
            row("BRK.B", "2", 1_602_705_600_000),
            row("KIMpL", "2", 1_602_705_600_000),
            row("A", "1.5", 1_602_705_600_000),
            row("EARLY", "1", 1_602_648_000_000),
            row("LATE", "1", 1_602_792_000_000),
            row("TWICE", "1", 1_602_705_600_000),
            row("TWICE", "2", 1_602_705_600_000),
            row("ZERO", "0", 1_602_705_600_000),
            r#"{"o":1}"#.into(),
        ];
        reply(200, format!(r#"{{"status":"OK","results":[{}]}}"#, rows.join(",")))
    })
    .await;
    let day = TradingDate::new(date(2020, 10, 14)).unwrap();
    let session = client(&vendor).session(day, now()).await.unwrap();
    assert_eq!(session.bars.iter().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>(), ["A", "BRK.B"]);
    let rejected: Vec<_> =
        session.rejected.iter().map(|row| (row.symbol.as_ref().map_or("nobody", Symbol::as_str), row.fault.to_string())).collect();
    let expected = [
        ("EARLY", "the row is stamped 2020-10-14T04:00:00Z, where no session begins or ends"),
        ("LATE", "2020-10-15 was not asked for"),
        ("TWICE", "there are two different rows of 2020-10-14"),
        ("TWICE", "there are two different rows of 2020-10-14"),
        ("ZERO", "the close is 0"),
        ("nobody", "the row cannot be read: it names no ticker"),
    ];
    assert_eq!(rejected, expected.map(|(symbol, fault)| (symbol, fault.to_owned())));
}

#[tokio::test]
async fn delistings_are_read_back_to_a_day() {
    let row = |ticker: &str, day: &str| {
        format!(
            r#"{{"ticker":"{ticker}","name":"Company","market":"stocks","active":false,"delisted_utc":"{day}T00:00:00Z","share_class_figi":"BBG{ticker}","type":"CS"}}"#
        )
    };
    let vendor = Vendor::start(move |path, _| match path {
        path if path.contains("type=ADRC") => reply(200, NOTHING),
        path if path.contains("cursor=") => reply(200, format!(r#"{{"status":"OK","results":[{}]}}"#, row("OLD", "2021-01-04"))),
        _ => reply(
            200,
            format!(
                r#"{{"status":"OK","results":[{},{},{}],"next_url":"https://api.massive.com/v3/reference/tickers?cursor=x"}}"#,
                row("TWTR", "2022-10-28"),
                row("FB", "2022-06-09"),
                row("XLNX", "2022-02-14"),
            ),
        ),
    })
    .await;
    let delisted = async |since| client(&vendor).delisted(since, now()).await.unwrap();
    let companies = delisted(date(2022, 6, 1)).await;
    let summary: Vec<_> = companies
        .iter()
        .map(|company| (company.symbol.as_str(), company.delisted_on, company.figi.as_deref(), company.is_active))
        .collect();
    let expected = [("FB", date(2022, 6, 9), "BBGFB"), ("TWTR", date(2022, 10, 28), "BBGTWTR")];
    assert_eq!(summary, expected.map(|(symbol, day, figi)| (symbol, Some(day), Some(figi), false)));
    assert_eq!(vendor.asked().len(), 2, "the first page of each kind goes back far enough");
    assert_eq!(delisted(date(2022, 1, 1)).await.len(), 3);
    assert_eq!(vendor.asked().len(), 5);
}

#[tokio::test]
async fn no_address_of_a_next_page_leads_elsewhere() {
    let elsewhere = Vendor::start(|_, _| reply(200, NOTHING)).await;
    let other = elsewhere.url.trim_start_matches("http://").to_owned();
    for next in [
        format!("x:@{other}/v3?a=b"),
        format!("{}/v3?a=b", elsewhere.url),
        format!("//{other}/v3?a=b"),
        format!("https://{other}//{other}/?a=b"),
    ] {
        let (sent, before) = (next.clone(), elsewhere.asked().len());
        let vendor = Vendor::start(move |_, before| match before {
            0 => reply(200, format!(r#"{{"status":"OK","results":[],"next_url":"{sent}"}}"#)),
            _ => reply(200, NOTHING),
        })
        .await;
        let _ = client(&vendor).session(TradingDate::new(date(2020, 10, 14)).unwrap(), now()).await;
        assert_eq!(elsewhere.asked().len(), before, "{next}");
    }
}

#[tokio::test]
async fn what_passes_is_asked_again_until_it_has_passed() {
    let vendor = Vendor::start(|path, before| match (before, path.starts_with("/v2/aggs")) {
        (0, _) => reply(503, "restarting"),
        (1, _) => reply(429, r#"{"status":"ERROR","error":"You've exceeded the maximum requests per minute"}"#),
        (_, true) => reply(200, fixture!("aggs_range.json")),
        _ => reply(200, NOTHING),
    })
    .await;
    let history = client(&vendor).history(&symbol("AAPL"), date(2005, 4, 1), date(2005, 4, 30), now()).await.unwrap();
    assert_eq!((history.bars.len(), vendor.asked().len()), (2, 5));
}

#[tokio::test]
async fn a_vendor_out_of_reach_is_unavailable_and_the_key_stays_secret() {
    let polygon = Polygon::with_retry("verysecret", &nobody(), AT_ONCE).unwrap();
    let error = polygon.companies(now()).await.unwrap_err();
    assert!(matches!(&error, VendorError::Unavailable("Polygon", _)), "{error}");
    assert!(!format!("{error:?} {error} {polygon:?}").contains("secret"));
}

const RECORDED: [&str; 8] = [
    fixture!("aggs_range.json"),
    fixture!("dividends.json"),
    fixture!("splits.json"),
    fixture!("snapshot_all.json"),
    fixture!("tickers_page1.json"),
    fixture!("ticker_details.json"),
    fixture!("grouped_daily.json"),
    NOT_FOUND,
];

#[test]
fn nesting_without_end_is_malformed() {
    for opening in ["[", "{\"results\":[", "{\"results\":{\"a\":"] {
        let answer = Answer { status: 200, body: opening.repeat(200_000).into(), retry_after_seconds: None };
        assert!(matches!(wire::page(&answer, None), Err(VendorError::Malformed(..))), "{opening}");
        assert!(matches!(wire::one::<Ticker>(&answer, &symbol("AAPL")), Err(VendorError::Malformed(..))), "{opening}");
    }
}

proptest! {
    /// Whatever is answered, there are rows or a named error.
    #[test]
    fn no_answer_panics(status in prop::sample::select(STATUSES.to_vec()), body in spoilt(RECORDED.map(str::as_bytes).to_vec())) {
        let answer = Answer { status, body, retry_after_seconds: None };
        let today = TradingDate::new(date(2020, 11, 12)).unwrap();
        if let Ok(page) = wire::page(&answer, None) {
            for row in page.rows {
                for stamp in [Stamp::Start, Stamp::End] {
                    let _ = rows::read::<Aggregate>(row).and_then(|row| convert::bar(&row, stamp, now()));
                }
                let _ = rows::read::<Split>(row).and_then(|row| convert::split(&row));
                let _ = rows::read::<Dividend>(row).and_then(|row| convert::dividend(&row));
                let _ = rows::read::<Snapshot>(row).map(|row| convert::quote(&row, today, now()));
                let _ = rows::read::<Ticker>(row).map(convert::company);
            }
        }
        let _ = wire::one::<Ticker>(&answer, &symbol("AAPL")).map(convert::company);
    }
}
