//! What an event says, as JSON.

use app::ports::{Event, Occasion};
use serde::{Deserialize, Serialize};

/// Raised when a reader of the version before would misunderstand; readers keep reading every older one.
const VERSION: u32 = 1;

/// The detail of an event on the bus: the event itself, and what all events have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    version: u32,
    /// The deployment it is about: two of them may share an account.
    pub stage: String,
    #[serde(flatten)]
    pub occasion: Occasion,
    #[serde(flatten)]
    pub event: Event,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DetailError {
    #[error("the event is not one of ours: {0}")]
    Malformed(String),
    #[error("the event has format version {0}; this program reads up to {VERSION}")]
    TooNew(u32),
    #[error("the event is of stage {found}, this is {expected}")]
    OtherStage { found: String, expected: String },
}

impl Detail {
    pub fn new(stage: &str, event: &Event, occasion: &Occasion) -> Self {
        Self { version: VERSION, stage: stage.to_owned(), occasion: occasion.clone(), event: event.clone() }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("events serialise")
    }

    /// Reads a detail that arrived at a function of `stage`.
    pub fn from_json(detail: serde_json::Value, stage: &str) -> Result<Self, DetailError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let malformed = |error: serde_json::Error| DetailError::Malformed(error.to_string());
        let Versioned { version } = Versioned::deserialize(&detail).map_err(malformed)?;
        if version > VERSION {
            return Err(DetailError::TooNew(version));
        }
        let detail: Self = serde_json::from_value(detail).map_err(malformed)?;
        if detail.stage != stage {
            return Err(DetailError::OtherStage { found: detail.stage, expected: stage.to_owned() });
        }
        Ok(detail)
    }
}

#[cfg(test)]
mod tests {
    use app::data::IngestJob;
    use serde_json::json;

    use super::*;

    /// Every kind of event as it was first written: these texts are never changed, only added to.
    fn of_version_1() -> [(Event, serde_json::Value); 5] {
        let detail = |kind: &str, about: serde_json::Value| json!({"version": 1, "stage": "dev", "now": "2022-01-03T22:00:00Z", "trace_id": "1-abc", "type": kind, "about": about});
        let requested = |job| Event::IngestRequested { run_id: "run-1".into(), job };
        [
            (requested(IngestJob::Scheduled), detail("IngestRequested", json!({"run_id": "run-1", "job": "scheduled"}))),
            (requested(IngestJob::StockList), detail("IngestRequested", json!({"run_id": "run-1", "job": "stock_list"}))),
            (
                requested(IngestJob::Stocks { symbols: vec!["BRK.B".parse().unwrap()], days_back: 30 }),
                detail("IngestRequested", json!({"run_id": "run-1", "job": {"stocks": {"symbols": ["BRK.B"], "days_back": 30}}})),
            ),
            (
                Event::PricesIngested {
                    run_id: "run-1".into(),
                    restated: [("AAPL".parse().unwrap(), jiff::civil::date(2021, 12, 30))].into(),
                },
                detail("PricesIngested", json!({"run_id": "run-1", "restated": {"AAPL": "2021-12-30"}})),
            ),
            (
                Event::SignalsGenerated { date: "2022-01-03".parse().unwrap(), signals: 60 },
                detail("SignalsGenerated", json!({"date": "2022-01-03", "signals": 60})),
            ),
        ]
    }

    fn occasion() -> Occasion {
        Occasion { now: "2022-01-03T22:00:00Z".parse().unwrap(), trace_id: "1-abc".into() }
    }

    #[test]
    fn events_are_written_and_read_as_agreed() {
        for (event, text) in of_version_1() {
            let detail = Detail::new("dev", &event, &occasion());
            assert_eq!(serde_json::from_str::<serde_json::Value>(&detail.to_json()).unwrap(), text);
            assert_eq!(Detail::from_json(text, "dev"), Ok(detail));
        }
    }

    #[test]
    fn what_is_not_for_this_program_is_refused() {
        let good = of_version_1()[3].1.clone();
        let with = |field: &str, value: serde_json::Value| {
            let mut changed = good.clone();
            changed[field] = value;
            Detail::from_json(changed, "dev").unwrap_err()
        };
        assert_eq!(with("version", json!(2)), DetailError::TooNew(2));
        assert_eq!(with("stage", json!("prod")), DetailError::OtherStage { found: "prod".into(), expected: "dev".into() });
        for (field, value) in [("type", json!("Unheard")), ("now", json!("yesterday")), ("about", json!({})), ("version", json!("1"))] {
            assert!(matches!(with(field, value), DetailError::Malformed(_)), "{field}");
        }
    }
}
