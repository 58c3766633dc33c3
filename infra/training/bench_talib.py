"""Times TA-Lib's C core on as many bars as `cargo bench -p analysis` uses: 60 stocks of 1,556 sessions.

    pip install TA-Lib numpy; python bench_talib.py

Only what TA-Lib has of the product's indicators; the product's bench also computes volatilities, VWAP, beta, relative strength
and the model's vector.
"""

import time

import numpy as np
import talib

STOCKS, SESSIONS, ROUNDS = 60, 1556, 20


def indicators(open_, high, low, close, volume):
    for period in (20, 50, 200):
        talib.SMA(close, period)
    talib.EMA(close, 12), talib.EMA(close, 26), talib.RSI(close, 14), talib.RSI(close, 2)
    talib.MACD(close, 12, 26, 9)
    talib.BBANDS(close, 20, 2.0, 2.0)
    talib.ATR(high, low, close, 14)
    talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    talib.WILLR(high, low, close, 14)
    talib.CCI(high, low, close, 14)
    talib.OBV(close, volume)
    talib.SMA(volume, 20)
    for period in (1, 5, 20, 60):
        talib.ROC(close, period)
    talib.ADX(high, low, close, 14), talib.AROONOSC(high, low, 25), talib.MFI(high, low, close, volume, 14)
    for period in (252, 20):
        talib.MAX(high, period), talib.MIN(low, period)


def main():
    random = np.random.default_rng(1)
    close = 50 * np.exp(np.cumsum(random.normal(0, 0.012, (STOCKS, SESSIONS)), axis=1))
    open_ = close * np.exp(random.normal(0, 0.004, close.shape))
    high = np.maximum(open_, close) * 1.005
    low = np.minimum(open_, close) * 0.995
    volume = 1e6 * np.exp(random.normal(0, 0.4, close.shape))
    stocks = list(zip(open_, high, low, close, volume))
    best = min(timed(stocks) for _ in range(ROUNDS))
    print(f"TA-Lib {talib.__version__}: {1e9 * best / (STOCKS * SESSIONS):.0f} ns a bar for all its indicators, {1e3 * best:.1f} ms in all")


def timed(stocks):
    start = time.perf_counter()
    for stock in stocks:
        indicators(*stock)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
