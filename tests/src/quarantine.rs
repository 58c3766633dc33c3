//! Bars that cannot be right: kept apart, seen by the administrator, released or discarded.

use std::sync::Arc;

use app::{
    data::Data,
    ports::{HistoryStore, MarketData, Quote, VendorActions, VendorError, VendorHistory, VendorSession},
};
use async_trait::async_trait;
use domain::{Bar, BarRecord, Company, Date, Source, Symbol, Timestamp, TradingDate};
use jiff::civil::date;
use serde_json::json;

use crate::harness::{ADMIN, Server};

/// A vendor that sends two bars of 2022-01-03 and -04, the first with its open above its high, the second at ten times the price.
pub(crate) struct Careless;

fn bar(day: i8, [open, high, low, close]: [&str; 4]) -> BarRecord {
    let price = |text: &str| text.parse().unwrap();
    let date = TradingDate::new(date(2022, 1, day)).unwrap();
    let bar = Bar { date, open: price(open), high: price(high), low: price(low), close: price(close), volume: 1_000_000 };
    BarRecord { bar, source: Source::Tiingo, known_at: date.close() }
}

#[async_trait]
impl MarketData for Careless {
    fn source(&self) -> Source {
        Source::Tiingo
    }

    async fn companies(&self, _: Timestamp) -> Result<Vec<Company>, VendorError> {
        Ok(vec![])
    }

    async fn company(&self, symbol: &Symbol, _: Timestamp) -> Result<Company, VendorError> {
        Err(VendorError::UnknownSymbol("Careless", symbol.clone()))
    }

    async fn delisted(&self, _: Date, _: Timestamp) -> Result<Vec<Company>, VendorError> {
        Ok(vec![])
    }

    async fn history(&self, _: &Symbol, _: Date, _: Date, _: Timestamp) -> Result<VendorHistory, VendorError> {
        let bars = vec![bar(3, ["60", "59.90", "58.80", "59.25"]), bar(4, ["590", "600", "590", "595"])];
        Ok(VendorHistory { bars, ..VendorHistory::default() })
    }

    async fn session(&self, _: TradingDate, _: Timestamp) -> Result<VendorSession, VendorError> {
        Ok(VendorSession::default())
    }

    fn calls(&self) -> u64 {
        0
    }

    async fn quotes(&self, _: &[Symbol], _: Timestamp) -> Result<Vec<Quote>, VendorError> {
        Ok(vec![])
    }

    async fn actions(&self, _: &[Symbol], _: Date, _: Date, _: Timestamp) -> Result<VendorActions, VendorError> {
        Ok(VendorActions::default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_that_cannot_be_right_waits_for_a_decision() {
    let server = Server::start().await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    admin.advance("2022-01-05T15:00:00Z").await;
    let close = |day: &'static str| {
        let ann = ann.clone();
        async move {
            ann.get(&format!("stocks/KO/prices?adjusted=false&start_date={day}&end_date={day}")).await.ok()["prices"][0]["close"].clone()
        }
    };
    let before = (close("2022-01-03").await, close("2022-01-04").await);

    let objects: Arc<dyn HistoryStore> = server.system.objects.clone();
    let data = Data::new(server.system.services.stocks.market().clone(), objects, Arc::new(Careless));
    let now: Timestamp = "2022-01-05T15:00:00Z".parse().unwrap();
    for _ in 0..2 {
        data.ingest_stocks(&["KO".parse().unwrap()], 5, now, &|_, _| {}).await.unwrap();
    }

    // Both are held, once each, with the reason; nobody else sees them anywhere.
    ann.get("data/quarantine").await.problem(403);
    let held = admin.get("data/quarantine").await.ok();
    assert_eq!(held["total"], 2, "{held}");
    let ids: Vec<String> = held["quarantine"].as_array().unwrap().iter().map(|bar| bar["id"].as_str().unwrap().to_owned()).collect();
    assert!(held["quarantine"][0]["reason"].as_str().unwrap().contains("high"), "{held}");
    assert!(held["quarantine"][1]["reason"].as_str().unwrap().contains("split"), "{held}");
    assert_eq!((close("2022-01-03").await, close("2022-01-04").await), before);

    // Released, it is a restatement; discarded, it stays away also when it is sent again.
    let released = admin.post(&format!("data/quarantine/{}/release", ids[0]), &json!({})).await.ok();
    assert_eq!(released["state"], "released");
    assert_eq!(close("2022-01-03").await, 59.25);
    assert_eq!(admin.post(&format!("data/quarantine/{}/discard", ids[1]), &json!({})).await.ok()["state"], "discarded");
    admin.post(&format!("data/quarantine/{}/release", ids[1]), &json!({})).await.problem(409);
    admin.post("data/quarantine/KO-nothing/release", &json!({})).await.problem(404);
    data.ingest_stocks(&["KO".parse().unwrap()], 5, now, &|_, _| {}).await.unwrap();
    assert_eq!(admin.get("data/quarantine").await.ok()["total"], 0);
    assert_eq!(close("2022-01-04").await, before.1);
}
