"""Asks a Tiingo at the given address what the package tiingo can ask, and prints the answers as JSON.

Needs the package tiingo (0.16.1). Its list of tickers is not asked for: that address is fixed.

    python ask_tiingo.py http://127.0.0.1:9001 KEY
"""

import json
import sys

from tiingo import TiingoClient
from tiingo.restclient import RestClientError

base, key = sys.argv[1:]


def client_with(key):
    client = TiingoClient({"api_key": key})
    client._base_url = base
    return client


def refusal(ask):
    """What the client makes of a refusal: the status and the vendor's body."""
    try:
        ask()
    except RestClientError as error:
        answer = error.args[0].response
        return [answer.status_code, answer.json()]
    return None


client = client_with(key)
days = client.get_ticker_price("AAPL", startDate="2020-08-28", endDate="2020-8-31")
print(
    json.dumps(
        {
            "metadata": client.get_ticker_metadata("MSFT"),
            "days": days,
            "newest": client.get_ticker_price("AAPL"),
            "csv": client.get_ticker_price("aapl", startDate="2020-08-28", endDate="2020-08-31", fmt="csv"),
            "empty": client.get_ticker_price("AAPL", startDate="2020-08-29", endDate="2020-08-30"),
            "unknown": refusal(lambda: client.get_ticker_price("ZZZZ", startDate="2020-08-28", endDate="2020-08-31")),
            "unknown_metadata": refusal(lambda: client.get_ticker_metadata("ZZZZ")),
            "bad_key": refusal(lambda: client_with("wrong").get_ticker_metadata("MSFT")),
        }
    )
)
