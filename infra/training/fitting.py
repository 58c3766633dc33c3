"""The model and its calibration."""

import numpy as np
import xgboost
from scipy.optimize import minimize

SEED = 20211231
ROUNDS = 80
# Weak, heavily averaged trees: the signal is small, and examples of one day are far from independent.
PARAMETERS = {
    "objective": "multi:softprob",
    "num_class": 3,
    "tree_method": "hist",
    "max_bin": 128,
    "max_depth": 3,
    "eta": 0.05,
    "min_child_weight": 500,
    "subsample": 0.5,
    "colsample_bytree": 0.5,
    "lambda": 10.0,
    "seed": SEED,
}
# Labels of neighbouring sessions overlap in all but one of their sessions: every third carries nearly all there is to learn.
STRIDE = 3
LEAST = 1e-7


def fit(examples, threads):
    chosen = examples.where(examples.session % STRIDE == 0)
    data = xgboost.QuantileDMatrix(chosen.features, chosen.label, max_bin=PARAMETERS["max_bin"], nthread=threads)
    return xgboost.train({**PARAMETERS, "nthread": threads}, data, ROUNDS)


def predict(booster, features):
    return booster.inplace_predict(features).astype(np.float64)


def apply(scaling, probabilities):
    """analysis::model::VectorScaling: softmax(scale * ln p + bias)."""
    scores = np.log(np.maximum(probabilities, LEAST)) * scaling["scale"] + scaling["bias"]
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def calibrate(probabilities, labels):
    """Vector scaling by maximum likelihood, all classes sharing one scale.

    One scale and two free biases: with a separate scale for each class the fit follows the calibration years' accidents. The scale is kept
    between 0 and 2: a model that did not help in those years is flattened, never turned around.
    """
    logs = np.log(np.maximum(probabilities, LEAST))
    rows = np.arange(len(labels))

    def loss(parameters):
        scores = logs * parameters[0] + np.array([parameters[1], 0.0, parameters[2]])
        top = scores.max(axis=1, keepdims=True)
        weights = np.exp(scores - top)
        total = weights.sum(axis=1, keepdims=True)
        share = weights / total
        value = -(scores[rows, labels] - top[:, 0] - np.log(total[:, 0])).mean()
        error = share.copy()
        error[rows, labels] -= 1.0
        gradient = np.array([(error * logs).sum(axis=1).mean(), error[:, 0].mean(), error[:, 2].mean()])
        return value, gradient

    best = minimize(loss, [1.0, 0.0, 0.0], jac=True, method="L-BFGS-B", bounds=[(0.0, 2.0), (-2.0, 2.0), (-2.0, 2.0)])
    scale, sell, buy = best.x
    return {"scale": [float(scale)] * 3, "bias": [float(sell), 0.0, float(buy)]}


def towards(scaling, probabilities, rates):
    """The same scaling with its biases moved until the mean calibrated probabilities are `rates`."""
    bias = np.array(scaling["bias"])
    for _ in range(50):
        means = apply({"scale": scaling["scale"], "bias": bias}, probabilities).mean(axis=0)
        bias = bias + np.log(rates / means)
        bias = bias - bias[1]
    return {"scale": scaling["scale"], "bias": [float(value) for value in bias]}


def base_rates(labels):
    return np.bincount(labels, minlength=3) / len(labels)
