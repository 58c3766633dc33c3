#!/usr/bin/env python3
"""Makes the bundled market data from public CSV files; see README.md beside this script.

The inputs hold prices as one vendor showed them on 2024-03-08: divided by every later split and spin-off. This script
undoes that, so that what is bundled is what traded, and fails when a rebuilt number is not one that can have traded.

    pip install pyarrow==26.0.1
    python make.py --bars ohlcv_demo.csv.gz --splits splits_demo.csv --dividends dividends_demo.csv \
        --companies symbols_demo.csv --exchanges supported_tickers.zip

The same inputs and the same pyarrow give the same bytes.
"""

import argparse
import csv
import gzip
import io
import json
import zipfile
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

CENT, MILL = Decimal("0.01"), Decimal("0.001")

# The inputs are single-precision floats that were cleaned to few decimals. Times the largest factor (20) that leaves at
# most this much doubt about a price, well under half a mill apart from what a cent's neighbours would give.
PRICE_NOISE = Decimal("0.0006")
MILL_NOISE = Decimal("0.0002")

# Dividends were derived from adjusted closes, with an error of at most 0.00005 before multiplying by the factors.
DIVIDEND_NOISE = Decimal("0.0003")

# The vendor divided old dividends by later spin-off factors as well as by splits, except in this stock: 0.52 dollars
# stand there as 0.52, where 0.52 / 1.324 would be expected.
DIVIDENDS_WITHOUT_SPIN_OFFS = {"T"}

# The vendor shows three decimals. A third decimal of 3 or 8 is a quarter cent rounded up (a quarter of a yearly rate in
# whole cents: 0.278 is 1.11 / 4); Procter & Gamble alone declares to the hundredth of a cent (its news releases).
PROCTER_GAMBLE = {
    "0.690": "0.6896", "0.717": "0.7172", "0.746": "0.7459", "0.791": "0.7907", "0.870": "0.8698", "0.913": "0.9133", "0.941": "0.9407",
}

# Exchanges are known as of 2019-10-18. Listings that moved since then: Honeywell to Nasdaq on 2021-05-11 (Nasdaq Data
# Technical News 2021-16); Linde in early 2024 on a date not established here, hence unknown.
MARKET_CODES = {"NYSE": "XNYS", "NASDAQ": "XNAS"}
MOVED_LISTINGS = {"HON": "XNAS", "LIN": None}
FORMER_TICKERS = {"META": "FB"}


def rows(path):
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def nearest(value, step):
    return (value / step).to_integral_value(ROUND_HALF_UP) * step


def traded_price(adjusted, factor, where):
    """The price as traded: on whole cents, or on mills for the few that traded between cents."""
    value = Decimal(adjusted) * factor
    for step, noise in ((CENT, PRICE_NOISE), (MILL, MILL_NOISE)):
        price = nearest(value, step)
        if abs(price - value) <= noise:
            return price
    raise SystemExit(f"{where}: {value} is no price that can have traded")


def declared_dividend(adjusted, factor, symbol, where):
    value = Decimal(adjusted) * factor
    shown = nearest(value, MILL)
    if abs(shown - value) > DIVIDEND_NOISE:
        raise SystemExit(f"{where}: a dividend of {value} is not one that was declared")
    if symbol == "PG":
        return Decimal(PROCTER_GAMBLE[f"{shown:.3f}"])
    if shown / MILL % 5 == 3:
        return shown - Decimal("0.0005")
    return shown


def plain(value):
    return f"{value.normalize():f}"


def read_events(path):
    """(ex-date, ratio, is it a split?) of each symbol, in order."""
    events = defaultdict(list)
    for row in rows(path):
        events[row["symbol"]].append((row["ex_date"], Decimal(row["factor"]), row["kind"] == "split"))
    return events


def factor_after(events, day, splits_only=False):
    factor = Decimal(1)
    for ex_date, ratio, is_split in events:
        if ex_date > day and (is_split or not splits_only):
            factor *= ratio
    return factor


def make_bars(path, events):
    bars = defaultdict(list)
    for row in rows(path):
        symbol, day = row["symbol"], row["date"]
        factor = factor_after(events[symbol], day)
        where = f"{symbol} {day}"
        opened, high, low, close = (traded_price(row[name], factor, where) for name in ("open", "high", "low", "close"))
        if not (0 < low <= min(opened, close) and max(opened, close) <= high):
            raise SystemExit(f"{where}: the rebuilt bar contradicts itself")
        volume = int(nearest(Decimal(row["volume"]) / factor, Decimal(1)))
        bars[symbol].append((date.fromisoformat(day), opened, high, low, close, volume))
    return {symbol: sorted(bars[symbol]) for symbol in sorted(bars)}


def write_bars(bars, path):
    price = pa.decimal128(18, 4)
    types = {"symbol": pa.string(), "date": pa.date32(), "open": price, "high": price, "low": price, "close": price, "volume": pa.int64()}
    schema = pa.schema([pa.field(name, kind, nullable=False) for name, kind in types.items()])
    # Neighbouring days differ little: differences pack into half the bytes, and unpack faster than text is parsed.
    with pq.ParquetWriter(
        path,
        schema,
        compression="snappy",
        use_dictionary=["symbol"],
        column_encoding={name: "DELTA_BINARY_PACKED" for name in types if name != "symbol"},
        store_decimal_as_integer=True,
        store_schema=False,
        write_statistics=["symbol", "date"],
    ) as writer:
        for symbol, series in bars.items():
            columns = [(symbol,) * len(series), *zip(*series)]
            writer.write_table(pa.table([pa.array(column, kind) for column, kind in zip(columns, types.values())], schema=schema))


def write_actions(dividends, events, path):
    actions = [
        (symbol, ex_date, "split" if is_split else "spin_off", plain(ratio)) for symbol in events for ex_date, ratio, is_split in events[symbol]
    ]
    price_events = {(symbol, ex_date) for symbol, ex_date, _, _ in actions}
    for row in rows(dividends):
        symbol, day, where = row["symbol"], row["ex_date"], f"{row['symbol']} {row['ex_date']}"
        # A spin-off that the vendor booked as a cash distribution as well would count twice.
        if row["note"] or (symbol, day) in price_events:
            raise SystemExit(f"{where}: a dividend on the day of a split or spin-off")
        factor = factor_after(events[symbol], day, splits_only=symbol in DIVIDENDS_WITHOUT_SPIN_OFFS)
        actions.append((symbol, day, "dividend", plain(declared_dividend(row["amount_split_adj"], factor, symbol, where))))
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("symbol", "ex_date", "kind", "value"))
        writer.writerows(sorted(actions))
    return len(actions)


def listed_exchanges(path):
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        return {
            row["ticker"]: MARKET_CODES.get(row["exchange"])
            for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8"))
            if row["assetType"] == "Stock" and row["endDate"] == "2019-10-18"
        }


def write_companies(path, exchanges, out):
    companies = []
    for row in sorted(rows(path), key=lambda row: row["symbol"]):
        symbol = row["symbol"]
        exchange = MOVED_LISTINGS[symbol] if symbol in MOVED_LISTINGS else exchanges[FORMER_TICKERS.get(symbol, symbol)]
        companies.append({
            "symbol": symbol,
            "name": row["name"],
            "sector": row["sector"],
            "industry": row["sub_industry"],
            "market_cap": None,
            "currency": "USD",
            "exchange": exchange,
            "country": "GB" if row["headquarters"].endswith("United Kingdom") else "US",
            "listed_on": None,
            "delisted_on": None,
            "is_active": True,
        })
    lines = ",\n".join("  " + json.dumps(company, ensure_ascii=False) for company in companies)
    out.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return {company["symbol"] for company in companies}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bars", "splits", "dividends", "companies", "exchanges"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()

    events = read_events(arguments.splits)
    bars = make_bars(arguments.bars, events)
    write_bars(bars, arguments.out / "prices.parquet")
    actions = write_actions(arguments.dividends, events, arguments.out / "actions.csv")
    companies = write_companies(arguments.companies, listed_exchanges(arguments.exchanges), arguments.out / "companies.json")
    if companies != set(bars):
        raise SystemExit(f"companies without prices or prices without a company: {companies ^ set(bars)}")
    print(f"{len(bars)} symbols, {sum(map(len, bars.values()))} bars, {actions} actions")


if __name__ == "__main__":
    main()
