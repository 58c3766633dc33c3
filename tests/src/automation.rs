//! Signals taken without being asked, for those who want it and for nobody else.

use adapters::store::{Item, Key};
use app::jobs::JobKind;
use serde_json::{Value, json};

use crate::harness::{ADMIN, Client, Server};

/// Eleven in the morning of 2022-01-03: the hourly run has been by since the clock stood at ten.
const ELEVEN: &str = "2022-01-03T16:00:00Z";

async fn orders(client: &Client) -> Vec<Value> {
    client.get("portfolio/orders?limit=1000").await.ok()["orders"].as_array().unwrap().clone()
}

async fn automate(client: &Client, min_confidence: f64) {
    let preferences = client.put("users/preferences", &json!({"auto_trade": true, "auto_trade_min_confidence": min_confidence})).await.ok();
    assert_eq!((&preferences["auto_trade"], &preferences["auto_trade_min_confidence"]), (&json!(true), &json!(min_confidence)));
}

async fn purchases(client: &Client) -> Vec<Value> {
    let signals = client.get("signals?action=BUY&status=active&limit=100").await.ok();
    signals["signals"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_are_taken_once_for_those_who_want_it_and_as_they_want_it() {
    let server = Server::start().await;
    let (all, sure, off) =
        (server.log_in("all@example.com").await, server.log_in("sure@example.com").await, server.log_in("off@example.com").await);
    let admin = server.log_in(ADMIN).await;
    let preferences = off.get("users/preferences").await.ok();
    assert_eq!((&preferences["auto_trade"], &preferences["auto_trade_min_confidence"]), (&json!(false), &json!(0.35)));
    let problem = off.put("users/preferences", &json!({"auto_trade_min_confidence": 1.5})).await.problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "/auto_trade_min_confidence", "{problem}");

    // What the user has rejected is not taken for the user.
    let signals = purchases(&all).await;
    let rejected = &signals[0];
    all.post(&format!("signals/{}/action", rejected["id"].as_str().unwrap()), &json!({"action": "reject"})).await.ok();
    automate(&all, 0.0).await;
    automate(&sure, 0.99).await;
    admin.advance(ELEVEN).await;

    let taken = orders(&all).await;
    assert!(!taken.is_empty() && taken.iter().all(|order| order["symbol"] != rejected["symbol"]), "{taken:?}");
    assert_eq!((orders(&sure).await.len(), orders(&off).await.len()), (0, 0));
    let entries = all.get("portfolio/ledger?limit=1000").await.ok();
    let placed = entries["entries"].as_array().unwrap().iter().filter(|entry| entry["type"] == "order_accepted");
    assert!(placed.clone().all(|entry| entry["cause"] == "job:auto_trade"));
    assert_eq!(placed.count(), taken.len());
    let signal = |order: &Value| format!("signals/{}", order["signal_id"].as_str().unwrap());
    let explained = all.get(&signal(&taken[0])).await.ok();
    assert_eq!(
        (&explained["your_action"], &explained["your_action_is_automatic"], &explained["status"]),
        (&json!("accept"), &json!(true), &json!("executed"))
    );
    let own = all.get(&format!("signals/{}", rejected["id"].as_str().unwrap())).await.ok();
    assert_eq!((&own["your_action"], &own["your_action_is_automatic"]), (&json!("reject"), &json!(false)));

    // However often the job runs, and at whatever hour.
    let now = ELEVEN.parse().unwrap();
    for _ in 0..2 {
        server.system.services.jobs.run(JobKind::GenerateSignals, now, jiff::Timestamp::now()).await.unwrap();
    }
    admin.advance("2022-01-03T20:59:00Z").await;
    assert_eq!(orders(&all).await.len(), taken.len());

    // Asking for less takes the rest of the day's signals; nothing that was taken is taken again.
    automate(&sure, 0.0).await;
    server.system.services.jobs.run(JobKind::GenerateSignals, now, jiff::Timestamp::now()).await.unwrap();
    assert!(orders(&sure).await.len() >= taken.len());

    // In the evening the new signals follow; turned off, nothing does.
    sure.put("users/preferences", &json!({"auto_trade": false})).await.ok();
    let before = orders(&sure).await.len();
    automate(&off, 0.0).await;
    admin.advance("2022-01-03T22:00:00Z").await;
    assert_eq!(orders(&sure).await.len(), before);
    assert!(orders(&off).await.iter().any(|order| order["signal_id"].as_str().is_some_and(|id| id.starts_with("2022-01-03"))));
    assert_eq!(all.get("portfolio/ledger/verify").await.ok()["valid"], true);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_closes_by_the_end_of_its_signals_life_whoever_took_it() {
    let server = Server::start().await;
    let (ann, auto, late) =
        (server.log_in("ann@example.com").await, server.log_in("auto@example.com").await, server.log_in("late@example.com").await);
    let admin = server.log_in(ADMIN).await;
    let signals = purchases(&ann).await;
    let replaced = signals[0]["id"].as_str().unwrap().to_owned();
    for signal in &signals {
        // Some find their sector full: what is accepted is what counts.
        ann.post(&format!("signals/{}/action", signal["id"].as_str().unwrap()), &json!({"action": "accept"})).await;
    }
    automate(&auto, 0.0).await;
    admin.advance(ELEVEN).await;
    auto.put("users/preferences", &json!({"auto_trade": false})).await.ok();
    admin.advance("2022-01-03T22:00:00Z").await;
    let held = |client: Client| async move { client.get("portfolio/positions").await.ok()["total"].as_u64().unwrap() };
    assert!(held(ann.clone()).await > 0 && held(auto.clone()).await > 0);

    // A day later other signals have taken their place.
    let problem = late.post(&format!("signals/{replaced}/action"), &json!({"action": "accept"})).await.problem(409);
    assert!(problem["type"].as_str().unwrap().ends_with("signal-cancelled"), "{problem}");

    // With levels that no price reaches, time alone can close them: ten sessions after 2021-12-31, at the close.
    for client in [&ann, &auto] {
        for position in client.get("portfolio/positions").await.ok()["positions"].as_array().unwrap() {
            let path = format!("portfolio/positions/{}", position["id"].as_str().unwrap());
            client.put(&path, &json!({"stop_loss": 1, "target_price": 50_000})).await.ok();
        }
    }
    let before = (held(ann.clone()).await, held(auto.clone()).await);
    admin.advance("2022-01-14T20:45:00Z").await;
    assert_eq!((held(ann.clone()).await, held(auto.clone()).await), before);
    admin.advance("2022-01-14T21:00:00Z").await;
    assert_eq!((held(ann.clone()).await, held(auto.clone()).await), (0, 0));
    let trades = ann.get("portfolio/trades").await.ok();
    assert_eq!(trades["trades"][0]["executed_at"], "2022-01-14T21:00:00Z");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_portfolio_does_not_keep_the_others_from_trading() {
    let server = Server::start().await;
    let users = ["ann@example.com", "bob@example.com", "cyd@example.com"];
    let mut clients = vec![];
    for user in users {
        let client = server.log_in(user).await;
        automate(&client, 0.0).await;
        clients.push(client);
    }
    let id = clients[1].get("users/me").await.ok()["id"].as_str().unwrap().to_owned();
    let damaged = Item::new(Key::new(format!("USER#{id}"), "STATE")).number("entries", 1).text("doc", "{");
    server.system.store.portfolios().put(damaged).await.unwrap();
    let report = server.log_in(ADMIN).await.advance(ELEVEN).await;
    let ran = report["ran"].as_array().unwrap().iter().find(|run| run["job"] == "generate_signals").unwrap();
    assert!(ran["outcome"].as_str().unwrap().ends_with("1 failed"), "{ran}");
    for client in [&clients[0], &clients[2]] {
        assert!(!orders(client).await.is_empty());
    }
    server.stop().await;
}
