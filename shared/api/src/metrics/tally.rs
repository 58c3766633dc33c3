//! What one copy counts.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::jobs::JobKind;
use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Family, Kind};

/// A metric: its name, what it means, and its labels in order.
struct Described {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    /// Upper bounds of a timing in seconds; empty otherwise.
    bounds: &'static [f64],
}

const REQUESTS: Described =
    Described { name: "http_requests_total", help: "Requests answered.", labels: &["route", "method", "code"], bounds: &[] };
/// A read takes single milliseconds, a cold start seconds.
const REQUEST_SECONDS: Described = Described {
    name: "http_request_duration_seconds",
    help: "Time from request to answer.",
    labels: &["route", "method"],
    bounds: &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0],
};
const JOB_RUNS: Described =
    Described { name: "job_runs_total", help: "Runs of scheduled jobs.", labels: &["name", "outcome"], bounds: &[] };
const JOB_SECONDS: Described = Described {
    name: "job_duration_seconds",
    help: "How long runs of jobs took.",
    labels: &["name"],
    bounds: &[0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0],
};
const JOB_SUCCESS: Described = Described {
    name: "job_last_success_timestamp_seconds",
    help: "Market time of each job's last success.",
    labels: &["name"],
    bounds: &[],
};
const ORDERS: Described =
    Described { name: "orders_total", help: "How often orders came into each state.", labels: &["state"], bounds: &[] };

const ALL: [&Described; 6] = [&REQUESTS, &REQUEST_SECONDS, &JOB_RUNS, &JOB_SECONDS, &JOB_SUCCESS, &ORDERS];

/// A metric's name and the values of its labels.
type Series = (Arc<str>, Vec<Arc<str>>);

/// Counts that add.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Counts {
    counters: BTreeMap<Series, u64>,
    timings: BTreeMap<Series, Timing>,
    /// Of copies that know different instants the latest counts. Epoch seconds.
    latest: BTreeMap<Series, i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Timing {
    count: u64,
    seconds: f64,
    /// Within each bound and not within the one before; slower ones are only in `count`.
    within: Vec<u64>,
}

/// As lists: maps of JSON have texts as keys.
#[derive(Serialize, Deserialize)]
struct Written {
    counters: Vec<(Series, u64)>,
    timings: Vec<(Series, Timing)>,
    latest: Vec<(Series, i64)>,
}

impl From<Written> for Counts {
    fn from(Written { counters, timings, latest }: Written) -> Self {
        Self { counters: counters.into_iter().collect(), timings: timings.into_iter().collect(), latest: latest.into_iter().collect() }
    }
}

impl From<Counts> for Written {
    fn from(Counts { counters, timings, latest }: Counts) -> Self {
        Self { counters: counters.into_iter().collect(), timings: timings.into_iter().collect(), latest: latest.into_iter().collect() }
    }
}

impl Timing {
    fn take(&mut self, elapsed: Duration, bounds: &[f64]) {
        let seconds = elapsed.as_secs_f64();
        self.within.resize(bounds.len(), 0);
        self.count += 1;
        self.seconds += seconds;
        if let Some(at) = bounds.iter().position(|bound| seconds <= *bound) {
            self.within[at] += 1;
        }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.seconds += other.seconds;
        if self.within.len() < other.within.len() {
            self.within.resize(other.within.len(), 0);
        }
        self.within.iter_mut().zip(&other.within).for_each(|(own, more)| *own += more);
    }
}

impl Counts {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn add(&mut self, other: &Self) {
        for (series, count) in &other.counters {
            *self.counters.entry(series.clone()).or_default() += count;
        }
        for (series, timing) in &other.timings {
            self.timings.entry(series.clone()).or_default().add(timing);
        }
        for (series, instant) in &other.latest {
            let known = self.latest.entry(series.clone()).or_insert(*instant);
            *known = (*known).max(*instant);
        }
    }

    fn count(&mut self, metric: &Described, labels: &[&str]) {
        *self.counters.entry(series(metric, labels)).or_default() += 1;
    }

    fn time(&mut self, metric: &Described, labels: &[&str], elapsed: Duration) {
        self.timings.entry(series(metric, labels)).or_default().take(elapsed, metric.bounds);
    }

    /// As Prometheus reads them. What a later version of the program has counted besides is left to it.
    pub fn families(&self) -> Vec<Family> {
        let mut families = Vec::new();
        for metric in ALL {
            let of_it = |(name, _): &Series| **name == *metric.name;
            let labelled = |values: &[Arc<str>]| -> Vec<(&'static str, String)> {
                metric.labels.iter().zip(values).map(|(label, value)| (*label, value.to_string())).collect()
            };
            let kind = match (metric.bounds, metric.name.ends_with("_total")) {
                ([], true) => Kind::Counter,
                ([], false) => Kind::Gauge,
                _ => Kind::Histogram,
            };
            let mut family = Family::new(metric.name, metric.help, kind);
            for ((_, labels), count) in self.counters.iter().filter(|(series, _)| of_it(series)) {
                push(&mut family, "", &labelled(labels), *count as f64);
            }
            for ((_, labels), instant) in self.latest.iter().filter(|(series, _)| of_it(series)) {
                push(&mut family, "", &labelled(labels), *instant as f64);
            }
            for ((_, labels), timing) in self.timings.iter().filter(|(series, _)| of_it(series)) {
                let labels = labelled(labels);
                let mut cumulated = 0;
                for (bound, within) in metric.bounds.iter().zip(&timing.within) {
                    cumulated += within;
                    push(&mut family, "_bucket", &with_bound(&labels, &bound.to_string()), cumulated as f64);
                }
                push(&mut family, "_bucket", &with_bound(&labels, "+Inf"), timing.count as f64);
                push(&mut family, "_sum", &labels, timing.seconds);
                push(&mut family, "_count", &labels, timing.count as f64);
            }
            if !family.samples.is_empty() {
                families.push(family);
            }
        }
        families
    }
}

fn series(metric: &Described, labels: &[&str]) -> Series {
    (metric.name.into(), labels.iter().map(|label| Arc::from(*label)).collect())
}

fn push(family: &mut Family, suffix: &str, labels: &[(&str, String)], value: f64) {
    let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
    family.push(suffix, &labels, value);
}

fn with_bound<'a>(labels: &[(&'a str, String)], bound: &str) -> Vec<(&'a str, String)> {
    labels.iter().cloned().chain([("le", bound.to_owned())]).collect()
}

/// What this copy has counted since it was last drained.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// By route, then by method and code: what is counted at every request must not make its labels anew each time.
    requests: HashMap<Arc<str>, BTreeMap<(&'static str, u16), Timing>>,
    others: Counts,
}

impl Counted {
    fn into_counts(self) -> Counts {
        let mut counts = self.others;
        for (route, answers) in self.requests {
            for ((method, code), timing) in answers {
                *counts.counters.entry(series(&REQUESTS, &[&route, method, &code.to_string()])).or_default() += timing.count;
                counts.timings.entry(series(&REQUEST_SECONDS, &[&route, method])).or_default().add(&timing);
            }
        }
        counts
    }
}

impl Tally {
    /// `route` is the template, never the path: metrics must not grow with ids.
    pub fn request(&self, route: &Arc<str>, method: &'static str, code: u16, elapsed: Duration) {
        self.change(|counted| {
            let answers = counted.requests.entry(route.clone()).or_default();
            answers.entry((method, code)).or_default().take(elapsed, REQUEST_SECONDS.bounds);
        });
    }

    /// `at` is the market's instant as of which the job ran.
    pub fn job(&self, job: JobKind, has_succeeded: bool, at: Timestamp, elapsed: Duration) {
        self.change(|Counted { others, .. }| {
            others.count(&JOB_RUNS, &[job.name(), if has_succeeded { "succeeded" } else { "failed" }]);
            others.time(&JOB_SECONDS, &[job.name()], elapsed);
            if has_succeeded {
                others.latest.insert(series(&JOB_SUCCESS, &[job.name()]), at.as_second());
            }
        });
    }

    /// An order came into a state.
    pub fn order(&self, state: &str) {
        self.change(|counted| counted.others.count(&ORDERS, &[state]));
    }

    /// Hands over what was counted; the tally is empty then.
    pub(super) fn drain(&self) -> Counts {
        self.change(std::mem::take).into_counts()
    }

    /// Counts stay usable after a panic elsewhere: each is written by one addition.
    fn change<T>(&self, change: impl FnOnce(&mut Counted) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_method_and_code_and_timed_in_cumulative_buckets() {
        let tally = Tally::default();
        for (code, millis) in [(200, 1), (200, 30), (404, 60_000)] {
            tally.request(&"/stocks".into(), "GET", code, Duration::from_millis(millis));
        }
        let counts = tally.drain();
        assert!(tally.drain().is_empty());
        let text = super::super::encode(&counts.families());
        for line in [
            r#"http_requests_total{route="/stocks",method="GET",code="200"} 2"#,
            r#"http_requests_total{route="/stocks",method="GET",code="404"} 1"#,
            r#"http_request_duration_seconds_bucket{route="/stocks",method="GET",le="0.001"} 1"#,
            r#"http_request_duration_seconds_bucket{route="/stocks",method="GET",le="0.05"} 2"#,
            r#"http_request_duration_seconds_bucket{route="/stocks",method="GET",le="30"} 2"#,
            r#"http_request_duration_seconds_bucket{route="/stocks",method="GET",le="+Inf"} 3"#,
            r#"http_request_duration_seconds_count{route="/stocks",method="GET"} 3"#,
            r#"http_request_duration_seconds_sum{route="/stocks",method="GET"} 60.031"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing from\n{text}");
        }
    }

    #[test]
    fn counts_add_and_survive_being_written_down() {
        let tally = Tally::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        tally.job(JobKind::Ingest, true, at(50), Duration::from_secs(2));
        tally.order("filled");
        let mut sum = tally.drain();
        tally.job(JobKind::Ingest, false, at(90), Duration::from_secs(3));
        tally.job(JobKind::Ingest, true, at(40), Duration::from_millis(5));
        let more: Counts = serde_json::from_str(&serde_json::to_string(&tally.drain()).unwrap()).unwrap();
        sum.add(&more);
        let text = super::super::encode(&sum.families());
        for line in [
            r#"job_runs_total{name="ingest",outcome="succeeded"} 2"#,
            r#"job_runs_total{name="ingest",outcome="failed"} 1"#,
            r#"job_last_success_timestamp_seconds{name="ingest"} 50"#,
            r#"job_duration_seconds_bucket{name="ingest",le="0.01"} 1"#,
            r#"job_duration_seconds_count{name="ingest"} 3"#,
            r#"orders_total{state="filled"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing from\n{text}");
        }
    }
}
