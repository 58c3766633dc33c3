//! Ingestion as a job that may outlive its request.

use app::data::{Data, IngestJob};
use async_trait::async_trait;
use domain::Timestamp;

use crate::problem::Problem;

/// Starts jobs that outlive the request: a task on one machine, an event in the cloud.
#[async_trait]
pub trait Background: Send + Sync {
    async fn start(&self, job: IngestJob, now: Timestamp) -> Result<(), Problem>;

    /// Whether an ingestion can run while its request waits, too. Behind a gateway it cannot: that waits half a minute.
    fn can_wait(&self) -> bool {
        true
    }
}

/// Jobs as tasks of this process.
pub struct InProcess(pub Data);

#[async_trait]
impl Background for InProcess {
    async fn start(&self, job: IngestJob, now: Timestamp) -> Result<(), Problem> {
        let data = self.0.clone();
        tokio::spawn(async move {
            if let Err(error) = job.run(&data, now, &|_, _| {}).await {
                tracing::error!(%error, ?job, "an ingestion in the background failed");
            }
        });
        Ok(())
    }
}
