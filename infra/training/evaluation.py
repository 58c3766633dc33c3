"""How good probabilities and the trades they lead to are: always on days later than everything they were fitted to."""

import numpy as np

BLOCK_SESSIONS = 20


def losses(probabilities, labels):
    return -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12))


def log_loss(probabilities, labels):
    return float(losses(probabilities, labels).mean())


def brier(probabilities, labels, class_):
    return float(((probabilities[:, class_] - (labels == class_)) ** 2).mean())


def gain_over(base, probabilities, examples):
    """Mean log loss saved against `base`, with the standard error over blocks of 20 sessions: examples of one day share one market,
    and labels reach ten sessions ahead, so that blocks and not examples are what can be counted."""
    saved = losses(base, examples.label) - losses(probabilities, examples.label)
    _, block = np.unique(examples.session // BLOCK_SESSIONS, return_inverse=True)
    means = np.bincount(block, saved) / np.bincount(block)
    return {"log_loss_saved": float(saved.mean()), "standard_error": float(means.std(ddof=1) / np.sqrt(len(means))), "blocks": len(means)}


def reliability(probabilities, labels, class_, bins=20):
    """The calibration table of one class: analysis::metrics::reliability."""
    forecast = probabilities[:, class_]
    bin_ = np.minimum((forecast * bins).astype(int), bins - 1)
    rows = []
    for index in np.unique(bin_):
        chosen = bin_ == index
        rows.append(
            {
                "bin_low": index / bins,
                "bin_high": (index + 1) / bins,
                "examples": int(chosen.sum()),
                "mean_probability": float(forecast[chosen].mean()),
                "hit_rate": float((labels[chosen] == class_).mean()),
            }
        )
    return rows


def mean_r(examples):
    """Mean result of each side's trade by what happened: analysis::model::MeanR."""
    return {
        side: [float(results[examples.label == class_].mean()) for class_ in range(3)]
        for side, results in (("long", examples.long_r), ("short", examples.short_r))
    }


def edges(probabilities, results, examples, cost_bps):
    """Expected result of a long and of a short after costs, in multiples of the risk."""
    costs = cost_bps / 10_000.0 / examples.risk
    return probabilities @ np.array(results["long"]) - costs, probabilities @ np.array(results["short"]) - costs


def trades(probabilities, results, rule, examples, cost_bps):
    """What the trades of analysis::model::DecisionRule brought, by action and by band of edge."""
    long_edge, short_edge = edges(probabilities, results, examples, cost_bps)
    buys = long_edge >= short_edge
    edge = np.where(buys, long_edge, short_edge)
    acted = edge >= rule["least_r"]
    realised = np.where(buys, examples.long_r, examples.short_r) - cost_bps / 10_000.0 / examples.risk
    target = np.where(buys, examples.label == 2, examples.label == 0)
    confidence = np.where(buys, probabilities[:, 2], probabilities[:, 0])

    def row(chosen):
        chosen = chosen & acted
        if not chosen.any():
            return {"trades": 0}
        _, block = np.unique(examples.session[chosen] // BLOCK_SESSIONS, return_inverse=True)
        means = np.bincount(block, realised[chosen]) / np.bincount(block)
        error = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else None
        return {
            "trades": int(chosen.sum()),
            "mean_expected_r": float(edge[chosen].mean()),
            "mean_realised_r": float(realised[chosen].mean()),
            "standard_error_r": error,
            "mean_confidence": float(confidence[chosen].mean()),
            "target_hit_rate": float(target[chosen].mean()),
        }

    return {
        "share_of_examples": float(acted.mean()),
        "all": row(np.full(len(examples), True)),
        "BUY": row(buys),
        "SELL": row(~buys),
        "LOW": row(edge < rule["medium_r"]),
        "MEDIUM": row((edge >= rule["medium_r"]) & (edge < rule["high_r"])),
        "HIGH": row(edge >= rule["high_r"]),
    }
