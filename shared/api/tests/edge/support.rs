//! Routes that show the edge at work, and a client for them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use api::{
    Edge,
    cached::Cached,
    clock::{Now, WallClock},
    extract::{Admin, AuthUser, BodyOrQuery, Idempotent, InQuery, Json, Limit, Path, Query, Skip, Trader},
    identity::Authenticator,
    metrics::Keeper,
    middleware::{InProcess, RouteLimits},
    number::{SharePrice, Shares},
    problem::Problem,
    routes::system::{HealthCheck, SystemState},
};
use app::{
    auth::{AuthError, Bucket, Principal},
    ports::{StoreError, TallySlot, TallyStore},
};
use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
    routing::{get, post},
};
use domain::{Role, Symbol, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt as _;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    legs: Vec<Leg>,
    #[serde(default)]
    price: Option<SharePrice>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Leg {
    symbol: Symbol,
    quantity: Shares,
}

#[derive(Debug, Deserialize)]
struct Paging {
    #[serde(default)]
    limit: Limit<50, 1000>,
    #[serde(default)]
    skip: Skip,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    name: String,
}

#[derive(Debug, Deserialize)]
struct HelloQuery {
    name: String,
}

impl From<HelloQuery> for Hello {
    fn from(query: HelloQuery) -> Self {
        Self { name: query.name }
    }
}

impl InQuery for Hello {
    type Query = HelloQuery;
}

/// Where counts are kept, for one copy.
#[derive(Default)]
struct Places(Mutex<Vec<TallySlot>>);

#[async_trait]
impl TallyStore for Places {
    async fn slots(&self) -> Result<Vec<TallySlot>, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn write_slot(&self, slot: &TallySlot) -> Result<(), StoreError> {
        *self.0.lock().unwrap() = vec![slot.clone()];
        Ok(())
    }
}

/// Tokens are the names of roles, or say what is wrong with them.
struct NamedTokens;

#[async_trait]
impl Authenticator for NamedTokens {
    async fn authenticate(&self, token: &str, now: Timestamp) -> Result<Principal, AuthError> {
        let role = match token {
            "viewer" => Role::Viewer,
            "trader" => Role::Trader,
            "admin" => Role::Admin,
            "expired" => return Err(AuthError::ExpiredToken),
            "deactivated" => return Err(AuthError::Deactivated),
            "storeless" => return Err(AuthError::Store(StoreError::Unavailable("secret host 10.0.0.7".into()))),
            _ => return Err(AuthError::ForgedToken),
        };
        let email = format!("{token}@example.com").parse().expect("a good address");
        Ok(Principal { user_id: UserId(token.into()), email, role, session_id: "s".into(), expires_at: now })
    }
}

fn routes() -> Router {
    let orders = post(|Idempotent { body, key }: Idempotent<Order>| async move {
        let legs: Vec<Value> = body.legs.iter().map(|leg: &Leg| json!({ "symbol": leg.symbol, "quantity": leg.quantity })).collect();
        Json(json!({ "legs": legs, "price": body.price, "key": key.map(|key| format!("{key:?}")) }))
    });
    Router::new()
        .route("/orders", orders)
        .route("/list", get(|Query(paging): Query<Paging>| async move { Json(json!([paging.limit.get(), paging.skip.get()])) }))
        .route(
            "/stocks/{symbol}/bars/{index}",
            get(|Path((symbol, index)): Path<(Symbol, u8)>| async move { Json(json!([symbol, index])) }),
        )
        .route("/hello", post(|BodyOrQuery(hello): BodyOrQuery<Hello>| async move { Json(hello) }))
        .route("/steady", get(|| async { Cached(json!({ "prices": [1, 2, 3] })) }))
        .route("/long", get(|_: AuthUser| async { Json(vec!["the same words again and again"; 500]) }))
        .route("/mine", get(|user: AuthUser| async move { user.user_id.to_string() }))
        .route("/trade", post(|user: Trader| async move { user.user_id.to_string() }))
        .route("/manage", post(|user: Admin| async move { user.user_id.to_string() }))
        .route("/now", get(|Now(now): Now| async move { Json(now) }))
        .route("/refused", get(|| async { Problem::refused("insufficient-cash", "You have 10 dollars and this costs 11.") }))
        .route("/panic", get(panicking))
        .route("/forever", get(std::future::pending::<()>))
}

async fn panicking() {
    panic!("a secret detail");
}

pub(crate) fn edge() -> Edge {
    Edge::new(Arc::new(NamedTokens), Arc::new(WallClock))
}

pub(crate) fn app(edge: Edge) -> Router {
    app_with(edge, Vec::new())
}

pub(crate) fn app_with(edge: Edge, checks: Vec<Arc<dyn HealthCheck>>) -> Router {
    let keeper = Keeper::new(edge.tally.clone(), Arc::<Places>::default());
    let system = SystemState { version: "1.2.3", checks, metrics: vec![Arc::new(keeper)] };
    api::compose([routes().into()], Some(api::system(system, move || api::openapi(true, edge.features))), edge)
}

/// A quick edge that allows `burst` requests of each user.
pub(crate) fn strict(burst: u32) -> Edge {
    let limits = RouteLimits::all(Bucket::new(burst, Duration::from_secs(10)));
    Edge { limiter: Arc::new(InProcess::new(limits)), time_limit: Duration::from_millis(20), ..edge() }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("headers are text"))
    }
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.expect("the edge never fails");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("bodies end").to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// `request("POST /api/v1/orders", &[("content-type", "application/json")], "{}")`
pub(crate) fn request(line: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let (method, uri) = line.split_once(' ').expect("a method and a path");
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).expect("a good request")
}

pub(crate) async fn get_with(app: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(app, request(&format!("GET {path}"), headers, Body::empty())).await
}

pub(crate) async fn post_json(app: &Router, path: &str, body: &str) -> Answer {
    send(app, request(&format!("POST {path}"), &[(header::CONTENT_TYPE.as_str(), "application/json")], body.to_owned())).await
}

/// The lines of Prometheus' text that are samples, by name and labels.
pub(crate) fn samples(text: &str) -> HashMap<&str, f64> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').expect("a name and a value"))
        .map(|(name, value)| (name, value.parse().expect("a number")))
        .collect()
}
