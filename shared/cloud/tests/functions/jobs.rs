use std::{sync::Arc, time::Instant};

use cloud::{
    Place,
    jobs::{self, Done, Job, JobError},
};
use models::StoredModels;
use serde_json::{Value, json};

use crate::machine::{Machine, invocation};

const TICK: &str = include_str!("../../fixtures/scheduler.json");
const ONNX: &[u8] = include_bytes!("../../../../infra/model/model.onnx");
const MANIFEST: &[u8] = include_bytes!("../../../../infra/model/manifest.json");

fn tick() -> Value {
    serde_json::from_str(TICK).unwrap()
}

async fn invoke(job: &dyn Job, payload: Value) -> Result<Done, JobError> {
    jobs::handle(job, payload, &invocation("2022-01-03T22:00:07Z")).await
}

fn generate_signals(machine: &Arc<Machine>) -> Box<dyn Job> {
    jobs::generate_signals(machine.clone(), |objects| Arc::new(StoredModels::new(objects))).unwrap()
}

#[tokio::test]
async fn prices_make_signals_and_signals_move_portfolios_each_once() {
    let machine = Machine::start().await;
    StoredModels::new(machine.objects().unwrap()).install(ONNX, MANIFEST).await.unwrap();
    let (ingest, generate, revalue) =
        (jobs::ingest(machine.clone()).unwrap(), generate_signals(&machine), jobs::revalue(machine.clone()).unwrap());

    let ingested = invoke(&*ingest, tick()).await.unwrap();
    assert!(ingested.outcome.ends_with("bars of 3 symbols (succeeded)"), "{}", ingested.outcome);
    let [prices] = machine.sent().try_into().unwrap();
    let expected: Value = serde_json::from_str(include_str!("../../fixtures/prices_ingested.json")).unwrap();
    assert_eq!((&prices["detail-type"], &prices["detail"]), (&expected["detail-type"], &expected["detail"]));

    let generated = invoke(&*generate, prices.clone()).await.unwrap();
    assert_eq!(generated.outcome, "3 signals of 2022-01-03 generated, 0 days evaluated");
    let [signals] = machine.sent().try_into().unwrap();
    assert_eq!(signals["detail"]["about"], json!({"date": "2022-01-03", "signals": 3}));

    let revalued = invoke(&*revalue, signals).await.unwrap();
    assert_eq!(revalued.outcome, "0 portfolios revalued, 0 fills");
    let trace = tick()["trace_id"].as_str().unwrap().to_owned();
    assert_eq!([&ingested.trace_id, &generated.trace_id, &revalued.trace_id], [&trace; 3], "one trace from the timer to the end");
    assert_eq!(machine.sent(), Vec::<Value>::new());

    // The bus may deliver twice, and timers may come again.
    assert_eq!(invoke(&*generate, prices).await.unwrap().outcome, "3 signals of 2022-01-03 there already");
    assert_eq!(machine.sent().len(), 1, "portfolios follow all the same: the first news may have been lost");
    let again = invoke(&*ingest, tick()).await.unwrap();
    assert!(again.outcome.ends_with("(succeeded)"), "{}", again.outcome);
}

#[tokio::test]
async fn an_ingestion_that_gets_nowhere_in_its_time_fails_and_is_gone_on_with_later() {
    let machine = Machine::start().await;
    let ingest = jobs::ingest(machine.clone()).unwrap();
    let mut short = invocation("2022-01-03T22:00:07Z");
    short.end = Instant::now();
    let stopped = jobs::handle(&*ingest, tick(), &short).await.unwrap_err();
    assert_eq!(stopped.to_string(), "0 symbols handled in time, 0 of 3 done", "no successor that would get no further");
    assert_eq!(machine.sent(), Vec::<Value>::new());
    let done = invoke(&*ingest, tick()).await.unwrap();
    assert!(done.outcome.ends_with("bars of 3 symbols (succeeded)"), "{}", done.outcome);
}

#[tokio::test]
async fn timers_rest_outside_sessions_and_operators_do_not() {
    let machine = Machine::start().await;
    let (generate, revalue) = (generate_signals(&machine), jobs::revalue(machine.clone()).unwrap());
    let at = |now: &str| json!({"version": 1, "stage": "dev", "now": now, "trace_id": "t"});
    // After the close, and on a holiday.
    for now in ["2022-01-03T22:00:00Z", "2022-01-17T15:00:00Z"] {
        // Without a model this would fail if it ran.
        assert_eq!(invoke(&*generate, at(now)).await.unwrap().outcome, "outside the session: nothing to do", "{now}");
        assert_eq!(invoke(&*revalue, at(now)).await.unwrap().outcome, "outside the session: nothing to do", "{now}");
    }
    assert!(invoke(&*generate, json!({"now": "2022-01-03T22:00:00Z"})).await.is_err(), "there is no model");
    assert_eq!(invoke(&*revalue, json!({})).await.unwrap().outcome, "0 portfolios revalued, 0 fills");
}

#[tokio::test]
async fn what_is_not_a_functions_matter_fails_there() {
    let machine = Machine::start().await;
    let prices: Value = serde_json::from_str(include_str!("../../fixtures/prices_ingested.json")).unwrap();
    let ingest = invoke(&*jobs::ingest(machine.clone()).unwrap(), prices.clone()).await;
    let revalue = invoke(&*jobs::revalue(machine.clone()).unwrap(), prices.clone()).await;
    let reset = invoke(&*jobs::reset_otps(machine.clone()).unwrap(), prices.clone()).await;
    for outcome in [ingest, revalue, reset] {
        assert!(matches!(outcome, Err(JobError::Misdirected { event: "PricesIngested", .. })), "{outcome:?}");
    }
    let mut broken = prices;
    broken["detail"] = json!({"poison": true});
    assert!(matches!(invoke(&*generate_signals(&machine), broken).await, Err(JobError::Event(_))));
    assert_eq!(machine.sent(), Vec::<Value>::new());
}

#[tokio::test]
async fn the_clearing_needs_only_the_identities() {
    let machine = Machine::start().await;
    let done = invoke(&*jobs::reset_otps(machine).unwrap(), tick()).await.unwrap();
    assert_eq!(done.outcome, "0 expired records removed");
}
