//! What the whole system counts, for `/metrics`: jobs, data, signals.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use api::metrics::{Family, Kind, MetricsSource};
use app::jobs::{JobKind, JobReport};
use async_trait::async_trait;
use domain::Timestamp;

use crate::system::{Clocks, System};
use runtime::Services;

/// How jobs went since the process started.
#[derive(Debug, Default)]
pub struct JobCounts(Mutex<BTreeMap<JobKind, Count>>);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    succeeded: u64,
    failed: u64,
    last_success: Option<Timestamp>,
}

impl JobCounts {
    pub fn add(&self, report: &JobReport) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(report.job).or_default();
        if report.outcome.starts_with("failed") {
            count.failed += 1;
        } else {
            count.succeeded += 1;
            count.last_success = Some(report.at);
        }
    }

    fn families(&self) -> [Family; 2] {
        let mut runs = Family::new("job_runs_total", "Runs of scheduled jobs.", Kind::Counter);
        let mut last = Family::new("job_last_success_timestamp_seconds", "Market time of each job's last success.", Kind::Gauge);
        for (job, count) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            runs.push("", &[("job", job.name()), ("outcome", "succeeded")], count.succeeded as f64);
            runs.push("", &[("job", job.name()), ("outcome", "failed")], count.failed as f64);
            if let Some(at) = count.last_success {
                last.push("", &[("job", job.name())], at.as_second() as f64);
            }
        }
        [runs, last]
    }
}

/// Counts of jobs, and what is taken from the store when it is asked for.
pub struct SystemMetrics {
    services: Services,
    clock: Clocks,
    jobs: std::sync::Arc<JobCounts>,
}

impl SystemMetrics {
    pub fn new(system: &System) -> Self {
        Self { services: system.services.clone(), clock: system.clock.clone(), jobs: system.job_counts.clone() }
    }
}

#[async_trait]
impl MetricsSource for SystemMetrics {
    async fn families(&self) -> Vec<Family> {
        let mut families: Vec<Family> = self.jobs.families().into();
        let now = self.clock.edge().now();
        if let Ok(status) = self.services.data.status(now).await {
            families.push(Family::new("stocks_with_prices", "Stocks that have any bar.", Kind::Gauge).with(&[], status.symbols as f64));
            if let Some(date) = status.latest_bar_date {
                let lag = domain::calendar::close_instant(date).duration_until(now).as_secs_f64();
                families.push(
                    Family::new("ingestion_lag_seconds", "Market time since the close of the newest bar.", Kind::Gauge).with(&[], lag),
                );
            }
        }
        if let Ok(counts) = self.services.data.quarantine_counts().await {
            let mut bars = Family::new("quarantined_bars", "Bars that the quality gate held back, by reason and decision.", Kind::Gauge);
            for (reason, state, count) in counts {
                bars.push("", &[("reason", reason.name()), ("state", state.name())], count as f64);
            }
            families.push(bars);
        }
        if let Ok(counts) = self.services.signals.active_by_action(now).await {
            let mut signals = Family::new("signals_active", "Signals that can be acted on, by action.", Kind::Gauge);
            for (action, count) in counts {
                signals.push("", &[("action", action.name())], count as f64);
            }
            families.push(signals);
        }
        if let Ok(activity) = self.services.desk.activity().await {
            families.push(
                Family::new("portfolios_active", "Portfolios with positions or open orders.", Kind::Gauge).with(&[], activity as f64),
            );
        }
        families
    }
}
