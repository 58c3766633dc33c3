//! Vendors correct themselves: the newest version counts, the older ones can be asked for, and what was made of them follows.

use std::{collections::BTreeMap, sync::Arc};

use domain::{BarRecord, PriceHistory, Symbol, Timestamp};
use jiff::civil::date;

use super::{
    place::{Place, at},
    rows::{bar, bundled, evening_of, histories, record, table},
    vendor::{Vendor, evening},
};

/// The corrections that one vendor sent during 2015, a day after each bar, for twenty stocks.
#[tokio::test(flavor = "multi_thread")]
async fn real_corrections_of_2015_are_kept_beside_what_they_correct() {
    let mut told: BTreeMap<Symbol, PriceHistory> = histories(include_bytes!("../../data/pystock_raw_2015.csv.gz"));
    // The first evenings that matter are few: two months around the most corrections keep the test short.
    let (first, last) = (date(2015, 5, 1), date(2015, 6, 30));
    let mut corrections: Vec<(Symbol, BarRecord)> = vec![];
    for row in table(include_bytes!("../../data/pystock_restatements_2015.csv.gz")) {
        let symbol: Symbol = row["symbol"].parse().unwrap();
        let Some(corrected) = bar(&row, "_re").filter(|bar| first <= bar.date.date() && bar.date.date() <= last) else { continue };
        corrections.push((symbol, BarRecord { known_at: evening(corrected.date.next()), ..record(corrected) }));
    }
    for history in told.values_mut() {
        history.bars.retain(|record| first <= record.bar.date.date() && record.bar.date.date() <= last);
    }
    let original = told.clone();
    corrections
        .retain(|(symbol, corrected)| original[symbol].bar_on(corrected.bar.date.date()).is_some_and(|known| known.bar != corrected.bar));
    for (symbol, corrected) in &corrections {
        told.get_mut(symbol).unwrap().merge(&[*corrected], &[]);
    }
    assert!(corrections.len() > 50, "{}", corrections.len());

    let symbols: Vec<String> = told.keys().map(ToString::to_string).collect();
    let place = Place::with(&symbols.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let data = place.data(Arc::new(Vendor { has_sessions: true, ..Vendor::of(told.into_values()) }));
    let mut restated = 0;
    let mut held = 0;
    for session in domain::calendar::sessions(first, last.saturating_add(jiff::ToSpan::days(1))) {
        let run = data.ingest_daily(evening(session), &|_, _| {}).await.unwrap();
        assert_eq!(run.symbols_failed, 0, "{:?}", run.failures);
        restated += data.restatements(&run).await.unwrap().len();
        held += run.bars_quarantined;
    }
    assert_eq!((restated, held), (corrections.len(), 0));

    for (symbol, corrected) in &corrections {
        let day = corrected.bar.date;
        let then = place.market().history(symbol, evening(day)).await.unwrap();
        assert_eq!(
            then.bar_on(day.date()).unwrap().bar,
            original[symbol].bar_on(day.date()).unwrap().bar,
            "{symbol} {day}: as first published"
        );
        let now = place.market().history(symbol, evening(day.next())).await.unwrap();
        let newest = now.bar_on(day.date()).unwrap();
        assert_eq!((newest.bar, newest.known_at), (corrected.bar, evening(day.next())), "{symbol} {day}: corrected");
    }
}

/// What followed from the bar follows from the corrected one.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_computed_from_a_corrected_bar_is_computed_again() {
    let last = date(2022, 1, 4);
    let mut vendor = Vendor { has_sessions: true, ..Vendor::of(["KO", "PEP", "AAPL"].map(|symbol| bundled(symbol, last))) };
    let correction: Timestamp = at("2022-01-05T22:00:00Z");
    let mut corrected = *vendor.history_mut("KO").bar_on(last).unwrap();
    corrected.bar.close = corrected.bar.low;
    vendor.history_mut("KO").merge(&[BarRecord { known_at: correction, ..corrected }], &[]);
    vendor.history_mut("KO").bars.last_mut().unwrap().known_at = correction;

    let place = Place::with(&["AAPL", "KO", "PEP"]).await;
    let data = place.data(Arc::new(vendor));
    data.ingest_everything(evening_of(last), &|_, _| {}).await.unwrap();
    let (before, means) = (place.market().snapshot().await.unwrap(), place.market().context().await.unwrap());
    let run = data.ingest_daily(correction, &|_, _| {}).await.unwrap();
    let (after, corrected_means) = (place.market().snapshot().await.unwrap(), place.market().context().await.unwrap());

    assert_eq!(data.restatements(&run).await.unwrap(), [("KO".parse().unwrap(), last)].into());
    let close = |snapshot: &app::market::MarketSnapshot, symbol: &str| snapshot.stocks[&symbol.parse::<Symbol>().unwrap()].close;
    assert!(close(&after, "KO") < close(&before, "KO") && close(&after, "PEP") == close(&before, "PEP"));
    let mean = |context: &analysis::MarketContext| context.on(last).unwrap().0.mean_return;
    assert!(mean(&corrected_means) < mean(&means));
}
