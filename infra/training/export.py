"""The files the product ships: model.onnx, manifest.json, golden.csv, card.json, card.md."""

import hashlib
import json

import numpy as np
import onnxruntime
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

import covers

GOLDEN_ROWS = 200


def onnx_bytes(booster, features):
    """One TreeEnsembleClassifier with a softmax. Feature names must be gone before converting; the manifest keeps their order.
    The graph gets a name of ours: the converter's would be random, and the file another each time."""
    booster.feature_names = None
    model = convert_xgboost(booster, initial_types=[("features", FloatTensorType([None, features]))], target_opset=15, name="signals")
    return covers.add_covers(model, booster).SerializeToString()


def golden_rows(booster, examples, seed):
    """Rows spread over all years and some with values taken away, with XGBoost's own probabilities."""
    random = np.random.default_rng(seed)
    chosen = random.choice(len(examples), GOLDEN_ROWS, replace=False)
    rows = examples.features[np.sort(chosen)].copy()
    # A stock without a market context, one just listed, and anything else that may be missing.
    for row in rows[::4]:
        row[random.random(rows.shape[1]) < 0.3] = np.nan
    rows[-1] = np.nan
    return rows, booster.inplace_predict(rows)


def write_golden(path, names, rows, probabilities):
    """Single precision in nine digits reads back to the same number; an empty field is a missing value."""
    digits = lambda value: "" if np.isnan(value) else f"{value:.9g}"
    with open(path, "w", newline="\n") as file:
        file.write(",".join([*names, "p_sell", "p_hold", "p_buy"]) + "\n")
        for row, probability in zip(rows, probabilities):
            file.write(",".join(map(digits, [*row, *probability])) + "\n")


def verify(onnx, rows, probabilities):
    """The largest difference between onnxruntime on the exported file and XGBoost itself."""
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    _, exported = session.run(None, {"features": rows})
    difference = float(np.abs(exported - probabilities).max())
    assert difference < 1e-5, f"the exported model differs from XGBoost by {difference}"
    return difference


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def write_json(path, value):
    with open(path, "w", newline="\n") as file:
        json.dump(value, file, indent=1, allow_nan=False)
        file.write("\n")
