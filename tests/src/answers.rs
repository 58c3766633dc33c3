//! What clients trip over: how answers are kept, who may read them, and what contradicts itself.

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::harness::{ADMIN, Server, TERMINAL};

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_change_is_said_to_vary_as_it_did_and_to_have_no_length() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    for path in ["stocks?limit=5", "stocks/AAPL/prices?limit=2", "stocks/AAPL/features?limit=2", "stocks/AAPL/latest"] {
        let full = ann.get(path).await;
        let etag = full.headers[header::ETAG].to_str().unwrap();
        for method in [Method::GET, Method::HEAD] {
            let unchanged = ann.send(method.clone(), path, None, &[("if-none-match", etag), ("accept-encoding", "gzip")]).await;
            assert_eq!(unchanged.status, 304, "{method} {path}");
            for name in [header::VARY, header::ETAG, header::CACHE_CONTROL] {
                assert_eq!(unchanged.headers.get(&name), full.headers.get(&name), "{method} {path}: {name}");
            }
            for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::CONTENT_TYPE] {
                assert_eq!(unchanged.headers.get(&name), None, "{method} {path}: {name}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_named_origin_may_call_and_read_why_not() {
    let server = Server::start().await;
    let asked = |origin: &'static str| {
        [("origin", origin), ("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")]
    };
    let guest = server.anonymous();
    let allowed = |answer: crate::harness::Answer| answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned();
    let preflight = guest.send(Method::OPTIONS, "stocks", None, &asked(TERMINAL)).await;
    assert_eq!((preflight.status.as_u16(), allowed(preflight)), (200, Some(TERMINAL.parse().unwrap())));
    assert_eq!(allowed(guest.send(Method::OPTIONS, "stocks", None, &asked("http://localhost:3001")).await), None);

    let refused = guest.send(Method::GET, "stocks", None, &[("origin", TERMINAL)]).await;
    let exposed = refused.headers[header::ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap();
    assert!(refused.status == 401 && exposed.contains("www-authenticate"), "{} {exposed}", refused.status);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_stock_in_an_order_is_a_wrong_field() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    let order = json!({ "symbol": "ZZZZ", "side": "buy", "type": "market", "quantity": 1 });
    for path in ["portfolio/orders", "portfolio/orders/preview"] {
        let problem = ann.post(path, &order).await.problem(422);
        assert_eq!(problem["errors"], json!([{ "pointer": "/symbol", "detail": "there is no stock with the symbol ZZZZ" }]), "{path}");
        assert!(problem["type"].as_str().unwrap().ends_with("unknown-symbol"), "{problem}");
    }
    ann.get("stocks/ZZZZ/latest").await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_contradicts_the_body_is_refused() {
    let server = Server::start().await;
    let guest = server.anonymous();
    let body = json!({ "email": "ann@example.com" });
    for (query, status) in [
        ("?email=other@example.com", 422),
        ("?email=Ann@Example.com", 200),
        ("?email=ann@example.com&email=other@example.com", 422),
        ("?unknown=x", 200),
        ("", 200),
    ] {
        let answer = guest.post(&format!("auth/request-otp{query}"), &body).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text);
        if status == 422 {
            assert_eq!(answer.json()["errors"][0]["pointer"], "/email", "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledgers_state_is_that_of_now_unless_another_is_asked_for() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    let placed = ann.post("portfolio/orders", &json!({ "symbol": "AAPL", "side": "buy", "type": "market", "quantity": 2 })).await.ok();
    let (now, total) = (ann.get("portfolio/ledger/state").await.ok(), ann.get("portfolio/ledger").await.ok()["total"].clone());
    assert_eq!((&now["sequence"], now["orders"].as_array().map(Vec::len)), (&total, Some(1)));
    assert_eq!(ann.get(&format!("portfolio/ledger/state?sequence={total}")).await.ok(), now);
    ann.get("portfolio/ledger/state?sequence=1&at=2022-01-03T15:00:00Z").await.problem(422);

    let path = format!("portfolio/orders/{}", placed["id"].as_str().unwrap());
    ann.delete(&path).await.ok();
    let again = ann.delete(&path).await.problem(409);
    assert_eq!(again["detail"], format!("Order {} is cancelled already.", placed["id"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_by_the_walls_clock() {
    let server = Server::start().await;
    let told: jiff::Timestamp = server.anonymous().get("/health").await.ok()["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(jiff::Timestamp::now().duration_since(told).as_secs() < 60, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_door_leads_to_the_documentation() {
    let server = Server::start().await;
    let page = server.anonymous().get("/").await;
    assert!(page.status == 200 && page.text.contains("swagger-ui"), "{} {}", page.status, page.text);
}

/// What lists say does not depend on what was read before.
#[tokio::test(flavor = "multi_thread")]
async fn signals_are_listed_as_they_are_however_often_they_were_asked_for() {
    let server = Server::start().await;
    let (ann, bob, admin) = (server.log_in("ann@example.com").await, server.log_in("bob@example.com").await, server.log_in(ADMIN).await);
    let list = async |user: &crate::harness::Client, query: &str| user.get(&format!("signals?{query}")).await.ok();
    let before = list(&ann, "limit=1000").await;
    let signals = before["signals"].as_array().unwrap();
    assert_eq!(signals.len() as u64, before["total"].as_u64().unwrap().min(1000));
    let order = |signal: &Value| (signal["id"].as_str().map(|id| id[..10].to_owned()), signal["confidence"].as_f64());
    assert!(signals.windows(2).all(|pair| order(&pair[0]) >= order(&pair[1])));
    let mut pages = vec![];
    while pages.len() < signals.len() {
        let page = list(&ann, &format!("limit=70&skip={}", pages.len())).await;
        assert_eq!(page["total"], before["total"]);
        pages.extend(page["signals"].as_array().unwrap().clone());
    }
    assert_eq!(&pages[..signals.len()], signals);

    // A decision is seen at once, by the one who took it.
    let purchase = signals.iter().find(|signal| signal["action"] == "BUY").unwrap();
    let id = purchase["id"].as_str().unwrap();
    assert_eq!(list(&ann, "status=executed").await["total"], 0);
    ann.post(&format!("signals/{id}/action"), &json!({ "action": "accept", "quantity": 1 })).await.ok();
    let executed = list(&ann, "status=executed").await;
    assert_eq!((&executed["total"], &executed["signals"][0]["id"]), (&json!(1), &json!(id)));
    assert_eq!(list(&bob, "status=executed").await["total"], 0);

    // The next evening's signals are there at once, and those before are cancelled.
    admin.advance("next_session").await;
    let after = list(&bob, "limit=1000").await;
    assert!(order(&after["signals"][0]).0 > order(&signals[0]).0, "{}", after["signals"][0]);
    let old = after["signals"].as_array().unwrap().iter().find(|signal| signal["id"] == id).unwrap().clone();
    assert_eq!(old["status"], "cancelled");
}
