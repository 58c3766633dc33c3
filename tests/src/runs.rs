//! Ingestions on request: each with a record of its own, and a mistyped symbol without consequences.

use serde_json::{Value, json};

use crate::harness::{ADMIN, Server};

async fn runs(admin: &crate::harness::Client) -> Vec<Value> {
    admin.get("data/runs").await.ok()["runs"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_one_instant_do_not_overwrite_each_other() {
    let server = Server::start().await;
    let admin = server.log_in(ADMIN).await;
    let ingest = async |symbols: Value, days_back: u32| {
        admin.post(&format!("data/ingest/stocks?background=false&days_back={days_back}"), &symbols).await.ok()["id"].clone()
    };
    let first = ingest(json!(["AAPL"]), 30).await;
    let second = ingest(json!(["MSFT", "ZZZZ"]), 30).await;
    let longer = ingest(json!(["AAPL"]), 60).await;
    assert!(first != second && first != longer && second != longer, "{first} {second} {longer}");
    assert_eq!(ingest(json!(["ZZZZ", "MSFT", "MSFT"]), 30).await, second, "the same wish is the same run");

    let found = runs(&admin).await;
    let state = |id: &Value| found.iter().find(|run| run["id"] == *id).map(|run| (run["state"].clone(), run["symbols_total"].clone()));
    assert_eq!(state(&first), Some((json!("succeeded"), json!(1))));
    assert_eq!(state(&second), Some((json!("partial"), json!(2))));

    let announced = admin.post("data/ingest/stocks?days_back=90", &json!(["AAPL"])).await;
    assert_eq!(announced.status, 202);
    let id = announced.json()["run_id"].as_str().unwrap().to_owned();
    assert_eq!(admin.get(&format!("data/runs/{id}")).await.ok()["id"], id.as_str(), "the run is found by the id that was told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_that_no_vendor_knows_fails_once() {
    let server = Server::start().await;
    let admin = server.log_in(ADMIN).await;
    let asked = admin.post("data/ingest/stocks?background=false", &json!(["ZZZZ"])).await.ok();
    assert_eq!(asked["state"], "failed");
    for _ in 0..2 {
        admin.advance("next_session").await;
        let runs = runs(&admin).await;
        let daily = runs.iter().find(|run| run["kind"] == "scheduled").unwrap();
        assert_eq!((&daily["state"], &daily["symbols_total"]), (&json!("succeeded"), &json!(60)), "{daily}");
    }
}
