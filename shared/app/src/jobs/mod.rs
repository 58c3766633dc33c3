//! The scheduled jobs: one function each in the cloud, one task each on one machine. All are safe to repeat.

pub mod schedule;

use std::sync::Arc;

use domain::Timestamp;
use serde::Serialize;

pub use schedule::{Due, JobKind};

use crate::{UseCaseError, auth::Auth, data::Data, portfolio::Desk, signals::Signals};

/// Everything the jobs work with.
#[derive(Clone)]
pub struct Jobs {
    pub data: Data,
    pub signals: Signals,
    pub desk: Desk,
    pub auth: Arc<Auth>,
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
    /// Runs one job as of the market time `now`. `wall` is the time by which codes and sessions expire.
    pub async fn run(&self, job: JobKind, now: Timestamp, wall: Timestamp) -> Result<JobReport, UseCaseError> {
        let outcome = match job {
            JobKind::Ingest => self.ingest(now).await?,
            JobKind::GenerateSignals => self.generate_signals(now).await?,
            JobKind::Revalue => self.revalue(now).await?,
            JobKind::ResetOtps => self.reset_otps(wall).await?,
        };
        Ok(JobReport { job, at: now, outcome })
    }

    /// New prices are what signals and portfolios wait for: both follow at once.
    async fn ingest(&self, now: Timestamp) -> Result<String, UseCaseError> {
        let run = self.data.ingest_daily(now, &|_, _| {}).await?;
        let signals = self.generate_signals(now).await?;
        let portfolios = self.revalue(now).await?;
        Ok(format!("{} bars of {} symbols ({}); {signals}; {portfolios}", run.bars_added, run.symbols_done, run.state.name()))
    }

    async fn generate_signals(&self, now: Timestamp) -> Result<String, UseCaseError> {
        let generated = self.signals.generate(now).await?;
        if generated.is_repeat {
            return Ok(format!("{} signals of {} there already", generated.signals, generated.date));
        }
        let evaluated = self.signals.evaluate(now).await?;
        Ok(format!("{} signals of {} generated, {evaluated} days evaluated", generated.signals, generated.date))
    }

    async fn revalue(&self, now: Timestamp) -> Result<String, UseCaseError> {
        let done = self.desk.revalue(now).await?;
        let failures = if done.failures == 0 { String::new() } else { format!(", {} failed", done.failures) };
        Ok(format!("{} portfolios revalued, {} fills{failures}", done.portfolios, done.fills))
    }

    async fn reset_otps(&self, wall: Timestamp) -> Result<String, UseCaseError> {
        let removed = self.auth.purge_expired(wall).await.map_err(|error| UseCaseError::Unavailable(error.to_string()))?;
        Ok(format!("{removed} expired records removed"))
    }
}
