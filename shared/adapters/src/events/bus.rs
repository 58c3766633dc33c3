//! EventBridge.

use std::time::Duration;

use app::{
    auth::entropy,
    ports::{Event, Events, EventsError, Occasion},
};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_eventbridge::{
    Client,
    config::Builder,
    error::{DisplayErrorContext, ProvideErrorMetadata},
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};

use super::Detail;
use crate::aws;

/// Where the runtime of a function says which trace of X-Ray its invocation is a part of.
const TRACE: &str = "_X_AMZN_TRACE_ID";
/// The most that one request takes.
const BATCH: usize = 10;
/// How often entries are sent in all that the bus did not take.
const TRIES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// [`Events`] over a bus of EventBridge.
#[derive(Debug, Clone)]
pub struct EventBridge {
    client: Client,
    bus: String,
    stage: String,
    first_wait: Duration,
}

impl EventBridge {
    /// The source of this stage's events, which rules match.
    pub fn source(stage: &str) -> String {
        format!("stockgpt.{stage}")
    }

    pub fn new(config: &SdkConfig, bus: &str, stage: &str) -> Self {
        let config = Builder::from(config).timeout_config(aws::patience(Duration::from_secs(3), Duration::from_secs(10))).build();
        Self { client: Client::from_conf(config), bus: bus.to_owned(), stage: stage.to_owned(), first_wait: FIRST_WAIT }
    }

    fn entry(&self, event: &Event, occasion: &Occasion) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(Self::source(&self.stage))
            .detail_type(event.name())
            .detail(Detail::new(&self.stage, event, occasion).to_json())
            // The functions that it starts are parts of the trace that this one is in.
            .set_trace_header(std::env::var(TRACE).ok())
            .build()
    }

    /// Sends entries until all are taken. A request that fails as a whole has been repeated by the client; one that succeeds
    /// may still have left entries out, and those alone are sent again.
    async fn put(&self, mut entries: Vec<PutEventsRequestEntry>) -> Result<(), EventsError> {
        let sent = entries.len();
        let mut tries = 0;
        loop {
            let undelivered = |reason: String, left: usize| EventsError::Undelivered { undelivered: left, sent, reason };
            let answer = self.client.put_events().set_entries(Some(entries.clone())).send().await.map_err(|error| match error.code() {
                Some("AccessDeniedException" | "ValidationException" | "ResourceNotFoundException") => {
                    EventsError::Refused(DisplayErrorContext(&error).to_string())
                }
                _ => undelivered(DisplayErrorContext(&error).to_string(), entries.len()),
            })?;
            // Answers are in the order of the entries.
            let (left, failures): (Vec<_>, Vec<_>) =
                entries.into_iter().zip(answer.entries.unwrap_or_default()).filter(|(_, result)| result.error_code.is_some()).unzip();
            let Some(failure) = failures.first() else { return Ok(()) };
            if let Some(refused) = failures.iter().find(|failure| !may_pass(failure)) {
                return Err(EventsError::Refused(reason(refused)));
            }
            tries += 1;
            if tries >= TRIES {
                return Err(undelivered(reason(failure), left.len()));
            }
            tracing::debug!(left = left.len(), tries, reason = reason(failure), "events are sent again");
            tokio::time::sleep(self.wait(tries)).await;
            entries = left;
        }
    }

    /// Somewhere between nothing and a bound that doubles with each try, so that those who failed together do not return together.
    fn wait(&self, tries: u32) -> Duration {
        let bound = self.first_wait * 2_u32.pow(tries - 1);
        bound.mul_f64(f64::from(u32::from_be_bytes(entropy::bytes())) / f64::from(u32::MAX))
    }
}

#[async_trait]
impl Events for EventBridge {
    async fn publish(&self, events: &[Event], occasion: &Occasion) -> Result<(), EventsError> {
        for batch in events.chunks(BATCH) {
            self.put(batch.iter().map(|event| self.entry(event, occasion)).collect()).await?;
        }
        Ok(())
    }
}

/// Whether the same entry may be taken a moment later.
fn may_pass(failure: &PutEventsResultEntry) -> bool {
    matches!(failure.error_code(), Some("ThrottlingException" | "InternalFailure" | "InternalException" | "ServiceUnavailable"))
}

fn reason(failure: &PutEventsResultEntry) -> String {
    format!("{}: {}", failure.error_code().unwrap_or("unnamed"), failure.error_message().unwrap_or("no reason given"))
}

#[cfg(test)]
mod tests {
    use domain::TradingDate;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Reply, Service, reply};

    fn occasion() -> Occasion {
        Occasion { now: "2022-01-03T22:00:00Z".parse().unwrap(), trace_id: "1-abc".into() }
    }

    fn numbered(count: usize) -> Vec<Event> {
        let date: TradingDate = "2022-01-03".parse().unwrap();
        (0..count).map(|signals| Event::SignalsGenerated { date, signals }).collect()
    }

    /// The numbers of the events in each request.
    fn numbers(service: &Service) -> Vec<Vec<u64>> {
        let detail = |entry: &Value| serde_json::from_str::<Value>(entry["Detail"].as_str().unwrap()).unwrap();
        let number = |entry: &Value| detail(entry)["about"]["signals"].as_u64().unwrap();
        service.asked().iter().map(|asked| asked.json()["Entries"].as_array().unwrap().iter().map(number).collect()).collect()
    }

    /// One result an entry: an error's name, or taken.
    fn results(codes: &[Option<&str>]) -> Reply {
        let entries: Vec<Value> = codes
            .iter()
            .map(|code| code.map_or_else(|| json!({"EventId": "e"}), |code| json!({"ErrorCode": code, "ErrorMessage": "not now"})))
            .collect();
        let failed = codes.iter().flatten().count();
        reply(200, json!({"FailedEntryCount": failed, "Entries": entries}).to_string())
    }

    fn bus(service: &Service) -> EventBridge {
        EventBridge { first_wait: Duration::ZERO, ..EventBridge::new(&service.config(), "stockgpt-dev", "dev") }
    }

    #[tokio::test]
    async fn events_go_out_in_batches_of_ten_with_source_kind_and_detail() {
        let service = Service::start(|asked, _| results(&vec![None; asked.json()["Entries"].as_array().unwrap().len()])).await;
        bus(&service).publish(&numbered(23), &occasion()).await.unwrap();
        assert_eq!(numbers(&service), [(0..10).collect::<Vec<_>>(), (10..20).collect(), (20..23).collect()]);

        let entry = &service.asked()[0].json()["Entries"][7];
        assert_eq!(
            (&entry["EventBusName"], &entry["Source"], &entry["DetailType"]),
            (&json!("stockgpt-dev"), &json!("stockgpt.dev"), &json!("SignalsGenerated"))
        );
        let detail = Detail::from_json(serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap(), "dev").unwrap();
        assert_eq!((detail.event, detail.occasion), (numbered(8)[7].clone(), occasion()));
    }

    #[tokio::test]
    async fn of_a_batch_only_what_failed_is_sent_again() {
        let service = Service::start(|_, before| match before {
            0 => results(&[None, Some("ThrottlingException"), None, Some("InternalFailure")]),
            1 => results(&[None, Some("ThrottlingException")]),
            _ => results(&[None]),
        })
        .await;
        bus(&service).publish(&numbered(4), &occasion()).await.unwrap();
        assert_eq!(numbers(&service), [vec![0, 1, 2, 3], vec![1, 3], vec![3]]);
    }

    #[tokio::test]
    async fn patience_ends_and_what_can_never_be_taken_is_not_sent_again() {
        let service = Service::start(|_, before| match before {
            0 => results(&[None, Some("ThrottlingException")]),
            _ => results(&[Some("ThrottlingException")]),
        })
        .await;
        let lost = bus(&service).publish(&numbered(2), &occasion()).await;
        let reason = "ThrottlingException: not now".to_owned();
        assert_eq!(lost, Err(EventsError::Undelivered { undelivered: 1, sent: 2, reason }));
        assert_eq!(numbers(&service).len(), 5);

        let service = Service::start(|_, _| results(&[Some("NotAuthorizedForSourceException")])).await;
        let refused = bus(&service).publish(&numbered(1), &occasion()).await;
        assert_eq!(refused, Err(EventsError::Refused("NotAuthorizedForSourceException: not now".into())));
        assert_eq!(service.asked().len(), 1);
    }

    #[tokio::test]
    async fn a_request_that_fails_as_a_whole_is_repeated_or_refused() {
        let service = Service::start(|_, before| match before {
            0 => reply(500, "{}"),
            _ => results(&[None]),
        })
        .await;
        bus(&service).publish(&numbered(1), &occasion()).await.unwrap();
        assert_eq!(service.asked().len(), 2);

        let service = Service::start(|_, _| reply(400, r#"{"message":"no"}"#).kind("AccessDeniedException")).await;
        let refused = bus(&service).publish(&numbered(1), &occasion()).await;
        assert!(matches!(refused, Err(EventsError::Refused(_))), "{refused:?}");
        assert_eq!(service.asked().len(), 1);
    }
}
