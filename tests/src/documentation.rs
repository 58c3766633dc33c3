//! The documentation pages and what they promise.

use crate::harness::Server;

#[tokio::test(flavor = "multi_thread")]
async fn the_specification_has_every_route_of_the_contract() {
    let server = Server::start().await;
    let specification = server.anonymous().get("/openapi.json").await.ok();
    assert!(specification["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = specification["paths"].as_object().unwrap();
    for (method, path) in [
        ("post", "auth/request-otp"),
        ("post", "auth/login"),
        ("post", "auth/logout"),
        ("post", "auth/logout-everywhere"),
        ("get", "users/me/export"),
        ("delete", "users/me"),
        ("get", "admin/users"),
        ("get", "admin/users/{id}"),
        ("put", "admin/users/{id}/role"),
        ("post", "admin/users/{id}/deactivate"),
        ("post", "admin/users/{id}/reactivate"),
        ("get", "admin/audit"),
        ("get", "auth/verify-token"),
        ("get", "auth/status"),
        ("get", "users/me"),
        ("put", "users/me"),
        ("get", "users/preferences"),
        ("put", "users/preferences"),
        ("get", "stocks"),
        ("get", "stocks/sectors"),
        ("get", "stocks/industries"),
        ("get", "stocks/{symbol}/prices"),
        ("get", "stocks/{symbol}/features"),
        ("get", "stocks/{symbol}/latest"),
        ("get", "signals"),
        ("get", "signals/{id}"),
        ("post", "signals/{id}/action"),
        ("get", "signals/performance/summary"),
        ("get", "signals/model"),
        ("get", "stocks/{symbol}/chart"),
        ("get", "portfolio/chart"),
        ("get", "portfolio/summary"),
        ("get", "portfolio/positions"),
        ("post", "portfolio/positions"),
        ("get", "portfolio/positions/{id}"),
        ("put", "portfolio/positions/{id}"),
        ("delete", "portfolio/positions/{id}"),
        ("get", "portfolio/orders"),
        ("post", "portfolio/orders"),
        ("post", "portfolio/orders/preview"),
        ("get", "portfolio/orders/{id}"),
        ("put", "portfolio/orders/{id}"),
        ("delete", "portfolio/orders/{id}"),
        ("get", "portfolio/ledger"),
        ("get", "portfolio/ledger/verify"),
        ("get", "portfolio/trades"),
        ("get", "portfolio/allocation"),
        ("get", "portfolio/performance"),
        ("post", "data/ingest/stocks"),
        ("post", "data/ingest/scheduled"),
        ("post", "data/ingest/stock-list"),
        ("get", "data/runs"),
        ("get", "data/runs/{run_id}"),
        ("get", "data/quarantine"),
        ("post", "data/quarantine/{id}/release"),
        ("post", "data/quarantine/{id}/discard"),
        ("get", "data/symbols/available"),
        ("get", "data/status"),
        ("get", "clock"),
        ("post", "clock/advance"),
    ] {
        let path = format!("/api/v1/{path}");
        assert!(paths.get(&path).is_some_and(|operations| operations.get(method).is_some()), "{method} {path} is missing");
    }
    for path in ["/health", "/metrics"] {
        assert!(paths.contains_key(path), "{path} is missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_come_from_us_alone() {
    let server = Server::start().await;
    for path in ["/docs", "/redoc"] {
        let page = server.anonymous().get(path).await;
        assert!(page.status.is_success(), "{path}");
        assert!(!page.text.contains("https://"), "{path} names another host");
        assert!(page.headers["content-security-policy"].to_str().unwrap().contains("'self'"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_requests_and_tell_of_the_data() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    ann.get("stocks/ZZZZ/latest").await.problem(404);
    let metrics = ann.get("/metrics").await.text;
    for line in [
        "http_requests_total{",
        "code=\"404\"",
        "http_request_duration_seconds_bucket",
        "ingestion_lag_seconds",
        "signals_active{action=\"BUY\"}",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
}
