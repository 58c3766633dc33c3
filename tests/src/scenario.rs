//! The first use that anyone makes of the product, from the mailed code to being logged out.

use serde_json::{Value, json};

use crate::harness::{ADMIN, Client, Server};

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[allow(clippy::cast_possible_truncation)] // paper money is far from the limits of an integer
fn cents(value: &Value) -> i64 {
    (number(value) * 100.0).round() as i64
}

/// The summary's parts add up, and the allocation says the same.
async fn check_sums(client: &Client) -> Value {
    let summary = client.get("portfolio/summary").await.ok();
    let sum = |parts: &[&str]| parts.iter().map(|part| cents(&summary[part])).sum::<i64>();
    assert_eq!(sum(&["realized_pnl", "unrealized_pnl", "dividends"]), cents(&summary["total_pnl"]), "{summary}");
    assert_eq!(sum(&["cash_balance", "invested_value"]), cents(&summary["total_value"]), "{summary}");
    assert_eq!(cents(&summary["total_value"]) - cents(&summary["total_pnl"]), 10_000_000, "{summary}");

    let allocation = client.get("portfolio/allocation").await.ok();
    for breakdown in ["by_sector", "by_market_cap", "by_asset"] {
        let slices = allocation[breakdown].as_array().unwrap();
        assert_eq!(slices.iter().map(|slice| cents(&slice["percentage"])).sum::<i64>(), 10_000, "{allocation}");
        assert_eq!(slices.iter().map(|slice| cents(&slice["value"])).sum::<i64>(), cents(&summary["total_value"]), "{allocation}");
    }
    let performance = client.get("portfolio/performance?period=ALL").await.ok();
    assert_eq!(performance["performance"].as_array().unwrap().last().unwrap()["value"], summary["total_value"]);

    let verification = client.get("portfolio/ledger/verify").await.ok();
    assert_eq!((&verification["valid"], &verification["differences"]), (&json!(true), &json!([])));
    summary
}

async fn best_purchase(client: &Client) -> Value {
    let signals = client.get("signals?action=BUY&status=active&limit=100").await.ok();
    let signals = signals["signals"].as_array().unwrap();
    let best = signals.iter().max_by(|a, b| number(&a["expected_return"]).total_cmp(&number(&b["expected_return"])));
    best.expect("a quiet day would have no purchase; this one has").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_mailed_code_to_a_closed_position_with_its_profit() {
    let server = Server::start().await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);

    let stocks = ann.get("stocks?limit=1000").await.ok();
    assert_eq!((stocks["total"].as_u64(), stocks["stocks"].as_array().unwrap().len()), (Some(60), 60));

    // The best signal, explained: chances sum to one, and so do the words' numbers.
    let best = best_purchase(&ann).await;
    let detail = ann.get(&format!("signals/{}", best["id"].as_str().unwrap())).await.ok();
    let chances = &detail["probabilities"];
    assert!((number(&chances["buy"]) + number(&chances["hold"]) + number(&chances["sell"]) - 1.0).abs() < 1e-9);
    assert_eq!(detail["confidence"], chances["buy"]);
    assert!(number(&best["stop_loss"]) < number(&best["entry_price"]) && number(&best["entry_price"]) < number(&best["target_price"]));
    assert_eq!(detail["feature_importance"].as_object().unwrap().len(), 36);

    // Accepted at 10:00, it waits: there is no price since.
    let accepted = ann
        .post(&format!("signals/{}/action", best["id"].as_str().unwrap()), &json!({"action": "accept", "notes": "let us see"}))
        .await
        .ok();
    let order = accepted["order"]["id"].as_str().unwrap().to_owned();
    assert_eq!(accepted["order"]["status"], "accepted");
    assert_eq!(check_sums(&ann).await["total_trades"], 0);

    // At the close it fills, at the close's price and a little more, and says why.
    admin.advance("2022-01-03T21:00:00Z").await;
    let filled = ann.get(&format!("portfolio/orders/{order}")).await.ok();
    assert_eq!(filled["status"], "filled");
    let fill = &filled["fills"][0];
    assert_eq!((&fill["price_basis"], &fill["executed_at"]), (&json!("close"), &json!("2022-01-03T21:00:00Z")));
    assert!(number(&fill["price"]) > number(&fill["reference_price"]) && number(&fill["slippage"]["total_bps"]) >= 5.0);
    let position = ann.get("portfolio/positions").await.ok()["positions"][0].clone();
    assert_eq!((&position["symbol"], &position["stop_loss"]), (&best["symbol"], &best["stop_loss"]));
    assert_eq!(ann.get(&format!("signals/{}", best["id"].as_str().unwrap())).await.ok()["status"], "executed");
    check_sums(&ann).await;

    // The next morning there are new signals, and the position moves with the market.
    admin.advance("next_session").await;
    assert_eq!(best_purchase(&ann).await["id"].as_str().unwrap()[..10], *"2022-01-03");
    check_sums(&ann).await;

    // It is closed by hand if it is still there; either way its profit is realised and the sums hold.
    let id = position["id"].as_str().unwrap();
    if ann.get("portfolio/positions").await.ok()["total"] == 1 {
        ann.delete(&format!("portfolio/positions/{id}")).await.ok();
        admin.advance("next_session").await;
    }
    let summary = check_sums(&ann).await;
    assert_eq!((cents(&summary["unrealized_pnl"]), cents(&summary["realized_pnl"])), (0, cents(&summary["total_pnl"])));
    let closed = ann.get("portfolio/positions?status=closed").await.ok();
    assert_eq!((closed["total"].as_u64(), &closed["positions"][0]["id"]), (Some(1), &json!(id)));
    assert_eq!(ann.get("portfolio/trades").await.ok()["trades"].as_array().unwrap().len(), 2);

    // Nobody else sees any of it.
    let bob = server.log_in("bob@example.com").await;
    bob.get(&format!("portfolio/positions/{id}")).await.problem(404);
    bob.get(&format!("portfolio/orders/{order}")).await.problem(404);

    ann.post("auth/logout", &json!({})).await.ok();
    let refused = ann.get("portfolio/summary").await;
    refused.problem(401);
    assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_are_judged_by_what_happened_and_say_null_where_nothing_did() {
    let server = Server::start().await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    let before = ann.get("signals/performance/summary").await.ok();
    assert_eq!((before["active_signals"].as_u64(), before["evaluated_signals"].as_u64()), (Some(60), Some(1800)));
    admin.advance("next_session").await;
    let after = ann.get("signals/performance/summary").await.ok();
    assert_eq!(after["evaluated_signals"].as_u64(), Some(1860), "one more day has come to its end");
    let bins = after["calibration"].as_array().unwrap();
    assert_eq!(bins.iter().map(|bin| bin["signals"].as_u64().unwrap()).sum::<u64>(), 1860);
    // Yesterday's signals have given way to today's.
    let cancelled = ann.get("signals?date=2021-12-31&status=cancelled").await.ok();
    assert_eq!(cancelled["total"].as_u64(), Some(60));

    let summary = ann.get("portfolio/summary").await.ok();
    for undefined in ["win_rate", "sharpe_ratio", "max_drawdown", "volatility", "prices_as_of"] {
        assert_eq!(summary[undefined], Value::Null, "{undefined}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejecting_a_signal_is_remembered_and_trades_nothing() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    let best = best_purchase(&ann).await;
    let path = format!("signals/{}/action", best["id"].as_str().unwrap());
    let answer = ann.post(&path, &json!({"action": "reject", "notes": "not today"})).await.ok();
    assert_eq!((&answer["action"], &answer["notes"]), (&json!("reject"), &json!("not today")));
    assert_eq!(ann.get(&format!("signals/{}", best["id"].as_str().unwrap())).await.ok()["your_action"], "reject");
    assert_eq!(ann.get("portfolio/orders").await.ok()["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_where_it_was() {
    let server = Server::start().await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    ann.post("portfolio/positions", &json!({"symbol": "KO", "quantity": 100})).await.ok();
    admin.advance("next_session").await;
    let before = (ann.get("portfolio/summary").await.ok(), ann.get("portfolio/ledger").await.ok());
    let data = server.data_dir();
    let copied = tempfile::tempdir().unwrap();
    // SQLite's file is whole at any moment: this is what a machine that lost its process would find.
    let again = Server::start_with(None, |fresh| {
        std::fs::remove_dir_all(fresh).unwrap();
        std::fs::rename(copy_of(&data, copied.path()), fresh).unwrap();
    })
    .await;
    let ann = again.log_in("ann@example.com").await;
    assert_eq!((ann.get("portfolio/summary").await.ok(), ann.get("portfolio/ledger").await.ok()), before);
    assert_eq!(ann.get("clock").await.ok()["now"], "2022-01-04T15:00:00Z");
}

fn copy_of(data: &std::path::Path, into: &std::path::Path) -> std::path::PathBuf {
    let target = into.join("data");
    let copied = std::process::Command::new("cp").arg("-r").arg(data).arg(&target).status().unwrap();
    assert!(copied.success());
    target
}
