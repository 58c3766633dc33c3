//! JSON bodies, in and out.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{
    Deserializer, Serialize,
    de::{self, DeserializeOwned, Visitor},
    forward_to_deserialize_any,
};

use super::reason::field_error;
use crate::{
    middleware::{BODY_LIMIT_BYTES, BodyWithin},
    problem::{FieldError, Problem},
};

/// A JSON body. Types of requests carry `#[serde(deny_unknown_fields)]`: a misspelt optional field must not pass for absent.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let body = body(request, state).await?;
        if !is_json {
            return Err(not_json(&body));
        }
        parse(&body).map(Self)
    }
}

/// The whole body, if it is not too large and does not take too long to come.
pub(super) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    // Who says beforehand that it will be too much need not send it.
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_LIMIT_BYTES) {
        return Err(Problem::body_too_large(BODY_LIMIT_BYTES));
    }
    let BodyWithin(limit) = *request.extensions().get().expect("`shelter` is outside");
    let Ok(read) = tokio::time::timeout(limit, Bytes::from_request(request, state)).await else {
        return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "slow-body", "the body took too long to arrive"));
    };
    read.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(failure) if failure.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::body_too_large(BODY_LIMIT_BYTES)
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "malformed-request", "the body broke off before its end"),
    })
}

/// Whether the body is declared as JSON: `application/json` or another type in JSON syntax.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let declared = types.next().and_then(|value| value.to_str().ok()).filter(|_| types.next().is_none()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// A body without JSON's content type: nothing was sent, or something else.
pub(super) fn not_json(body: &[u8]) -> Problem {
    if body.is_empty() {
        return Problem::invalid("", "this needs a JSON body");
    }
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "the body must have the content type application/json")
}

/// The value that the body means, or the first thing in it that cannot be used.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.trim_ascii().is_empty() {
        return Err(Problem::invalid("", "this needs a JSON body"));
    }
    // Serde would also take an array of a struct's fields in their order, which no document offers.
    if body.trim_ascii().starts_with(b"[") && is_struct::<T>() {
        return Err(Problem::invalid("", "must be an object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            return Problem::invalid_inputs(vec![field_error(error.path(), &inner.to_string())]);
        }
        malformed(inner)
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// Whether `T` reads itself as a struct, found out by letting it ask.
fn is_struct<T: DeserializeOwned>() -> bool {
    struct Asked<'a>(&'a mut bool);

    impl<'de> Deserializer<'de> for Asked<'_> {
        type Error = de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(de::Error::custom("only asked"))
        }

        fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], _: V) -> Result<V::Value, Self::Error> {
            *self.0 = true;
            Err(de::Error::custom("only asked"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut is_struct = false;
    let _ = T::deserialize(Asked(&mut is_struct));
    is_struct
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::invalid_inputs(vec![FieldError { pointer: String::new(), detail: format!("the body is not JSON: {error}") }])
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => Problem::internal(&error).into_response(),
        }
    }
}
