//! Bad input: the right status, the field, and a sentence that says what to do.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Server;

/// Name, method, path, body, and the status and field of the refusal.
type Case = (&'static str, Method, &'static str, Option<Value>, u16, Option<&'static str>);

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_names_what_is_wrong() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    let order = |changes: Value| {
        let mut order = json!({"symbol": "KO", "side": "buy", "type": "market", "quantity": 10});
        order.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        Some(order)
    };
    let cases: Vec<Case> = vec![
        ("unknown symbol", Method::GET, "stocks/ZZZZ/prices", None, 404, None),
        ("malformed symbol", Method::GET, "stocks/A$PL/prices", None, 422, Some("/symbol")),
        ("malformed date", Method::GET, "stocks/AAPL/prices?start_date=2022-13-01", None, 422, Some("/start_date")),
        (
            "range the wrong way",
            Method::GET,
            "stocks/AAPL/prices?start_date=2021-06-01&end_date=2021-05-01",
            None,
            422,
            Some("/start_date"),
        ),
        ("limit of zero", Method::GET, "stocks/AAPL/prices?limit=0", None, 422, Some("/limit")),
        ("limit too large", Method::GET, "stocks?limit=1001", None, 422, Some("/limit")),
        ("unknown sector", Method::GET, "stocks?sector=Bitcoin", None, 422, Some("/sector")),
        ("confidence beyond one", Method::GET, "signals?confidence_min=1.5", None, 422, Some("/confidence_min")),
        ("unknown period", Method::GET, "portfolio/performance?period=2W", None, 422, Some("/period")),
        ("unknown signal", Method::GET, "signals/nonsense", None, 404, None),
        ("unknown order", Method::GET, "portfolio/orders/ord-999999", None, 404, None),
        ("unknown position", Method::DELETE, "portfolio/positions/KO-1", None, 404, None),
        ("forged cursor", Method::GET, "portfolio/ledger?cursor=AAAA", None, 422, Some("/cursor")),
        ("unknown route", Method::GET, "portfolios", None, 404, None),
        ("wrong method", Method::DELETE, "stocks", None, 405, None),
        ("unknown field", Method::POST, "portfolio/orders", order(json!({"colour": "red"})), 422, Some("/colour")),
        ("unknown stock to buy", Method::POST, "portfolio/orders", order(json!({"symbol": "ZZZZ"})), 422, Some("/symbol")),
        ("negative quantity", Method::POST, "portfolio/orders", order(json!({"quantity": -1})), 422, Some("/quantity")),
        ("quantity as a text", Method::POST, "portfolio/orders", order(json!({"quantity": "10"})), 422, Some("/quantity")),
        ("a limit order without its limit", Method::POST, "portfolio/orders", order(json!({"type": "limit"})), 422, Some("/limit_price")),
        ("more than there is cash for", Method::POST, "portfolio/orders", order(json!({"quantity": 100_000})), 422, None),
        ("selling what is not held", Method::POST, "portfolio/orders", order(json!({"side": "sell"})), 422, None),
        ("a viewer of data, not its manager", Method::POST, "data/ingest/scheduled", None, 403, None),
        ("moving the clock without being asked to", Method::POST, "clock/advance", Some(json!({"to": "next_event"})), 403, None),
    ];
    for (name, method, path, body, status, pointer) in cases {
        let answer = ann.send(method, path, body.map(|body| body.to_string()), &[]).await;
        let problem = answer.problem(status);
        assert_eq!(problem["status"], status, "{name}");
        assert_eq!(problem["instance"], answer.headers["x-request-id"].to_str().unwrap(), "{name}");
        assert!(problem["detail"].as_str().unwrap().len() > 10, "{name}: {problem}");
        if let Some(pointer) = pointer {
            let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
            assert!(pointers.contains(&pointer), "{name}: {problem}");
        }
    }
    assert_eq!(ann.get("portfolio/orders").await.ok()["total"], 0, "nothing of it was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_have_names_in_the_problem_type() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    for (symbol, side, quantity, name) in
        [("KO", "sell", 1, "exceeds-holding"), ("KO", "buy", 1_000_000, "insufficient-cash"), ("KO", "buy", 500, "position-weight")]
    {
        let problem = ann
            .post("portfolio/orders", &json!({"symbol": symbol, "side": side, "type": "market", "quantity": quantity}))
            .await
            .problem(422);
        assert_eq!(problem["type"], format!("urn:stockgpt:problem:{name}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_only_the_doors_are_open() {
    let server = Server::start().await;
    let nobody = server.anonymous();
    for path in ["stocks", "signals", "portfolio/summary", "portfolio/ledger", "users/me", "clock", "data/status", "auth/verify-token"] {
        let answer = nobody.get(path).await;
        answer.problem(401);
        assert!(answer.headers.contains_key("www-authenticate"), "{path}");
    }
    for path in ["auth/status", "/health", "/metrics", "/openapi.json"] {
        assert!(nobody.get(path).await.status.is_success(), "{path}");
    }
    let wrong = nobody.post("auth/login", &json!({"email": "ann@example.com", "otp": "000000"})).await;
    wrong.problem(401);
}
