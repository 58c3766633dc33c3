//! Apple's 4:1 split of 2020-08-31 on a position with a stop, through the whole system.

use jiff::civil::date;
use serde_json::json;

use crate::harness::{ADMIN, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_split_changes_the_shares_and_not_the_money() {
    let server = Server::start_on(date(2020, 8, 27)).await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    ann.post("portfolio/positions", &json!({"symbol": "AAPL", "quantity": 15})).await.ok();
    admin.advance("next_session").await;
    let position = ann.get("portfolio/positions").await.ok()["positions"][0].clone();
    assert_eq!(position["quantity"], 15);
    let path = format!("portfolio/positions/{}", position["id"].as_str().unwrap());
    let levels = ann.put(&path, &json!({"stop_loss": 400, "target_price": 800})).await.ok();
    assert_eq!((&levels["stop_loss"], &levels["target_price"]), (&json!(400), &json!(800)));

    // 2020-08-31 opened at 127.58 where 2020-08-28 had closed at 499.23: a stop of 400 must not fire.
    admin.advance("2020-08-31").await;
    let after = ann.get(&path).await.ok();
    assert_eq!((&after["quantity"], &after["stop_loss"], &after["target_price"]), (&json!(60), &json!(100), &json!(200)));
    assert_eq!(after["current_price"].as_f64(), Some(127.58));
    // 15 × 499.23 at the close before, 60 × 127.58 now: 166.35 dollars, not minus three quarters.
    let summary = ann.get("portfolio/summary").await.ok();
    assert_eq!(summary["day_pnl"].as_f64(), Some(166.35));
    assert_eq!(summary["total_trades"], 1);
    admin.advance("2020-09-01").await;
    assert_eq!(ann.get(&path).await.ok()["quantity"], 60, "once");
    assert_eq!(ann.get("portfolio/ledger/verify").await.ok()["valid"], true);
}
