//! The innermost layer: a handler that panics or never ends costs one request, not the server.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt as _;

use super::Edge;
use crate::problem::Problem;

/// Routes that do a job while the client waits for it: a simulated year, an ingestion in the foreground.
const UNHURRIED: [&str; 4] =
    ["/api/v1/clock/advance", "/api/v1/data/ingest/stocks", "/api/v1/data/ingest/scheduled", "/api/v1/data/ingest/stock-list"];
const UNHURRIED_LIMIT: Duration = Duration::from_mins(15);

pub(super) async fn shelter(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    let is_unhurried = request.extensions().get::<MatchedPath>().is_some_and(|path| UNHURRIED.contains(&path.as_str()));
    let limit = if is_unhurried { UNHURRIED_LIMIT } else { edge.time_limit };
    match tokio::time::timeout(limit, AssertUnwindSafe(next.run(request)).catch_unwind()).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => Problem::internal(&format_args!("a handler panicked: {}", message(&*panic))).into_response(),
        Err(_) => {
            tracing::warn!(limit_ms = limit.as_millis(), "a request ran out of time");
            Problem::unavailable("this took too long and was given up; try again shortly", 5).into_response()
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
