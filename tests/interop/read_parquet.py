#!/usr/bin/env python3
"""Reads a stored price history with Apache Arrow, which shares no code with the program that wrote it.

    pip install pyarrow
    python read_parquet.py <data-dir>/prices/AAPL.parquet

Prints one JSON object: what the file says of itself, how many rows of each kind it holds, and sums of every column in the
columns' own units (exact integers, so that they can be compared with sums made elsewhere).
"""

import json
import sys
from collections import Counter
from decimal import Decimal

import pyarrow.parquet as pq

DECIMALS = {"open": 4, "high": 4, "low": 4, "close": 4, "ratio": 9, "amount": 6}


def total(table, name):
    return sum(int(value.scaleb(DECIMALS[name])) for value in table[name].to_pylist() if value is not None)


def main(path):
    file = pq.ParquetFile(path)
    table = file.read()
    metadata = {key.decode(): value.decode() for key, value in (file.metadata.metadata or {}).items()}
    dates = table["date"].to_pylist()
    if any(later < earlier for earlier, later in zip(dates, dates[1:])):
        raise SystemExit("the rows are not sorted by date")
    if any(value is not None and not isinstance(value, Decimal) for name in DECIMALS for value in table[name].to_pylist()):
        raise SystemExit("a price is not a decimal")
    print(
        json.dumps(
            {
                "symbol": metadata["symbol"],
                "format_version": metadata["format_version"],
                "types": {field.name: str(field.type) for field in table.schema},
                "rows": table.num_rows,
                "records": dict(sorted(Counter(table["record"].to_pylist()).items())),
                "sources": dict(sorted(Counter(table["source"].to_pylist()).items())),
                "first_date": str(dates[0]) if dates else None,
                "last_date": str(dates[-1]) if dates else None,
                "sums": {name: total(table, name) for name in DECIMALS} | {"volume": sum(value or 0 for value in table["volume"].to_pylist())},
                "known_at_micros": sum(table["known_at"].cast("int64").to_pylist()),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
