//! A request that panics, never ends, or comes while there are too many already costs itself, not the server.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use axum::{
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use futures::FutureExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{BASE_PATH, Edge};
use crate::problem::Problem;

/// Routes that do a job while the client waits for it: a simulated year, an ingestion in the foreground.
const UNHURRIED: [&str; 4] =
    ["/api/v1/clock/advance", "/api/v1/data/ingest/stocks", "/api/v1/data/ingest/scheduled", "/api/v1/data/ingest/stock-list"];
const UNHURRIED_LIMIT: Duration = Duration::from_mins(15);

/// How much is done at a time. When the store is slow, requests pile up: those beyond this are told to come back, so that the others
/// are answered and the pile cannot grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Requests that are worked on at once.
    pub at_once: usize,
    /// How long a further one waits for its turn before it is told to come back.
    pub patience: Duration,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { at_once: 512, patience: Duration::from_secs(2) }
    }
}

/// Parameter of what reads a body: how long that may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyWithin(pub(crate) Duration);

pub(super) struct Shelter {
    turns: Semaphore,
    patience: Duration,
    time_limit: Duration,
    body_within: BodyWithin,
}

impl Shelter {
    pub(super) fn new(edge: &Edge) -> Self {
        let Capacity { at_once, patience } = edge.capacity;
        Self {
            turns: Semaphore::new(at_once.min(Semaphore::MAX_PERMITS)),
            patience,
            time_limit: edge.time_limit,
            body_within: BodyWithin(edge.body_within),
        }
    }

    async fn turn(&self, is_needed: bool) -> Result<Option<SemaphorePermit<'_>>, Problem> {
        if !is_needed {
            return Ok(None);
        }
        match tokio::time::timeout(self.patience, self.turns.acquire()).await {
            Ok(turn) => Ok(turn.ok()),
            Err(_) => Err(Problem::unavailable("there are too many requests at the moment; try again shortly", 1)),
        }
    }

    fn limit(&self, request: &Request) -> Duration {
        let is_unhurried = request.extensions().get::<MatchedPath>().is_some_and(|path| UNHURRIED.contains(&path.as_str()));
        if is_unhurried { UNHURRIED_LIMIT } else { self.time_limit }
    }

    pub(super) async fn take_in<F: Future<Output = Response>>(&self, mut request: Request, next: impl FnOnce(Request) -> F) -> Response {
        // Probes, metrics and the documentation need no turn: they tell what is going on.
        let needs_turn = request.uri().path().starts_with(BASE_PATH);
        let _turn = match self.turn(needs_turn).await {
            Ok(turn) => turn,
            Err(problem) => return problem.into_response(),
        };
        let limit = self.limit(&request);
        request.extensions_mut().insert(self.body_within);
        match tokio::time::timeout(limit, AssertUnwindSafe(next(request)).catch_unwind()).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => Problem::internal(&format_args!("a handler panicked: {}", message(&*panic))).into_response(),
            Err(_) => {
                tracing::warn!(limit_ms = limit.as_millis(), "a request ran out of time");
                Problem::unavailable("this took too long and was given up; try again shortly", 5).into_response()
            }
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
