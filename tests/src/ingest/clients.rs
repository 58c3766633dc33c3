//! The vendors' real clients feed the pipeline: HTTP to simulated vendors, tables in memory, files on the disk.

use std::{sync::Arc, time::Duration};

use adapters::market_data::{Pace, Plan as Allowance, Retry, polygon::Polygon, tiingo::Tiingo};
use app::{
    data::{Data, Reason, RunState},
    ports::MarketData,
};
use domain::{Date, Decimal, Source, Symbol};
use jiff::civil::date;

use super::{
    place::{Place, at},
    rows::evening_of,
};
use crate::vendors::{Effect, Market, Plan, Simulator, Vendor};

const SYMBOLS: [&str; 4] = ["AAPL", "KO", "MSFT", "PEP"];
const FRIDAY: Date = date(2022, 1, 7);
const MONDAY: Date = date(2022, 1, 10);
const AT_ONCE: Retry = Retry { attempts: 4, first_wait: Duration::ZERO, longest_wait: Duration::from_secs(1) };

/// Both vendors, with few stocks of which they tell half a year.
struct Vendors {
    polygon: Simulator,
    tiingo: Simulator,
}

impl Vendors {
    async fn of(symbols: &[&str]) -> Self {
        let market = || {
            Market::new(Market::bundled().stocks().filter(|stock| symbols.contains(&stock.company.symbol.as_str())).map(|stock| {
                let mut stock = stock.clone();
                stock.rows.retain(|row| row.day >= date(2021, 7, 1));
                stock
            }))
        };
        let both =
            Self { polygon: Simulator::start(Vendor::Polygon, market()).await, tiingo: Simulator::start(Vendor::Tiingo, market()).await };
        both.set_day(FRIDAY);
        both
    }

    fn set_day(&self, day: Date) {
        self.polygon.set_now(evening_of(day));
        self.tiingo.set_now(evening_of(day));
    }

    fn polygon(&self) -> Arc<dyn MarketData> {
        Arc::new(Polygon::with_retry(Simulator::KEY, &self.polygon.url(), AT_ONCE).unwrap())
    }

    fn tiingo(&self) -> Tiingo {
        Tiingo::with_retry(Simulator::KEY, &self.tiingo.url(), AT_ONCE).unwrap()
    }

    /// Polygon first, Tiingo beside it.
    fn data(&self, place: &Place) -> Data {
        place.data(self.polygon()).with_second(Arc::new(self.tiingo()))
    }
}

/// Where Coca-Cola's bars since a date come from.
async fn sources(place: &Place, from: Date) -> Vec<(String, Source)> {
    let history = place.history("KO", "2022-01-10T22:00:00Z").await;
    let newest = history.bars.iter().filter(|record| record.bar.date.date() >= from);
    newest.map(|record| (record.bar.date.to_string(), record.source)).collect()
}

fn count(requests: &[String], part: &str) -> usize {
    requests.iter().filter(|path| path.contains(part)).count()
}

/// What goes wrong on Monday, and what becomes of the day: its state, how many bars came, from whom Coca-Cola's, and how often Polygon was
/// asked for a whole session and for a stock.
#[tokio::test(flavor = "multi_thread")]
async fn a_daily_run_gets_its_bars_whatever_goes_wrong_on_the_way() {
    use RunState::{Partial, Succeeded};
    use Source::{Polygon, Tiingo};
    type Harm = fn(&Vendors);
    let not_in_plan: Harm = |vendors| vendors.polygon.fail("/grouped/", Effect::NotInPlan);
    let cases: [(&str, Harm, _); 12] = [
        ("nothing", |_| {}, (Succeeded, 4, Some(Polygon), 2, 0)),
        ("whole sessions are not in the plan", not_in_plan, (Succeeded, 4, Some(Polygon), 1, 4)),
        (
            "an answer ends in the middle",
            |vendors| vendors.polygon.fail_times("/grouped/", 1, Effect::Truncated),
            (Succeeded, 4, Some(Polygon), 1, 4),
        ),
        (
            "somebody's page instead of an answer",
            |vendors| vendors.polygon.fail_times("/grouped/", 1, Effect::Html),
            (Succeeded, 4, Some(Polygon), 1, 4),
        ),
        (
            "the vendor's server fails twice",
            |vendors| vendors.polygon.fail_times("/grouped/", 2, Effect::Status(500)),
            (Succeeded, 4, Some(Polygon), 4, 0),
        ),
        (
            "Friday is restated",
            |vendors| vendors.polygon.edit(|market| market.restate("KO", "2022-01-07", |row| row.volume += 1000)),
            (Succeeded, 5, Some(Polygon), 2, 0),
        ),
        (
            "a row comes twice",
            |vendors| vendors.polygon.edit(|market| market.duplicate("KO", "2022-01-10")),
            (Succeeded, 4, Some(Polygon), 2, 0),
        ),
        (
            "the first vendor lacks a bar",
            |vendors| {
                vendors.polygon.edit(|market| {
                    market.remove("KO", "2022-01-10");
                });
            },
            (Succeeded, 4, Some(Tiingo), 2, 0),
        ),
        (
            "one stock's answers are always cut off",
            |vendors| {
                vendors.polygon.fail("/grouped/", Effect::NotInPlan);
                vendors.polygon.fail("/ticker/KO/", Effect::Truncated);
            },
            (Succeeded, 4, Some(Tiingo), 1, 4),
        ),
        (
            "both vendors fail for one stock",
            |vendors| {
                vendors.polygon.fail("/grouped/", Effect::NotInPlan);
                vendors.polygon.fail("/ticker/KO/", Effect::Html);
                vendors.tiingo.fail("/daily/KO/", Effect::Html);
            },
            (Partial, 3, None, 1, 4),
        ),
        (
            "the market's splits and dividends are not told",
            |vendors| {
                vendors.polygon.fail("splits", Effect::Status(500));
                vendors.polygon.fail("dividends", Effect::Status(500));
            },
            (Succeeded, 4, Some(Tiingo), 2, 4),
        ),
        ("the first vendor is down", |vendors| vendors.polygon.fail("/", Effect::Status(503)), (Succeeded, 4, Some(Tiingo), 0, 0)),
    ];
    for (name, harm, (state, bars, source, sessions, stocks)) in cases {
        let vendors = Vendors::of(&SYMBOLS).await;
        let place = Place::with(&SYMBOLS).await;
        vendors.data(&place).ingest_everything(evening_of(FRIDAY), &|_, _| {}).await.unwrap();
        vendors.set_day(MONDAY);
        harm(&vendors);
        vendors.polygon.forget_requests();
        let data = vendors.data(&place);
        let run = data.ingest_daily(evening_of(MONDAY), &|_, _| {}).await.unwrap();
        assert_eq!((run.state, run.bars_added, run.bars_quarantined), (state, bars, 0), "{name}: {:?}", run.failures);
        let found = sources(&place, MONDAY).await;
        assert_eq!(found, source.map(|source| ("2022-01-10".to_owned(), source)).into_iter().collect::<Vec<_>>(), "{name}");
        let requests = vendors.polygon.requests();
        if sessions > 0 {
            assert_eq!((count(&requests, "/grouped/"), count(&requests, "/range/")), (sessions, stocks), "{name}: {requests:#?}");
        }
        assert_eq!(data.restatements(&run).await.unwrap().len(), usize::from(bars == 5), "{name}");
    }
}

/// All four are in the day's sample.
#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_the_second_vendor_denies_waits_in_quarantine() {
    let vendors = Vendors::of(&SYMBOLS).await;
    let place = Place::with(&SYMBOLS).await;
    vendors.data(&place).ingest_everything(evening_of(FRIDAY), &|_, _| {}).await.unwrap();
    vendors.set_day(MONDAY);
    vendors.polygon.edit(|market| {
        market.restate("KO", "2022-01-10", |row| {
            row.close += Decimal::ONE;
            row.high += Decimal::ONE;
        });
    });
    let data = vendors.data(&place);
    let run = data.ingest_daily(evening_of(MONDAY), &|_, _| {}).await.unwrap();
    assert_eq!((run.bars_added, run.bars_quarantined), (3, 1));
    assert_eq!(data.quarantine().await.unwrap()[0].reason, Reason::VendorsDisagree);
    assert_eq!(sources(&place, MONDAY).await, []);
}

/// Both free plans, as the vendors count: the clients stay within them, the run pauses, and a later one does the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_free_plan_pauses_a_backfill_and_a_later_run_does_the_rest() {
    let symbols = ["AAPL", "AMZN", "BA", "CAT", "DIS", "GE", "GOOGL", "HD", "INTC", "JNJ", "JPM", "KO", "MCD", "MSFT", "NKE"];
    let vendors = Vendors::of(&symbols).await;
    let place = Place::with(&symbols).await;
    vendors.tiingo.set_plan(Plan::free(Vendor::Tiingo));
    let quota = place.quota();
    let within = |plan| Pace::new(quota.clone(), plan).waiting_at_most(Duration::ZERO);
    let wanted: Vec<Symbol> = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
    let asked = at("2022-01-08T15:00:00Z");
    let data = place.data(Arc::new(vendors.tiingo().paced(within(Allowance::TIINGO_FREE))));
    let run = data.ingest_stocks(&wanted, 90, asked, &|_, _| {}).await.unwrap();
    assert_eq!(run.state, RunState::Paused);
    assert!(0 < run.symbols_done && run.symbols_done < 15 && run.symbols_failed == 0, "{run:?}");
    assert_eq!(vendors.tiingo.requests().len(), 11, "what the plan gives at once");

    // The vendor itself refuses: that is a pause as well.
    vendors.tiingo.allow(2);
    let data = place.data(Arc::new(vendors.tiingo()));
    vendors.set_day(MONDAY);
    let daily = data.ingest_daily(evening_of(MONDAY), &|_, _| {}).await.unwrap();
    assert_eq!((daily.state, data.run(&run.id).await.unwrap().state), (RunState::Paused, RunState::Paused));

    vendors.tiingo.allow_all();
    let data = place.data(Arc::new(vendors.tiingo()));
    let later = evening_of(date(2022, 1, 11));
    vendors.set_day(date(2022, 1, 11));
    let daily = data.ingest_daily(later, &|_, _| {}).await.unwrap();
    let backfill = data.run(&run.id).await.unwrap();
    assert_eq!((daily.state, backfill.state, backfill.symbols_done), (RunState::Succeeded, RunState::Succeeded, 15), "{backfill:?}");
    let histories = place.market().histories(&wanted, later).await.unwrap();
    let days: Vec<usize> = histories.iter().map(|history| history.bars.len()).collect();
    assert!(days.iter().all(|count| *count == days[0] && *count > 60), "{days:?}");
}

/// Polygon's basic plan tells two years: a stock that is asked for from its beginning on gets those.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_reaches_back_two_years_gives_two_years() {
    let vendors = Vendors::of(&SYMBOLS).await;
    vendors.polygon.set_plan(Plan { requests: None, ..Plan::free(Vendor::Polygon) });
    let place = Place::with(&SYMBOLS).await;
    let run = place.data(vendors.polygon()).ingest_everything(evening_of(FRIDAY), &|_, _| {}).await.unwrap();
    assert_eq!((run.state, run.symbols_done), (RunState::Succeeded, 4), "{:?}", run.failures);
    assert_eq!(sources(&place, FRIDAY).await, [("2022-01-07".to_owned(), Source::Polygon)]);
}
