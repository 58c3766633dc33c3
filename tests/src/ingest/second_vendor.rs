//! Two vendors: the second fills gaps, vouches, and is compared with; quotas end a run cleanly.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use app::data::{QuarantineState, Reason, RunKind, RunState};
use domain::{Date, PriceHistory, Source, Symbol, Timestamp};
use jiff::civil::date;

use super::{
    place::{Place, at},
    rows::{bundled, evening_of},
    vendor::Vendor,
};

const SYMBOLS: [&str; 4] = ["AAPL", "KO", "MSFT", "PEP"];
const FRIDAY: Date = date(2022, 1, 7);
const MONDAY: Date = date(2022, 1, 10);

fn vendor(last: Date) -> Vendor {
    Vendor { has_sessions: true, ..Vendor::of(SYMBOLS.map(|symbol| bundled(symbol, last))) }
}

fn second(last: Date) -> Vendor {
    Vendor { source: Some(Source::Tiingo), ..Vendor::of(SYMBOLS.map(|symbol| bundled(symbol, last))) }
}

/// A place that has everything up to Friday from the first vendor.
async fn on_friday() -> Place {
    let place = Place::with(&SYMBOLS).await;
    place.data(Arc::new(vendor(FRIDAY))).ingest_everything(evening_of(FRIDAY), &|_, _| {}).await.unwrap();
    place
}

fn sources(history: &PriceHistory, from: Date) -> Vec<(String, Source)> {
    let newest = history.bars.iter().filter(|record| record.bar.date.date() >= from);
    newest.map(|record| (record.bar.date.to_string(), record.source)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_vendor_fills_what_the_first_lacks_or_fails() {
    let place = on_friday().await;
    let mut first = vendor(MONDAY);
    // Of KO it lacks Monday, of PEP it fails.
    first.history_mut("KO").bars.pop();
    first.has_sessions = false;
    first.fail("PEP", Some(Vendor::unavailable()));
    let data = place.data(Arc::new(first)).with_second(Arc::new(second(MONDAY)));
    let run = data.ingest_daily(evening_of(MONDAY), &|_, _| {}).await.unwrap();
    assert_eq!((run.state, run.symbols_done, run.bars_added), (RunState::Succeeded, 4, 4), "{:?}", run.failures);
    for (symbol, source) in [("AAPL", Source::Polygon), ("KO", Source::Tiingo), ("PEP", Source::Tiingo)] {
        let history = place.history(symbol, "2022-01-10T22:00:00Z").await;
        assert_eq!(sources(&history, MONDAY), [("2022-01-10".to_owned(), source)], "{symbol}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_a_session_and_one_for_the_events_is_all_that_a_day_takes() {
    let place = on_friday().await;
    let vendor = Arc::new(vendor(MONDAY));
    let run = place.data(vendor).ingest_daily(evening_of(MONDAY), &|_, _| {}).await.unwrap();
    // Friday again, for corrections; Monday; the events.
    assert_eq!((run.vendor_calls, run.bars_added, run.symbols_done), (3, 4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_stock_stops_nobody_and_the_next_run_makes_up_for_it() {
    let place = on_friday().await;
    let mut first = vendor(date(2022, 1, 11));
    first.has_sessions = false;
    first.fail("KO", Some(Vendor::unavailable()));
    let first = Arc::new(first);
    let data = place.data(first.clone());
    let run = data.ingest_daily(evening_of(MONDAY), &|_, _| {}).await.unwrap();
    assert_eq!((run.state, run.symbols_done, run.symbols_failed), (RunState::Partial, 3, 1));
    assert!(run.failures[&"KO".parse::<Symbol>().unwrap()].contains("does not answer"));
    first.fail("KO", None);
    let now = evening_of(date(2022, 1, 11));
    let run = data.ingest_daily(now, &|_, _| {}).await.unwrap();
    assert_eq!((run.state, run.bars_added), (RunState::Succeeded, 5));
    // Monday's bar was not known on Monday, and it does not pretend to have been.
    let ko = place.market().history(&"KO".parse().unwrap(), now).await.unwrap();
    assert_eq!(ko.bar_on(MONDAY).unwrap().known_at, now);
    assert!(place.history("KO", "2022-01-10T22:00:00Z").await.bar_on(MONDAY).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_quota_pauses_a_backfill_and_the_next_day_does_the_rest() {
    let place = Place::with(&SYMBOLS).await;
    let vendor = Arc::new(Vendor { has_sessions: false, ..vendor(MONDAY) });
    vendor.quota.store(2, Ordering::Relaxed);
    let data = place.data(vendor.clone());
    let symbols: Vec<Symbol> = SYMBOLS.map(|symbol| symbol.parse().unwrap()).to_vec();
    let friday = evening_of(FRIDAY);
    let run = data.ingest_stocks(&symbols, 30, friday, &|_, _| {}).await.unwrap();
    assert_eq!((run.state, run.symbols_done, run.symbols_failed), (RunState::Paused, 2, 0));
    assert!((run.progress() - 0.5).abs() < 1e-9);

    vendor.quota.store(0, Ordering::Relaxed);
    data.ingest_daily(evening_of(MONDAY), &|_, _| {}).await.unwrap();
    let finished = data.run(&run.id).await.unwrap();
    assert_eq!((finished.state, finished.symbols_done, finished.kind), (RunState::Succeeded, 4, RunKind::Stocks));
    let days = |history: &PriceHistory| history.bars.iter().map(|record| record.bar.date).collect::<Vec<_>>();
    let histories = place.market().histories(&symbols, evening_of(MONDAY)).await.unwrap();
    assert!(histories.iter().all(|history| days(history) == days(&histories[0])));
    assert_eq!(histories[0].bars.first().unwrap().bar.date.date(), date(2021, 12, 8));
}

/// What the second vendor says of a doubtful bar, and what becomes of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_doubtful_bar_is_believed_when_the_second_vendor_saw_it_too() {
    for (name, second_saw_it, expected) in [("alone", false, 1), ("both", true, 0)] {
        let place = on_friday().await;
        let (mut first, mut second) = (vendor(MONDAY), second(MONDAY));
        halve_last(first.history_mut("KO"));
        if second_saw_it {
            halve_last(second.history_mut("KO"));
        }
        let data = place.data(Arc::new(first)).with_second(Arc::new(second));
        let run = data.ingest_daily(evening_of(MONDAY), &|_, _| {}).await.unwrap();
        assert_eq!(run.bars_quarantined, expected, "{name}");
        let held: Vec<Reason> = data.quarantine().await.unwrap().into_iter().map(|bar| bar.reason).collect();
        assert_eq!(held, vec![Reason::UnexplainedJump; expected], "{name}");
        let ko = place.history("KO", "2022-01-10T22:00:00Z").await;
        assert_eq!(ko.bar_on(MONDAY).is_some(), second_saw_it, "{name}");
    }
}

/// All four are in the sample of twenty.
#[tokio::test(flavor = "multi_thread")]
async fn a_sampled_bar_that_the_second_vendor_denies_is_held() {
    let place = on_friday().await;
    let mut second = second(MONDAY);
    let bar = &mut second.history_mut("KO").bars.last_mut().unwrap().bar;
    // One percent below the low: as a low it is within what vendors' ways of counting explain, as a close it is not.
    bar.low = domain::Price::from_units(bar.low.units() * 99 / 100).unwrap();
    bar.close = bar.low;
    let data = place.data(Arc::new(vendor(MONDAY))).with_second(Arc::new(second));
    let run = data.ingest_daily(evening_of(MONDAY), &|_, _| {}).await.unwrap();
    assert_eq!((run.bars_quarantined, run.bars_added), (1, 3));
    let held = data.quarantine().await.unwrap();
    assert_eq!((held[0].reason, held[0].id.starts_with("KO-2022-01-10")), (Reason::VendorsDisagree, true));
    // The vendor sends it again and again: it waits, once, and is not counted anew.
    let run = data.ingest_daily(at("2022-01-11T12:00:00Z"), &|_, _| {}).await.unwrap();
    assert_eq!((run.bars_quarantined, data.quarantine().await.unwrap().len()), (0, 1));
    assert!(place.history("KO", "2022-01-11T12:00:00Z").await.bar_on(MONDAY).is_none());
    data.release(&held[0].id, at("2022-01-11T13:00:00Z")).await.unwrap();
    let again = data.ingest_daily(at("2022-01-11T14:00:00Z"), &|_, _| {}).await.unwrap();
    assert_eq!((again.bars_quarantined, data.quarantine().await.unwrap().len()), (0, 0));
    let counts: BTreeMap<_, _> = data.quarantine_counts().await.unwrap().into_iter().map(|(_, state, count)| (state, count)).collect();
    assert_eq!(counts, [(QuarantineState::Released, 1)].into());
    let known_at: Timestamp = at("2022-01-11T13:00:00Z");
    assert_eq!(place.history("KO", "2022-01-11T14:00:00Z").await.bar_on(MONDAY).unwrap().known_at, known_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_that_a_split_explains_later_is_released_by_itself() {
    let place = Place::with(&["AAPL"]).await;
    let before = Vendor { has_sessions: true, ..Vendor::of([bundled("AAPL", date(2020, 8, 28))]) };
    place.data(Arc::new(before)).ingest_everything(evening_of(date(2020, 8, 28)), &|_, _| {}).await.unwrap();
    let mut silent = Vendor { has_sessions: true, ..Vendor::of([bundled("AAPL", date(2020, 8, 31))]) };
    let split = silent.history_mut("AAPL").actions.pop().unwrap();
    let run = place.data(Arc::new(silent)).ingest_daily(evening_of(date(2020, 8, 31)), &|_, _| {}).await.unwrap();
    assert_eq!((run.bars_added, run.bars_quarantined), (0, 1));

    let told = Vendor { has_sessions: true, ..Vendor::of([bundled("AAPL", date(2020, 9, 1))]) };
    assert!(told.histories.values().next().unwrap().actions.contains(&split));
    let data = place.data(Arc::new(told));
    let run = data.ingest_daily(evening_of(date(2020, 9, 1)), &|_, _| {}).await.unwrap();
    assert_eq!((run.bars_added, run.actions_added, data.quarantine().await.unwrap().len()), (2, 1, 0));
    // Neither was known on the day itself.
    let then = place.history("AAPL", "2020-08-31T22:00:00Z").await;
    assert_eq!(then.last_bar().unwrap().date.date(), date(2020, 8, 28));
}

fn halve_last(history: &mut PriceHistory) {
    let bar = &mut history.bars.last_mut().unwrap().bar;
    for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
        *price = domain::Price::from_units(price.units() / 2).unwrap();
    }
}
