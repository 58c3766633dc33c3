//! Ingestions that outlive their request: an event to the function that ingests.

use std::sync::Arc;

use api::{middleware::RequestId, problem::Problem, routes::data::Background};
use app::{
    data::IngestJob,
    ports::{Event, Events, Occasion},
};
use async_trait::async_trait;
use domain::Timestamp;

pub(super) struct ByEvent(pub(super) Arc<dyn Events>);

#[async_trait]
impl Background for ByEvent {
    async fn start(&self, job: IngestJob, now: Timestamp) -> Result<(), Problem> {
        // The id follows from the job and the time, so that the run is the one that was announced.
        let run_id = job.start(now).id;
        let trace_id = RequestId::current().map_or_else(|| run_id.clone(), |id| id.as_str().to_owned());
        let event = Event::IngestRequested { run_id, job };
        self.0.publish(&[event], &Occasion { now, trace_id }).await.map_err(|error| Problem::dependency("the event bus", &error))
    }

    fn can_wait(&self) -> bool {
        false
    }
}
