//! Errors as clients see them: RFC 9457 problem details.
//!
//! Every refusal has a kind, a short name in kebab case. It gives the `type` URI (`urn:stockgpt:problem:insufficient-cash`:
//! a name, not an address, so that nothing has to be hosted for it to stay valid) and, spelt out, the `title`.
//! `detail` is a sentence that a person can act on; causes that are not the client's business are logged, never sent.

use std::fmt;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::middleware::RequestId;

/// What the `type` of every problem begins with; the kind follows.
pub const TYPE_PREFIX: &str = "urn:stockgpt:problem:";
pub const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A refusal on its way to the client; turns into the response in a handler's `Result`.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One input that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body; for a query or path parameter or a header, its name after the slash.
    #[schema(example = "/quantity")]
    pub pointer: String,
    /// What is wrong with it, and what would be right.
    #[schema(example = "must be above zero")]
    pub detail: String,
}

impl FieldError {
    /// `field` is a name, for a nested value names joined by slashes, or empty for the body as a whole.
    pub fn new(field: &str, detail: impl Into<String>) -> Self {
        let slash = if field.is_empty() || field.starts_with('/') { "" } else { "/" };
        Self { pointer: format!("{slash}{field}"), detail: detail.into() }
    }
}

/// Problem details as RFC 9457 defines them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'a> {
    /// Names the kind of problem: `urn:stockgpt:problem:` and the kind in kebab case.
    #[schema(example = "urn:stockgpt:problem:invalid-input")]
    r#type: String,
    /// The kind in words, the same for every problem of the kind.
    #[schema(example = "Invalid input")]
    title: String,
    /// The HTTP status code.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time, and what can be done about it.
    #[schema(example = "limit: must be from 1 to 1000")]
    detail: &'a str,
    /// The request id, as in the header `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "5f1d0a3c9b7e4d2f8a6c1e0b3d5f7a9c")]
    instance: Option<String>,
    /// The inputs that were refused.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Option<Vec<FieldError>>, nullable = false)]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem of any kind; the constructors below are the usual ones.
    pub fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts { status, kind, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }))
    }

    /// 404: the thing asked for does not exist, or not for this user.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    fn sentence(error: &FieldError) -> String {
        match error.pointer.trim_start_matches('/') {
            "" => error.detail.clone(),
            name => format!("{name}: {}", error.detail),
        }
    }

    /// 422: one input cannot be used.
    pub fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Self::invalid_inputs(vec![FieldError::new(field, detail)])
    }

    /// 422: several inputs cannot be used.
    pub fn invalid_inputs(errors: Vec<FieldError>) -> Self {
        let detail = errors.iter().map(Self::sentence).collect::<Vec<_>>().join("; ");
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", detail);
        problem.0.errors = errors;
        problem
    }

    /// 422: each input is well formed, but together, or in the present state, they cannot be used. `invalid-input` is only what
    /// breaks the document's schema, so that a client that keeps to it never meets that kind.
    pub fn unusable(field: &str, detail: impl Into<String>) -> Self {
        let error = FieldError::new(field, detail);
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unusable-input", Self::sentence(&error));
        problem.0.errors = vec![error];
        problem
    }

    /// 422: understood, but a rule forbids it; `rule` is the rule's name in kebab case, such as `insufficient-cash`.
    pub fn refused(rule: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, rule, detail)
    }

    /// 409: it cannot be done in the present state of the resource.
    pub fn conflict(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, kind, detail)
    }

    /// 403: known, but not allowed.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 413.
    pub fn body_too_large(limit_bytes: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", format!("the body is larger than {limit_bytes} bytes"))
    }

    /// 429: too many requests; `retry_after_seconds` tells when the next one may succeed.
    pub fn too_many_requests(kind: &'static str, detail: impl Into<String>, retry_after_seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, kind, detail).retry_after(retry_after_seconds)
    }

    /// 503: something this depends on does not answer.
    pub fn unavailable(detail: impl Into<String>, retry_after_seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(retry_after_seconds)
    }

    /// 503 for a dependency's failure: the cause goes to the log, the client learns which part is unavailable.
    pub fn dependency(part: &str, cause: &dyn fmt::Display) -> Self {
        tracing::error!(part, %cause, "a dependency failed");
        Self::unavailable(format!("{part} is unavailable at the moment; try again shortly"), 5)
    }

    /// 500: a defect on this side; the cause goes to the log, the client gets the request id to report.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal-error",
            "something went wrong on our side; the request id identifies it in our logs",
        )
    }

    /// Adds the input that the problem is about.
    pub fn at(mut self, field: &str, detail: impl Into<String>) -> Self {
        self.0.errors.push(FieldError::new(field, detail));
        self
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    pub fn kind(&self) -> &'static str {
        self.0.kind
    }

    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The inputs that were refused.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The problem that says no more than a bare status code does.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (kind, detail) = match status {
            StatusCode::BAD_REQUEST => ("malformed-request", "the request is not well formed"),
            StatusCode::NOT_FOUND => ("not-found", "there is nothing here"),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("method-not-allowed", "this method is not supported here; the header Allow lists those that are")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("body-too-large", "the body is too large"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported-media-type", "the body must be application/json"),
            StatusCode::SERVICE_UNAVAILABLE => ("unavailable", "the service is unavailable at the moment; try again shortly"),
            status if status.is_server_error() => ("internal-error", "something went wrong on our side"),
            _ => ("refused", "the request was refused"),
        };
        Self::new(status, kind, detail)
    }
}

/// `insufficient-cash` → `Insufficient cash`.
fn title(kind: &str) -> String {
    let words = kind.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.status.as_u16(), self.0.kind, self.0.detail)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Parts { status, kind, detail, errors, headers } = *self.0;
        let document = ProblemDocument {
            r#type: format!("{TYPE_PREFIX}{kind}"),
            title: title(kind),
            status: status.as_u16(),
            detail: &detail,
            instance: RequestId::current().map(|id| id.as_str().to_owned()),
            errors: &errors,
        };
        let body = serde_json::to_vec(&document).expect("strings and numbers are JSON");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
        for (name, value) in headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}
