"""Walk-forward validation: each year judged by a model, a calibration and a rule that saw only what ended before it."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import QuantileTransformer

import evaluation
import fitting

FIRST_YEAR, LAST_YEAR = 2010, 2021
# As many years between the last training year and the judged one as the shipped model has between its training and the present.
CALIBRATION_YEARS = 3
SCALINGS = ("none", "recent", "long_run")


def rule_from(edge, least_r):
    """Bands of edge: the upper half of what is acted on is medium, its upper tenth high."""
    acted = edge[edge >= least_r]
    if len(acted) == 0:
        return {"least_r": least_r, "medium_r": least_r, "high_r": least_r}
    return {"least_r": least_r, "medium_r": float(np.quantile(acted, 0.5)), "high_r": float(np.quantile(acted, 0.9))}


def scalings(raw, labels, long_run):
    recent = fitting.calibrate(raw, labels)
    identity = {"scale": [1.0] * 3, "bias": [0.0] * 3}
    return {"none": identity, "recent": recent, "long_run": fitting.towards(recent, raw, long_run)}


def logistic(examples):
    """The simplest learner: multinomial logistic regression on features brought to normal scores."""
    chosen = examples.where(examples.session % 10 == 0)
    model = make_pipeline(
        SimpleImputer(strategy="median"),
        QuantileTransformer(output_distribution="normal", subsample=50_000, random_state=fitting.SEED),
        LogisticRegression(C=0.01, max_iter=200),
    )
    return model.fit(chosen.features, chosen.label)


def run(data, first_year, embargo, least_r, cost_bps, threads, report):
    years, everything = [], []
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        train = data.between(f"{first_year}-01-01", f"{year - CALIBRATION_YEARS - 1}-12-31", embargo)
        held = data.between(f"{year - CALIBRATION_YEARS}-01-01", f"{year - 1}-12-31", embargo)
        test = data.between(f"{year}-01-01", f"{year}-12-31")
        long_run = fitting.base_rates(np.concatenate([train.label, held.label]))

        booster = fitting.fit(train, threads)
        raw_held, raw = fitting.predict(booster, held.features), fitting.predict(booster, test.features)
        forecasts = {name: fitting.apply(scaling, raw) for name, scaling in scalings(raw_held, held.label, long_run).items()}
        simple = logistic(train)
        simple_scalings = scalings(simple.predict_proba(held.features), held.label, long_run)
        forecasts["logistic regression"] = fitting.apply(simple_scalings["long_run"], simple.predict_proba(test.features))
        constant = np.tile(long_run, (len(test), 1))
        forecasts["recent base rate"] = np.tile(fitting.base_rates(held.label), (len(test), 1))

        calibrated_held = fitting.apply(scalings(raw_held, held.label, long_run)["long_run"], raw_held)
        results = evaluation.mean_r(held)
        rule = rule_from(np.maximum(*evaluation.edges(calibrated_held, results, held, cost_bps)), least_r)
        years.append(
            {
                "year": year,
                "examples": len(test),
                "class_rates": fitting.base_rates(test.label).tolist(),
                "base_rate_log_loss": evaluation.log_loss(constant, test.label),
                "log_loss": {name: evaluation.log_loss(forecast, test.label) for name, forecast in forecasts.items()},
                "long_run": evaluation.gain_over(constant, forecasts["long_run"], test),
                "brier_buy": [evaluation.brier(constant, test.label, 2), evaluation.brier(forecasts["long_run"], test.label, 2)],
                "brier_sell": [evaluation.brier(constant, test.label, 0), evaluation.brier(forecasts["long_run"], test.label, 0)],
                "mean_long_r": float(test.long_r.mean()),
                "mean_short_r": float(test.short_r.mean()),
                "trades": evaluation.trades(forecasts["long_run"], results, rule, test, cost_bps),
            }
        )
        everything.append((test, constant, forecasts, results, rule))
        report(years[-1])
    return years, everything


def pooled(everything, cost_bps):
    """All judged years together."""
    tests = [test for test, *_ in everything]
    whole = type(tests[0])(**{name: np.concatenate([getattr(test, name) for test in tests]) for name in tests[0].__dataclass_fields__})
    constant = np.concatenate([constant for _, constant, *_ in everything])
    forecast = {name: np.concatenate([forecasts[name] for _, _, forecasts, *_ in everything]) for name in everything[0][2]}
    return {
        "examples": len(whole),
        "base_rate_log_loss": evaluation.log_loss(constant, whole.label),
        "gain_over_base_rate": {name: evaluation.gain_over(constant, values, whole) for name, values in forecast.items()},
        "reliability": {
            name: evaluation.reliability(forecast["long_run"], whole.label, class_) for class_, name in enumerate(("sell", "hold", "buy"))
        },
        "trades": combined(everything, cost_bps),
    }


def combined(everything, cost_bps):
    """Trades of all years under each year's own rule: weighted means of the years' rows."""
    rows = [evaluation.trades(forecasts["long_run"], results, rule, test, cost_bps) for test, _, forecasts, results, rule in everything]
    out = {}
    for key in ("all", "BUY", "SELL", "LOW", "MEDIUM", "HIGH"):
        present = [row[key] for row in rows if row[key]["trades"] > 0]
        weights = np.array([row["trades"] for row in present], float)
        out[key] = {"trades": int(weights.sum())}
        if len(present) > 0:
            for name in ("mean_expected_r", "mean_realised_r", "mean_confidence", "target_hit_rate"):
                out[key][name] = float(np.average([row[name] for row in present], weights=weights))
            means = np.array([row["mean_realised_r"] for row in present])
            out[key]["years_above_zero"] = f"{int((means > 0).sum())} of {len(means)}"
    return out
