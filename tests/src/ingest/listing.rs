//! Other names, ends, and rows of which no bar can be made.

use std::sync::Arc;

use app::{
    data::Reason,
    ports::{RejectedRow, RowFault},
};
use domain::{ActionKind, Company};
use jiff::civil::date;

use super::{
    place::{Place, at, company, symbol},
    rows::{bundled, evening_of},
    vendor::Vendor,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_stock_keeps_its_history_under_its_new_symbol() {
    let place = Place::with(&["KO", "META"]).await;
    let friday = date(2022, 1, 7);
    let both = |last| ["META", "KO"].map(|symbol| bundled(symbol, last));
    let before = Vendor { has_sessions: true, companies: vec![company("KO"), company("META")], ..Vendor::of(both(friday)) };
    let data = place.data(Arc::new(before));
    data.ingest_everything(evening_of(friday), &|_, _| {}).await.unwrap();
    data.ingest_companies(evening_of(friday)).await.unwrap();
    let old = place.history("META", "2022-01-07T22:00:00Z").await;

    // From Monday on META is called MVRS; the share class is the same.
    let mut after = Vendor::of(both(date(2022, 1, 10)));
    let mut renamed = after.histories.remove(&symbol("META")).unwrap();
    renamed.symbol = symbol("MVRS");
    after.histories.insert(symbol("MVRS"), renamed);
    after.has_sessions = true;
    after.companies = vec![company("KO"), Company { figi: company("META").figi, ..company("MVRS") }];
    after.delisted = vec![Company { is_active: false, delisted_on: Some(date(2022, 1, 10)), ..company("META") }];
    let data = place.data(Arc::new(after));
    let now = evening_of(date(2022, 1, 10));
    for _ in 0..2 {
        let run = data.ingest_daily(now, &|_, _| {}).await.unwrap();
        assert_eq!((run.symbols_done, run.symbols_failed), (2, 0), "{:?}", run.failures);
    }

    let new = place.history("MVRS", "2022-01-10T22:00:00Z").await;
    assert_eq!(new.bars.len(), old.bars.len() + 1);
    assert_eq!(new.bars[..old.bars.len()], old.bars);
    let ended = place.history("META", "2022-01-10T22:00:00Z").await;
    assert_eq!(ended.bars, old.bars);
    let last = ended.actions.last().unwrap();
    assert_eq!((last.ex_date, &last.kind), (date(2022, 1, 10), &ActionKind::SymbolChange { to: symbol("MVRS") }));
    let is_active = |company: Option<Company>| company.unwrap().is_active;
    assert!(!is_active(place.company("META").await) && is_active(place.company("MVRS").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delisted_stock_ends_on_the_day_that_the_vendor_tells() {
    let place = Place::with(&["KO", "PEP"]).await;
    let friday = date(2022, 1, 7);
    let mut vendor = Vendor { companies: vec![company("KO")], ..Vendor::of(["KO", "PEP"].map(|symbol| bundled(symbol, friday))) };
    vendor.delisted = vec![Company { is_active: false, delisted_on: Some(date(2022, 1, 10)), ..company("PEP") }];
    let data = place.data(Arc::new(vendor));
    data.ingest_everything(evening_of(friday), &|_, _| {}).await.unwrap();
    data.ingest_companies(at("2022-01-10T22:00:00Z")).await.unwrap();
    let pep = place.history("PEP", "2022-01-10T22:00:00Z").await;
    assert_eq!(
        pep.actions.last().map(|action| (action.ex_date, action.kind.clone())),
        Some((date(2022, 1, 10), ActionKind::Delisting { value: None }))
    );
    let company = place.company("PEP").await.unwrap();
    assert_eq!((company.is_active, company.delisted_on), (false, Some(date(2022, 1, 10))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_no_bar_is_kept_for_people_to_see() {
    let place = Place::with(&["KO"]).await;
    let friday = date(2022, 1, 7);
    let row = RejectedRow {
        symbol: Some(symbol("KO")),
        day: Some(date(2022, 1, 8)),
        fault: RowFault::NotASession(date(2022, 1, 8)),
        row: r#"{"t":1641600000000,"c":60}"#.into(),
    };
    let data = place.data(Arc::new(Vendor { rejected: vec![row], ..Vendor::of([bundled("KO", friday)]) }));
    let run = data.ingest_everything(evening_of(friday), &|_, _| {}).await.unwrap();
    assert_eq!(run.bars_quarantined, 1);
    let held = data.quarantine().await.unwrap();
    assert_eq!((held[0].reason, held[0].record, held[0].date), (Reason::Unreadable, None, Some(date(2022, 1, 8))));
    assert!(held[0].detail.contains("no session"), "{}", held[0].detail);
    assert!(data.release(&held[0].id, evening_of(friday)).await.is_err());
    data.discard(&held[0].id).await.unwrap();
}
