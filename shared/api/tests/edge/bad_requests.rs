//! Whatever a client does wrong, it learns what and where, as problem details.

use axum::body::Body;
use serde_json::json;

use crate::support::{Answer, app, edge, get_with, post_json, request, send, strict};

/// The shape that every problem has, and which one this is.
fn check(answer: &Answer, status: u16, kind: &str, pointers: &[&str], context: &str) {
    let text = answer.text();
    assert_eq!(answer.status.as_u16(), status, "{context}: {text}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{context}");
    let problem = answer.json();
    assert_eq!(problem["type"], format!("urn:stockgpt:problem:{kind}"), "{context}");
    assert_eq!(problem["status"], status, "{context}");
    assert_eq!(problem["instance"].as_str(), answer.header("x-request-id"), "{context}");
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{context}");
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{context}");
    let found: Vec<&str> = problem["errors"].as_array().into_iter().flatten().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(found, pointers, "{context}: {text}");
}

#[tokio::test]
async fn a_body_that_cannot_be_used_is_refused_with_the_field() {
    let app = app(edge());
    for (body, pointer, detail) in [
        ("", "", "this needs a JSON body"),
        ("{", "", "the body is not JSON: EOF while parsing an object at line 1 column 1"),
        ("{}}", "/legs", "is required"),
        (r#"{"legs":[]}}"#, "", "the body is not JSON: trailing characters at line 1 column 12"),
        ("[[], 1]", "", "must be an object"),
        (r#"{"legs":5}"#, "/legs", "invalid type: integer `5`, expected a sequence"),
        (r#"{"legs":[],"prize":1}"#, "/prize", "is not a field of this request: expected `legs` or `price`"),
        (r#"{"legs":[{"symbol":"AAPL","quantity":1},{"symbol":"AAPL"}]}"#, "/legs/1/quantity", "is required"),
        (r#"{"legs":[{"symbol":"AAPL","quantity":-1}]}"#, "/legs/0/quantity", "-1 must not be negative"),
        (r#"{"legs":[{"symbol":"AAPL","quantity":"1"}]}"#, "/legs/0/quantity", "must be a number, not a string"),
        (
            r#"{"legs":[{"symbol":"A/B","quantity":1}]}"#,
            "/legs/0/symbol",
            "`A/B` is not a ticker symbol: expected 1 to 10 letters or digits, a dot before a share class (`BRK.B`)",
        ),
        (
            r#"{"legs":[{"symbol":"AAPL","quantity":1,"a/b~c":1}]}"#,
            "/legs/0/a~1b~0c",
            "is not a field of this request: expected `symbol` or `quantity`",
        ),
        (r#"{"legs":[],"price":1.00001}"#, "/price", "1.00001 has more than 4 decimal places"),
        (r#"{"legs":[],"legs":[]}"#, "/legs", "is given more than once"),
    ] {
        let answer = post_json(&app, "/api/v1/orders", body).await;
        check(&answer, 422, "invalid-input", &[pointer], body);
        assert_eq!(answer.json()["errors"][0]["detail"], detail, "{body}");
    }
    let answer = post_json(&app, "/api/v1/orders", "{\"legs\":\u{1}}").await;
    check(&answer, 422, "invalid-input", &[""], "a control character");
    let bytes = request("POST /api/v1/orders", &[("content-type", "application/json")], vec![b'"', 0xff, b'"']);
    check(&send(&app, bytes).await, 422, "invalid-input", &[""], "not UTF-8");
}

#[tokio::test]
async fn bodies_of_the_wrong_kind_or_size_are_not_read() {
    let app = app(edge());
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let answer = send(&app, request("POST /api/v1/orders", &[("content-type", kind)], r#"{"legs":[]}"#)).await;
        check(&answer, 415, "unsupported-media-type", &[], kind);
    }
    for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"] {
        let answer = send(&app, request("POST /api/v1/orders", &[("content-type", kind)], r#"{"legs":[]}"#)).await;
        assert_eq!(answer.status, 200, "{kind}");
    }
    let just_right = format!(r#"{{"legs":[]{}}}"#, " ".repeat((1 << 20) - 11));
    assert_eq!(post_json(&app, "/api/v1/orders", &just_right).await.status, 200);
    check(&post_json(&app, "/api/v1/orders", &format!("{just_right} ")).await, 413, "body-too-large", &[], "one byte too many");
}

#[tokio::test]
async fn parameters_that_cannot_be_used_are_named() {
    let app = app(edge());
    for (path, pointer, detail) in [
        ("/api/v1/list?limit=0", "/limit", "must be a whole number from 1 to 1000"),
        ("/api/v1/list?limit=1001", "/limit", "must be a whole number from 1 to 1000"),
        ("/api/v1/list?limit=99999999999999999999", "/limit", "must be a whole number from 1 to 1000"),
        ("/api/v1/list?limit=", "/limit", "must be a whole number from 1 to 1000"),
        ("/api/v1/list?limit=+5", "/limit", "must be a whole number from 1 to 1000"),
        ("/api/v1/list?limit=ten&skip=1", "/limit", "must be a whole number from 1 to 1000"),
        ("/api/v1/list?skip=-1", "/skip", "must be a whole number from 0 to 1000000"),
        ("/api/v1/list?skip=1&skip=2", "/skip", "is given more than once"),
        ("/api/v1/stocks/AAPL/bars/300", "/index", "`300` is not a u8"),
        ("/api/v1/stocks/%FF/bars/1", "/symbol", "is not UTF-8"),
    ] {
        let answer = get_with(&app, path, &[]).await;
        check(&answer, 422, "invalid-input", &[pointer], path);
        assert_eq!(answer.json()["errors"][0]["detail"], detail, "{path}");
    }
    let answer = get_with(&app, "/api/v1/stocks/A%20B/bars/1", &[]).await;
    check(&answer, 422, "invalid-input", &["/symbol"], "a malformed symbol");
    let answer = get_with(&app, "/api/v1/list?skip=7&unknown=1", &[]).await;
    assert_eq!(answer.json(), json!([50, 7]), "unknown parameters are ignored, absent ones have defaults");
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_too() {
    let app = app(edge());
    check(&get_with(&app, "/nowhere", &[]).await, 404, "unknown-route", &[], "outside");
    check(&get_with(&app, "/api/v1/nowhere", &[]).await, 404, "unknown-route", &[], "inside");
    check(&get_with(&app, "/docs/../Cargo.toml", &[]).await, 404, "unknown-route", &[], "not a file server");
    check(&get_with(&app, "/docs/Cargo.toml", &[]).await, 404, "not-found", &[], "not an asset");
    let answer = send(&app, request("DELETE /api/v1/list", &[], Body::empty())).await;
    check(&answer, 405, "method-not-allowed", &[], "a method that is not there");
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    let answer = get_with(&app, "/api/v1/refused", &[]).await;
    check(&answer, 422, "insufficient-cash", &[], "a rule");
    assert_eq!(answer.json()["title"], "Insufficient cash");
}

#[tokio::test]
async fn a_handler_that_panics_or_hangs_costs_one_request() {
    let app = app(strict(100));
    let answer = get_with(&app, "/api/v1/panic", &[]).await;
    check(&answer, 500, "internal-error", &[], "a panic");
    assert!(!answer.text().contains("secret"), "causes stay inside");
    let answer = get_with(&app, "/api/v1/forever", &[]).await;
    check(&answer, 503, "unavailable", &[], "no end");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(get_with(&app, "/api/v1/now", &[]).await.status, 200);
}

#[tokio::test]
async fn a_small_request_may_come_in_the_query() {
    let app = app(edge());
    for (query, body, expected) in [
        ("", r#"{"name":"Ann"}"#, Ok("Ann")),
        ("?name=Ann", "", Ok("Ann")),
        ("?name=Ann&other=1", "{}", Ok("Ann")),
        ("?name=Ann", "null", Ok("Ann")),
        ("?name=Ann", r#"{"name":"Ann"}"#, Ok("Ann")),
        ("?name=Ann", r#"{"name":"Bob"}"#, Err(("unusable-input", "/name"))),
        ("?other=1", r#"{"name":"Bob"}"#, Ok("Bob")),
        ("", "", Err(("unusable-input", "/name"))),
        ("", "{}", Err(("unusable-input", "/name"))),
        ("?other=1", "", Err(("unusable-input", "/name"))),
        ("", r#"{"name":"Ann","x":1}"#, Err(("invalid-input", "/x"))),
        ("?name=Ann&name=Bob", "", Err(("invalid-input", "/name"))),
        ("?name=Ann&name=Bob", r#"{"name":"Ann"}"#, Err(("invalid-input", "/name"))),
    ] {
        let answer = post_json(&app, &format!("/api/v1/hello{query}"), body).await;
        match expected {
            Ok(name) => assert_eq!(answer.json(), json!({ "name": name }), "{query} {body}"),
            Err((kind, pointer)) => check(&answer, 422, kind, &[pointer], &format!("{query} {body}")),
        }
    }
    let bodiless = send(&app, request("POST /api/v1/hello?name=Ann", &[], Body::empty())).await;
    assert_eq!(bodiless.json(), json!({ "name": "Ann" }));
}

#[tokio::test]
async fn a_key_for_one_write_is_checked_and_bound_to_the_request() {
    let app = app(edge());
    let order = |key: &str, body: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let request = request("POST /api/v1/orders", &headers, body.to_owned());
        let app = app.clone();
        async move { send(&app, request).await }
    };
    let first = order("k1", r#"{"legs":[]}"#).await.json();
    let again = order("k1", r#"{"legs":[]}"#).await.json();
    let other = order("k1", r#"{"legs":[] }"#).await.json();
    assert!(first["key"].as_str().is_some_and(|key| key.contains("k1")));
    assert_eq!(first, again);
    assert_ne!(first["key"], other["key"]);
    for key in ["", "two words", &"k".repeat(256)] {
        check(&order(key, r#"{"legs":[]}"#).await, 422, "invalid-input", &["/idempotency-key"], key);
    }
}
