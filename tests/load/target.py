"""A server under measurement: where it is, what it consists of, who its users are and how they trade."""

import dataclasses
import json
import pathlib
import random

from process import Processes
from server import ADMIN, Client, Server

# Far more than any client of these tests sends: what is measured is the work, with the counting and without the refusals.
NO_LIMITS = ", ".join(
    f"{name}=1000000/s burst 1000000"
    for name in ("sign-in", "read", "write", "data", "public", "codes-per-address", "codes-per-source", "logins-per-source")
)
HOLDINGS, SHARES = 20, 5


@dataclasses.dataclass
class Target:
    name: str
    url: str
    processes: Processes
    symbols: list
    emails: list
    tokens: list
    sign_in: object
    """What gives the client of an address, from a source of its own: `sign_in(timed client, email)`."""
    trade: object
    """A trade that leaves the account as it was, or nearly: `trade(timed client, number)`."""
    between: object = lambda: None
    """What happens between two rounds of people."""


def source(number):
    """An address of this machine that stands for one of many."""
    return f"127.{1 + number // 62500 % 250}.{1 + number // 250 % 250}.{1 + number % 250}"


def own(server: Server, users):
    """The server with users who each hold some stocks."""
    emails = [f"user{number}@example.com" for number in range(users)]
    clients = [server.sign_in(email, source(number)) for number, email in enumerate(emails)]
    admin = server.sign_in(ADMIN)
    symbols = [stock["symbol"] for stock in clients[0].get("stocks?limit=1000").ok()["stocks"]]
    price = {symbol: clients[0].get(f"stocks/{symbol}/latest").ok()["close"] for symbol in symbols}
    held = sorted(symbols, key=price.get)[:HOLDINGS]
    for client in clients:
        for symbol in held:
            client.post("portfolio/orders", {"symbol": symbol, "side": "buy", "type": "market", "quantity": SHARES}).ok()
    next_session = lambda: admin.post("clock/advance", {"to": "next_session"}).ok()
    next_session()
    assert len(clients[-1].get("portfolio/positions").ok()["positions"]) == HOLDINGS

    def sign_in(client, email):
        client.send("request-otp", "POST", "auth/request-otp", {"email": email})
        login = client.send("login", "POST", "auth/login", {"email": email, "otp": server.code(email)})
        return json.loads(login)["access_token"]

    def trade(client, number):
        # Each user's visits go through the stocks, since the market, which fills their orders, stands still until the round is over.
        symbol = held[number // users % HOLDINGS]
        waits = {"symbol": symbol, "side": "buy", "type": "limit", "limit_price": 1, "quantity": 1}
        order = json.loads(client.send("trade", "POST", "portfolio/orders", waits))
        client.send("trade", "DELETE", f"portfolio/orders/{order['id']}")
        for side in ("sell", "buy"):
            client.send("trade", "POST", "portfolio/orders", {"symbol": symbol, "side": side, "type": "market", "quantity": 1})

    tokens = [client.token for client in clients]
    return Target("stockgpt", server.url, Processes([server.pid]), symbols, emails, tokens, sign_in, trade, next_session)


def peer(url, pids, accounts):
    """Another server with the same paths for reading. `accounts` names a file of JSON: `tokens`, and for people also `emails`, the
    `otp` that they all use, and `trades`, each a list of `[path, body]` that one signed-in user posts, by `email`."""
    known = json.loads(pathlib.Path(accounts).read_text())
    listed = Client(url, known["tokens"][0]).get("stocks?limit=1000").ok()
    symbols = [stock["symbol"] for stock in next(value for value in listed.values() if isinstance(value, list))]
    trades = known.get("trades", {})

    def sign_in(client, email):
        client.send("request-otp", "POST", "auth/request-otp", {"email": email})
        return json.loads(client.send("login", "POST", "auth/login", {"email": email, "otp": known["otp"]}))["access_token"]

    def trade(client, number):
        possible = trades[client.email]
        for path, body in possible[number % len(possible)]:
            client.send("trade", "POST", path, body)

    return Target("peer", url, Processes(pids), symbols, list(trades), known["tokens"], sign_in, trade)


def requests(target, path, count=2000):
    """Lines for wrk: the path for random symbols and users, the same ones each time."""
    chance = random.Random(11)
    fill = lambda: path.format(symbol=chance.choice(target.symbols))
    return "".join(f"GET\t{fill()}\t{chance.choice(target.tokens)}\n" for _ in range(count))
