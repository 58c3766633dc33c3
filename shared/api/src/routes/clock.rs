//! The market's clock where it can be moved: on one machine.

use std::sync::Arc;

use app::jobs::JobReport;
use async_trait::async_trait;
use axum::extract::State;
use domain::{Date, Timestamp, TradingDate, calendar};
use jiff::civil::time;
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat, Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::vocabulary::{ClockMode, Session};
use crate::{
    extract::{Admin, AuthUser, Day, Instant, Json},
    problem::Problem,
};

const TAG: &str = "Clock";

/// Where the clock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    pub now: Timestamp,
    /// A replay over stored data; else the wall clock.
    pub is_replay: bool,
    /// When something is due next; `None` when the data has come to its end.
    pub next_event: Option<Timestamp>,
}

/// Where to move the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdvanceTo {
    /// Until the next thing that is due has run.
    NextEvent,
    /// To an instant; what is due until then runs.
    Instant(Timestamp),
}

/// A clock that runs what falls due.
#[async_trait]
pub trait MarketClock: Send + Sync {
    async fn read(&self) -> ClockReading;

    /// Moves on and tells what ran on the way. Refuses to go back, beyond the data's end, or at all where it is the wall clock.
    async fn advance(&self, to: AdvanceTo) -> Result<Vec<JobReport>, Problem>;
}

/// The routes under `/clock`.
pub fn router(clock: Arc<dyn MarketClock>) -> OpenApiRouter {
    routes().with_state(clock)
}

pub(crate) fn routes() -> OpenApiRouter<Arc<dyn MarketClock>> {
    OpenApiRouter::default().routes(routes!(read_clock)).routes(routes!(advance_clock))
}

/// The market's clock.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Clock)]
struct ClockBody {
    now: Timestamp,
    #[schema(value_type = ClockMode)]
    mode: &'static str,
    #[schema(value_type = Session)]
    session: &'static str,
    /// When something is due next; null when the data has come to its end.
    next_event: Option<Timestamp>,
}

impl From<ClockReading> for ClockBody {
    fn from(reading: ClockReading) -> Self {
        Self {
            now: reading.now,
            mode: if reading.is_replay { "replay" } else { "wall" },
            session: if calendar::is_open(reading.now) { "open" } else { "closed" },
            next_event: reading.next_event,
        }
    }
}

/// The clock after a move, and what ran on the way.
#[derive(Debug, Serialize, ToSchema)]
struct Advanced {
    #[serde(flatten)]
    clock: ClockBody,
    ran: Vec<JobRun>,
}

/// A job that ran.
#[derive(Debug, Serialize, ToSchema)]
struct JobRun {
    #[schema(value_type = String, example = "generate_signals")]
    job: app::jobs::JobKind,
    /// When it was due.
    at: Timestamp,
    /// What it did.
    outcome: String,
}

impl From<JobReport> for JobRun {
    fn from(report: JobReport) -> Self {
        Self { job: report.job, at: report.at, outcome: report.outcome }
    }
}

/// Where to move the clock.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AdvanceRequest {
    #[schema(value_type = AdvanceTarget)]
    to: Target,
}

/// What `to` may say.
struct AdvanceTarget;

impl PartialSchema for AdvanceTarget {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let format = |format| text().format(Some(SchemaFormat::KnownFormat(format)));
        OneOfBuilder::new()
            .description(Some("`next_session` and a date mean 10:00 New York on that trading day."))
            .item(text().enum_values(Some(["next_event", "next_session"])))
            .item(format(KnownFormat::Date))
            .item(format(KnownFormat::DateTime))
            .examples(["next_session"])
            .into()
    }
}

impl ToSchema for AdvanceTarget {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    NextEvent,
    NextSession,
    Day(Date),
    Instant(Timestamp),
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "next_event" => return Ok(Self::NextEvent),
            "next_session" => return Ok(Self::NextSession),
            _ => {}
        }
        text.parse()
            .map(|Instant(instant)| Self::Instant(instant))
            .or_else(|_| text.parse().map(|Day(day)| Self::Day(day)))
            .map_err(|_: &'static str| de::Error::custom("must be next_event, next_session, a date (YYYY-MM-DD) or an instant (RFC 3339)"))
    }
}

impl Target {
    fn resolve(self, now: Timestamp) -> AdvanceTo {
        let morning = |day: Date| AdvanceTo::Instant(calendar::new_york_instant(day, time(10, 0, 0, 0)));
        match self {
            Self::NextEvent => AdvanceTo::NextEvent,
            Self::NextSession => morning(TradingDate::on_or_before(calendar::new_york_date(now)).next().date()),
            Self::Day(day) => morning(day),
            Self::Instant(instant) => AdvanceTo::Instant(instant),
        }
    }
}

/// The market's clock
#[utoipa::path(
    get,
    path = "/clock",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "Where the clock is.", body = ClockBody))
)]
async fn read_clock(_: AuthUser, State(clock): State<Arc<dyn MarketClock>>) -> Json<ClockBody> {
    Json(clock.read().await.into())
}

/// Move the clock
///
/// Answers after everything due until then has run.
#[utoipa::path(
    post,
    path = "/clock/advance",
    tag = TAG,
    request_body = AdvanceRequest,
    security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The clock after the move, and what ran.", body = Advanced),
        (status = 409, response = crate::docs::Conflict)
    )
)]
async fn advance_clock(
    _: Admin,
    State(clock): State<Arc<dyn MarketClock>>,
    Json(request): Json<AdvanceRequest>,
) -> Result<Json<Advanced>, Problem> {
    let now = clock.read().await.now;
    let ran = clock.advance(request.to.resolve(now)).await?.into_iter().map(Into::into).collect();
    Ok(Json(Advanced { clock: clock.read().await.into(), ran }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_words_dates_and_instants() {
        let instant = |text: &str| AdvanceTo::Instant(text.parse().unwrap());
        for (now, to, expected) in [
            ("2022-01-03T15:00:00Z", "next_event", Some(AdvanceTo::NextEvent)),
            ("2022-01-03T12:00:00Z", "next_session", Some(instant("2022-01-04T15:00:00Z"))),
            ("2022-01-07T22:00:00Z", "next_session", Some(instant("2022-01-10T15:00:00Z"))),
            ("2022-01-08T15:00:00Z", "next_session", Some(instant("2022-01-10T15:00:00Z"))),
            ("2022-03-11T22:00:00Z", "next_session", Some(instant("2022-03-14T14:00:00Z"))),
            ("2022-01-03T15:00:00Z", "2022-07-01", Some(instant("2022-07-01T14:00:00Z"))),
            ("2022-01-03T15:00:00Z", "2022-01-05T20:59:00Z", Some(instant("2022-01-05T20:59:00Z"))),
            ("2022-01-03T15:00:00Z", "tomorrow", None),
            ("2022-01-03T15:00:00Z", "2022-13-01", None),
        ] {
            let target = serde_json::from_value::<Target>(to.into()).ok();
            assert_eq!(target.map(|target| target.resolve(now.parse().unwrap())), expected, "{to} at {now}");
        }
    }
}
