//! Both clients against the simulated vendors: the data comes through exactly, and whatever else happens has a name.

use std::time::Duration;

use adapters::market_data::{Retry, bundled::Bundled, polygon::Polygon, tiingo::Tiingo};
use app::ports::{MarketData, RowFault, VendorActions, VendorError, VendorHistory};
use domain::{ActionKind, Company, CorporateAction, Date, Symbol, Timestamp, TradingDate};
use jiff::civil::date;

use super::{Effect, Market, Plan, Simulator, Vendor};

const BOTH: [Vendor; 2] = [Vendor::Polygon, Vendor::Tiingo];
const AT_ONCE: Retry = Retry { attempts: 4, first_wait: Duration::ZERO, longest_wait: Duration::from_secs(1) };

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

/// After everything that is bundled.
fn now() -> Timestamp {
    "2024-03-08T23:00:00Z".parse().unwrap()
}

fn client_with(simulator: &Simulator, vendor: Vendor, key: &str) -> Box<dyn MarketData> {
    match vendor {
        Vendor::Polygon => Box::new(Polygon::with_retry(key, &simulator.url(), AT_ONCE).unwrap()),
        Vendor::Tiingo => Box::new(Tiingo::with_retry(key, &simulator.url(), AT_ONCE).unwrap()),
    }
}

async fn start(vendor: Vendor) -> (Simulator, Box<dyn MarketData>) {
    let simulator = Simulator::start(vendor, Market::bundled()).await;
    simulator.set_now(now());
    let client = client_with(&simulator, vendor, Simulator::KEY);
    (simulator, client)
}

async fn january(client: &dyn MarketData) -> Result<VendorHistory, VendorError> {
    client.history(&symbol("AAPL"), date(2022, 1, 3), date(2022, 1, 7), now()).await
}

/// What vendors tell: no spin-offs, and from Tiingo nothing of when a dividend is paid.
fn told(actions: &[CorporateAction]) -> Vec<(Date, ActionKind)> {
    let told = actions.iter().filter(|action| !matches!(action.kind, ActionKind::SpinOff { .. }));
    told.map(|action| (action.ex_date, action.kind.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bundled_comes_through_both_vendors_exactly() {
    let bundled = Bundled::new();
    for vendor in BOTH {
        let (simulator, client) = start(vendor).await;
        // Small pages, so that lists have several.
        simulator.set_longest_page(400);
        for stock in ["AAPL", "GE", "TSLA", "T", "GOOGL"].map(symbol) {
            let real = bundled.history(&stock, date(2018, 1, 1), date(2024, 3, 8), now()).await.unwrap();
            let found = client.history(&stock, date(2018, 1, 1), date(2024, 3, 8), now()).await.unwrap();
            let bars = |history: &VendorHistory| history.bars.iter().map(|record| (record.bar, record.known_at)).collect::<Vec<_>>();
            assert!(bars(&found) == bars(&real), "{vendor:?} {stock}");
            assert_eq!(told(&found.actions), told(&real.actions), "{vendor:?} {stock}");
            assert_eq!(found.rejected, [], "{vendor:?} {stock}");
            assert!(found.bars.iter().all(|record| record.source == client.source()));
        }
        assert!(client.calls() == simulator.requests().len() as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_session_comes_in_one_request() {
    let bundled = Bundled::new();
    let newest = TradingDate::new(date(2024, 3, 8)).unwrap();
    // A half day besides: its window may end at 13:00.
    for (vendor, session) in [
        (Vendor::Polygon, newest),
        (Vendor::Polygon, TradingDate::new(date(2020, 8, 31)).unwrap()),
        (Vendor::Polygon, TradingDate::new(date(2022, 11, 25)).unwrap()),
        (Vendor::Tiingo, newest),
    ] {
        let (simulator, client) = start(vendor).await;
        let (real, found) = (bundled.session(session, now()).await.unwrap(), client.session(session, now()).await.unwrap());
        let bars = |session: &app::ports::VendorSession| {
            session.bars.iter().map(|(symbol, record)| (symbol.clone(), record.bar)).collect::<Vec<_>>()
        };
        assert_eq!(bars(&found), bars(&real), "{vendor:?} {session}");
        assert_eq!((found.rejected, simulator.requests().len()), (vec![], 1), "{vendor:?} {session}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn companies_come_with_what_each_vendor_knows() {
    for vendor in BOTH {
        let (simulator, client) = start(vendor).await;
        simulator.set_longest_page(25);
        simulator.edit(|market| {
            let gone = &mut market.stock_mut("GE").company;
            (gone.is_active, gone.delisted_on, gone.figi) = (false, Some(date(2023, 6, 1)), Some("BBG000BK6MB5".into()));
            market.stock_mut("GE").rows.retain(|row| row.day <= date(2023, 6, 1));
        });
        let companies = client.companies(now()).await.unwrap();
        assert_eq!(companies.len(), 59, "{vendor:?}");
        assert!(companies.iter().all(|company| company.is_active) && companies.is_sorted_by_key(|company| company.symbol.clone()));
        let exchange = |companies: &[Company]| companies[0].exchange.clone();
        assert_eq!(exchange(&companies).as_deref(), Some("XNAS"), "{vendor:?}");

        let gone = client.delisted(date(2023, 1, 1), now()).await.unwrap();
        let summary: Vec<_> = gone.iter().map(|company| (company.symbol.as_str(), company.delisted_on, company.is_active)).collect();
        assert_eq!(summary, [("GE", Some(date(2023, 6, 1)), false)], "{vendor:?}");
        assert_eq!(client.delisted(date(2023, 6, 2), now()).await.unwrap(), [], "{vendor:?}");
        assert_eq!(client.company(&symbol("MSFT"), now()).await.unwrap().name, "Microsoft", "{vendor:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_of_many_stocks_are_those_of_each() {
    let stocks = ["AAPL", "TSLA", "MSFT", "KO", "JPM", "ZTS"].map(symbol);
    let (first, last) = (date(2020, 8, 1), date(2020, 9, 30));
    let known: Vec<Symbol> = stocks.iter().filter(|stock| Market::bundled().get(stock).is_some()).cloned().collect();
    for vendor in BOTH {
        let (_simulator, client) = start(vendor).await;
        let VendorActions { actions, rejected } = client.actions(&known, first, last, now()).await.unwrap();
        let mut expected = Vec::new();
        for stock in &known {
            let history = client.history(stock, first, last, now()).await.unwrap();
            expected.extend(history.actions.into_iter().map(|action| (stock.clone(), action)));
        }
        let key = |(symbol, action): &(Symbol, CorporateAction)| (action.ex_date, symbol.clone(), format!("{:?}", action.kind));
        let sorted = |mut actions: Vec<(Symbol, CorporateAction)>| {
            actions.sort_by_key(key);
            actions
        };
        assert!(actions.is_sorted_by_key(|(_, action)| action.ex_date), "{vendor:?}");
        let found = sorted(actions.into_iter().filter(|(symbol, _)| known.contains(symbol)).collect());
        assert_eq!(found, sorted(expected), "{vendor:?}");
        assert!(rejected.iter().all(|row| matches!(row.fault, RowFault::OutOfRange(_))), "{vendor:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_show_the_open_then_the_close() {
    for (vendor, has_bar) in [(Vendor::Polygon, true), (Vendor::Tiingo, false)] {
        let (simulator, client) = start(vendor).await;
        let quotes = async |now: &str| {
            let now = now.parse().unwrap();
            simulator.set_now(now);
            client.quotes(&[symbol("AAPL"), symbol("ZZZZ")], now).await.unwrap()
        };
        assert_eq!(quotes("2022-01-03T14:29:00Z").await, [], "{vendor:?}");
        let [noon] = &quotes("2022-01-03T17:00:00Z").await[..] else { panic!("{vendor:?}") };
        assert_eq!((noon.last.to_string().as_str(), noon.open, noon.bar), ("177.83", Some(noon.last), None), "{vendor:?}");
        let [evening] = &quotes("2022-01-03T21:30:00Z").await[..] else { panic!("{vendor:?}") };
        assert_eq!((evening.last.to_string().as_str(), evening.bar.is_some()), ("182.01", has_bar), "{vendor:?}");
        assert_eq!(evening.last_at.to_string(), "2022-01-03T21:00:00Z", "{vendor:?}");
    }
}

/// What a request comes to, in short.
fn name(outcome: &Result<VendorHistory, VendorError>) -> String {
    match outcome {
        Ok(history) => format!("{} bars", history.bars.len()),
        Err(VendorError::UnknownSymbol(..)) => "unknown symbol".into(),
        Err(VendorError::Unauthorized(..)) => "unauthorized".into(),
        Err(VendorError::NotInPlan(..)) => "not in plan".into(),
        Err(VendorError::QuotaExhausted { retry_after_seconds, .. }) => {
            retry_after_seconds.map_or_else(|| "quota exhausted".into(), |seconds| format!("quota exhausted for {seconds} s"))
        }
        Err(VendorError::Refused(..)) => "refused".into(),
        Err(VendorError::Malformed(..)) => "malformed".into(),
        Err(VendorError::Unavailable(..)) => "unavailable".into(),
    }
}

/// Each documented refusal and each way in which an answer can be spoilt. How many requests are made for the bars says whether
/// asking again was thought to help.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_answered_has_a_name() {
    let body = |status, body: &str| Effect::Body { status, body: body.into() };
    let throttled = |retry_after_seconds| Effect::Throttled { retry_after_seconds };
    for (effect, times, [polygon, tiingo], requests) in [
        (Effect::Slow(Duration::from_millis(20)), 9, ["5 bars"; 2], [1, 1]),
        (Effect::Truncated, 9, ["malformed"; 2], [1, 1]),
        (Effect::Dropped, 2, ["5 bars"; 2], [3, 3]),
        (Effect::Dropped, 9, ["unavailable"; 2], [4, 4]),
        (Effect::Html, 9, ["malformed"; 2], [1, 1]),
        (Effect::Status(500), 3, ["5 bars"; 2], [4, 4]),
        (Effect::Status(502), 9, ["unavailable"; 2], [4, 4]),
        (Effect::Status(302), 9, ["refused"; 2], [1, 1]),
        (Effect::Status(400), 9, ["refused"; 2], [1, 1]),
        (Effect::NotInPlan, 9, ["not in plan"; 2], [1, 1]),
        // A limit a minute passes; a limit an hour does not.
        (throttled(None), 2, ["5 bars", "quota exhausted"], [3, 1]),
        (throttled(None), 9, ["quota exhausted for 60 s", "quota exhausted"], [4, 1]),
        (throttled(Some(0)), 2, ["5 bars"; 2], [3, 3]),
        (throttled(Some(1800)), 9, ["quota exhausted for 1800 s"; 2], [1, 1]),
        (body(200, ""), 9, ["malformed"; 2], [1, 1]),
        (body(200, "null"), 9, ["malformed"; 2], [1, 1]),
        (body(404, "404 page not found\n"), 9, ["refused"; 2], [1, 1]),
        (body(404, r#"{"status":"NOT_FOUND","message":"Data not found.","detail":"Not found."}"#), 9, ["unknown symbol"; 2], [1, 1]),
        (body(401, r#"{"status":"ERROR","message":"Unknown API Key","detail":"Invalid token."}"#), 9, ["unauthorized"; 2], [1, 1]),
        (body(401, r#"{"status":"ERROR","error":"Unknown API Key","detail":"Invalid token."}"#), 9, ["unauthorized"; 2], [1, 1]),
        (body(200, r#"{"status":"DELAYED","results":null}"#), 9, ["0 bars", "malformed"], [1, 1]),
        (body(200, r#"{"status":"DELAYED"}"#), 9, ["0 bars", "malformed"], [1, 1]),
        (body(200, r#"{"status":"NOT_AUTHORIZED","message":"no"}"#), 9, ["not in plan", "malformed"], [1, 1]),
        (body(200, "[]"), 9, ["malformed", "0 bars"], [1, 1]),
        (body(200, "You have run over your 500 symbol look up for this month."), 9, ["malformed", "quota exhausted"], [1, 1]),
        (body(200, r#"{"detail":"You have run over your 500 symbol look up for this month."}"#), 9, ["0 bars", "quota exhausted"], [1, 1]),
        (
            body(429, r#"{"detail":"Error: You have run over your monthly bandwidth allocation.","status":"ERROR"}"#),
            9,
            ["quota exhausted for 60 s", "quota exhausted"],
            [4, 1],
        ),
    ] {
        for (vendor, expected, requests) in [(Vendor::Polygon, polygon, requests[0]), (Vendor::Tiingo, tiingo, requests[1])] {
            let (simulator, client) = start(vendor).await;
            let part = if vendor == Vendor::Polygon { "/v2/aggs/" } else { "/prices" };
            simulator.fail_times(part, times, effect.clone());
            let outcome = january(&*client).await;
            let asked = simulator.requests().iter().filter(|path| path.contains(part)).count();
            assert_eq!((name(&outcome).as_str(), asked), (expected, requests), "{vendor:?} {effect:?} {outcome:?}");
            if let Err(error) = outcome {
                assert!(!format!("{error:?} {error}").contains(Simulator::KEY), "{error:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_a_symbol_are_refused_as_documented() {
    for vendor in BOTH {
        let (simulator, client) = start(vendor).await;
        let wrong = client_with(&simulator, vendor, "another-key");
        assert_eq!(name(&january(&*wrong).await), "unauthorized", "{vendor:?}");
        let unknown = client.history(&symbol("ZZZZ"), date(2022, 1, 3), date(2022, 1, 7), now()).await;
        assert_eq!(unknown, Err(VendorError::UnknownSymbol(if vendor == Vendor::Polygon { "Polygon" } else { "Tiingo" }, symbol("ZZZZ"))));
        assert_eq!(name(&client.company(&symbol("ZZZZ"), now()).await.map(|_| VendorHistory::default())), "unknown symbol", "{vendor:?}");
        let weekend = client.history(&symbol("AAPL"), date(2022, 1, 1), date(2022, 1, 2), now()).await;
        assert_eq!(weekend, Ok(VendorHistory::default()), "{vendor:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_endpoints_serve_where_the_current_ones_do_not() {
    for effect in [Effect::NotInPlan, Effect::Body { status: 404, body: "404 page not found\n".into() }] {
        let (simulator, client) = start(Vendor::Polygon).await;
        let current = client.history(&symbol("AAPL"), date(2020, 1, 1), date(2020, 12, 31), now()).await.unwrap();
        simulator.fail("/stocks/v1/", effect);
        let old = client.history(&symbol("AAPL"), date(2020, 1, 1), date(2020, 12, 31), now()).await.unwrap();
        assert_eq!((old.actions.len(), old), (5, current), "a split and four dividends");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn free_plans_leave_out_what_they_leave_out() {
    let (simulator, client) = start(Vendor::Polygon).await;
    simulator.set_plan(Plan { requests: None, ..Plan::free(Vendor::Polygon) });
    assert_eq!(name(&january(&*client).await), "not in plan", "more than two years ago");
    let recent = client.history(&symbol("AAPL"), date(2024, 3, 4), date(2024, 3, 8), now()).await;
    assert_eq!(name(&recent), "5 bars", "DELAYED is as good as OK");
    simulator.set_now("2024-03-08T19:00:00Z".parse().unwrap());
    let today = client.session(TradingDate::new(date(2024, 3, 8)).unwrap(), now()).await;
    assert!(matches!(today, Err(VendorError::NotInPlan(..))), "{today:?}");
    let quotes = client.quotes(&[symbol("AAPL")], "2024-03-08T19:00:00Z".parse().unwrap()).await;
    assert!(matches!(quotes, Err(VendorError::NotInPlan(..))), "{quotes:?}");

    let (simulator, client) = start(Vendor::Tiingo).await;
    simulator.set_plan(Plan { symbols: Some(2), ..Plan::UNLIMITED });
    let history = async |stock| name(&client.history(&symbol(stock), date(2024, 3, 4), date(2024, 3, 8), now()).await);
    let outcomes = [history("AAPL").await, history("MSFT").await, history("KO").await, history("AAPL").await];
    assert_eq!(outcomes, ["5 bars", "5 bars", "quota exhausted", "5 bars"]);
    simulator.set_plan(Plan { bytes: Some(10), ..Plan::UNLIMITED });
    assert_eq!(history("AAPL").await, "quota exhausted");
    simulator.set_plan(Plan { requests: Some((1, Duration::from_hours(1))), ..Plan::UNLIMITED });
    assert_eq!([history("AAPL").await, history("AAPL").await], ["5 bars", "quota exhausted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_vendor_says_wrongly_is_seen() {
    for vendor in BOTH {
        let (simulator, client) = start(vendor).await;
        let days = |history: &VendorHistory| history.bars.iter().map(|record| record.bar.date.date().day()).collect::<Vec<_>>();
        let faults = |history: &VendorHistory| history.rejected.iter().map(|row| row.fault.to_string()).collect::<Vec<_>>();
        let before = january(&*client).await.unwrap();
        assert_eq!(days(&before), [3, 4, 5, 6, 7], "{vendor:?}");

        simulator.edit(|market| market.duplicate("AAPL", "2022-01-04"));
        assert_eq!(january(&*client).await.unwrap(), before, "{vendor:?}: the same row twice is one bar");

        simulator.edit(|market| market.restate("AAPL", "2022-01-04", |row| row.volume += 1));
        let contradicted = january(&*client).await.unwrap();
        assert_eq!(days(&contradicted), [3, 5, 6, 7], "{vendor:?}");
        assert_eq!(faults(&contradicted), ["there are two different rows of 2022-01-04"; 2], "{vendor:?}");

        simulator.edit(|market| *market = Market::bundled());
        simulator.edit(|market| {
            let mut row = market.remove("AAPL", "2022-01-05");
            row.day = date(2022, 1, 1);
            market.insert("AAPL", row);
            market.restate("AAPL", "2022-01-06", |row| row.close += row.close);
        });
        let odd = client.history(&symbol("AAPL"), date(2021, 12, 31), date(2022, 1, 7), now()).await.unwrap();
        assert_eq!(days(&odd), [31, 3, 4, 6, 7], "{vendor:?}");
        assert_eq!(faults(&odd), ["2022-01-01 is no session"], "{vendor:?}");
        assert_eq!(odd.bars[3].bar.close.decimal(), before.bars[3].bar.close.decimal() + before.bars[3].bar.close.decimal(), "{vendor:?}");
    }
}

#[test]
fn sessions_can_be_moved_to_other_sessions() {
    let last = TradingDate::new(date(2026, 11, 20)).unwrap();
    let (moved, real) = (Market::bundled().ending_on(last), Market::bundled());
    let [moved, real] = [&moved, &real].map(|market| market.get(&symbol("AAPL")).unwrap().clone());
    assert_eq!((moved.rows.len(), moved.rows.last().unwrap().day), (real.rows.len(), last.date()));
    assert!(moved.rows.iter().all(|row| TradingDate::new(row.day).is_ok()));
    let place = |stock: &super::Stock| {
        let split = stock.actions.iter().find(|action| matches!(action.kind, ActionKind::Split { .. })).unwrap().ex_date;
        stock.rows.iter().position(|row| row.day == split)
    };
    assert_eq!(place(&moved), place(&real), "the split comes with its session");
}
