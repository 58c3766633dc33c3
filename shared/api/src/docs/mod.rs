//! The documentation pages: Swagger UI, `ReDoc` and the `OpenAPI` document, every asset from here and none from elsewhere.

mod assets;
mod document;
mod examples;
mod responses;

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use utoipa::openapi::OpenApi;

pub use document::document;
pub(crate) use responses::{Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated, Unavailable};

use crate::cached;

/// Scripts only from our own files. Both programs write style elements at run time, and `ReDoc` searches in a worker that it
/// makes from a blob; images are icons within the style sheets.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
     connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// `/docs`, which `/` leads to, `/redoc` and `/openapi.json` for one document. It is made when it is first asked for: making it takes
/// longer than all else that a process does before it serves.
pub fn router(document: impl FnOnce() -> OpenApi + Send + 'static) -> Router {
    let specification: LazySpecification = LazyLock::new(Box::new(|| {
        let json = serde_json::to_vec(&document()).expect("a document is strings, numbers and maps");
        Specification { etag: cached::etag(&json), json: json.into() }
    }));
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs") }))
        .route("/docs", get(|| async { page(include_str!("swagger-ui.html")) }))
        .route("/redoc", get(|| async { page(include_str!("redoc.html")) }))
        .route("/docs/{asset}", get(assets::serve))
        .route("/openapi.json", get(openapi_json))
        .with_state(Arc::new(specification))
}

type LazySpecification = LazyLock<Specification, Box<dyn FnOnce() -> Specification + Send>>;

struct Specification {
    json: Bytes,
    etag: HeaderValue,
}

fn page(html: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, html).into_response()
}

async fn openapi_json(State(specification): State<Arc<LazySpecification>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::ETAG, specification.etag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, specification.json.clone()).into_response()
}
