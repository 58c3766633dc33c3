//! What good answers have in common.

use std::{
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use api::routes::system::{Depth, Health, HealthCheck};
use async_trait::async_trait;
use axum::{body::Body, http::HeaderValue};
use domain::Timestamp;

use crate::support::{app, app_with, edge, get_with, post_json, request, samples, send};

#[tokio::test]
async fn numbers_keep_their_digits() {
    let app = app(edge());
    let answer = post_json(&app, "/api/v1/orders", r#"{"legs":[{"symbol":"brk.b","quantity":0.100000000}],"price":175.43}"#).await;
    assert_eq!(answer.text(), r#"{"key":null,"legs":[{"quantity":0.1,"symbol":"BRK.B"}],"price":175.43}"#);
}

#[tokio::test]
async fn a_request_id_is_taken_over_if_it_is_harmless() {
    let app = app(edge());
    for (sent, is_kept) in
        [("abc-123_x.y:z", true), (&*"a".repeat(128), true), (&*"a".repeat(129), false), ("a b", false), ("<script>", false)]
    {
        let answer = get_with(&app, "/api/v1/now", &[("x-request-id", sent)]).await;
        assert_eq!(answer.header("x-request-id") == Some(sent), is_kept, "{sent}");
    }
    let ids: std::collections::HashSet<String> = futures::future::join_all((0..20).map(|_| get_with(&app, "/api/v1/now", &[])))
        .await
        .iter()
        .map(|answer| answer.header("x-request-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 20, "each request has its own");
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let app = app(edge());
    for path in ["/api/v1/now", "/api/v1/nowhere", "/api/v1/panic", "/docs", "/openapi.json", "/health"] {
        let answer = get_with(&app, path, &[("x-forwarded-proto", "https")]).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(answer.header("strict-transport-security").is_some(), "{path}");
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"), "{path}");
        assert!(answer.header("cache-control").is_some(), "{path}");
    }
    let plain = get_with(&app, "/api/v1/now", &[]).await;
    assert_eq!(plain.header("strict-transport-security"), None, "only over HTTPS");
    assert_eq!(plain.header("cache-control"), Some("no-store"), "private unless said otherwise");
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let app = app(edge());
    let first = get_with(&app, "/api/v1/steady", &[]).await;
    let etag = first.header("etag").unwrap().to_owned();
    assert_eq!((first.status.as_u16(), first.header("cache-control")), (200, Some("private, no-cache")));

    let strong = etag.trim_start_matches("W/").to_owned();
    for (validator, expected) in
        [(&*etag, 304), (&*strong, 304), ("*", 304), (&*format!("\"other\", {etag}"), 304), ("\"other\"", 200), ("", 200)]
    {
        let answer = get_with(&app, "/api/v1/steady", &[("if-none-match", validator)]).await;
        assert_eq!(answer.status, expected, "{validator}");
        assert_eq!(answer.header("etag"), Some(&*etag), "{validator}");
        assert_eq!(answer.body.is_empty(), expected == 304, "{validator}");
    }
    let document = get_with(&app, "/openapi.json", &[]).await;
    let again = get_with(&app, "/openapi.json", &[("if-none-match", document.header("etag").unwrap())]).await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn answers_travel_compressed_to_whoever_can_read_that() {
    let app = app(edge());
    let plain = get_with(&app, "/api/v1/long", &[("authorization", "Bearer viewer")]).await;
    let packed = get_with(&app, "/api/v1/long", &[("authorization", "Bearer viewer"), ("accept-encoding", "gzip")]).await;
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), (None, Some("gzip")));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&*packed.body).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    assert!(packed.body.len() < plain.body.len() / 10);
}

#[tokio::test]
async fn only_configured_origins_may_call_from_other_pages() {
    let origin = "https://terminal.example";
    let preflight = || {
        request(
            "OPTIONS /api/v1/mine",
            &[("origin", origin), ("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")],
            Body::empty(),
        )
    };
    let open = app(api::Edge { cors_origins: vec![HeaderValue::from_static("https://terminal.example")], ..edge() });
    let answer = send(&open, preflight()).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, Some(origin)));
    let foreign = get_with(&open, "/api/v1/now", &[("origin", "https://evil.example")]).await;
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    assert_eq!(send(&app(edge()), preflight()).await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn requests_are_counted_by_template_never_by_path() {
    let app = app(edge());
    for path in ["/api/v1/stocks/AAPL/bars/1", "/api/v1/stocks/MSFT/bars/2", "/api/v1/stocks/MSFT/bars/x", "/made/up/1", "/made/up/2"] {
        get_with(&app, path, &[]).await;
    }
    send(&app, request("BREW /api/v1/now", &[], Body::empty())).await;
    let answer = get_with(&app, "/metrics", &[]).await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = answer.text();
    let samples = samples(&text);
    for (name, value) in [
        (r#"http_requests_total{route="/api/v1/stocks/{symbol}/bars/{index}",method="GET",code="200"}"#, 2.0),
        (r#"http_requests_total{route="/api/v1/stocks/{symbol}/bars/{index}",method="GET",code="422"}"#, 1.0),
        (r#"http_requests_total{route="unmatched",method="GET",code="404"}"#, 2.0),
        (r#"http_requests_total{route="/api/v1/now",method="OTHER",code="405"}"#, 1.0),
        (r#"http_request_duration_seconds_count{route="unmatched",method="GET"}"#, 2.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name}");
    }
    assert!(!text.contains("AAPL") && !text.contains("made"));
}

/// Says how often it was asked.
struct Counting(AtomicU32);

#[async_trait]
impl HealthCheck for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    async fn check(&self, _: Timestamp, _: Depth) -> (Health, String) {
        (Health::Healthy, (self.0.fetch_add(1, Ordering::Relaxed) + 1).to_string())
    }
}

#[tokio::test]
async fn health_is_looked_at_once_for_all_who_ask_within_a_second() {
    let app = app_with(edge(), vec![Arc::new(Counting(AtomicU32::new(0)))]);
    let started = Instant::now();
    let ask = async |path: &str| -> u64 {
        get_with(&app, path, &[]).await.json()["checks"]["counting"]["detail"].as_str().unwrap().parse().unwrap()
    };
    let mut looks = 0;
    for _ in 0..200 {
        looks = ask("/health").await;
    }
    assert!(looks <= 1 + started.elapsed().as_secs(), "{looks} looks");
    assert_eq!([ask("/health?deep=true").await, ask("/health?deep=true").await], [looks + 1, looks + 2], "who wants it exactly");
}
