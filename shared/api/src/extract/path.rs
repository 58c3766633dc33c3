//! Path parameters.

use axum::{
    extract::{FromRequestParts, RawPathParams, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::{FieldError, Problem};

/// Path parameters: one value, a tuple, or a struct.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let rejection = match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => return Ok(Self(value)),
            Err(rejection) => rejection,
        };
        let names: Vec<String> = match RawPathParams::from_request_parts(parts, state).await {
            Ok(params) => params.iter().map(|(name, _)| name.to_owned()).collect(),
            Err(_) => Vec::new(),
        };
        Err(refusal(rejection, &names))
    }
}

fn refusal(rejection: PathRejection, names: &[String]) -> Problem {
    let PathRejection::FailedToDeserializePathParams(failure) = rejection else { return Problem::internal(&rejection) };
    let first = names.first().cloned().unwrap_or_default();
    let not_a = |value: &str, expected: &str| format!("`{}` is not a {expected}", value.chars().take(40).collect::<String>());
    let (name, detail) = match failure.into_kind() {
        ErrorKind::ParseErrorAtKey { key, value, expected_type } => (key, not_a(&value, expected_type)),
        ErrorKind::ParseErrorAtIndex { index, value, expected_type } => {
            (names.get(index).cloned().unwrap_or(first), not_a(&value, expected_type))
        }
        ErrorKind::ParseError { value, expected_type } => (first, not_a(&value, expected_type)),
        ErrorKind::InvalidUtf8InPathParam { key } => (key, "is not UTF-8".to_owned()),
        ErrorKind::DeserializeError { key, message, .. } => (key, message),
        ErrorKind::Message(message) => (first, message),
        // What is left are mistakes in the program: a route's template and its handler disagree.
        other => return Problem::internal(&other),
    };
    Problem::invalid_inputs(vec![FieldError::new(&name, detail)])
}
