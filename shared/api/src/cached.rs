//! Answers that change rarely: clients keep them and ask only whether they changed.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{answers::Encoded, problem::Problem};

/// A JSON answer with an `ETag` of its content; a request whose `If-None-Match` has it gets 304 (see [`crate::middleware`]).
///
/// `Cache-Control: private, no-cache` lets a client keep the answer and makes it ask each time: prices change at an
/// instant that no `max-age` can know beforehand, least of all in a replay.
#[derive(Debug, Clone, Copy)]
pub struct Cached<T>(pub T);

pub(crate) const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

impl<T: Serialize> IntoResponse for Cached<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => answer(Encoded { etag: etag(&body), body: body.into() }),
            Err(error) => Problem::internal(&error).into_response(),
        }
    }
}

/// A [`Cached`] answer whose content is encoded already.
pub(crate) fn answer(Encoded { body, etag }: Encoded) -> Response {
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), (header::ETAG, etag), (header::CACHE_CONTROL, REVALIDATE)];
    (headers, body).into_response()
}

/// Weak, since the same content may travel compressed or not: the first 128 bits of its SHA-256.
pub(crate) fn etag(content: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(content);
    let bits = digest.iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    HeaderValue::from_str(&format!("W/\"{bits:032x}\"")).expect("hexadecimal digits")
}
