//! The scheduled jobs: one function each in the cloud, one task each on one machine. All are safe to repeat.

pub mod schedule;
pub mod steps;

use std::sync::Arc;

use domain::Timestamp;
use serde::Serialize;

pub use schedule::{Due, JobKind};

use crate::{UseCaseError, auth::Auth, data::Data, digest::Digest, portfolio::Desk, signals::Signals};

/// Everything the jobs work with.
#[derive(Clone)]
pub struct Jobs {
    pub data: Data,
    pub signals: Signals,
    pub desk: Desk,
    pub auth: Arc<Auth>,
    pub digest: Digest,
}

/// What a job did, in one line for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobReport {
    pub job: JobKind,
    /// Market time at which it was due.
    pub at: Timestamp,
    pub outcome: String,
}

impl Jobs {
    /// Runs one job as of the market time `now`. `wall` is the time by which codes and sessions expire and which mail is dated.
    pub async fn run(&self, job: JobKind, now: Timestamp, wall: Timestamp) -> Result<JobReport, UseCaseError> {
        let outcome = match job {
            JobKind::Ingest => self.ingest(now, wall).await?,
            JobKind::GenerateSignals => self.generate_signals(now, wall).await?,
            JobKind::Revalue => steps::revalue(&self.desk, now).await?,
            JobKind::ResetOtps => self.reset_otps(wall).await?,
        };
        Ok(JobReport { job, at: now, outcome })
    }

    /// New prices are what portfolios and signals wait for: both follow at once, and after them the orders that signals ask for.
    /// Portfolios come first, so that orders are decided on what they are after the day.
    async fn ingest(&self, now: Timestamp, wall: Timestamp) -> Result<String, UseCaseError> {
        let run = self.data.ingest_daily(now, &|_, _| {}).await?;
        let restated = self.data.restatements(&run).await?;
        let restated = steps::restate(&self.signals, &restated, now).await?;
        self.desk.look_again();
        let portfolios = steps::revalue(&self.desk, now).await?;
        let signals = self.generate_signals(now, wall).await?;
        Ok(format!("{} bars of {} symbols ({}){restated}; {signals}; {portfolios}", run.bars_added, run.symbols_done, run.state.name()))
    }

    /// Orders follow also after a repetition: what took the signals before may have been interrupted.
    async fn generate_signals(&self, now: Timestamp, wall: Timestamp) -> Result<String, UseCaseError> {
        let made = steps::generate_signals(&self.signals, now).await?;
        let subscribers = self.auth.subscribers().await.map_err(|error| UseCaseError::Unavailable(error.to_string()))?;
        let (date, signals) = (made.generated.date, &made.generated.signals);
        let orders = steps::auto_trade(&self.desk, &subscribers, date, signals, now).await;
        let mails = steps::digest(&self.digest, &subscribers, date, signals, now, wall).await;
        Ok(format!("{made}{orders}{mails}"))
    }

    async fn reset_otps(&self, wall: Timestamp) -> Result<String, UseCaseError> {
        let removed = self.auth.purge_expired(wall).await.map_err(|error| UseCaseError::Unavailable(error.to_string()))?;
        Ok(format!("{removed} expired records removed"))
    }
}
