"""The model card in words."""

LIMITS = """\
- **Survivors.** The price files hold the stocks still listed in March 2024 under their ticker. Of the index's members of 2014 they hold 380 of
  500, of 2018 421 of 505; who failed, was bought or was renamed is missing, in the years of judgement too. From {pit} on examples are masked by
  the membership lists of their time; before, by the first list, which makes the early years' survivors stronger still. Survivors drift upwards and
  recover from falls more often than all stocks did: long results are flattered, and so is buying weakness.
- **One kind of trade.** The probabilities are of a target of {target} ATR before a stop of {stop} ATR within {life} sessions from the next open.
  They say nothing of other horizons.
- **Few independent days.** {blocks} blocks of 20 sessions were judged. The standard errors are over blocks; one year's number means little.
- **The market moves all.** Which way the whole market goes in the judged weeks matters far more than anything the model knows. The biases of
  the calibration are set to the long-run frequencies of the outcomes ({long_run}), not to those of the last three years; the table above shows what
  each would have been worth, and that no calibration at all was as good within the errors.
- **Choices made on judged years.** Leaving out the market-wide features and training from 2000 were decided after looking at walk-forward results of
  years between 2010 and 2020 (four variants in all, listed in infra/training/README.md). The numbers above are therefore a little kind to the
  model. Nothing after {through} was looked at.
- **Costs** are taken as {cost_bps:g} hundredths of a percent of the price for a round trip; dividends, borrow fees of shorts and taxes are not counted.
"""


def headline(validation):
    pooled = validation["pooled"]
    gain = pooled["gain_over_base_rate"]["long_run"]
    trades = pooled["trades"]["all"]
    return {
        "judged_years": f"{validation['years'][0]['year']}-{validation['years'][-1]['year']}",
        "base_rate_log_loss": pooled["base_rate_log_loss"],
        "log_loss_saved": gain["log_loss_saved"],
        "log_loss_saved_standard_error": gain["standard_error"],
        "trades": trades["trades"],
        "mean_expected_r": trades.get("mean_expected_r"),
        "mean_realised_r": trades.get("mean_realised_r"),
        "target_hit_rate": trades.get("target_hit_rate"),
    }


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def verdict(pooled):
    gain = pooled["gain_over_base_rate"]["long_run"]
    saved, error = gain["log_loss_saved"], gain["standard_error"]
    share = 100 * saved / pooled["base_rate_log_loss"]
    if saved <= 0:
        return "Out of sample the model did **not** beat the base rate."
    strength = "more than two standard errors above zero" if saved > 2 * error else "within two standard errors of zero"
    against = pooled["gain_over_base_rate"]["logistic regression"]["log_loss_saved"]
    comparison = "**saves more** than the trees do" if against > saved else "saves less"
    return (
        f"Out of sample the model saves {saved:.4f} ± {error:.4f} nats of log loss against the base rate's {pooled['base_rate_log_loss']:.4f} "
        f"({share:.2f} %): {strength}, and small, as in a nearly efficient market it must be. "
        f"A plain logistic regression on the same features, calibrated the same way, {comparison} ({against:.4f})."
    )


def worth(validation):
    """The model's trades beside buying every stock on every day."""
    years, trades = validation["years"], validation["pooled"]["trades"]
    weights = [year["trades"]["all"]["trades"] for year in years]
    everything = sum(weight * year["mean_long_r_after_costs"] for weight, year in zip(weights, years)) / sum(weights)
    buys, sells = trades["BUY"], trades["SELL"]
    return (
        f"In trades: BUY signals brought {buys['mean_realised_r']:+.3f} R after costs; buying **every** stock on every session of the same years, weighted by "
        f"the signals' years, brought {everything:+.3f} R. What lies above that is the model's; the rest is the market's rise and the survivors'. "
        f"SELL signals brought {sells.get('mean_realised_r', 0):+.3f} R ({sells['trades']} trades, {sells.get('years_above_zero', 'no year')} years above zero): "
        f"as proposals to sell short they have no measured value. Expected results were {trades['all']['mean_expected_r']:+.3f} R where "
        f"{trades['all']['mean_realised_r']:+.3f} R came: the model promises too much."
        if trades["all"]["mean_expected_r"] > trades["all"]["mean_realised_r"]
        else f"BUY signals brought {buys['mean_realised_r']:+.3f} R after costs, every stock on every session {everything:+.3f} R."
    )


def markdown(card):
    validation = card["validation"]
    percent = lambda rates: ", ".join(f"{name} {100 * rate:.1f} %" for name, rate in zip(card["classes"], rates))
    text = [f"# Model {card['version']}", ""]
    text += [
        f"XGBoost, {card['parameters']['rounds']} rounds of {len(card['classes'])} trees of depth {card['parameters']['max_depth']}, "
        f"{len(card['features'])} features (schema `{card['schema_hash'][:12]}…`), {card['onnx_bytes'] / 1024:.0f} KB as ONNX; "
        f"onnxruntime differs from XGBoost by at most {card['onnx_parity']:.1e}.",
        "",
        table(
            ["", "from", "through", "outcomes"],
            [
                ["trained", card["trained"]["from"], card["trained"]["through"], percent(card["training_class_rates"])],
                ["calibrated", card["calibrated"]["from"], card["calibrated"]["through"], percent(card["calibration_class_rates"])],
            ],
        ),
        "",
        f"Nothing after {card['data_through']} was seen. Between training, calibration and judgement lie {card['embargo_sessions']} sessions, more than a label lives.",
        "",
    ]
    if validation is not None:
        text += judged(validation)
    text += [
        "## What the probabilities are worth in trades",
        "",
        "Mean result of each trade by what happened, on the calibration data, in multiples of the risk (one ATR):",
        "",
        table(["trade", *card["classes"]], [[side, *(f"{value:+.3f}" for value in card["mean_r"][side])] for side in ("long", "short")]),
        "",
        f"The rule acts from an expected {card['rule']['least_r']:.3f} R after costs; medium from {card['rule']['medium_r']:.3f}, high from {card['rule']['high_r']:.3f}.",
        "",
        "## What it looks at",
        "",
        "Total gain of the ten features that gained most: " + ", ".join(f"{name} {gain:.0f}" for name, gain in list(card["feature_gain"].items())[:10]) + ".",
        "",
        "## Limits",
        "",
        LIMITS.format(
            pit=card["point_in_time_membership_from"],
            target=f"{card['label']['target_atr']:g}",
            stop=f"{card['label']['stop_atr']:g}",
            life=card["label"]["life_sessions"],
            blocks=validation["pooled"]["gain_over_base_rate"]["long_run"]["blocks"] if validation else "No",
            long_run=percent(card["long_run_class_rates"]),
            through=card["data_through"],
            cost_bps=card["cost_bps"],
        ),
        "## Data",
        "",
        table(["file", "SHA-256"], card["data_sha256"].items()),
        "",
    ]
    return "\n".join(text)


def judged(validation):
    pooled = validation["pooled"]
    text = ["## Out of sample", "", verdict(pooled), "", worth(validation), ""]
    text += ["Walk-forward: each year is judged by a model trained up to four years before it and calibrated on the three in between.", ""]
    rows = []
    for year in validation["years"]:
        loss, gain, trades = year["log_loss"], year["long_run"], year["trades"]["all"]
        rows.append(
            [
                year["year"],
                " / ".join(f"{100 * rate:.0f}" for rate in year["class_rates"]),
                f"{year['base_rate_log_loss']:.4f}",
                f"{loss['recent base rate']:.4f}",
                f"{loss['logistic regression']:.4f}",
                f"{loss['long_run']:.4f}",
                f"{gain['log_loss_saved']:+.4f}",
                trades["trades"],
                f"{trades.get('mean_expected_r', 0):+.3f}",
                f"{trades.get('mean_realised_r', 0):+.3f}",
                f"{year['mean_long_r_after_costs']:+.3f}",
            ]
        )
    header = ["year", "sell/hold/buy %", "base rate", "recent base rate", "logistic", "model", "saved", "trades", "expected R", "realised R", "any long R"]
    text += [table(header, rows), "", "Log loss in nats; R after costs; the last column is of every stock bought on every session.", ""]
    gains = [[name, f"{gain['log_loss_saved']:+.5f}", f"{gain['standard_error']:.5f}"] for name, gain in pooled["gain_over_base_rate"].items()]
    names = {"none": "model, not calibrated", "recent": "model, calibrated to the recent frequencies", "long_run": "model, calibrated to the long-run frequencies (shipped)"}
    gains = [[names.get(name, name), *rest] for name, *rest in gains]
    text += ["All years, log loss saved against the long-run base rate:", "", table(["forecast", "saved", "standard error"], gains), ""]
    bands = []
    for name, row in pooled["trades"].items():
        if row["trades"] > 0:
            numbers = [f"{row[key]:+.3f}" for key in ("mean_expected_r", "mean_realised_r")] + [f"{row[key]:.3f}" for key in ("mean_confidence", "target_hit_rate")]
            bands.append([name, row["trades"], *numbers, row["years_above_zero"]])
    text += ["Trades under each year's own rule:", "", table(["", "trades", "expected R", "realised R", "confidence", "target hit", "years above zero"], bands), ""]
    for name in ("buy", "sell"):
        rows = [
            [f"{row['bin_low']:.2f}–{row['bin_high']:.2f}", row["examples"], f"{row['mean_probability']:.3f}", f"{row['hit_rate']:.3f}"]
            for row in pooled["reliability"][name]
        ]
        text += [f"Calibration of *{name}*, all judged years:", "", table(["probability", "examples", "mean", "came true"], rows), ""]
    return text
