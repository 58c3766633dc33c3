//! Numbers for alarms, as log lines of `CloudWatch`'s embedded metric format.

use domain::{Timestamp, calendar};
use serde_json::json;

/// How old the newest bar is, counted from the close of its session: what an ingestion that has stopped shows in.
pub(crate) fn newest_bar_age(stage: &str, newest: Option<domain::TradingDate>, now: Timestamp) {
    let Some(newest) = newest else { return };
    let hours = calendar::close_instant(newest.date()).duration_until(now).as_secs_f64() / 3600.0;
    // To stdout, where `CloudWatch` looks for it; the log itself goes to stderr.
    println!("{}", metric(stage, "NewestBarAgeHours", hours, now));
}

/// The format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn metric(stage: &str, name: &str, value: f64, now: Timestamp) -> serde_json::Value {
    json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": "StockGPT", "Dimensions": [["Stage"]], "Metrics": [{"Name": name, "Unit": "None"}]}],
        },
        "Stage": stage,
        name: value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_metric_and_carries_its_value_and_dimension() {
        let line = metric("dev", "NewestBarAgeHours", 1.5, "2022-01-03T22:30:00Z".parse().unwrap());
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let name = directive["Metrics"][0]["Name"].as_str().unwrap();
        assert_eq!((name, &line[name], line["_aws"]["Timestamp"].as_i64()), ("NewestBarAgeHours", &json!(1.5), Some(1_641_249_000_000)));
        let dimension = directive["Dimensions"][0][0].as_str().unwrap();
        assert_eq!((dimension, &line[dimension], &directive["Namespace"]), ("Stage", &json!("dev"), &json!("StockGPT")));
    }
}
