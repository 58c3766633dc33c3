use std::{sync::Arc, time::Duration};

use super::*;
use crate::market_data::{
    Plan,
    client::Answer,
    testing::{AT_ONCE, Reply, STATUSES, Vendor, nobody, reply, spoilt},
};
use crate::store::QuotaTable;
use app::ports::{Quota, RejectedRow, RowFault};
use domain::{ActionKind, Decimal};
use jiff::civil::date;
use proptest::prelude::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tiingo/", $name))
    };
}

const LISTED: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tiingo/supported_tickers.zip"));
/// As quoted by users, with the values of 2021-08-27.
const IEX: &str = r#"[{"askSize":null,"ticker":"AAPL","low":146.83,"quoteTimestamp":"2021-08-27T20:00:00+00:00","volume":55802388,"lastSaleTimestamp":"2021-08-27T20:00:00+00:00","tngoLast":148.6,"mid":null,"open":147.48,"bidPrice":null,"timestamp":"2021-08-27T20:00:00+00:00","high":148.75,"bidSize":null,"lastSize":null,"prevClose":147.54,"askPrice":null,"last":148.6}]"#;
const MONTHLY_SYMBOLS: &str = "You have run over your 500 symbol look up for this month. Please upgrade at https://api.tiingo.com/pricing to have your limits increased.";

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-01-05T23:00:00Z")
}

fn client(vendor: &Vendor) -> Tiingo {
    Tiingo::with_retry("verysecret", &vendor.url, AT_ONCE).unwrap()
}

#[tokio::test]
async fn recorded_prices_are_raw_and_exact() {
    let vendor = Vendor::start(|_, _| reply(200, fixture!("ticker_price_with_date.json"))).await;
    let history = client(&vendor).history(&symbol("BRK.B"), date(2015, 1, 1), date(2015, 1, 5), now()).await.unwrap();
    let [first, second] = &history.bars[..] else { panic!("{history:?}") };
    assert_eq!(
        [first.bar.open, first.bar.high, first.bar.low, first.bar.close].map(|price| price.to_string()),
        ["532.6", "535.8", "527.88", "529.55"]
    );
    assert_eq!((first.bar.volume, first.source, first.known_at), (1_327_870, Source::Tiingo, at("2015-01-02T22:00:00Z")));
    assert_eq!((second.bar.date.to_string().as_str(), second.bar.high.to_string().as_str()), ("2015-01-05", "527.9899"));
    assert_eq!(history.actions, []);
    let [asked] = &vendor.asked()[..] else { panic!() };
    assert_eq!(asked.path, "/tiingo/daily/BRK-B/prices?startDate=2015-01-01&endDate=2015-01-05&format=json&resampleFreq=daily");
    assert_eq!(asked.authorization.as_deref(), Some("Token verysecret"));
}

#[tokio::test]
async fn the_other_form_of_date_is_the_same_date() {
    let vendor = Vendor::start(|_, _| reply(200, fixture!("ticker_price.json"))).await;
    let history = client(&vendor).history(&symbol("GOOGL"), date(2018, 4, 1), date(2018, 4, 30), now()).await.unwrap();
    assert_eq!(history.bars[0].bar.date.to_string(), "2018-04-12");
}

fn day(date: &str, dividend: &str, split: &str) -> String {
    format!(
        r#"{{"date":"{date}T00:00:00.000Z","open":10,"high":11,"low":9,"close":10.5,"volume":100.0,"divCash":{dividend},"splitFactor":{split}}}"#
    )
}

#[tokio::test]
async fn splits_and_dividends_stand_in_the_row_of_their_ex_date() {
    let vendor = Vendor::start(|_, _| {
        let days = [
            day("2020-08-31", "0.0", "4.0"),
            day("2020-08-28", "0.0", "1.0"),
            day("2021-08-02", "0.01", "0.125"),
            day("2020-08-29", "0", "1"),
        ];
        reply(200, format!("[{}]", days.join(",")))
    })
    .await;
    let history = client(&vendor).history(&symbol("GE"), date(2020, 1, 1), date(2021, 12, 31), now()).await.unwrap();
    let dates: Vec<_> = history.bars.iter().map(|record| record.bar.date.to_string()).collect();
    assert_eq!(dates, ["2020-08-28", "2020-08-31", "2021-08-02"], "sorted, and without the Saturday");
    let actions: Vec<_> = history.actions.iter().map(|action| (action.ex_date, action.kind.clone())).collect();
    assert_eq!(
        actions,
        [
            (date(2020, 8, 31), ActionKind::Split { ratio: Decimal::from(4) }),
            (date(2021, 8, 2), ActionKind::Split { ratio: Decimal::new(125, 3) }),
            (date(2021, 8, 2), ActionKind::Dividend { amount: Decimal::new(1, 2), pay_date: None }),
        ]
    );
    let rejected: Vec<_> = history.rejected.iter().map(|row| row.fault.to_string()).collect();
    assert_eq!(rejected, ["2020-08-29 is no session"]);
    let actions = client(&vendor).actions(&[symbol("GE"), symbol("T")], date(2021, 1, 1), date(2021, 12, 31), now()).await.unwrap();
    assert_eq!(actions.actions.iter().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>(), ["GE", "GE", "T", "T"]);
}

#[tokio::test]
async fn nothing_is_asked_of_what_has_not_happened() {
    let vendor = Vendor::start(|_, _| reply(200, "[]")).await;
    let tiingo = client(&vendor);
    let before_close = at("2022-01-03T20:59:59Z");
    assert_eq!(tiingo.history(&symbol("AAPL"), date(2022, 1, 3), date(2022, 1, 9), before_close).await, Ok(VendorHistory::default()));
    assert_eq!(tiingo.quotes(&[symbol("AAPL")], at("2022-01-03T14:29:59Z")).await, Ok(vec![]));
    assert_eq!(vendor.asked(), []);
}

#[tokio::test]
async fn a_quote_is_the_last_trade_of_today_s_session() {
    let vendor = Vendor::start(|_, _| reply(200, IEX)).await;
    let quotes = async |now: &str| client(&vendor).quotes(&[symbol("AAPL"), symbol("BRK.B")], at(now)).await.unwrap();
    let [quote] = &quotes("2021-08-27T20:05:00Z").await[..] else { panic!() };
    assert_eq!((quote.last.to_string().as_str(), quote.open.unwrap().to_string().as_str(), quote.bar), ("148.6", "147.48", None));
    assert_eq!(quote.last_at, at("2021-08-27T20:00:00Z"));
    assert_eq!(quotes("2021-08-30T14:00:00Z").await, [], "Friday's trade is not Monday's");
    assert_eq!(vendor.paths()[0], "/iex/?tickers=AAPL,BRK-B");
}

#[test]
fn times_with_nine_digits_and_a_zone_are_read() {
    let body = r#"[{"ticker":"aapl","open":1.5,"tngoLast":2,"last":null,"lastSaleTimestamp":null,"timestamp":"2021-08-27T10:00:00.123456789-04:00"}]"#;
    let rows: Vec<IexQuote> = wire::read(&Answer { status: 200, body: body.into(), retry_after_seconds: None }, None).unwrap();
    let quote = convert::quote(&rows[0], TradingDate::new(date(2021, 8, 27)).unwrap(), now()).unwrap();
    assert_eq!(
        (quote.symbol.as_str(), quote.last.to_string().as_str(), quote.last_at),
        ("AAPL", "2", at("2021-08-27T14:00:00.123456789Z"))
    );
}

#[tokio::test]
async fn the_recorded_list_gives_listed_companies_once() {
    let vendor = Vendor::start(|_, _| reply(200, LISTED)).await;
    let companies = client(&vendor).companies(at("2019-10-20T12:00:00Z")).await.unwrap();
    let summary: Vec<_> =
        companies.iter().map(|company| (company.symbol.as_str(), company.exchange.as_deref().unwrap(), company.is_active)).collect();
    assert_eq!(
        summary,
        [
            ("A", "XNYS", true),
            ("AAN", "XNYS", true),
            ("AAPL", "XNAS", true),
            ("BRK.A", "XNYS", true),
            ("BRK.B", "XNYS", true),
            ("FB", "XNAS", true),
            ("GOOGL", "XNAS", true),
        ]
    );
    let delisted = client(&vendor).delisted(date(2018, 1, 1), at("2019-10-20T12:00:00Z")).await.unwrap();
    let summary: Vec<_> = delisted.iter().map(|company| (company.symbol.as_str(), company.delisted_on, company.is_active)).collect();
    assert_eq!(summary, [("TWX", Some(date(2018, 6, 15)), false)]);
    assert_eq!(vendor.asked()[0].authorization, None, "the list is for everybody: no key is sent");
}

#[tokio::test]
async fn a_list_that_cannot_be_unpacked_is_malformed() {
    for body in [&b"<html>"[..], b"", &LISTED[..200]] {
        let vendor = Vendor::start(move |_, _| reply(200, body)).await;
        assert!(matches!(client(&vendor).companies(now()).await, Err(VendorError::Malformed("Tiingo", _))));
    }
    let vendor = Vendor::start(|_, _| reply(404, "gone")).await;
    assert_eq!(client(&vendor).companies(now()).await, Err(VendorError::Refused("Tiingo", "status 404: gone".into())));
}

#[tokio::test]
async fn a_recorded_company_has_a_name() {
    let vendor = Vendor::start(|_, _| reply(200, fixture!("ticker_metadata.json"))).await;
    let company = client(&vendor).company(&symbol("GOOGL"), at("2017-10-09T12:00:00Z")).await.unwrap();
    assert_eq!(
        (company.name.as_str(), company.exchange.as_deref(), company.is_active),
        ("Alphabet Inc.(\"Google\") - Class A", Some("XNAS"), true)
    );
    assert_eq!(vendor.paths()[0], "/tiingo/daily/GOOGL");
}

#[tokio::test]
async fn each_refusal_has_its_name() {
    let hourly = "Error: You have run over your hourly request allocation. Please upgrade at https://api.tiingo.com/pricing to have your limits increased.";
    let quota =
        |detail: &str, retry_after_seconds| VendorError::QuotaExhausted { vendor: "Tiingo", detail: detail.into(), retry_after_seconds };
    let detail = |text: &str| format!(r#"{{"detail":"{text}"}}"#);
    let refused = |text: &str| VendorError::Refused("Tiingo", text.into());
    let unknown = VendorError::UnknownSymbol("Tiingo", symbol("AAPL"));
    for (status, body, retry_after, expected, requests) in [
        (403, detail("Please supply a token"), None, VendorError::Unauthorized("Tiingo", "Please supply a token".into()), 1),
        (401, detail("Invalid token."), None, VendorError::Unauthorized("Tiingo", "Invalid token.".into()), 1),
        (403, detail("Invalid token."), None, VendorError::Unauthorized("Tiingo", "Invalid token.".into()), 1),
        (
            403,
            detail("You do not have permission to access the News API"),
            None,
            VendorError::NotInPlan("Tiingo", "You do not have permission to access the News API".into()),
            1,
        ),
        (404, detail("Error: Ticker 'AAPL' not found"), None, unknown.clone(), 1),
        (404, detail("Not found."), None, unknown, 1),
        (404, "<html>no such page</html>".into(), None, refused("status 404: <html>no such page</html>"), 1),
        (400, detail("Bad parameter"), None, refused("status 400: Bad parameter"), 1),
        (429, detail(hourly), None, quota(hourly, None), 1),
        (429, detail(hourly), Some("1800"), quota(hourly, Some(1800)), 1),
        (429, detail(hourly), Some("0"), quota(hourly, Some(0)), 4),
        (200, MONTHLY_SYMBOLS.into(), None, quota(MONTHLY_SYMBOLS, None), 1),
        (200, detail(MONTHLY_SYMBOLS), None, quota(MONTHLY_SYMBOLS, None), 1),
        (200, "<html>sign in</html>".into(), None, malformed("expected value at line 1 column 1 in: <html>sign in</html>"), 1),
        (200, "[{\"date\":".into(), None, malformed("EOF while parsing a value at line 1 column 9 in: [{\"date\":"), 1),
        (200, "{}".into(), None, malformed("invalid type: map, expected a sequence at line 1 column 0 in: {}"), 1),
        (500, String::new(), None, VendorError::Unavailable("Tiingo", "status 500: an empty answer".into()), 4),
    ] {
        let (status_sent, sent) = (status, body.clone());
        let vendor = Vendor::start(move |_, _| Reply { retry_after, ..reply(status_sent, sent.clone()) }).await;
        let answered = client(&vendor).history(&symbol("AAPL"), date(2020, 1, 1), date(2020, 1, 10), now()).await.unwrap_err();
        assert_eq!((answered, vendor.asked().len()), (expected, requests), "{status} {body}");
    }
}

#[tokio::test]
async fn a_bad_row_is_rejected_by_name_and_spoils_no_other() {
    let good = day("2020-01-02", "0.0", "1.0");
    let number = |field, value: &str| RowFault::BadNumber { field, value: value.into() };
    let at_noon = good.replace("T00:00:00.000Z", "T12:00:00.000Z");
    for (row, on, fault, bars) in [
        (day("2020-13-01", "0", "1"), None, RowFault::Unreadable("`2020-13-01T00:00:00.000Z` is no date".into()), 1),
        (day("2020-01-03", "0", "-1"), Some(date(2020, 1, 3)), number("split factor", "-1"), 2),
        (day("2020-01-03", "-0.1", "1"), Some(date(2020, 1, 3)), number("dividend", "-0.1"), 2),
        (day("2020-01-03", "0", "1").replace("\"open\":10", "\"open\":0"), Some(date(2020, 1, 3)), number("open", "0"), 1),
        (day("2020-01-04", "0", "1"), Some(date(2020, 1, 4)), RowFault::NotASession(date(2020, 1, 4)), 1),
        (day("2020-01-13", "0.5", "1"), Some(date(2020, 1, 13)), RowFault::OutOfRange(date(2020, 1, 13)), 1),
        (at_noon, Some(date(2020, 1, 2)), RowFault::OffWindow(at("2020-01-02T12:00:00Z")), 1),
        ("[]".into(), None, RowFault::Unreadable("invalid length 0, expected struct Day with 8 elements at line 1 column 2".into()), 1),
    ] {
        let body = format!("[{row},{good},{good}]");
        let vendor = Vendor::start(move |_, _| reply(200, body.clone())).await;
        let history = client(&vendor).history(&symbol("AAPL"), date(2020, 1, 1), date(2020, 1, 10), now()).await.unwrap();
        assert_eq!((history.bars.len(), history.actions.len()), (bars, 0), "{row}");
        assert_eq!(history.rejected, [RejectedRow { symbol: Some(symbol("AAPL")), day: on, fault, row: row.clone() }], "{row}");
    }
}

#[tokio::test]
async fn the_newest_session_comes_in_one_request() {
    let vendor = Vendor::start(|_, _| {
        let row = |ticker: &str, day: String| day.replacen('{', &format!("{{\"ticker\":\"{ticker}\","), 1);
        let rows = [
            row("brk-b", day("2026-01-05", "0", "1")),
            row("aapl", day("2026-01-05", "0.26", "1")),
            row("spg-p-j", day("2026-01-05", "0", "1")),
            row("gone", day("2019-03-01", "0", "1")),
            row("bad", day("2026-01-05", "0", "1")).replace("\"close\":10.5", "\"close\":null"),
            day("2026-01-05", "0", "1"),
        ];
        reply(200, format!("[{}]", rows.join(",")))
    })
    .await;
    let session = async |day| client(&vendor).session(TradingDate::new(day).unwrap(), now()).await;
    let newest = session(date(2026, 1, 5)).await.unwrap();
    assert_eq!(newest.bars.iter().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>(), ["AAPL", "BRK.B"]);
    assert_eq!(newest.rejected.iter().map(|row| row.symbol.as_ref().map(Symbol::as_str)).collect::<Vec<_>>(), [Some("BAD"), None]);
    assert!(matches!(session(date(2026, 1, 2)).await, Err(VendorError::NotInPlan("Tiingo", _))), "an older one does not");
    assert_eq!(vendor.paths(), ["/tiingo/daily/prices"]);
}

#[tokio::test]
async fn no_rows_in_the_range_is_no_error() {
    let vendor = Vendor::start(|_, _| reply(200, "[]")).await;
    assert_eq!(client(&vendor).history(&symbol("AAPL"), date(2020, 1, 4), date(2020, 1, 5), now()).await, Ok(VendorHistory::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_keep_to_one_quota() {
    let store = crate::store::testing::store().await;
    let quota: Arc<dyn Quota> = Arc::new(QuotaTable::new(&store));
    let vendor = Vendor::start(|_, _| reply(200, fixture!("ticker_metadata.json"))).await;
    let copy = || client(&vendor).paced(Pace::new(quota.clone(), Plan::TIINGO_FREE).waiting_at_most(Duration::ZERO));
    let copies = [copy(), copy()];
    let mut outcomes = Vec::new();
    for request in 0..14 {
        outcomes.push(copies[request % 2].company(&symbol("GOOGL"), now()).await);
    }
    // The burst of fifty an hour is eleven; a twelfth request may go out 90 seconds after the first.
    assert!(outcomes[..11].iter().all(Result::is_ok) && vendor.asked().len() == 11, "{outcomes:?}");
    for refused in &outcomes[11..] {
        let Err(VendorError::QuotaExhausted { vendor: "Tiingo", detail, retry_after_seconds: Some(1..=90) }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(detail, "50 requests a hour are what the plan `free` allows");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_429_no_copy_asks_before_the_time() {
    let store = crate::store::testing::store().await;
    let quota: Arc<dyn Quota> = Arc::new(QuotaTable::new(&store));
    let vendor = Vendor::start(|_, _| Reply { retry_after: Some("1800"), ..reply(429, "{}") }).await;
    let copy = || client(&vendor).paced(Pace::new(quota.clone(), Plan::TIINGO_POWER).waiting_at_most(Duration::ZERO));
    for wait in [1800..=1800, 1700..=1800, 1700..=1800] {
        let refused = copy().company(&symbol("GOOGL"), now()).await.unwrap_err();
        let VendorError::QuotaExhausted { retry_after_seconds: Some(seconds), .. } = &refused else { panic!("{refused:?}") };
        assert!(wait.contains(seconds), "{refused:?}");
    }
    assert_eq!(vendor.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_has_so_many_stocks() {
    let quota: Arc<dyn Quota> = Arc::new(QuotaTable::new(&crate::store::testing::store().await));
    let vendor = Vendor::start(|_, _| reply(200, "[]")).await;
    let plan = Plan::TIINGO_FREE.with_symbols_a_month(1);
    let tiingo = client(&vendor).paced(Pace::new(quota, plan).waiting_at_most(Duration::ZERO));
    let history = async |stock: &str| tiingo.history(&symbol(stock), date(2020, 1, 1), date(2020, 1, 10), now()).await;
    assert_eq!(history("AAPL").await, Ok(VendorHistory::default()));
    assert!(matches!(history("MSFT").await, Err(VendorError::QuotaExhausted { .. })));
    assert_eq!(history("AAPL").await, Ok(VendorHistory::default()), "it is counted already");
    assert_eq!(vendor.asked().len(), 2);
}

#[tokio::test]
async fn a_vendor_out_of_reach_is_unavailable_and_the_key_stays_secret() {
    let tiingo = Tiingo::with_retry("verysecret", &nobody(), AT_ONCE).unwrap();
    let error = tiingo.quotes(&[symbol("AAPL")], at("2022-01-03T15:00:00Z")).await.unwrap_err();
    assert!(matches!(&error, VendorError::Unavailable("Tiingo", _)), "{error}");
    assert!(!format!("{error:?} {error} {tiingo:?}").contains("secret"));
}

fn recorded() -> Vec<&'static [u8]> {
    let texts =
        [fixture!("ticker_price_with_date.json"), fixture!("ticker_price.json"), fixture!("ticker_metadata.json"), IEX, MONTHLY_SYMBOLS];
    texts.map(str::as_bytes).into_iter().chain([LISTED]).collect()
}

#[test]
fn nesting_without_end_is_malformed() {
    for opening in ["[", "[{\"date\":["] {
        let answer = Answer { status: 200, body: opening.repeat(200_000).into(), retry_after_seconds: None };
        assert!(matches!(wire::rows(&answer, None), Err(VendorError::Malformed(..))), "{opening}");
        assert!(matches!(wire::read::<Meta>(&answer, None), Err(VendorError::Malformed(..))), "{opening}");
    }
}

#[test]
fn a_small_archive_of_a_huge_list_is_malformed() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("supported_tickers.csv", zip::write::SimpleFileOptions::default()).unwrap();
    for _ in 0..80 {
        std::io::Write::write_all(&mut archive, &vec![b'A'; 1 << 20]).unwrap();
    }
    let archive = archive.finish().unwrap().into_inner();
    assert!(archive.len() < 1 << 20);
    assert_eq!(list::unzipped(archive), Err(malformed("the list of tickers cannot be unpacked: it is too long")));
}

proptest! {
    /// Whatever is answered, there are rows or a named error.
    #[test]
    fn no_answer_panics(status in prop::sample::select(STATUSES.to_vec()), body in spoilt(recorded()), line in "[A-Z.,0-9-]{0,60}") {
        let _ = convert::listed_company(&line, now());
        let _ = list::unzipped(body.clone());
        let answer = Answer { status, body, retry_after_seconds: None };
        let today = TradingDate::new(date(2021, 8, 27)).unwrap();
        for row in wire::rows(&answer, None).unwrap_or_default() {
            let mut days = Days::new(date(2000, 1, 1)..=date(2030, 1, 1), now());
            days.add(&symbol("AAPL"), row);
            days.add_of_all(row);
            let _ = days.finish();
            let _ = list::readable::<IexQuote>(row).map(|row| convert::quote(&row, today, now()));
        }
        if let Ok(meta) = wire::read::<Meta>(&answer, None) {
            let _ = convert::company(&symbol("AAPL"), meta, now());
        }
    }
}
