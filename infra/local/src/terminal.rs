//! What the person at the terminal sees.

use std::time::Duration;

use app::jobs::{JobKind, JobReport};
use domain::{Timestamp, calendar};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar with rate and remaining time; nothing where nobody watches.
pub fn progress(what: &'static str, steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("  {msg:32} [{bar:30}] {pos}/{len} {per_sec} {eta}").expect("the template is well formed");
    let bar = ProgressBar::new(steps as u64).with_style(style.progress_chars("=> ")).with_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Progress of a job in the background: a bar where somebody watches, else log lines.
pub fn watch(what: &'static str) -> impl Fn(usize, usize) + Sync {
    let (bar, log) = (progress(what, 0), log_progress(what));
    move |done, total| {
        if bar.is_hidden() {
            log(done, total);
            return;
        }
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        if done == total {
            bar.finish_and_clear();
        }
    }
}

/// Progress of a job in the background, as log lines: one at each tenth.
fn log_progress(what: &'static str) -> impl Fn(usize, usize) + Sync {
    move |done, total| {
        if done == total || done % (total / 10).max(1) == 0 {
            tracing::info!("{what}: {done} of {total}");
        }
    }
}

/// An instant as people on the trading floor would say it.
pub fn new_york(instant: Timestamp) -> String {
    instant.to_zoned(calendar::new_york()).strftime("%a %Y-%m-%d %H:%M New York").to_string()
}

/// One line a job, unless it did nothing that anyone would want to read.
pub fn report(report: &JobReport) {
    let is_news = match report.job {
        JobKind::Ingest => true,
        JobKind::GenerateSignals => !report.outcome.contains("there already"),
        JobKind::Revalue => !report.outcome.ends_with(" 0 fills"),
        JobKind::ResetOtps => false,
    };
    if is_news || report.outcome.starts_with("failed") {
        println!("  {}  {}: {}", new_york(report.at), report.job.name(), report.outcome);
    }
}
