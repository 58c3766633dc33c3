use super::*;
use crate::market_data::{
    number::Exact,
    testing::{AT_ONCE, Reply, Vendor, nobody, reply},
};
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
    assert_eq!(polygon.actions(&[symbol("AAPL")], date(2022, 1, 4), date(2022, 1, 5), before_close).await, Ok(vec![]));
    assert_eq!(vendor.asked().len(), before);
}

#[tokio::test]
async fn recorded_splits_and_dividends_become_actions() {
    let vendor =
        Vendor::start(serving(&[("/stocks/v1/splits", fixture!("splits.json")), ("/stocks/v1/dividends", fixture!("dividends.json"))]))
            .await;
    let stocks = ["GOOG", "AMZN", "BRW", "CM", "CIG.C", "CSSEN"].map(symbol);
    let actions = client(&vendor).actions(&stocks, date(2022, 1, 1), date(2024, 12, 31), now()).await.unwrap();
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
        assert_eq!(actions[0].1.kind, ActionKind::Split { ratio: Decimal::from(4) });
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
            ticker: "AAPL".into(),
            ex_dividend_date: date(2022, 1, 3),
            cash_amount: Exact(decimal(amount)),
            currency: currency.map(str::to_owned),
            pay_date: None,
        })
    };
    assert!(dividend(None, "0.22").is_some());
    assert!(dividend(Some("USD"), "0.22").is_some());
    assert!(dividend(Some("BRL"), "0.22").is_none());
    assert!(dividend(Some("USD"), "0").is_none());
}

#[test]
fn a_ratio_is_what_will_be_read_back() {
    let split = |from: i64, to: i64| {
        convert::split(&Split {
            ticker: "X".into(),
            execution_date: date(2022, 1, 3),
            split_from: Exact(from.into()),
            split_to: Exact(to.into()),
        })
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
    assert_eq!(client(&vendor).company(&symbol("MSFT"), now()).await, Err(malformed("status 404: 404 page not found")));
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
    let unavailable = VendorError::Unavailable("Polygon", "status 502: <html>Bad Gateway</html>".into());
    let quota = |seconds| VendorError::QuotaExhausted { vendor: "Polygon", detail: text.into(), retry_after_seconds: Some(seconds) };
    for (status, body, retry_after, expected, requests) in [
        (401, r#"{"status":"ERROR","error":"Text of the vendor."}"#, None, VendorError::Unauthorized("Polygon", text.into()), 1),
        (401, r#"{"status":"ERROR","message":"Text of the vendor."}"#, None, VendorError::Unauthorized("Polygon", text.into()), 1),
        (403, r#"{"status":"NOT_AUTHORIZED","message":"Text of the vendor."}"#, None, VendorError::NotInPlan("Polygon", text.into()), 1),
        (200, r#"{"status":"NOT_AUTHORIZED","message":"Text of the vendor."}"#, None, VendorError::NotInPlan("Polygon", text.into()), 1),
        (404, NOT_FOUND, None, VendorError::UnknownSymbol("Polygon", symbol("AAPL")), 1),
        (404, "404 page not found", None, malformed("status 404: 404 page not found"), 1),
        (400, r#"{"status":"ERROR","error":"Text of the vendor."}"#, None, malformed("status 400: Text of the vendor."), 1),
        (429, r#"{"status":"ERROR","error":"Text of the vendor."}"#, None, quota(60), 4),
        (429, r#"{"status":"ERROR","error":"Text of the vendor."}"#, Some("0"), quota(0), 4),
        (429, r#"{"status":"ERROR","error":"Text of the vendor."}"#, Some("3600"), quota(3600), 1),
        (502, "<html>Bad Gateway</html>", None, unavailable, 4),
        (200, "<html>sign in</html>", None, malformed("expected value at line 1 column 1 in: <html>sign in</html>"), 1),
        (200, "", None, malformed("EOF while parsing a value at line 1 column 0 in: an empty answer"), 1),
        (200, r#"{"status":"OK","resu"#, None, malformed(r#"EOF while parsing a string at line 1 column 20 in: {"status":"OK","resu"#), 1),
        (
            200,
            r#"{"status":"OK","results":[{"o":0,"h":1,"l":1,"c":1,"v":1,"t":1577941200000}]}"#,
            None,
            malformed("the open of 2020-01-02: 0 must be above zero"),
            1,
        ),
        (
            200,
            r#"{"status":"OK","results":[{"o":1,"h":1,"l":1,"c":1,"v":-1,"t":1577941200000}]}"#,
            None,
            malformed("the volume of 2020-01-02 is -1"),
            1,
        ),
        (
            200,
            r#"{"status":"OK","results":[{"o":1,"h":1,"l":1,"c":1,"v":1,"t":9223372036854775807}]}"#,
            None,
            malformed("9223372036854775807 is no instant"),
            1,
        ),
    ] {
        let vendor = Vendor::start(move |_, _| Reply { retry_after, ..reply(status, body) }).await;
        let refused = client(&vendor).history(&symbol("AAPL"), date(2020, 1, 1), date(2020, 1, 10), now()).await.unwrap_err();
        assert_eq!((refused, vendor.asked().len()), (expected, requests), "{status} {body}");
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

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let recorded = prop::sample::select(vec![
        fixture!("aggs_range.json"),
        fixture!("dividends.json"),
        fixture!("splits.json"),
        fixture!("snapshot_all.json"),
        fixture!("tickers_page1.json"),
        NOT_FOUND,
    ]);
    let damaged = (recorded, any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..6)).prop_map(|(body, place, junk)| {
        let mut bytes = body.as_bytes().to_vec();
        let start = place.index(bytes.len());
        let end = (start + junk.len()).min(bytes.len());
        bytes.splice(start..end, junk);
        bytes
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..200), damaged]
}

proptest! {
    /// Whatever is answered, there are rows or a named error.
    #[test]
    fn no_answer_panics(status in prop::sample::select(vec![200_u16, 400, 401, 403, 404, 429, 500]), body in bodies()) {
        let answer = Answer { status, body, retry_after_seconds: None };
        let today = TradingDate::new(date(2020, 11, 12)).unwrap();
        if let Ok(page) = wire::page::<Aggregate>(&answer, None) {
            let _ = page.rows.iter().map(|row| convert::bar(row, now())).collect::<Vec<_>>();
        }
        if let Ok(page) = wire::page::<Split>(&answer, None) {
            let _ = page.rows.iter().map(convert::split).collect::<Vec<_>>();
        }
        if let Ok(page) = wire::page::<Dividend>(&answer, None) {
            let _ = page.rows.iter().map(convert::dividend).collect::<Vec<_>>();
        }
        if let Ok(page) = wire::page::<Snapshot>(&answer, None) {
            let _ = page.rows.iter().map(|row| convert::quote(row, today, now())).collect::<Vec<_>>();
        }
        if let Ok(page) = wire::page::<Ticker>(&answer, None) {
            let _ = page.rows.into_iter().map(convert::company).collect::<Vec<_>>();
        }
    }
}
