use std::sync::Arc;

use axum::{
    body::to_bytes,
    http::{HeaderMap, StatusCode},
};
use cloud::{
    groups::{self, Compose},
    http::Function,
    jobs,
};
use serde_json::{Value, json};

use crate::machine::{Machine, invocation, symbol};

const REQUEST: &str = include_str!("../../fixtures/http_request.json");

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

/// The fixture's request, with what a test asks in its place.
fn event(method: &str, path: &str, query: &str, token: Option<&str>, body: Option<&Value>) -> Value {
    let mut event: Value = serde_json::from_str(REQUEST).unwrap();
    (event["rawPath"], event["rawQueryString"]) = (path.into(), query.into());
    (event["requestContext"]["http"]["method"], event["requestContext"]["http"]["path"]) = (method.into(), path.into());
    event["body"] = body.map_or(Value::Null, |body| body.to_string().into());
    event["headers"]["content-length"] = Value::from(event["body"].as_str().map_or(0, str::len).to_string());
    if let Some(token) = token {
        event["headers"]["authorization"] = format!("Bearer {token}").into();
    }
    event
}

async fn send(function: &Function, event: &Value) -> Answer {
    let response = function.answer(lambda_http::request::from_str(&event.to_string()).unwrap()).await;
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into());
    Answer { status: parts.status, headers: parts.headers, body }
}

fn function(machine: &Arc<Machine>, compose: Compose) -> Function {
    Function::new(machine.clone(), compose).unwrap()
}

async fn log_in(machine: &Arc<Machine>, email: &str) -> String {
    let auth = function(machine, groups::auth);
    let asked = send(&auth, &event("POST", "/api/v1/auth/request-otp", "", None, Some(&json!({ "email": email })))).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let code = machine.code();
    let login = send(&auth, &event("POST", "/api/v1/auth/login", "", None, Some(&json!({"email": email, "otp": code})))).await;
    assert_eq!(login.status, 200, "{}", login.body);
    login.body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_that_one_function_mails_opens_all_the_others() {
    let machine = Machine::start().await;
    let first = send(&function(&machine, groups::auth), &serde_json::from_str(REQUEST).unwrap()).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(first.headers["x-request-id"], "LdZ9pjNBIAMEPQA=", "the gateway's id");
    assert!(first.headers.contains_key("strict-transport-security"), "the client came by HTTPS");
    machine.code();

    let token = log_in(&machine, "ann@example.com").await;
    for (compose, path) in [
        (groups::auth as Compose, "/api/v1/auth/verify-token"),
        (groups::stocks, "/api/v1/stocks"),
        (groups::signals, "/api/v1/signals"),
        (groups::portfolio, "/api/v1/portfolio/summary"),
        (groups::data, "/api/v1/data/status"),
    ] {
        let function = function(&machine, compose);
        let answer = send(&function, &event("GET", path, "", Some(&token), None)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let anonymous = send(&function, &event("GET", path, "", None, None)).await;
        assert_eq!((anonymous.status.as_u16(), &anonymous.headers["content-type"]), (401, &"application/problem+json".parse().unwrap()));
        // Each function serves its own group and nothing else.
        let strange = send(&function, &event("GET", "/health", "", None, None)).await;
        assert_eq!((strange.status.as_u16(), &strange.body["type"]), (404, &json!("urn:stockgpt:problem:unknown-route")), "{path}");
    }
}

#[tokio::test]
async fn health_and_documentation_need_nobody() {
    let machine = Machine::start().await;
    let system = function(&machine, groups::system);
    let health = send(&system, &event("GET", "/health", "", Some("no token"), None)).await;
    assert_eq!((health.status.as_u16(), &health.body["status"]), (200, &json!("degraded")), "{}", health.body);
    assert_eq!(health.body["checks"]["database"]["detail"], "answers");
    assert_eq!(health.body["checks"]["model"]["detail"], "no model is installed");
    for (path, kind) in [("/metrics", "text/plain"), ("/openapi.json", "application/json"), ("/docs", "text/html")] {
        let answer = send(&system, &event("GET", path, "", None, None)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
    // A gateway with a named stage puts it before the path.
    let mut staged = event("GET", "/dev/health", "", None, None);
    staged["requestContext"]["stage"] = "dev".into();
    assert_eq!(send(&system, &staged).await.status, 200);
}

#[tokio::test]
async fn what_copies_of_all_functions_counted_is_one_sum() {
    let machine = Machine::start().await;
    for _ in 0..2 {
        let copy = function(&machine, groups::auth);
        assert_eq!(send(&copy, &event("GET", "/api/v1/auth/status", "", None, None)).await.status, 200);
    }
    let reset = jobs::reset_otps(machine.clone()).unwrap();
    jobs::handle(&*reset, json!({}), &invocation("2026-11-23T12:00:00Z")).await.unwrap();

    let metrics = send(&function(&machine, groups::system), &event("GET", "/metrics", "", None, None)).await;
    let text = metrics.body.as_str().unwrap();
    for line in [
        r#"http_requests_total{route="/api/v1/auth/status",method="GET",code="200"} 2"#,
        r#"job_runs_total{name="reset_otps",outcome="succeeded"} 1"#,
        "stocks_with_prices 0",
        "portfolios_active 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing from\n{text}");
    }
}

#[tokio::test]
async fn a_stocks_chart_comes_from_the_function_that_knows_the_callers_trades() {
    let machine = Machine::start().await;
    let token = log_in(&machine, "ann@example.com").await;
    let portfolio = function(&machine, groups::portfolio);
    let symbol = symbol();
    let chart = send(&portfolio, &event("GET", &format!("/api/v1/stocks/{symbol}/chart"), "", Some(&token), None)).await;
    assert_eq!((chart.status.as_u16(), &chart.headers["content-type"]), (200, &"image/svg+xml".parse().unwrap()), "{}", chart.body);
    let summary = send(&portfolio, &event("GET", "/api/v1/portfolio/chart", "theme=dark", Some(&token), None)).await;
    assert_eq!(summary.status, 200, "{}", summary.body);
    let model = send(&function(&machine, groups::signals), &event("GET", "/api/v1/signals/model", "", Some(&token), None)).await;
    assert_eq!((model.status.as_u16(), &model.body["detail"]), (404, &json!("There is no model yet.")));
}

#[tokio::test]
async fn an_ingestion_asked_for_by_request_runs_by_event_under_the_same_id() {
    let machine = Machine::start().await;
    let admin = log_in(&machine, "admin@example.com").await;
    let data = function(&machine, groups::data);
    // Nobody waits for an ingestion behind a gateway, whatever they ask for.
    for query in ["", "background=false"] {
        let asked = send(&data, &event("POST", "/api/v1/data/ingest/stock-list", query, Some(&admin), None)).await;
        assert_eq!(asked.status, 202, "{}", asked.body);
        let run = format!("/api/v1/data/runs/{}", asked.body["run_id"].as_str().unwrap());
        let state = async || send(&data, &event("GET", &run, "", Some(&admin), None)).await.body["state"].clone();
        assert_eq!(state().await, "running");
        let [requested] = machine.sent().try_into().unwrap();
        assert_eq!(requested["detail"]["trace_id"], "LdZ9pjNBIAMEPQA=", "the request's id is the trace's");
        let ingest = jobs::ingest(machine.clone()).unwrap();
        jobs::handle(&*ingest, requested, &invocation("2026-11-23T12:00:00Z")).await.unwrap();
        assert_eq!(state().await, "succeeded");
        assert_eq!(machine.sent(), Vec::<Value>::new(), "a list of companies brings no prices");
    }
}

#[tokio::test]
async fn keys_are_followed_when_they_change_and_a_missing_one_is_said_kindly() {
    let machine = Machine::start().await;
    let token = log_in(&machine, "ann@example.com").await;
    let auth = function(&machine, groups::auth);
    let verify = event("GET", "/api/v1/auth/verify-token", "", Some(&token), None);
    assert_eq!(send(&auth, &verify).await.status, 200);
    *machine.key.lock().unwrap() = Some("r".repeat(64).into());
    assert_eq!(send(&auth, &verify).await.status, 401, "another key");
    *machine.key.lock().unwrap() = None;
    let unready = send(&auth, &verify).await;
    assert_eq!((unready.status.as_u16(), &unready.headers["content-type"]), (503, &"application/problem+json".parse().unwrap()));
    *machine.key.lock().unwrap() = Some("k".repeat(64).into());
    assert_eq!(send(&auth, &verify).await.status, 200, "the first key again");
}

#[tokio::test]
async fn pages_of_allowed_origins_may_call() {
    let machine = Machine::start().await;
    let auth = function(&machine, groups::auth);
    for (origin, allowed) in [("https://app.example.com", Some("https://app.example.com")), ("https://evil.example", None)] {
        let mut preflight = event("OPTIONS", "/api/v1/auth/status", "", None, None);
        preflight["headers"]["origin"] = origin.into();
        preflight["headers"]["access-control-request-method"] = "GET".into();
        let answer = send(&auth, &preflight).await;
        assert_eq!(answer.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap()), allowed);
    }
}

#[tokio::test]
async fn an_account_is_exported_and_deleted_by_one_function_and_gone_for_all() {
    let machine = Machine::start().await;
    let token = log_in(&machine, "ann@example.com").await;
    let (auth, portfolio) = (function(&machine, groups::auth), function(&machine, groups::portfolio));
    let export = send(&portfolio, &event("GET", "/api/v1/users/me/export", "", Some(&token), None)).await;
    assert_eq!((export.status.as_u16(), &export.body["account"]["email"]), (200, &json!("ann@example.com")), "{}", export.body);

    send(&auth, &event("POST", "/api/v1/auth/request-otp", "", None, Some(&json!({"email": "ann@example.com"})))).await;
    let confirmation = json!({"email": "ann@example.com", "otp": machine.code()});
    let deleted = send(&portfolio, &event("DELETE", "/api/v1/users/me", "", Some(&token), Some(&confirmation))).await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    for (compose, path) in [
        (groups::auth as Compose, "/api/v1/users/me"),
        (groups::stocks, "/api/v1/stocks"),
        (groups::signals, "/api/v1/signals"),
        (groups::portfolio, "/api/v1/portfolio/summary"),
        (groups::data, "/api/v1/data/status"),
    ] {
        let refused = send(&function(&machine, compose), &event("GET", path, "", Some(&token), None)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["type"]), (401, &json!("urn:stockgpt:problem:revoked-token")), "{path}");
    }

    let admin = log_in(&machine, "admin@example.com").await;
    let log = send(&auth, &event("GET", "/api/v1/admin/audit", "", Some(&admin), None)).await;
    let told: Vec<&str> = log.body["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert!(told.ends_with(&["account_deleted", "account_closing", "account_exported", "admin_appointed"]), "{told:?}");
}

/// Events of the template: function, method, path.
fn gateway_routes() -> Vec<(String, String, String)> {
    let mut function = String::new();
    let mut routes = Vec::new();
    for line in include_str!("../../../../template.yaml").lines() {
        if let Some(name) = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':')).filter(|name| !name.starts_with(' ')) {
            name.clone_into(&mut function);
        }
        let value = |name: &str| Some(line.split_once(name)?.1.trim_start().split([',', ' ', '}']).next()?.trim_matches('"').to_owned());
        if line.contains("Type: HttpApi,")
            && let (Some(method), Some(path)) = (value("Method:"), line.split_once("Path:"))
        {
            let path = path.1.trim().trim_end_matches([' ', '}']).trim_matches('"');
            let path = if path.ends_with("{proxy+") { format!("{path}}}") } else { path.to_owned() };
            routes.push((function.clone(), method, path));
        }
    }
    routes
}

/// The most exact route that the gateway has for a request, as it chooses: a whole path before a prefix, a method before any.
fn route<'a>(routes: &'a [(String, String, String)], method: &str, path: &str) -> Option<&'a str> {
    let rank = |(_, own_method, own_path): &(String, String, String)| {
        let length = match own_path.strip_suffix("{proxy+}") {
            Some(prefix) => path.starts_with(prefix).then_some(prefix.len()),
            None => fits(own_path, path).then_some(usize::MAX),
        };
        length.filter(|_| own_method == "ANY" || own_method == method).map(|length| (length, own_method != "ANY"))
    };
    routes.iter().filter_map(|route| Some((rank(route)?, route))).max_by_key(|(rank, _)| *rank).map(|(_, route)| route.0.as_str())
}

/// Whether the path has the segments of the pattern, in which `{name}` stands for any one.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count() && pattern.zip(path).all(|(own, asked)| own.starts_with('{') || own == asked)
}

#[tokio::test]
async fn the_gateway_sends_each_operation_to_the_function_that_serves_it() {
    let machine = Machine::start().await;
    let functions = [
        ("Auth", groups::auth as Compose),
        ("Stocks", groups::stocks),
        ("Signals", groups::signals),
        ("Portfolio", groups::portfolio),
        ("Data", groups::data),
    ]
    .map(|(name, compose)| (name, function(&machine, compose)));
    let routes = gateway_routes();
    let document = serde_json::to_value(api::openapi(false, api::FeatureFlags::default())).unwrap();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/api/")) {
        for method in item.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            let path = path.replace(['{', '}'], "");
            let name = route(&routes, &method, &path).unwrap_or_else(|| panic!("the gateway knows no {method} {path}"));
            let (_, function) = functions.iter().find(|(other, _)| *other == name).unwrap_or_else(|| panic!("{name} for {method} {path}"));
            let answer = send(function, &event(&method, &path, "", None, None)).await;
            let is_served = answer.status != 405 && answer.body["type"] != "urn:stockgpt:problem:unknown-route";
            assert!(is_served, "{name} does not serve {method} {path}: {}", answer.body);
            asked += 1;
        }
    }
    assert!(asked > 45, "{asked}");
}
