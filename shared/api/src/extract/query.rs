//! Query parameters; unknown ones are ignored.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{Uri, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema},
};

use super::{
    json::{self, body, is_json, not_json},
    reason::{REQUIRED, field_error},
};
use crate::problem::Problem;

/// Query parameters as a struct of options and defaults.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse(&parts.uri).map(Self)
    }
}

fn parse<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
        .map_err(|error| Problem::invalid_inputs(vec![field_error(error.path(), &error.inner().to_string())]))
}

/// A request that may also come in the query: `Query` has the same fields and, as every query does, ignores others.
pub trait InQuery: DeserializeOwned {
    type Query: DeserializeOwned + Into<Self>;
}

/// Refuses a query that says something else than the body: whichever were taken, the other half of the request would be ignored.
fn agree(uri: &Uri, body: &[u8]) -> Result<(), Problem> {
    let said: serde_json::Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let differs = |name: &str, value: &str| match said.get(name) {
        Some(Value::String(text)) => !text.trim().eq_ignore_ascii_case(value.trim()),
        // These requests are of texts.
        _ => false,
    };
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let contradiction = pairs.into_iter().find(|(name, value)| differs(name, value));
    contradiction.map_or(Ok(()), |(name, _)| Err(Problem::unusable(&name, "is another in the query than in the body")))
}

/// A small request that comes as a JSON body or, without one, as query parameters. Where both are there, the query must
/// be in order all the same, and say the same.
#[derive(Debug, Clone, Copy)]
pub struct BodyOrQuery<B>(pub B);

impl<B: InQuery, S: Send + Sync> FromRequest<S> for BodyOrQuery<B> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let uri = request.uri().clone();
        let is_json = is_json(request.headers());
        let body = body(request, state).await?;
        let query = parse::<B::Query>(&uri);
        // HTTP clients fill the place of an absent body in one of these ways.
        if matches!(body.trim_ascii(), b"" | b"null" | b"{}") {
            return query.map(|query| Self(query.into())).map_err(|problem| missing(&problem).unwrap_or(problem));
        }
        if !is_json {
            return Err(not_json(&body));
        }
        let request = json::parse(&body)?;
        match query {
            Err(problem) if missing(&problem).is_none() => Err(problem),
            _ => agree(&uri, &body).map(|()| Self(request)),
        }
    }
}

/// The problem of a request that is in neither place, if all that is wrong with the query is what it leaves out.
fn missing(problem: &Problem) -> Option<Problem> {
    match problem.errors() {
        [error] if error.detail == REQUIRED => Some(Problem::unusable(&error.pointer, "is required, in the body or in the query")),
        _ => None,
    }
}

/// The body of a [`BodyOrQuery`] as the document shows it, where it may also be absent or null: `T`, or the third way in which clients
/// send no body.
pub(crate) fn or_nothing<T: ToSchema>() -> RefOr<Schema> {
    OneOfBuilder::new()
        .item(Ref::from_schema_name(T::name()))
        .item(ObjectBuilder::new().max_properties(Some(0)).description(Some("Nothing here: the query says it.")))
        .into()
}
