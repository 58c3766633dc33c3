"""Asks a Polygon at the given address what Polygon's own client can ask, and prints the answers as JSON.

Needs the package massive (2.9.1). The client is used as it is: only the address and the key are ours.

    python ask_polygon.py http://127.0.0.1:9000 KEY
"""

import json
import sys

from massive import RESTClient
from massive.exceptions import BadResponse

base, key = sys.argv[1:]
client = RESTClient(key, base=base, retries=0)


def refusal(ask):
    """What the client makes of a refusal: the vendor's body."""
    try:
        ask()
    except BadResponse as error:
        return json.loads(str(error))
    return None


bars = list(client.list_aggs("AAPL", 1, "day", "2020-08-24", "2020-09-04", adjusted=False, limit=3))
adjusted = list(client.list_aggs("AAPL", 1, "day", "2020-08-28", "2020-08-31", adjusted=True))
session = client.get_grouped_daily_aggs("2020-08-31", adjusted=False)
tickers = list(client.list_tickers(market="stocks", limit=25))
snapshots = client.get_snapshot_all("stocks", ["AAPL", "MSFT"])
print(
    json.dumps(
        {
            "bars": [[bar.timestamp, bar.open, bar.high, bar.low, bar.close, bar.volume] for bar in bars],
            "adjusted": [bar.close for bar in adjusted],
            "descending": [bar.timestamp for bar in client.list_aggs("AAPL", 1, "day", "2020-08-24", "2020-08-28", sort="desc", limit=2)],
            "empty": len(list(client.list_aggs("ZZZZ", 1, "day", "2020-08-24", "2020-09-04"))),
            "session": {bar.ticker: [bar.close, bar.timestamp] for bar in session},
            "weekend": len(client.get_grouped_daily_aggs("2020-08-29")),
            "tickers": [ticker.ticker for ticker in tickers],
            "details": client.get_ticker_details("MSFT").name,
            "unknown": refusal(lambda: client.get_ticker_details("ZZZZ")),
            "splits": [[split.execution_date, split.split_from, split.split_to] for split in client.list_splits("AAPL", limit=1000)],
            "dividends": [
                [dividend.ex_dividend_date, dividend.cash_amount]
                for dividend in client.list_dividends("AAPL", ex_dividend_date_gte="2020-01-01", ex_dividend_date_lt="2021-01-01", limit=2)
            ],
            "current_splits": [
                [split.execution_date, split.split_from, split.split_to] for split in client.list_stocks_splits(ticker="AAPL", limit=1000)
            ],
            "current_dividends": [
                [dividend.ex_dividend_date, dividend.cash_amount]
                for dividend in client.list_stocks_dividends(
                    ticker="AAPL", ex_dividend_date_gte="2020-01-01", ex_dividend_date_lt="2021-01-01", limit=2
                )
            ],
            "snapshots": {snapshot.ticker: [snapshot.day.close, snapshot.prev_day.close] for snapshot in snapshots},
            "bad_key": refusal(lambda: RESTClient("wrong", base=base, retries=0).get_ticker_details("MSFT")),
            "bad_limit": refusal(lambda: list(client.list_aggs("AAPL", 1, "day", "2020-08-24", "2020-09-04", limit=50001))),
        }
    )
)
