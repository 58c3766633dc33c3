//! Prices and features: as traded and adjusted, never from the future, cached by what they are.

use jiff::civil::date;
use reqwest::Method;
use serde_json::Value;

use crate::harness::{ADMIN, Server};

#[tokio::test(flavor = "multi_thread")]
async fn raw_prices_are_what_traded_and_adjusted_ones_know_the_split() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    let close = |query: &'static str| {
        let ann = ann.clone();
        async move { ann.get(&format!("stocks/AAPL/prices?start_date=2020-08-28&end_date=2020-08-28{query}")).await.ok()["prices"][0].clone() }
    };
    let (raw, adjusted) = (close("&adjusted=false").await, close("").await);
    assert_eq!(raw["close"].as_f64(), Some(499.23));
    assert_eq!(adjusted["close"].as_f64(), Some(124.8075));
    assert_eq!(adjusted["adjusted_volume"].as_u64().unwrap(), raw["volume"].as_u64().unwrap() * 4);
    // Dividends since then lower it further.
    assert!(adjusted["adjusted_close"].as_f64().unwrap() < 124.8);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_known_before_its_time() {
    let server = Server::start_on(date(2020, 8, 27)).await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    let newest = |path: &'static str| {
        let ann = ann.clone();
        async move { ann.get(path).await.ok() }
    };
    let prices = newest("stocks/AAPL/prices?limit=1").await;
    assert_eq!(
        (&prices["prices"][0]["date"], prices["prices"][0]["close"].as_f64()),
        (&"2020-08-26".into(), Some(506.09)),
        "before the split is known"
    );
    assert_eq!(newest("stocks/AAPL/features?limit=1").await["features"][0]["date"], "2020-08-26");
    assert_eq!(newest("stocks/AAPL/latest").await["date"], "2020-08-26");
    assert_eq!(newest("stocks/AAPL/prices?start_date=2020-08-27").await["count"], 0);
    let features = newest("stocks/AAPL/features?end_date=2020-08-26&limit=250").await;

    // After the session its bar is there, and what was said of the days before has not changed.
    admin.advance("next_session").await;
    assert_eq!(newest("stocks/AAPL/prices?limit=1").await["prices"][0]["date"], "2020-08-27");
    assert_eq!(newest("stocks/AAPL/features?end_date=2020-08-26&limit=250").await, features);
}

#[tokio::test(flavor = "multi_thread")]
async fn indicators_are_null_while_they_warm_up() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    let first = ann.get("stocks/AAPL/features?end_date=2018-02-15&limit=1000").await.ok();
    let rows = first["features"].as_array().unwrap();
    let oldest = rows.last().unwrap();
    assert_eq!(oldest["date"], "2018-01-02");
    assert!(["sma_20", "rsi_14", "macd", "atr_14", "volatility_20d"].iter().all(|name| oldest[name] == Value::Null), "{oldest}");
    assert!(rows[0]["sma_20"].is_number() && rows[0]["sma_200"].is_null(), "{}", rows[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_changed_is_not_sent_again() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    let first = ann.get("stocks/AAPL/prices").await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = ann.send(Method::GET, "stocks/AAPL/prices", None, &[("if-none-match", &tag)]).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingestion_is_recorded_and_repeating_it_adds_nothing() {
    let server = Server::start().await;
    let admin = server.log_in(ADMIN).await;
    admin.advance("next_session").await;
    let run = |path: &'static str| {
        let admin = admin.clone();
        async move { admin.send(Method::POST, path, None, &[]).await.ok() }
    };
    let runs = admin.get("data/runs").await.ok();
    assert_eq!(runs["runs"][0]["bars_added"], 60, "the scheduled run of the evening: {runs}");
    let again = run("data/ingest/scheduled?background=false").await;
    assert_eq!((&again["state"], again["bars_added"].as_u64(), again["symbols_done"].as_u64()), (&"succeeded".into(), Some(0), Some(60)));
    let id = again["id"].as_str().unwrap();
    assert_eq!(admin.get(&format!("data/runs/{id}")).await.ok()["state"], "succeeded");
}
