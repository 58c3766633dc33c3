//! Numbers for alarms and dashboards, as log lines of `CloudWatch`'s embedded metric format.
//!
//! Dimensions are few, because each combination of their values is a metric that costs by the month: the stage, with the function or
//! the job. What is in a line besides can be searched for in the log.

use std::time::Duration;

use app::jobs::JobKind;
use domain::{Timestamp, calendar};
use serde_json::{Map, Value, json};

/// How old the newest bar is, counted from the close of its session: what an ingestion that has stopped shows in.
pub(crate) fn newest_bar_age(stage: &str, newest: Option<domain::TradingDate>, now: Timestamp) {
    let Some(newest) = newest else { return };
    let hours = calendar::close_instant(newest.date()).duration_until(now).as_secs_f64() / 3600.0;
    emit(&line(&[("Stage", stage)], &[("NewestBarAgeHours", "None", hours)], &[], now));
}

/// One answered request.
pub(crate) fn request(stage: &str, route: Option<&str>, status: u16, elapsed: Duration, at: Timestamp) {
    let numbers = [
        ("Requests", "Count", 1.0),
        ("Latency", "Milliseconds", milliseconds(elapsed)),
        ("ServerErrors", "Count", f64::from(u8::from(status >= 500))),
        ("Throttled", "Count", f64::from(u8::from(status == 429))),
    ];
    let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "local".into());
    let besides = [("Route", route.unwrap_or("unmatched").into()), ("Status", status.into())];
    emit(&line(&[("Stage", stage), ("Function", &function)], &numbers, &besides, at));
}

/// One run of a job.
pub(crate) fn job(stage: &str, job: JobKind, has_succeeded: bool, elapsed: Duration, trace_id: &str, at: Timestamp) {
    let numbers = [
        ("JobRuns", "Count", 1.0),
        ("JobFailures", "Count", f64::from(u8::from(!has_succeeded))),
        ("JobDuration", "Milliseconds", milliseconds(elapsed)),
    ];
    emit(&line(&[("Stage", stage), ("Job", job.name())], &numbers, &[("TraceId", trace_id.into())], at));
}

fn milliseconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1e6).round() / 1e3
}

/// To stdout, where `CloudWatch` looks for it; the log itself goes to stderr.
fn emit(line: &Value) {
    println!("{line}");
}

/// The format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn line(dimensions: &[(&str, &str)], numbers: &[(&str, &str, f64)], besides: &[(&str, Value)], at: Timestamp) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let units: Vec<Value> = numbers.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".into(),
        json!({
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": "StockGPT", "Dimensions": [names], "Metrics": units}],
        }),
    );
    line.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    line.extend(numbers.iter().map(|(name, _, value)| ((*name).to_owned(), Value::from(*value))));
    line.extend(besides.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_metrics_and_carries_their_values_and_dimensions() {
        let at = "2022-01-03T22:30:00Z".parse().unwrap();
        let dimensions = [("Stage", "dev"), ("Job", "ingest")];
        let line = line(&dimensions, &[("JobRuns", "Count", 1.0), ("JobDuration", "Milliseconds", 2.5)], &[("TraceId", "t".into())], at);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&directive["Namespace"], line["_aws"]["Timestamp"].as_i64()), (&json!("StockGPT"), Some(1_641_249_000_000)));
        let values: Vec<&Value> =
            directive["Metrics"].as_array().unwrap().iter().map(|metric| &line[metric["Name"].as_str().unwrap()]).collect();
        assert_eq!(values, [&json!(1.0), &json!(2.5)]);
        let named: Vec<&Value> = directive["Dimensions"][0].as_array().unwrap().iter().map(|name| &line[name.as_str().unwrap()]).collect();
        assert_eq!((named, &line["TraceId"]), (vec![&json!("dev"), &json!("ingest")], &json!("t")));
    }
}
