//! The scheduled jobs: one function each in the cloud, one task each on one machine. All are safe to repeat.

pub mod schedule;

use std::sync::Arc;

use domain::Timestamp;
use serde::Serialize;

pub use schedule::{Due, JobKind};

use crate::{
    UseCaseError,
    auth::Auth,
    data::{Data, Run},
    portfolio::{AutoTrading, Desk},
    signals::{Generated, Signals},
};

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

    /// New prices are what portfolios and signals wait for: both follow at once, and after them the orders that signals ask for.
    /// Portfolios come first, so that orders are decided on what they are after the day.
    async fn ingest(&self, now: Timestamp) -> Result<String, UseCaseError> {
        let run = self.data.ingest_daily(now, &|_, _| {}).await?;
        let restated = self.restate(&run, now).await?;
        self.desk.look_again();
        let portfolios = self.revalue(now).await?;
        let signals = self.generate_signals(now).await?;
        Ok(format!("{} bars of {} symbols ({}){restated}; {signals}; {portfolios}", run.bars_added, run.symbols_done, run.state.name()))
    }

    /// Vendors correct themselves: what signals took from the old bars is no longer said.
    async fn restate(&self, run: &Run, now: Timestamp) -> Result<String, UseCaseError> {
        let restated = self.data.restatements(run).await?;
        if restated.is_empty() {
            return Ok(String::new());
        }
        let done = self.signals.restate(&restated, now).await?;
        Ok(format!("; {} stocks restated, {} signals withdrawn, {} judged again", restated.len(), done.withdrawn, done.judged_again))
    }

    async fn generate_signals(&self, now: Timestamp) -> Result<String, UseCaseError> {
        let generated = self.signals.generate(now).await?;
        let (signals, date) = (generated.signals.len(), generated.date);
        let made = if generated.is_repeat {
            format!("{signals} signals of {date} there already")
        } else {
            let evaluated = self.signals.evaluate(now).await?;
            format!("{signals} signals of {date} generated, {evaluated} days evaluated")
        };
        // Also after a repetition: what took the signals before may have been interrupted.
        Ok(format!("{made}{}", self.auto_trade(&generated, now).await?))
    }

    /// Says nothing where nobody wants it or nothing came of it.
    async fn auto_trade(&self, generated: &Generated, now: Timestamp) -> Result<String, UseCaseError> {
        let traders = self.auth.automatic_traders().await.map_err(|error| UseCaseError::Unavailable(error.to_string()))?;
        let AutoTrading { traders, taken, refused, failures } =
            self.desk.auto_trade(&traders, generated.date, &generated.signals, now).await;
        if taken + refused + failures == 0 {
            return Ok(String::new());
        }
        let failures = if failures == 0 { String::new() } else { format!(", {failures} failed") };
        Ok(format!("; {taken} orders for {traders} automatic traders, {refused} refused{failures}"))
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
