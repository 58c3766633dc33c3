"""A vendor on this machine: Tiingo's interface over the bundled prices, moved to the sessions before today and after it.

Run by itself it serves until it is stopped: `vendor.py [port]`.
"""

import csv
import datetime as dt
import decimal
import http.server
import io
import json
import pathlib
import sys
import threading
import urllib.parse
import zipfile

import pyarrow.parquet

from stand_in import free_port

DATA = pathlib.Path(__file__).parents[2] / "infra/data"

# The newest session that exists today shows this bundled one; sessions to come show what came after it. A day on which the shipped model
# finds something to buy.
ANCHOR = dt.date(2021, 12, 31)


class Vendor:
    """Serves on loopback while the block runs. `requests` are the paths that were asked for."""

    def __init__(self, today, port=0):
        self.requests = []
        self.rows = moved(today)
        self.port = port or free_port()

    def __enter__(self):
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                vendor.requests.append(self.path)
                status, kind, body = vendor.answer(self.path, self.headers.get("Authorization"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path, authorization):
        address = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(address.query))
        parts = address.path.strip("/").split("/")
        if parts[-1] == "supported_tickers.zip":
            return 200, "application/zip", self.tickers()
        if authorization != "Token deploy-test":
            return self.refusal(403, "Please supply a token")
        if parts[:2] == ["tiingo", "daily"] and len(parts) == 4 and parts[3] == "prices":
            return self.prices(parts[2].upper(), query)
        return self.refusal(404, "Not found.")

    def prices(self, ticker, query):
        if ticker not in self.rows:
            return self.refusal(404, f"Error: Ticker '{ticker}' not found")
        first, last = (dt.date.fromisoformat(query[name]) for name in ("startDate", "endDate"))
        rows = [row for day, row in self.rows[ticker] if first <= day <= last]
        return 200, "application/json", f"[{','.join(rows)}]".encode()

    def tickers(self):
        lines = ["ticker,exchange,assetType,priceCurrency,startDate,endDate"]
        lines += [f"{ticker},NYSE,Stock,USD,{rows[0][0]},{rows[-1][0]}" for ticker, rows in self.rows.items()]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("supported_tickers.csv", "\n".join(lines))
        return packed.getvalue()

    @staticmethod
    def refusal(status, detail):
        return status, "application/json", json.dumps({"detail": detail}).encode()


def moved(today):
    """Each stock's days as (date, JSON), the bundled sessions laid onto the calendar so that `ANCHOR` is the last session up to `today`."""
    actions = {}
    for action in csv.DictReader((DATA / "actions.csv").open()):
        actions[action["symbol"], dt.date.fromisoformat(action["ex_date"])] = (action["kind"], action["value"])
    bundled = {}
    for row in pyarrow.parquet.read_table(DATA / "prices.parquet").to_pylist():
        bundled.setdefault(row["symbol"], []).append(row)
    sessions = sorted({row["date"] for rows in bundled.values() for row in rows})
    anchor = sessions.index(ANCHOR)
    here = {}
    before, after = last_session(today), last_session(today)
    for index in range(anchor, -1, -1):
        here[sessions[index]] = before
        before = last_session(before - dt.timedelta(days=1))
    for index in range(anchor + 1, min(anchor + 11, len(sessions))):
        after = next_session(after)
        here[sessions[index]] = after
    return {
        symbol: [(here[row["date"]], day(row, here[row["date"]], actions.get((symbol, row["date"])))) for row in rows if row["date"] in here]
        for symbol, rows in bundled.items()
    }


def day(row, date, action):
    """A day as Tiingo writes it. What spin-offs took from a price is left out: it writes them in no fixed way."""
    kind, value = action or (None, None)
    names = {name: format(row[name].normalize(), "f") for name in ("open", "high", "low", "close")}
    dividend, split = (value if kind == "dividend" else "0.0"), (value if kind == "split" else "1.0")
    return (
        f'{{"date":"{date}T00:00:00.000Z","close":{names["close"]},"high":{names["high"]},"low":{names["low"]},"open":{names["open"]},'
        f'"volume":{row["volume"]},"adjClose":{names["close"]},"adjHigh":{names["high"]},"adjLow":{names["low"]},"adjOpen":{names["open"]},'
        f'"adjVolume":{row["volume"]},"divCash":{decimal.Decimal(dividend)},"splitFactor":{decimal.Decimal(split)}}}'
    )


def is_session(day):
    return day.weekday() < 5 and day not in holidays(day.year) and day not in MOURNING


def last_session(day):
    while not is_session(day):
        day -= dt.timedelta(days=1)
    return day


def next_session(day):
    day += dt.timedelta(days=1)
    while not is_session(day):
        day += dt.timedelta(days=1)
    return day


# Closed besides, for the mourning of presidents.
MOURNING = {dt.date(2018, 12, 5), dt.date(2025, 1, 9)}


def holidays(year):
    """Full holidays of the New York Stock Exchange by its rule 7.2, as from 2022 on."""

    def nth(month, weekday, count):
        first = dt.date(year, month, 1)
        return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))

    def observed(date):
        return date + dt.timedelta(days={5: -1, 6: 1}.get(date.weekday(), 0))

    new_year = dt.date(year, 1, 1)
    golden, century = year % 19, year // 100
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (year % 100 // 4) - epact - year % 100 % 4) % 7
    shift = epact + weekday - 7 * ((golden + 11 * epact + 22 * weekday) // 451) + 114
    easter = dt.date(year, shift // 31, shift % 31 + 1)
    may_end = dt.date(year, 5, 31)
    return {
        # A New Year's Day on a Saturday is not made up for.
        new_year if new_year.weekday() == 5 else observed(new_year),
        nth(1, 0, 3),
        nth(2, 0, 3),
        easter - dt.timedelta(days=2),
        may_end - dt.timedelta(days=may_end.weekday()),
        observed(dt.date(year, 6, 19)),
        observed(dt.date(year, 7, 4)),
        nth(9, 0, 1),
        nth(11, 3, 4),
        observed(dt.date(year, 12, 25)),
    }


if __name__ == "__main__":
    with Vendor(dt.date.today(), int(sys.argv[1]) if len(sys.argv) > 1 else 0) as serving:
        print(serving.url, flush=True)
        threading.Event().wait()
