"""What the same work costs onnxruntime and XGBoost with one thread, called from Python, on the model and rows that `benches/score.rs` measures.

    pip install xgboost-cpu==3.2.0 onnxmltools==1.16.0 onnx==1.23.2 skl2onnx==1.20.0 onnxruntime==1.32.0 numpy==2.4.6 scikit-learn==1.9.1
    python benches/peers.py && cargo bench -p scoring

Trains the large model first (300 rounds of three trees of depth 4, about a minute) into `target/scoring-bench` unless it is there.
"""

import csv
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import xgboost as xgb

CRATE = Path(__file__).parents[1]
TARGET = CRATE.parents[1] / "target" / "scoring-bench"
sys.path.insert(0, str(CRATE / "fixtures"))
from make_fixture import FEATURES, train  # noqa: E402


def golden(count: int) -> np.ndarray:
    """The fixture's golden rows, over and over, as the Rust benchmark takes them."""
    with open(CRATE / "fixtures" / "golden.csv") as file:
        rows = [[float(field or "nan") for field in row[:FEATURES]] for row in list(csv.reader(file))[1:]]
    return np.resize(np.array(rows, np.float32), (count, FEATURES))


def measure(name: str, count: int, call) -> None:
    call()
    times = []
    until = time.perf_counter() + 3
    while time.perf_counter() < until or len(times) < 5:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    fastest, median = min(times), float(np.median(times))
    print(f"{name:32} {count:5} rows  fastest {fastest * 1e6 / count:9.2f}  median {median * 1e6 / count:9.2f} microseconds a row  ({len(times)} calls)")


def main() -> None:
    if not (TARGET / "model.onnx").exists():
        TARGET.mkdir(parents=True, exist_ok=True)
        booster, model = train(rounds=300, depth=4, count=20000)
        booster.save_model(TARGET / "booster.ubj")
        (TARGET / "model.onnx").write_bytes(model.SerializeToString())
    booster = xgb.Booster({"nthread": 1}, model_file=TARGET / "booster.ubj")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    start = time.perf_counter()
    session = onnxruntime.InferenceSession(TARGET / "model.onnx", options)
    print(f"onnxruntime loads the model in {(time.perf_counter() - start) * 1e3:.1f} ms")
    for count in (1, 60, 500, 5000):
        rows = golden(count)
        measure("onnxruntime", count, lambda: session.run(["probabilities"], {"features": rows}))
        measure("XGBoost inplace_predict", count, lambda: booster.inplace_predict(rows))
    for count in (1, 60):
        matrix = xgb.DMatrix(golden(count), nthread=1)
        measure("XGBoost pred_contribs", count, lambda: booster.predict(matrix, pred_contribs=True))


if __name__ == "__main__":
    main()
