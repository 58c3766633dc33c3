//! The life of an order as its owner sees it: placed once, waiting and saying why, replaced, filled as previewed.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{ADMIN, Server};

fn order(symbol: &str, rest: &Value) -> Value {
    let mut order = json!({"symbol": symbol, "side": "buy", "type": "market"});
    order.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clients_name_for_an_order_is_its_own_for_ever() {
    let server = Server::start().await;
    let (ann, bob) = (server.log_in("ann@example.com").await, server.log_in("bob@example.com").await);
    let name = "n".repeat(128);
    let named = order("KO", &json!({"quantity": 10, "client_order_id": name}));

    // Twenty at once: one is placed, the others get it.
    let answers = join_all((0..20).map(|_| ann.post("portfolio/orders", &named))).await;
    let placed: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!((placed.len(), answers.iter().filter(|answer| answer.status == 200).count()), (1, 19));
    let first = placed[0].ok();
    assert!(answers.iter().all(|answer| answer.ok() == first));
    assert_eq!(ann.get("portfolio/orders").await.ok()["total"], 1);

    // For another order the name is taken, also when the first one is gone; in another portfolio it is free.
    ann.delete(&format!("portfolio/orders/{}", first["id"].as_str().unwrap())).await.ok();
    let again = ann.post("portfolio/orders", &named).await;
    assert_eq!((again.status.as_u16(), &again.ok()["status"]), (200, &json!("canceled")));
    let problem = ann.post("portfolio/orders", &order("KO", &json!({"quantity": 11, "client_order_id": name}))).await.problem(409);
    assert!(problem["type"].as_str().unwrap().ends_with("client-order-id-taken"), "{problem}");
    assert_eq!(bob.post("portfolio/orders", &named).await.status, 201);
    ann.post("portfolio/orders", &order("KO", &json!({"quantity": 1, "client_order_id": "n".repeat(129)}))).await.problem(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_order_is_replaced_by_one_that_knows_it() {
    let server = Server::start().await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    let placed = ann.post("portfolio/orders", &order("KO", &json!({"type": "limit", "quantity": 10, "limit_price": 40}))).await.ok();
    let path = |order: &Value| format!("portfolio/orders/{}", order["id"].as_str().unwrap());

    let change = json!({"quantity": 15, "limit_price": 70, "time_in_force": "gtc", "client_order_id": "second"});
    let replacing = ann.put(&path(&placed), &change).await.ok();
    let expected = json!([15, 70, "gtc", "second", "accepted", placed["id"], null]);
    let names = ["quantity", "limit_price", "time_in_force", "client_order_id", "status", "replaces", "replaced_by"];
    assert_eq!(json!(names.map(|name| &replacing[name])), expected);
    let replaced = ann.get(&path(&placed)).await.ok();
    assert_eq!((&replaced["status"], &replaced["replaced_by"]), (&json!("replaced"), &replacing["id"]));
    assert_eq!(ann.get("portfolio/orders?status=replaced").await.ok()["total"], 1);

    // A retry gets the first replacement; without a name it comes too late, as cancelling would.
    assert_eq!(ann.put(&path(&placed), &change).await.ok(), replacing);
    ann.put(&path(&placed), &json!({"quantity": 20})).await.problem(409);
    ann.delete(&path(&placed)).await.problem(409);
    for (change, pointer) in [
        (json!({}), "/quantity"),
        (json!({"stop_price": 50}), "/stop_price"),
        (json!({"price": 50}), "/price"),
        (json!({"quantity": 0}), "/quantity"),
    ] {
        let problem = ann.put(&path(&replacing), &change).await.problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{change}: {problem}");
    }
    let problem = ann.put(&path(&replacing), &json!({"quantity": 100_000})).await.problem(422);
    assert!(problem["type"].as_str().unwrap().ends_with("insufficient-cash"), "{problem}");
    ann.put("portfolio/orders/ord-999999", &json!({"quantity": 1})).await.problem(404);

    // The replacement trades, the replaced order does not.
    admin.advance("2022-01-03T21:00:00Z").await;
    let filled = ann.get(&path(&replacing)).await.ok();
    assert_eq!((&filled["status"], &filled["filled_quantity"]), (&json!("filled"), &json!(15)));
    let entries = ann.get("portfolio/ledger?limit=1000").await.ok();
    let events: Vec<&str> = entries["entries"].as_array().unwrap().iter().filter_map(|entry| entry["type"].as_str()).collect();
    assert_eq!(events.iter().filter(|event| **event == "order_replaced").count(), 1, "{entries}");
    assert_eq!(ann.get("portfolio/ledger/verify").await.ok()["valid"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_says_why_and_what_fills_costs_what_the_preview_said() {
    let server = Server::start().await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    admin.advance("2022-01-03T21:30:00Z").await;
    let limit = order("KO", &json!({"type": "limit", "quantity": 10, "limit_price": 40, "time_in_force": "gtc"}));
    let waiting = ann.post("portfolio/orders", &limit).await.ok();
    assert_eq!(waiting["reason"], "the market is closed: waits for the next session");
    admin.advance("2022-01-04T22:30:00Z").await;
    let open = ann.get("portfolio/orders?status=accepted").await.ok();
    assert_eq!(open["orders"][0]["reason"], "the price has not reached it: waits for the next session");

    // At the newest price nothing differs from the preview: not the size, not the price, not a single cost.
    let body = order("MSFT", &json!({"notional": 5000}));
    let preview = ann.post("portfolio/orders/preview", &body).await.ok();
    assert!(preview["limits"].as_array().unwrap().iter().all(|limit| limit["met"] == true) && preview["accepted"] == true, "{preview}");
    let placed = ann.post("portfolio/orders", &body).await.ok();
    admin.advance("next_session").await;
    let filled = ann.get(&format!("portfolio/orders/{}", placed["id"].as_str().unwrap())).await.ok();
    let fill = &filled["fills"][0];
    assert_eq!(fill["executed_at"], "2022-01-05T14:30:00Z");
    assert_eq!(fill["slippage"]["half_spread_bps"], preview["slippage"]["half_spread_bps"]);
    let names: Vec<&Value> = fill["fees"].as_array().unwrap().iter().map(|fee| &fee["name"]).collect();
    assert_eq!(names, preview["fees"].as_array().unwrap().iter().map(|fee| &fee["name"]).collect::<Vec<_>>());

    // What would be refused is refused in the same words.
    let too_much = order("MSFT", &json!({"quantity": 100_000}));
    let preview = ann.post("portfolio/orders/preview", &too_much).await.ok();
    let broken: Vec<&Value> = preview["limits"].as_array().unwrap().iter().filter(|limit| limit["met"] == false).collect();
    let problem = ann.post("portfolio/orders", &too_much).await.problem(422);
    assert_eq!(preview["accepted"], false);
    assert!(broken.iter().all(|limit| problem["detail"].as_str().unwrap().contains(limit["detail"].as_str().unwrap())), "{problem}");
}
