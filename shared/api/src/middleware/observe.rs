//! The outermost layer: request id, access log and request metrics.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use domain::UserId;
use tracing::Instrument as _;

use super::{
    Edge,
    request_id::{self, RequestId},
};
use crate::clock::Instants;

/// Who was answered; put in the response's extensions where the token is checked, so that the log outside knows.
#[derive(Debug, Clone)]
pub(super) struct AnsweredUser(pub(super) UserId);

/// The template of the route that answered, in the response's extensions.
#[derive(Debug, Clone)]
pub struct AnsweredRoute(pub Arc<str>);

pub(super) async fn observe(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::of(request.headers());
    let method = method_label(request.method());
    // The template, never the path: paths hold ids, and metrics must not grow with them.
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched".into(), |path| Arc::<str>::from(path.as_str()));
    request.extensions_mut().insert(Instants::read(&edge.clock));
    request.extensions_mut().insert(edge.features);

    let span = tracing::info_span!("request", request_id = id.as_str(), method, route = &*route);
    let mut response = id.clone().scope(next.run(request).instrument(span)).await;

    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    edge.tally.request(&route, method, status, elapsed);
    // All in one line, which no other field of a span has to complete.
    let user_id = response.extensions().get::<AnsweredUser>().map(|user| user.0.0.as_str());
    let latency_ms = (elapsed.as_secs_f64() * 1e6).round() / 1e3;
    tracing::info!(target: "access", request_id = id.as_str(), user_id, method, route = &*route, status, latency_ms, "answered");
    response.extensions_mut().insert(AnsweredRoute(route));
    response.headers_mut().insert(request_id::HEADER, id.header_value());
    response
}

/// Clients may invent methods; a label may not take any value.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
