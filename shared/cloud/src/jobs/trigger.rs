//! Why a job was started, from what the invocation says.

use adapters::events::{Detail, DetailError};
use app::ports::{Event, Occasion};
use domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// Who wants the job done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It was due. Timers know weekdays and hours, but no holidays.
    Timer,
    Event(Event),
    /// Somebody invoked it by hand, and means it.
    Operator,
}

/// A cause, and as of when and in which trace the job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    pub cause: Cause,
    pub occasion: Occasion,
}

/// What the scheduler hands over (the template says so): the instant at which the job was due, and an id of the run.
#[derive(Deserialize)]
struct Tick {
    version: u32,
    stage: String,
    #[serde(default)]
    now: String,
    #[serde(default)]
    trace_id: String,
}

/// An event of the bus in its envelope.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "detail-type")]
    kind: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    id: String,
    time: Option<Timestamp>,
    detail: Value,
}

/// An invocation by hand: `{}`, or the market time as of which to run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByHand {
    now: Option<Timestamp>,
}

impl Trigger {
    /// `invocation` is the id of this very invocation, and `wall` its time: they stand in for what the payload does not say.
    pub fn read(payload: Value, stage: &str, invocation: &str, wall: Timestamp) -> Result<Self, DetailError> {
        let malformed = |error: serde_json::Error| DetailError::Malformed(error.to_string());
        if payload.get("detail-type").is_some() {
            return Self::from_envelope(serde_json::from_value(payload).map_err(malformed)?, stage, wall);
        }
        if payload.get("version").is_some() {
            return Self::from_tick(serde_json::from_value(payload).map_err(malformed)?, stage, invocation, wall);
        }
        let ByHand { now } = serde_json::from_value(payload).map_err(malformed)?;
        let occasion = Occasion { now: now.unwrap_or(wall), trace_id: invocation.to_owned() };
        Ok(Self { cause: Cause::Operator, occasion })
    }

    fn from_envelope(envelope: Envelope, stage: &str, wall: Timestamp) -> Result<Self, DetailError> {
        // A schedule without an input of its own sends an event of AWS.
        if envelope.source == "aws.scheduler" || envelope.source == "aws.events" {
            let occasion = Occasion { now: envelope.time.unwrap_or(wall), trace_id: envelope.id };
            return Ok(Self { cause: Cause::Timer, occasion });
        }
        let detail = Detail::from_json(envelope.detail, stage)?;
        if detail.event.name() != envelope.kind {
            let found = detail.event.name();
            return Err(DetailError::Malformed(format!("the envelope says {}, the detail {found}", envelope.kind)));
        }
        Ok(Self { cause: Cause::Event(detail.event), occasion: detail.occasion })
    }

    fn from_tick(tick: Tick, stage: &str, invocation: &str, wall: Timestamp) -> Result<Self, DetailError> {
        if tick.version > 1 {
            return Err(DetailError::TooNew(tick.version));
        }
        if tick.stage != stage {
            return Err(DetailError::OtherStage { found: tick.stage, expected: stage.to_owned() });
        }
        // A scheduler that leaves its placeholders unfilled still means now.
        let now = tick.now.parse().unwrap_or(wall);
        let is_filled = !tick.trace_id.is_empty() && !tick.trace_id.starts_with('<');
        let trace_id = if is_filled { tick.trace_id } else { invocation.to_owned() };
        Ok(Self { cause: Cause::Timer, occasion: Occasion { now, trace_id } })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const WALL: &str = "2022-01-04T15:00:03Z";

    fn read(fixture: &str) -> Result<Trigger, DetailError> {
        Trigger::read(serde_json::from_str(fixture).unwrap(), "dev", "invocation-1", WALL.parse().unwrap())
    }

    fn trigger(cause: Cause, now: &str, trace_id: &str) -> Trigger {
        Trigger { cause, occasion: Occasion { now: now.parse().unwrap(), trace_id: trace_id.into() } }
    }

    #[test]
    fn every_way_in_which_a_job_is_started_is_understood() {
        let run_id = "run-1641247200000-scheduled".to_owned();
        for (fixture, expected) in [
            (include_str!("../../fixtures/scheduler.json"), trigger(Cause::Timer, "2022-01-03T22:00:00Z", "d32c5kddcf5bb8c3")),
            (include_str!("../../fixtures/scheduler_unfilled.json"), trigger(Cause::Timer, WALL, "invocation-1")),
            (
                include_str!("../../fixtures/scheduler_default.json"),
                trigger(Cause::Timer, "2022-01-03T22:00:00Z", "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa"),
            ),
            (
                include_str!("../../fixtures/prices_ingested.json"),
                trigger(
                    Cause::Event(Event::PricesIngested { run_id, restated: BTreeMap::default() }),
                    "2022-01-03T22:00:00Z",
                    "d32c5kddcf5bb8c3",
                ),
            ),
            ("{}", trigger(Cause::Operator, WALL, "invocation-1")),
            (r#"{"now":"2022-01-02T00:00:00Z"}"#, trigger(Cause::Operator, "2022-01-02T00:00:00Z", "invocation-1")),
        ] {
            assert_eq!(read(fixture), Ok(expected), "{fixture}");
        }
    }

    #[test]
    fn what_cannot_be_understood_fails() {
        let of_stage = |stage: &str| format!(r#"{{"version":1,"stage":"{stage}","now":"2022-01-03T22:00:00Z","trace_id":"t"}}"#);
        let envelope =
            |kind: &str, detail: &str| format!(r#"{{"detail-type":"{kind}","source":"stockgpt.dev","id":"e","detail":{detail}}}"#);
        let detail = r#"{"version":1,"stage":"dev","now":"2022-01-03T22:00:00Z","trace_id":"t","type":"PricesIngested","about":{"run_id":"r","restated":{}}}"#;
        for payload in [
            of_stage("prod"),
            of_stage("dev").replace("\"version\":1", "\"version\":2"),
            envelope("PricesIngested", "{}"),
            envelope("PricesIngested", "\"broken\""),
            envelope("SignalsGenerated", detail),
            r#"{"now":"yesterday"}"#.into(),
            r#"{"anything":"else"}"#.into(),
            "[]".into(),
        ] {
            assert!(read(&payload).is_err(), "{payload}");
        }
        assert!(read(&envelope("PricesIngested", detail)).is_ok());
    }
}
