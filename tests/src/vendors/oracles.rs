//! The simulated vendors, asked by the vendors' own clients.

use std::process::Command;

use serde_json::{Value, json};

use super::{Market, Simulator, Vendor};

/// Names the Python whose packages include `massive` and `tiingo`; `.ci/run` makes one.
const PYTHON: &str = "STOCKGPT_TEST_PYTHON";

/// What the script prints; `None` where there is no Python to run it.
async fn ask(script: &'static str, vendor: Vendor) -> Option<Value> {
    let Ok(python) = std::env::var(PYTHON) else {
        eprintln!("not checked: set {PYTHON} to a Python that has massive and tiingo");
        return None;
    };
    let simulator = Simulator::start(vendor, Market::bundled()).await;
    let script = format!("{}/interop/{script}", env!("CARGO_MANIFEST_DIR"));
    let url = simulator.url();
    let run = move || Command::new(python).args([script.as_str(), url.as_str(), Simulator::KEY]).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn polygon_s_own_client_works_unchanged() {
    let Some(answers) = ask("ask_polygon.py", Vendor::Polygon).await else { return };
    let bars = answers["bars"].as_array().unwrap();
    assert_eq!(bars.len(), 10, "four pages of three: {answers}");
    // Midnight in New York, and the prices before and after the split of 2020-08-31 as traded.
    assert_eq!(bars[4], json!([1_598_587_200_000_i64, 504.05, 505.77, 498.31, 499.23, 46_907_500.0]));
    assert_eq!(bars[5][4], json!(129.04));
    assert_eq!(answers["adjusted"], json!([124.8075, 129.04]));
    assert_eq!(answers["descending"].as_array().unwrap()[0], json!(1_598_587_200_000_i64));
    assert_eq!(answers["descending"].as_array().unwrap().len(), 5);
    assert_eq!((&answers["empty"], &answers["weekend"]), (&json!(0), &json!(0)));
    assert_eq!(answers["session"].as_object().unwrap().len(), 60);
    assert_eq!(answers["session"]["AAPL"], json!([129.04, 1_598_904_000_000_i64]), "stamped at the close");
    let tickers = answers["tickers"].as_array().unwrap();
    assert_eq!((tickers.len(), &tickers[0]), (60, &json!("AAPL")));
    assert_eq!(answers["details"], "Microsoft");
    assert_eq!(answers["unknown"]["status"], "NOT_FOUND");
    for splits in ["splits", "current_splits"] {
        assert_eq!(answers[splits], json!([["2020-08-31", 1.0, 4.0]]), "{splits}");
    }
    for dividends in ["dividends", "current_dividends"] {
        assert_eq!(answers[dividends].as_array().unwrap().len(), 4, "{dividends}: {answers}");
    }
    assert_eq!(answers["snapshots"].as_object().unwrap().len(), 2);
    assert_eq!(answers["bad_key"]["error"], "Unknown API Key");
    assert_eq!(answers["bad_limit"]["status"], "ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tiingo_package_works_unchanged() {
    let Some(answers) = ask("ask_tiingo.py", Vendor::Tiingo).await else { return };
    assert_eq!((&answers["metadata"]["ticker"], &answers["metadata"]["startDate"]), (&json!("MSFT"), &json!("2018-01-02")));
    let days = answers["days"].as_array().unwrap();
    assert_eq!(days.len(), 2, "{answers}");
    assert_eq!(
        (&days[0]["date"], &days[0]["close"], &days[0]["splitFactor"]),
        (&json!("2020-08-28T00:00:00.000Z"), &json!(499.23), &json!(1.0))
    );
    assert_eq!((&days[1]["close"], &days[1]["splitFactor"], &days[1]["divCash"]), (&json!(129.04), &json!(4.0), &json!(0.0)));
    // Split and dividends since then, as the source of the bundled data adjusts them.
    let adjusted = days[0]["adjClose"].as_f64().unwrap();
    assert!((adjusted / 122.0 - 1.0).abs() < 0.01, "{adjusted}");
    assert_eq!(answers["newest"][0]["date"], "2024-03-08T00:00:00+00:00");
    let csv = answers["csv"].as_str().unwrap();
    assert!(csv.starts_with("date,close,high,low,open,volume,adjClose") && csv.lines().count() == 3, "{csv}");
    assert_eq!(answers["empty"], json!([]));
    assert_eq!(answers["unknown"], json!([404, {"detail": "Error: Ticker 'ZZZZ' not found"}]));
    assert_eq!(answers["unknown_metadata"], json!([404, {"detail": "Not found."}]));
    assert_eq!(answers["bad_key"], json!([401, {"detail": "Invalid token."}]));
}
