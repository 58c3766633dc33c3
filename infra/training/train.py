"""Trains, calibrates, judges and exports the model.

    python train.py examples.parquet ../model

`examples.parquet` is what `export-features` wrote; see README.md.
"""

import argparse
import json
import pathlib

import numpy as np

import card
import dataset
import evaluation
import export
import fitting
import walk_forward

EMBARGO_SESSIONS = 11  # a label's life of 10 sessions, and the entry that follows its signal by one
TRAIN_THROUGH, CALIBRATE_FROM, CALIBRATE_THROUGH = "2018-12-31", "2019-01-01", "2021-12-31"
LEAST_R = 0.05


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", help="Parquet written by export-features")
    parser.add_argument("out", type=pathlib.Path, help="directory for model.onnx, manifest.json, golden.csv, card.json, card.md")
    parser.add_argument("--first-year", type=int, default=2000)
    parser.add_argument("--cost-bps", type=float, default=10.0, help="round-trip costs, hundredths of a percent of the price")
    parser.add_argument("--threads", type=int, default=2)
    judging = parser.add_mutually_exclusive_group()
    judging.add_argument("--no-validation", action="store_true", help="skip the walk-forward; the card then has no out-of-sample numbers")
    judging.add_argument("--validation-of", type=pathlib.Path, help="take the walk-forward from this card.json of the same data, features and parameters")
    return parser.parse_args()


def window(examples):
    return {"from": str(examples.date.min()), "through": str(examples.date.max())}


def show(year):
    gain, trades = year["long_run"], year["trades"]["all"]
    print(
        f"{year['year']}  base rate {year['base_rate_log_loss']:.4f}  saved {gain['log_loss_saved']:+.5f} ± {gain['standard_error']:.5f}"
        f"  trades {trades['trades']}  expected {trades.get('mean_expected_r', 0):+.3f} R  realised {trades.get('mean_realised_r', 0):+.3f} R",
        flush=True,
    )


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    data = dataset.read(options.examples)
    assert data.data_through <= np.datetime64("2021-12-31"), "the shipped model may not see anything after 2021"
    assert EMBARGO_SESSIONS > data.label["life_sessions"]
    print(f"{len(data.examples)} examples, {data.sessions[0]} to {data.sessions[-1]}", flush=True)

    parameters = {**fitting.PARAMETERS, "rounds": fitting.ROUNDS, "every_nth_session": fitting.STRIDE}
    validation = None
    if options.validation_of is not None:
        earlier = json.loads(options.validation_of.read_text())
        same = (earlier["data_sha256"], earlier["schema_hash"], earlier["parameters"]) == (data.sources, data.schema_hash, parameters)
        assert same, "that card is of other data, features or parameters"
        validation = earlier["validation"]
    elif not options.no_validation:
        years, everything = walk_forward.run(
            data, options.first_year, EMBARGO_SESSIONS, LEAST_R, options.cost_bps, options.threads, show
        )
        validation = {"years": years, "pooled": walk_forward.pooled(everything, options.cost_bps)}

    for year in validation["years"] if validation else []:
        judged = data.between(f"{year['year']}-01-01", f"{year['year']}-12-31")
        year["mean_long_r_after_costs"] = float((judged.long_r - options.cost_bps / 10_000.0 / judged.risk).mean())

    train = data.between(f"{options.first_year}-01-01", TRAIN_THROUGH, EMBARGO_SESSIONS)
    held = data.between(CALIBRATE_FROM, CALIBRATE_THROUGH)
    booster = fitting.fit(train, options.threads)
    importance = booster.get_score(importance_type="total_gain")
    raw = fitting.predict(booster, held.features)
    long_run = fitting.base_rates(np.concatenate([train.label, held.label]))
    scaling = walk_forward.scalings(raw, held.label, long_run)["long_run"]
    calibrated = fitting.apply(scaling, raw)
    results = evaluation.mean_r(held)
    rule = walk_forward.rule_from(np.maximum(*evaluation.edges(calibrated, results, held, options.cost_bps)), LEAST_R)

    onnx = export.onnx_bytes(booster, len(data.names))
    rows, probabilities = export.golden_rows(booster, data.examples, fitting.SEED)
    parity = export.verify(onnx, rows, probabilities)
    (options.out / "model.onnx").write_bytes(onnx)
    export.write_golden(options.out / "golden.csv", data.names, rows, probabilities)

    data_through = data.data_through
    digest = export.sha256(onnx)
    metrics = {} if validation is None else card.headline(validation)
    manifest = {
        "version": f"xgb-{str(data_through).replace('-', '')}-{digest[:8]}",
        "onnx_sha256": digest,
        "features": data.names,
        "schema_hash": data.schema_hash,
        "classes": ["sell", "hold", "buy"],
        "label": data.label,
        "trained": window(train),
        "calibrated": window(held),
        "data_through": str(data_through),
        "calibration": scaling,
        "mean_r": results,
        "rule": rule,
        "cost_bps": options.cost_bps,
        "metrics": metrics,
    }
    export.write_json(options.out / "manifest.json", manifest)
    described = {
        **{key: manifest[key] for key in manifest if key != "metrics"},
        "data_sha256": data.sources,
        "point_in_time_membership_from": str(data.point_in_time_from),
        "embargo_sessions": EMBARGO_SESSIONS,
        "parameters": parameters,
        "onnx_bytes": len(onnx),
        "onnx_parity": parity,
        "training_class_rates": fitting.base_rates(train.label).tolist(),
        "calibration_class_rates": fitting.base_rates(held.label).tolist(),
        "long_run_class_rates": long_run.tolist(),
        "feature_gain": {data.names[int(name[1:])]: round(gain, 1) for name, gain in sorted(importance.items(), key=lambda item: -item[1])},
        "validation": validation,
    }
    export.write_json(options.out / "card.json", described)
    (options.out / "card.md").write_text(card.markdown(described))
    print(f"{manifest['version']}: {len(onnx)} bytes, differs from XGBoost by at most {parity:.1e}; rule {rule}; scaling {scaling}")


if __name__ == "__main__":
    main()
