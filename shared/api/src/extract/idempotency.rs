//! Writes that may be sent twice and happen once.

use app::portfolio::Idempotency;
use axum::{
    extract::{FromRequest, FromRequestParts, OriginalUri, Request},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use super::json::{self, body, is_json, not_json};
use crate::problem::Problem;

/// A JSON body and the key it came with, from the header `Idempotency-Key`: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone)]
pub struct Idempotent<T> {
    pub body: T,
    pub key: Option<Idempotency>,
}

const HEADER: &str = "idempotency-key";

fn read(parts: &Parts, body: &[u8]) -> Result<Option<Idempotency>, Problem> {
    let mut values = parts.headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    // Of two keys nobody can tell which one counts.
    let key = value.to_str().ok().filter(|_| values.next().is_none()).unwrap_or_default();
    if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Problem::invalid(HEADER, "must be there once, with 1 to 255 visible ASCII characters"));
    }
    // Inside a nested router the path is cut; the same key on two routes is not the same request.
    let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.0.path());
    let request = [parts.method.as_str().as_bytes(), b" ", path.as_bytes(), b"\n", body].concat();
    Ok(Some(Idempotency::new(key.to_owned(), &request)))
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Idempotent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, rest) = request.into_parts();
        let bytes = body(Request::from_parts(parts.clone(), rest), state).await?;
        if !is_json(&parts.headers) {
            return Err(not_json(&bytes));
        }
        Ok(Self { key: read(&parts, &bytes)?, body: json::parse(&bytes)? })
    }
}

/// For a write without a body: `MaybeKey(None)` when no key was sent.
#[derive(Debug, Clone)]
pub struct MaybeKey(pub Option<Idempotency>);

impl<S: Send + Sync> FromRequestParts<S> for MaybeKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts, b"").map(Self)
    }
}
