"""Writes talib.csv.gz: bars and what the real TA-Lib says of them.

    python make_golden.py sp500_ohlcv_2014_2021.csv.gz talib.csv.gz

Needs TA-Lib, numpy and pandas from PyPI (made with TA-Lib 0.8.2, C core 0.8.1). The bars of two real stocks come from the file
named first (symbol,date,open,high,low,close,adj_close,volume); the awkward ones are made here, from a fixed seed.
"""

import gzip
import io
import sys

import numpy as np
import pandas as pd
import talib

REAL = {"AAPL": "2019-06-03", "GE": "2019-06-03"}
REAL_BARS = 400
AWKWARD_BARS = 220
PRECISION = "%.13g"
RESULT_PRECISION = "%.11g"


def walk(rng, level, daily, bars, grid):
    """A random walk of plausible bars, prices rounded to multiples of `grid`."""
    close = level * np.exp(np.cumsum(rng.normal(0, daily, bars)))
    open_ = np.concatenate([[level], close[:-1]]) * np.exp(rng.normal(0, daily / 3, bars))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, daily / 2, bars)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, daily / 2, bars)))
    volume = np.round(np.exp(rng.normal(14, 0.5, bars)))
    prices = [np.round(column / grid) * grid for column in (open_, high, low, close)]
    return pd.DataFrame(dict(zip(["open", "high", "low", "close"], prices), volume=volume))


def awkward():
    rng = np.random.default_rng(20211231)
    flat = pd.DataFrame({name: np.full(AWKWARD_BARS, 12.34) for name in ["open", "high", "low", "close"]} | {"volume": 1000.0})
    yield "flat", flat
    gaps = walk(rng, 50.0, 0.01, AWKWARD_BARS, 0.01)
    for at, factor in [(40, 0.4), (90, 3.0), (91, 0.5), (150, 1.8)]:
        gaps.loc[at:, ["open", "high", "low", "close"]] *= factor
    gaps.loc[100:105, "volume"] = 0.0
    yield "gaps", gaps
    yield "tiny", walk(rng, 3e-6, 0.03, AWKWARD_BARS, 1e-9)
    yield "huge", walk(rng, 7e8, 0.02, AWKWARD_BARS, 0.01).assign(volume=lambda bars: bars["volume"] * 1e6)
    halted = walk(rng, 20.0, 0.02, AWKWARD_BARS, 0.01)
    for name in ["open", "high", "low", "close"]:
        halted.loc[120:170, name] = halted.loc[119, "close"]
    yield "halted", halted


def indicators(bars):
    open_, high, low, close, volume = (bars[name].to_numpy(float) for name in ["open", "high", "low", "close", "volume"])
    out = {}
    for period in (20, 50, 200):
        out[f"sma_{period}"] = talib.SMA(close, period)
    for period in (12, 26):
        out[f"ema_{period}"] = talib.EMA(close, period)
    out["rsi_14"] = talib.RSI(close, 14)
    out["macd"], out["macd_signal"], out["macd_histogram"] = talib.MACD(close, 12, 26, 9)
    out["bollinger_upper"], out["bollinger_middle"], out["bollinger_lower"] = talib.BBANDS(close, 20, 2.0, 2.0)
    out["atr_14"] = talib.ATR(high, low, close, 14)
    out["stochastic_k"], out["stochastic_d"] = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    out["williams_r"] = talib.WILLR(high, low, close, 14)
    out["cci"] = talib.CCI(high, low, close, 14)
    out["obv"] = talib.OBV(close, volume)
    out["volume_sma_20"] = talib.SMA(volume, 20)
    for period in (1, 5, 20, 60):
        out[f"price_change_{period}d"] = talib.ROC(close, period)
    out["adx_14"] = talib.ADX(high, low, close, 14)
    out["aroon_oscillator_25"] = talib.AROONOSC(high, low, 25)
    out["mfi_14"] = talib.MFI(high, low, close, volume, 14)
    out["rsi_2"] = talib.RSI(close, 2)
    out["high_252"] = talib.MAX(high, 252)
    out["low_20"] = talib.MIN(low, 20)
    return pd.DataFrame(out)


def as_written(bars):
    """The bars as a reader of the file will see them: indicators must be computed from those very numbers."""
    text = bars.to_csv(index=False, float_format=PRECISION)
    return pd.read_csv(io.StringIO(text))


def main(source, target):
    real = pd.read_csv(source)
    parts = []
    for symbol, first in REAL.items():
        bars = real[(real["symbol"] == symbol) & (real["date"] >= first)].head(REAL_BARS).reset_index(drop=True)
        parts.append((symbol, bars[["date", "open", "high", "low", "close", "volume"]]))
    dates = parts[0][1]["date"]
    for name, bars in awkward():
        bars.insert(0, "date", dates[: len(bars)].to_numpy())
        parts.append((name, bars))
    parts = [(name, as_written(bars)) for name, bars in parts]
    shorter = lambda value: "" if np.isnan(value) else RESULT_PRECISION % value
    whole = [pd.concat([bars, indicators(bars).map(shorter)], axis=1).assign(series=name) for name, bars in parts]
    table = pd.concat(whole)
    table.insert(0, "series", table.pop("series"))
    text = io.StringIO()
    table.to_csv(text, index=False, float_format=PRECISION, lineterminator="\n")
    with open(target, "wb") as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0, compresslevel=9) as packed:
        packed.write(text.getvalue().encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
