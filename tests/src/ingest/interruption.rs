//! A run that dies anywhere and is run again leaves what an uninterrupted one leaves: the same files to the byte, the same records.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use adapters::market_data::bundled::Bundled;
use app::{
    data::{Data, Run, RunState},
    market::Market,
    ports::{HistoryStore, MarketData, MarketStore},
};
use domain::{BarRecord, Date, Symbol};
use jiff::civil::date;

use super::{
    fuse::{Fuse, Fused},
    place::{Place, at},
    rows::{bundled, evening_of},
    vendor::Vendor,
};

const SYMBOLS: [&str; 5] = ["AAPL", "GE", "KO", "MSFT", "PEP"];
const BEFORE: Date = date(2022, 1, 5);
const AFTER: Date = date(2022, 1, 7);

/// Two new sessions of five stocks: a correction, a gap that is closed, a bar that cannot be right, and a stock that fails.
fn vendor() -> Arc<dyn MarketData> {
    let from = date(2021, 10, 1);
    let histories = SYMBOLS.map(|symbol| {
        let mut history = bundled(symbol, AFTER);
        history.bars.retain(|record| record.bar.date.date() >= from);
        history
    });
    let mut vendor = Vendor { has_sessions: true, ..Vendor::of(histories) };
    let mut corrected = *vendor.history_mut("KO").bar_on(BEFORE).unwrap();
    corrected.bar.volume += 1000;
    corrected.known_at = evening_of(AFTER);
    vendor.history_mut("KO").merge(&[corrected], &[]);
    let late: &mut BarRecord = vendor.history_mut("PEP").bars.iter_mut().find(|record| record.bar.date.date() == date(2022, 1, 4)).unwrap();
    late.known_at = evening_of(AFTER);
    let wrong = &mut vendor.history_mut("GE").bars.last_mut().unwrap().bar;
    wrong.high = wrong.low;
    vendor.histories.remove(&"MSFT".parse::<Symbol>().unwrap());
    Arc::new(vendor)
}

async fn place() -> Place {
    let place = Place::with(&SYMBOLS).await;
    place.data(vendor()).ingest_everything(evening_of(BEFORE), &|_, _| {}).await.unwrap();
    place
}

fn fused(place: &Place, fuse: &Arc<Fuse>) -> Data {
    let objects: Arc<dyn HistoryStore> = Arc::new(Fused(place.objects.clone(), fuse.clone()));
    let companies: Arc<dyn MarketStore> = Arc::new(Fused(place.companies.clone(), fuse.clone()));
    let vendor: Arc<dyn MarketData> = Arc::new(Fused(vendor(), fuse.clone()));
    Data::new(Market::new(objects.clone(), companies, None), objects, vendor)
}

/// What a run says of itself, without what an interruption really changes: how often the vendors were asked, and how long it took.
async fn records(data: &Data) -> Vec<Run> {
    let runs = data.runs(10).await.unwrap();
    runs.into_iter().map(|run| Run { vendor_calls: 0, planning_calls: 0, ..run }).collect()
}

type State = (BTreeMap<String, Vec<u8>>, Vec<Run>, Vec<app::data::QuarantinedBar>);

async fn state(place: &Place) -> State {
    let data = place.data(vendor());
    (place.files(), records(&data).await, data.quarantine().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_run_that_dies_anywhere_is_finished_by_running_it_again() {
    let now = evening_of(AFTER);
    let whole = place().await;
    let fuse = Fuse::at(0);
    let run = fused(&whole, &fuse).ingest_daily(now, &|_, _| {}).await.unwrap();
    assert_eq!((run.symbols_done, run.symbols_failed, run.bars_quarantined), (4, 1, 1));
    assert!(run.bars_added >= 8, "{}", run.bars_added);
    let expected = state(&whole).await;
    let steps = fuse.steps();
    assert!(steps > 60, "{steps}");

    // Every third step, and another third whenever the number of steps changes.
    for step in (1..=steps).step_by(3) {
        let interrupted = place().await;
        let fuse = Fuse::at(step);
        let result = fuse.run(fused(&interrupted, &fuse).ingest_daily(now, &|_, _| {})).await;
        assert!(result.is_none(), "step {step} was not reached");
        interrupted.data(vendor()).ingest_daily(now, &|_, _| {}).await.unwrap();
        let found = state(&interrupted).await;
        assert_eq!(found.0.keys().collect::<Vec<_>>(), expected.0.keys().collect::<Vec<_>>(), "step {step}");
        for (name, bytes) in &expected.0 {
            assert!(found.0[name] == *bytes, "step {step}: {name} differs");
        }
        assert_eq!((&found.1, &found.2), (&expected.1, &expected.2), "step {step}");
    }
}

/// Whoever asked for a backfill is gone: the next daily run does what is left, as of the backfill's own instant.
#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_dies_anywhere_is_finished_by_the_next_daily_run() {
    let symbols: Vec<Symbol> = SYMBOLS.map(|symbol| symbol.parse().unwrap()).to_vec();
    let (asked, next) = (at("2022-01-07T15:00:00Z"), evening_of(AFTER));
    let whole = Place::with(&SYMBOLS).await;
    let fuse = Fuse::at(0);
    fused(&whole, &fuse).ingest_stocks(&symbols, 60, asked, &|_, _| {}).await.unwrap();
    let steps = fuse.steps();
    whole.data(vendor()).ingest_daily(next, &|_, _| {}).await.unwrap();
    let expected = state(&whole).await;

    // Before the plan stands there is no backfill yet; its last steps only tell the caller.
    let planned = 8;
    for step in (planned..steps).step_by(5) {
        let interrupted = Place::with(&SYMBOLS).await;
        let fuse = Fuse::at(step);
        let result = fuse.run(fused(&interrupted, &fuse).ingest_stocks(&symbols, 60, asked, &|_, _| {})).await;
        assert!(result.is_none(), "step {step} was not reached");
        interrupted.data(vendor()).ingest_daily(next, &|_, _| {}).await.unwrap();
        let found = state(&interrupted).await;
        for (name, bytes) in &expected.0 {
            assert!(found.0.get(name) == Some(bytes), "step {step}: {name} differs");
        }
        assert_eq!(found.2, expected.2, "step {step}");
    }
}

/// As in a function that is cut off after some minutes: three chunks of stocks, each in an invocation of its own.
#[tokio::test]
async fn a_run_whose_time_is_up_goes_on_where_it_stopped() {
    let companies = Bundled::new();
    let symbols: Vec<&str> = companies.all_companies().iter().take(20).map(|company| company.symbol.as_str()).collect();
    let vendor = || -> Arc<dyn MarketData> { Arc::new(Vendor::of(symbols.iter().map(|symbol| bundled(symbol, AFTER)))) };
    let (whole, parts, now) = (Place::with(&symbols).await, Place::with(&symbols).await, evening_of(AFTER));
    whole.data(vendor()).ingest_everything(now, &|_, _| {}).await.unwrap();

    for (done, state) in [(8, RunState::Running), (16, RunState::Running), (20, RunState::Succeeded), (20, RunState::Succeeded)] {
        let chunks = AtomicUsize::new(0);
        let data = parts.data(vendor()).until(move || chunks.fetch_add(1, Ordering::Relaxed) >= 1);
        let run = data.ingest_everything(now, &|_, _| {}).await.unwrap();
        assert_eq!((run.symbols_done, run.state), (done, state));
    }
    assert_eq!(records(&parts.data(vendor())).await, records(&whole.data(vendor())).await);
    assert!(parts.files() == whole.files(), "the same files to the byte");
}
