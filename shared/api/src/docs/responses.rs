//! The problems that any operation of a kind may answer with, declared once and added to each operation.

use serde_json::json;
use utoipa::{
    PartialSchema,
    openapi::{
        Components, Content, Header, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type, path::Operation,
        schema::Schema,
    },
};

use crate::problem::{FieldError, ProblemDocument};

/// Status, the response's name in the document, its description.
type Declared = (&'static str, &'static str, &'static str);

const UNAUTHENTICATED: Declared =
    ("401", "Unauthenticated", "There is no token, or it is not good (any more); `WWW-Authenticate` says why.");
const FORBIDDEN: Declared = ("403", "Forbidden", "The user's role does not allow this, or the account is deactivated.");
const NOT_FOUND: Declared = ("404", "NotFound", "What the path names does not exist, or not for this user.");
const SLOW: Declared = ("408", "SlowBody", "The body took too long to arrive.");
const TOO_LARGE: Declared = ("413", "BodyTooLarge", "The body is larger than a megabyte.");
const NOT_JSON: Declared = ("415", "UnsupportedMediaType", "The body is not declared as `application/json`.");
const INVALID: Declared = (
    "422",
    "InvalidInput",
    "An input does not fit this document (`invalid-input`) or cannot be used now (`unusable-input`), or a rule forbids the request and is \
     named; `errors` names the fields.",
);
const MALFORMED: Declared = ("400", "MalformedRequest", "The request broke off or is not well formed.");
const TOO_MANY: Declared = ("429", "TooManyRequests", "Too many requests; `Retry-After` tells when the next may come.");
const INTERNAL: Declared = ("500", "InternalError", "A defect on our side; the request id identifies it in our logs.");
const UNAVAILABLE: Declared = ("503", "Unavailable", "Something this depends on does not answer; `Retry-After` tells when to try again.");

const CONFLICT: Declared = ("409", "Conflict", "The present state does not allow it, or the idempotency key was used for another request.");

const ALL: [Declared; 12] =
    [MALFORMED, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, SLOW, CONFLICT, TOO_LARGE, NOT_JSON, INVALID, TOO_MANY, INTERNAL, UNAVAILABLE];

macro_rules! named {
    ($($name:ident)*) => {$(
        /// For a route that answers so for reasons of its own; the text is the declaration's.
        pub(crate) struct $name;

        impl utoipa::ToResponse<'static> for $name {
            fn response() -> (&'static str, RefOr<Response>) {
                (stringify!($name), Ref::from_response_name(stringify!($name)).into())
            }
        }
    )*};
}

named! { Unauthenticated Forbidden NotFound Conflict InvalidInput Unavailable }

/// Puts the problem's schema and the responses above among the document's components.
pub(super) fn declare(components: &mut Components) {
    components.schemas.insert("Problem".into(), ProblemDocument::schema());
    components.schemas.insert("FieldError".into(), FieldError::schema());
    for (status, name, description) in ALL {
        let mut response = ResponseBuilder::new().description(description).content(
            "application/problem+json",
            Content::builder().schema(Some(Ref::from_schema_name("Problem"))).example(Some(example(status, description))).build(),
        );
        for header in headers(status) {
            response = response.header(header.0, header.1);
        }
        components.responses.insert(name.into(), response.build().into());
    }
}

fn example(status: &str, description: &str) -> serde_json::Value {
    let (kind, title, detail, errors) = match status {
        "401" => ("missing-token", "Missing token", "This needs a bearer token: request a code, log in and send the token.", None),
        "403" => ("forbidden", "Forbidden", "This needs the role admin; yours is trader.", None),
        "404" => ("not-found", "Not found", "there is no stock ZZZZ", None),
        "408" => ("slow-body", "Slow body", "the body took too long to arrive", None),
        "409" => ("concurrent-change", "Concurrent change", "somebody else changed this at the same moment; try again", None),
        "413" => ("body-too-large", "Body too large", "the body is larger than 1048576 bytes", None),
        "415" => ("unsupported-media-type", "Unsupported media type", "the body must have the content type application/json", None),
        "422" => (
            "invalid-input",
            "Invalid input",
            "limit: must be a whole number from 1 to 1000",
            Some(("/limit", "must be a whole number from 1 to 1000")),
        ),
        "429" => ("too-many-requests", "Too many requests", "too many requests; the next one may come in 2 s", None),
        "503" => ("unavailable", "Unavailable", "the store is unavailable at the moment; try again shortly", None),
        "400" => ("malformed-request", "Malformed request", "the body broke off before its end", None),
        _ => ("internal-error", "Internal error", description, None),
    };
    let mut problem = json!({
        "type": format!("{}{kind}", crate::problem::TYPE_PREFIX),
        "title": title,
        "status": status.parse::<u16>().expect("statuses are numbers"),
        "detail": detail,
        "instance": "5f1d0a3c9b7e4d2f8a6c1e0b3d5f7a9c",
    });
    if let Some((pointer, detail)) = errors {
        problem["errors"] = json!([{ "pointer": pointer, "detail": detail }]);
    }
    problem
}

fn header(kind: Type, description: &str) -> Header {
    let schema: RefOr<Schema> = ObjectBuilder::new().schema_type(kind).into();
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

fn headers(status: &str) -> Vec<(&'static str, Header)> {
    let mut headers = vec![("X-Request-Id", header(Type::String, "The request's id."))];
    match status {
        "401" => headers.push(("WWW-Authenticate", header(Type::String, "The challenge, as RFC 6750 defines it."))),
        "429" | "503" => headers.push(("Retry-After", header(Type::Integer, "Seconds until another try makes sense."))),
        _ => {}
    }
    headers
}

/// Adds to one operation what it did not declare itself.
pub(super) fn complete(operation: &mut Operation, path: &str) {
    let is_secured = is_secured(operation);
    let has_body = operation.request_body.is_some();
    let has_parameters = operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty());
    let is_api = path.starts_with("/api/");

    let mut may_answer = Vec::new();
    if is_api {
        may_answer.extend([TOO_MANY, INTERNAL, UNAVAILABLE]);
    }
    if is_secured {
        may_answer.extend([UNAUTHENTICATED, FORBIDDEN]);
    }
    if path.contains('{') {
        may_answer.push(NOT_FOUND);
    }
    if has_body {
        may_answer.extend([MALFORMED, SLOW, TOO_LARGE, NOT_JSON]);
    }
    if has_body || has_parameters {
        may_answer.push(INVALID);
    }
    for (status, name, _) in may_answer {
        operation.responses.responses.entry(status.into()).or_insert_with(|| Ref::from_response_name(name).into());
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            describe_headers(response, is_api && is_secured);
        }
    }
}

/// Whether an operation asks for a token; the roles that it asks for are named beside it.
fn is_secured(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(|requirements| !requirements.is_empty())
}

fn describe_headers(response: &mut Response, is_limited: bool) {
    response.headers.entry("X-Request-Id".into()).or_insert_with(|| header(Type::String, "The request's id.").into());
    if is_limited {
        for (name, description) in [
            ("X-RateLimit-Limit", "Requests that may come at once."),
            ("X-RateLimit-Remaining", "How many of these are left."),
            ("X-RateLimit-Reset", "When all of them will be there again, in Unix seconds."),
        ] {
            response.headers.entry(name.into()).or_insert_with(|| header(Type::Integer, description).into());
        }
    }
}
