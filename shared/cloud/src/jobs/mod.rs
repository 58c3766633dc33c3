//! The jobs, each a function that timers, events and operators start.
//!
//! Every job may be started twice for the same reason: it finds its work done and changes nothing.

mod generate_signals;
mod ingest;
mod reset_otps;
mod revalue;
mod trigger;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use adapters::{events::DetailError, store::TallyTable};
use api::metrics::Keeper;
use app::{
    UseCaseError,
    jobs::{JobKind, schedule},
    ports::{EventsError, Occasion, StoreError},
};
use async_trait::async_trait;
use domain::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use runtime::telemetry::{self, LevelFilter, LogFormat};
use serde::Serialize;
use serde_json::Value;
use tracing::Instrument;

use crate::{
    Error, Place, Reach, SettingsError, block_on, metrics,
    place::{Aws, VendorKeyError},
};

use generate_signals::GenerateSignals;
use ingest::Ingest;
use reset_otps::ResetOtps;
use revalue::Revalue;

pub use generate_signals::NewModels;
pub use trigger::{Cause, Trigger};

/// Why a job failed. The invocation fails with it, is tried again, and lies with the dead letters in the end.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error(transparent)]
    Event(#[from] DetailError),
    #[error("{job} has nothing to do with {event}")]
    Misdirected { job: &'static str, event: &'static str },
    #[error(transparent)]
    UseCase(#[from] UseCaseError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vendor(#[from] VendorKeyError),
    #[error(transparent)]
    Events(#[from] EventsError),
    /// It ran to its end and achieved nothing.
    #[error("{0}")]
    Fruitless(String),
}

/// What a job did, in one line for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    pub job: &'static str,
    /// The market time as of which it ran.
    pub now: Timestamp,
    pub trace_id: String,
    pub outcome: String,
}

#[async_trait]
pub trait Job: Send + Sync {
    fn kind(&self) -> JobKind;

    fn place(&self) -> &dyn Place;

    fn keeper(&self) -> &Keeper;

    /// Does the job as of the occasion's market time. At `end` the invocation is cut off, done or not.
    async fn run(&self, cause: Cause, occasion: &Occasion, end: Instant) -> Result<String, JobError>;
}

/// One invocation, as the Lambda runtime tells of it.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub id: String,
    /// The wall's time.
    pub at: Timestamp,
    /// When it is cut off.
    pub end: Instant,
}

impl Invocation {
    fn of(context: &lambda_runtime::Context) -> Self {
        let left = context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
        Self { id: context.request_id.clone(), at: Timestamp::now(), end: Instant::now() + left }
    }
}

/// Handles one invocation: reads why it was made, lets timers rest outside sessions, and runs the job.
pub async fn handle(job: &dyn Job, payload: Value, invocation: &Invocation) -> Result<Done, JobError> {
    let Trigger { cause, occasion } = Trigger::read(payload, &job.place().settings().stage, &invocation.id, invocation.at)?;
    let name = job.kind().name();
    let started = Instant::now();
    let span = tracing::info_span!("job", job = name, trace_id = occasion.trace_id, now = %occasion.now);
    let outcome = async {
        if cause == Cause::Timer && !schedule::is_wanted(job.kind(), occasion.now) {
            return Ok("outside the session: nothing to do".to_owned());
        }
        job.run(cause, &occasion, invocation.end).await
    }
    .instrument(span.clone())
    .await;
    span.in_scope(|| match &outcome {
        Ok(outcome) => tracing::info!(outcome, "done"),
        Err(error) => tracing::error!(%error, "failed"),
    });
    count(job, outcome.is_ok(), started.elapsed(), &occasion).await;
    Ok(Done { job: name, now: occasion.now, trace_id: occasion.trace_id, outcome: outcome? })
}

/// A job over a place.
pub type New = fn(Arc<dyn Place>) -> Result<Box<dyn Job>, SettingsError>;

pub fn ingest(place: Arc<dyn Place>) -> Result<Box<dyn Job>, SettingsError> {
    Ok(Box::new(Ingest::new(place)?))
}

/// `models` makes the source of models of the place's objects. It comes from outside, so that only the function that scores links what
/// evaluates a model.
pub fn generate_signals(place: Arc<dyn Place>, models: NewModels) -> Result<Box<dyn Job>, SettingsError> {
    Ok(Box::new(GenerateSignals::new(place, models)?))
}

pub fn revalue(place: Arc<dyn Place>) -> Result<Box<dyn Job>, SettingsError> {
    Ok(Box::new(Revalue::new(place)?))
}

pub fn reset_otps(place: Arc<dyn Place>) -> Result<Box<dyn Job>, SettingsError> {
    Ok(Box::new(ResetOtps::new(place)?))
}

/// For `CloudWatch`, and for whoever scrapes: nobody knows when this job is started again, so that its place among the counts is given
/// back at once.
async fn count(job: &dyn Job, has_succeeded: bool, elapsed: Duration, occasion: &Occasion) {
    let wall = Timestamp::now();
    metrics::job(&job.place().settings().stage, job.kind(), has_succeeded, elapsed, &occasion.trace_id, wall);
    let keeper = job.keeper();
    keeper.tally().job(job.kind(), has_succeeded, occasion.now, elapsed);
    if let Err(error) = keeper.release(wall).await {
        tracing::warn!(%error, "what was counted is not written down yet");
    }
}

/// What a job counts with.
fn keeper(place: &dyn Place) -> Result<Keeper, SettingsError> {
    Ok(Keeper::new(Arc::default(), Arc::new(TallyTable::new(&place.store()?))))
}

/// Runs a job whenever it is started, until the process is ended.
pub fn serve(new: New, reach: Reach) -> Result<(), Error> {
    block_on(run_all(new, reach))
}

async fn run_all(new: New, reach: Reach) -> Result<(), Error> {
    telemetry::start(LogFormat::Json, LevelFilter::INFO);
    let job = &*new(Arc::new(Aws::from_environment(reach).await?))?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let LambdaEvent { payload, context } = event;
        let span = tracing::info_span!("invocation", xray_trace_id = context.xray_trace_id);
        handle(job, payload, &Invocation::of(&context)).instrument(span).await.map_err(Error::from)
    }))
    .await
}
