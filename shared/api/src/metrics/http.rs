//! Requests answered by this process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::{Family, Kind, MetricsSource};

/// Upper bounds in seconds: a read takes single milliseconds, a cold start seconds.
const BOUNDS: [(f64, &str); 12] = [
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1"),
    (5.0, "5"),
    (30.0, "30"),
];

/// `http_requests_total` by route template, method and code, and `http_request_duration_seconds` by route template and method.
#[derive(Debug, Default)]
pub struct HttpMetrics {
    routes: Mutex<BTreeMap<(Arc<str>, &'static str), Route>>,
}

#[derive(Debug, Default)]
struct Route {
    by_code: BTreeMap<u16, u64>,
    /// Requests within each bound and not within the one before; slower ones only count in the total.
    within: [u64; BOUNDS.len()],
    seconds: f64,
}

impl HttpMetrics {
    pub(crate) fn record(&self, route: &Arc<str>, method: &'static str, code: u16, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        // Counters stay usable after a panic elsewhere: each is written by one addition.
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = routes.entry((Arc::clone(route), method)).or_default();
        *entry.by_code.entry(code).or_default() += 1;
        entry.seconds += seconds;
        if let Some(at) = BOUNDS.iter().position(|(bound, _)| seconds <= *bound) {
            entry.within[at] += 1;
        }
    }

    /// What was counted so far.
    pub fn snapshot(&self) -> [Family; 2] {
        let mut requests = Family::new("http_requests_total", "Requests answered.", Kind::Counter);
        let mut durations = Family::new("http_request_duration_seconds", "Time from request to answer.", Kind::Histogram);
        for ((route, method), counts) in &*self.routes.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = [("route", &**route), ("method", *method)];
            for (code, count) in &counts.by_code {
                requests.push("", &[labels[0], labels[1], ("code", &code.to_string())], *count as f64);
            }
            let total = counts.by_code.values().sum::<u64>() as f64;
            let mut cumulated = 0;
            for ((_, bound), within) in BOUNDS.iter().zip(counts.within) {
                cumulated += within;
                durations.push("_bucket", &[labels[0], labels[1], ("le", bound)], cumulated as f64);
            }
            durations.push("_bucket", &[labels[0], labels[1], ("le", "+Inf")], total);
            durations.push("_sum", &labels, counts.seconds);
            durations.push("_count", &labels, total);
        }
        [requests, durations]
    }
}

#[async_trait]
impl MetricsSource for HttpMetrics {
    async fn families(&self) -> Vec<Family> {
        self.snapshot().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_method_and_code_and_timed_in_cumulative_buckets() {
        let metrics = HttpMetrics::default();
        let route: Arc<str> = "/stocks".into();
        for (code, millis) in [(200, 1), (200, 30), (404, 60_000)] {
            metrics.record(&route, "GET", code, Duration::from_millis(millis));
        }
        let text = super::super::encode(&metrics.snapshot());
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
}
