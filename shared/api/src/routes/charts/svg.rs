//! A picture as an answer.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::cached;

/// An SVG with an `ETag`: whoever has it asks only whether it has changed.
///
/// It needs nothing from anywhere, so that the edge's strict policy stays in force for who opens it as a page.
pub(super) struct Svg(pub(super) String);

impl IntoResponse for Svg {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
            (header::ETAG, cached::etag(self.0.as_bytes())),
            (header::CACHE_CONTROL, cached::REVALIDATE),
        ];
        (headers, self.0).into_response()
    }
}
