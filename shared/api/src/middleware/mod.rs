//! What surrounds every route, outermost first:
//!
//! 1. `observe`: request id, access log, metrics
//! 2. CORS for the configured origins
//! 3. gzip
//! 4. `harden`: security headers, problems instead of bare errors, 304
//! 5. `shelter`: so many requests at a time and no more, time limits, panics
//! 6. `identify`: of the API, the caller by their token, the rate limit
//! 7. `audit`: whom the log is to name
//! 8. the limit of a body's size
//!
//! From `harden` on they are functions of which each calls the next, all in one layer: of layers, axum clones for every request each
//! with all that are inside of it.

mod audit;
mod harden;
mod identify;
mod limits;
mod observe;
mod request_id;
mod shelter;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use tower_http::{
    compression::{
        CompressionLayer, CompressionLevel,
        predicate::{DefaultPredicate, Predicate},
    },
    cors::CorsLayer,
};

pub(crate) use audit::{ForAdmin, Recorded};
pub(crate) use identify::Identity;
pub use limits::{
    Allowance, Caller, InProcess, InStore, LimitSettings, LimitSettingsError, LimiterUnavailable, RateLimiter, RouteClass, RouteLimits,
};
pub use observe::AnsweredRoute;
pub use request_id::RequestId;
pub(crate) use shelter::BodyWithin;
pub use shelter::Capacity;
use shelter::Shelter;

use crate::{BASE_PATH, clock::Clock, features::FeatureFlags, identity::Authenticator, metrics::Tally, problem::Problem};

/// The largest body that is read: a megabyte.
pub const BODY_LIMIT_BYTES: usize = 1 << 20;

/// Where somebody signs in: what they are asked for there is counted apart.
const SIGN_IN_PATHS: [&str; 2] = ["/api/v1/auth/request-otp", "/api/v1/auth/login"];

/// What the edge needs from outside.
pub struct Edge {
    pub authenticator: Arc<dyn Authenticator>,
    pub clock: Arc<dyn Clock>,
    pub limiter: Arc<dyn RateLimiter>,
    /// Where requests are counted; a [`crate::metrics::Keeper`] of the same adds them to those of other copies.
    pub tally: Arc<Tally>,
    /// Which parts are on.
    pub features: FeatureFlags,
    /// Web pages of these origins may call; empty: only pages of our own.
    pub cors_origins: Vec<HeaderValue>,
    /// How long an answer may take, the caller's identity and rate included; half a minute is usual. Foreground jobs have a limit of
    /// their own.
    pub time_limit: Duration,
    /// How long a body may take to arrive.
    pub body_within: Duration,
    pub capacity: Capacity,
}

impl Edge {
    /// The usual limits, no foreign origins.
    pub fn new(authenticator: Arc<dyn Authenticator>, clock: Arc<dyn Clock>) -> Self {
        Self {
            authenticator,
            clock,
            limiter: Arc::new(InProcess::default()),
            tally: Arc::default(),
            features: FeatureFlags::default(),
            cors_origins: Vec::new(),
            time_limit: Duration::from_secs(30),
            body_within: Duration::from_secs(10),
            capacity: Capacity::default(),
        }
    }
}

/// Surrounds a router with everything above.
pub(crate) fn surround(router: Router, edge: Edge) -> Router {
    let cors = cors(&edge.cors_origins);
    let edge = Arc::new(edge);
    let inner = Arc::new(Inner { shelter: Shelter::new(&edge), edge: edge.clone() });
    let router = router.fallback(unknown_route).layer(from_fn_with_state(inner, guard)).layer(compression());
    match cors {
        Some(cors) => router.layer(cors),
        None => router,
    }
    .layer(from_fn_with_state(edge, observe::observe))
}

/// What is inside of compression.
struct Inner {
    edge: Arc<Edge>,
    shelter: Shelter,
}

async fn guard(State(inner): State<Arc<Inner>>, request: Request, next: Next) -> Response {
    let Inner { edge, shelter } = &*inner;
    let route = |mut request: Request| {
        DefaultBodyLimit::max(BODY_LIMIT_BYTES).apply(&mut request);
        next.run(request)
    };
    let audited = |request| audit::audit(edge, request, route);
    let identified = |request| identify::identify(edge, request, audited);
    harden::harden(request, |request| shelter.take_in(request, identified)).await
}

async fn unknown_route(request: Request) -> Problem {
    // Bad input is echoed: keep it short.
    let path: String = request.uri().path().chars().take(100).collect();
    Problem::new(StatusCode::NOT_FOUND, "unknown-route", format!("there is no route {path}; /docs lists all routes"))
}

/// All but what has no body to compress.
fn compression() -> CompressionLayer<impl Predicate> {
    let has_body = |status: StatusCode, _: Version, _: &HeaderMap, _: &Extensions| status != StatusCode::NOT_MODIFIED;
    CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest).compress_when(DefaultPredicate::new().and(has_body))
}

fn cors(origins: &[HeaderValue]) -> Option<CorsLayer> {
    let exposed =
        ["etag", "retry-after", "www-authenticate", "x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins.to_vec())
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_NONE_MATCH,
                HeaderName::from_static("idempotency-key"),
                request_id::HEADER,
            ])
            .expose_headers(exposed.map(HeaderName::from_static))
            .max_age(Duration::from_hours(1))
    })
}
