"""Writes metrics.json: series of daily returns and what empyrical and QuantStats say of them.

    python make_metrics.py metrics.json

Needs empyrical-reloaded, quantstats, numpy and pandas from PyPI (made with empyrical-reloaded 0.7.1 and quantstats 0.0.86). What has no
value there (NaN, infinite) is null; so is a ratio over a deviation that is nothing but rounding, for which empyrical has a number
beyond 1e9.
"""

import json
import sys
import warnings

import empyrical as ep
import numpy as np
import pandas as pd
import quantstats.stats as qs

SESSIONS = 252


def time_weighted(values_and_flows):
    """Returns of a portfolio into which money is paid: what each period made of its beginning and what came in then."""
    (before, _), *rest = values_and_flows
    returns = []
    for value, flow in rest:
        returns.append(value / (before + flow) - 1)
        before = value
    return returns


def series():
    rng = np.random.default_rng(19940101)
    market = rng.normal(0.0004, 0.011, 504)
    yield "two years", 0.7 * market + rng.normal(0.0002, 0.006, 504), market
    yield "a month", rng.normal(-0.002, 0.02, 21), market[:21]
    yield "a crash and a recovery", np.r_[[0.01, -0.35, -0.2], np.full(40, 0.015), [-0.01]], market[:44]
    yield "two points", np.array([0.02, -0.01]), market[:2]
    yield "one point", np.array([0.01]), market[:1]
    yield "nothing", np.array([]), market[:0]
    yield "never moved", np.zeros(20), market[:20]
    yield "always the same", np.full(20, 0.001), market[:20]
    yield "only gains", np.abs(rng.normal(0.001, 0.01, 30)) + 1e-6, market[:30]
    yield "only losses", -np.abs(rng.normal(0.001, 0.01, 30)) - 1e-6, market[:30]
    yield "a loss of everything", np.array([0.05, -0.02, -1.0, 0.0, 0.0]), market[:5]
    yield "tiny", rng.normal(0, 1e-5, 50), market[:50]
    yield "a benchmark that never moved", rng.normal(0, 0.01, 20), np.zeros(20)


DEPOSITS = [(100_000, 0), (101_000, 0), (149_500, 50_000), (150_250.55, 0), (120_000, -31_000), (121_777.77, 0)]


def number(value, largest=1e9):
    value = float(value)
    return value if np.isfinite(value) and abs(value) < largest else None


def expected(returns, market, risk_free_rate):
    daily = (1 + risk_free_rate) ** (1 / SESSIONS) - 1
    returns = pd.Series(returns, index=pd.bdate_range("2020-01-01", periods=len(returns)), dtype=float)
    market = pd.Series(market, index=returns.index, dtype=float)
    if returns.empty:
        names = ["total_return", "annualized_return", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "beta", "profit_factor"]
        return dict.fromkeys(names)
    return {
        "total_return": number(ep.cum_returns_final(returns)),
        "annualized_return": number(ep.annual_return(returns), np.inf),
        "volatility": number(ep.annual_volatility(returns)),
        "sharpe": number(ep.sharpe_ratio(returns, risk_free=daily)),
        "sortino": number(ep.sortino_ratio(returns, required_return=daily)),
        "max_drawdown": number(-ep.max_drawdown(returns)),
        "calmar": number(ep.calmar_ratio(returns), np.inf),
        "beta": number(ep.beta(returns, market)),
        # QuantStats says 0 where there is no loss to divide by.
        "profit_factor": number(qs.profit_factor(returns)) if (returns < 0).any() else None,
    }


def main(path):
    warnings.simplefilter("ignore")
    cases = []
    for name, returns, market in series():
        for rate in (0.0, 0.04):
            case = {"name": name, "risk_free_rate": rate, "returns": [float(r) for r in returns], "benchmark": [float(r) for r in market]}
            cases.append(case | {"expected": expected(returns, market, rate)})
    returns = time_weighted(DEPOSITS)
    market = [0.001, -0.002, 0.003, 0.004, -0.005]
    case = {"name": "deposits and a withdrawal", "risk_free_rate": 0.02, "valuations": DEPOSITS, "returns": returns, "benchmark": market}
    cases.append(case | {"expected": expected(returns, market, 0.02)})
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main(sys.argv[1])
