//! Many clients at once on one portfolio.

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{ADMIN, Server};

#[tokio::test(flavor = "multi_thread")]
async fn fifty_orders_at_once_spend_no_dollar_twice() {
    let server = Server::start().await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    let symbols = ["KO", "PEP", "WMT", "JNJ", "PFE", "MRK", "XOM", "CVX", "JPM", "BAC"];
    let answers = join_all((0..50).map(|index| {
        let (ann, symbol) = (ann.clone(), symbols[index % symbols.len()]);
        async move { ann.post("portfolio/orders", &json!({"symbol": symbol, "side": "buy", "type": "market", "notional": 4000})).await }
    }))
    .await;
    let accepted = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    for refused in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        let problem = refused.problem(422);
        let name = problem["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        assert!(["insufficient-cash", "position-weight", "sector-weight"].contains(&name.as_str()), "{problem}");
    }
    // 100,000 dollars pay for 24 of them with their slippage, the weights may allow fewer.
    assert!((10..=24).contains(&accepted), "{accepted} were accepted");

    admin.advance("next_session").await;
    let summary = ann.get("portfolio/summary").await.ok();
    assert!(summary["cash_balance"].as_f64().unwrap() >= 0.0, "{summary}");
    assert_eq!(summary["total_trades"].as_u64(), Some(accepted as u64));
    assert_eq!(ann.get("portfolio/ledger/verify").await.ok()["valid"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_order_trades_once() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    let body = json!({"symbol": "KO", "side": "buy", "type": "market", "quantity": 10}).to_string();
    let send = |body: String| ann.send(Method::POST, "portfolio/orders", Some(body), &[("idempotency-key", "only-once")]);
    let answers = join_all((0..10).map(|_| send(body.clone()))).await;
    let first = answers[0].ok();
    assert!(answers.iter().all(|answer| answer.ok() == first));
    assert_eq!(ann.get("portfolio/orders").await.ok()["total"], 1);

    let other = json!({"symbol": "KO", "side": "buy", "type": "market", "quantity": 11}).to_string();
    send(other).await.problem(409);

    let named = json!({"symbol": "PEP", "side": "buy", "type": "market", "quantity": 1, "client_order_id": "mine"});
    let (first, second) = (ann.post("portfolio/orders", &named).await.ok(), ann.post("portfolio/orders", &named).await.ok());
    assert_eq!(first["id"], second["id"]);
}
