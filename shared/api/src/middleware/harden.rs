//! What every answer has in common: security headers, problems instead of bare status codes, 304 where nothing changed.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::problem::Problem;

const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];
/// Unless the answer says otherwise itself: nothing may be loaded by it, nothing may be kept of it.
const DEFAULTS: [(HeaderName, HeaderValue); 2] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];
/// Two years, as the preload list asks.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

pub(super) async fn harden<F: Future<Output = Response>>(request: Request, next: impl FnOnce(Request) -> F) -> Response {
    let is_https = is_https(&request);
    let validators = if matches!(*request.method(), Method::GET | Method::HEAD) {
        request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect()
    } else {
        Vec::new()
    };

    let response = next(request).await;
    let mut response = if is_bare_error(&response) {
        as_problem(response)
    } else if is_unchanged(&response, &validators) {
        not_modified(response)
    } else {
        response
    };

    let headers = response.headers_mut();
    headers.extend(ALWAYS);
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(value);
    }
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    }
    response
}

/// Whether the client came by HTTPS: here, or at the proxy in front. Claiming it falsely only harms the one who claims it.
fn is_https(request: &Request) -> bool {
    request.uri().scheme_str() == Some("https") || request.headers().get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}

/// Errors that the framework answers by itself come as text or with no body at all.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let is_json = |value: &HeaderValue| value.to_str().is_ok_and(|kind| kind.starts_with("application/") && kind.contains("json"));
    (status.is_client_error() || status.is_server_error()) && !response.headers().get(header::CONTENT_TYPE).is_some_and(is_json)
}

fn as_problem(response: Response) -> Response {
    let (mut bare, _) = response.into_parts();
    let mut problem = Problem::of_status(bare.status).into_response();
    bare.headers.remove(header::CONTENT_TYPE);
    bare.headers.remove(header::CONTENT_LENGTH);
    merge(problem.headers_mut(), bare.headers);
    *problem.extensions_mut() = bare.extensions;
    problem
}

fn merge(into: &mut HeaderMap, from: HeaderMap) {
    let mut last = None;
    for (name, value) in from {
        // An iterator of headers names each only once, before its first value.
        last = name.or(last);
        if let Some(name) = &last {
            into.append(name, value);
        }
    }
}

/// RFC 9110, 13.1.2: weak comparison with any of the tags the client has.
fn is_unchanged(response: &Response, validators: &[HeaderValue]) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Some(ours) = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(opaque) else { return false };
    response.status() == StatusCode::OK
        && validators
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
            .any(|theirs| theirs.trim() == "*" || opaque(theirs) == ours)
}

fn not_modified(response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    // RFC 9110, 15.4.5: what a cache chooses its copy by must be as in the 200, where compression adds it.
    parts.headers.entry(header::VARY).or_insert(HeaderValue::from_static("accept-encoding"));
    for describes_a_body in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
        parts.headers.remove(describes_a_body);
    }
    Response::from_parts(parts, Body::new(Unsent))
}

/// A body of unknown length that is never sent. An empty one would be announced as `content-length: 0`, which is not the length that the
/// 200 has (RFC 9110, 8.6).
struct Unsent;

impl http_body::Body for Unsent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}
