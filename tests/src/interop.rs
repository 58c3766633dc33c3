//! Price histories are ordinary Parquet: another program reads the same numbers from them.

use std::process::Command;

use serde_json::Value;

use crate::harness::Server;

/// Names the Python whose packages include `pyarrow`; `.ci/run` makes one.
const PYTHON: &str = "STOCKGPT_TEST_PYTHON";

#[tokio::test(flavor = "multi_thread")]
async fn pyarrow_reads_what_was_written() {
    let Ok(python) = std::env::var(PYTHON) else {
        eprintln!("not checked: set {PYTHON} to a Python that has pyarrow");
        return;
    };
    let server = Server::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/read_parquet.py");
    let output = Command::new(python).arg(script).arg(server.data_dir().join("objects/prices/GE.parquet")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Sums over all 1,556 bars in units of a hundredth of a cent, taken from the bundled bars.
    assert_eq!(read["records"]["bar"], 1556, "{read}");
    assert_eq!(read["sums"]["close"], 732_993_300_i64, "{read}");
    assert_eq!(read["sums"]["volume"], 79_432_759_376_i64, "{read}");
}
