"""The same requests to the one-machine server and to the deployed stack, and what differs in the answers."""

import email.policy
import json
import os
import pathlib
import re
import subprocess
import tempfile

from client import Client, log_in
from stand_in import eventually
from story import ADMIN, DAYS_BACK

# What is never the same twice, or says where it runs. The hash of a ledger covers its instants.
VOLATILE = {"id", "instance", "user_id", "email", "timestamp", "run_id", "message", "access_token", "url", "servers", "trace_id", "head_hash"}
# The one-machine server brings the sectors of its companies along; the test's vendor, like Tiingo, knows none.
VOLATILE |= {"sector", "industry", "country", "sector_momentum"}
# Only one machine's clock can be moved.
CLOCK = {"Clock", "ClockMode", "Session", "Advanced", "AdvanceRequest", "AdvanceTarget", "JobRun"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
HEADERS = ("content-type", "cache-control", "www-authenticate", "x-content-type-options", "content-security-policy")


class LocalServer:
    """`stockgpt --live` on a free port, with the test's vendor."""

    def __init__(self, program, vendor_url):
        self.program, self.vendor_url = program, vendor_url

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        data = pathlib.Path(self.directory.name) / "data"
        self.outbox = data / "outbox"
        self.process = subprocess.Popen(
            [self.program, "--live", "--port", "0", "--data-dir", data, "--admin", ADMIN],
            env={"PATH": os.environ["PATH"], "TIINGO_API_KEY": "deploy-test", "TIINGO_PLAN": "power", "FEATURE_REAL_TIME_DATA": "false", "TIINGO_BASE_URL": self.vendor_url, "RUST_LOG": "error"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stdout:
            if found := re.search(r"(http://127\.0\.0\.1:\d+)/docs", line):
                self.url = found[1]
                return self
        raise AssertionError("the one-machine server ended")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=30)
        self.directory.cleanup()

    def mail_to(self, address):
        mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in sorted(self.outbox.glob("*.eml"))]
        text = lambda mail, kind: mail.get_body((kind,)).get_content()
        return [{"BodyText": text(mail, "plain"), "BodyHtml": text(mail, "html")} for mail in mails if address in mail["To"]]


def same_data(local, session):
    """Brings the vendor's companies and prices in, as the operator of the stack did."""
    admin = log_in(local.url, local, ADMIN)
    eventually(lambda: admin.get("data/status").ok()["latest_bar_date"] == str(session), "the first ingestion", seconds=120)
    for path, body in (("data/ingest/stock-list", None), (f"data/ingest/stocks?days_back={DAYS_BACK}", "symbols")):
        symbols = admin.get("data/symbols/available?limit=1000").ok()["symbols"]
        run = admin.post(path, symbols if body else None).ok()["run_id"]
        eventually(lambda: admin.get(f"data/runs/{run}").ok()["state"] == "succeeded", run, seconds=120)


ORDER = {"symbol": "KO", "side": "buy", "type": "limit", "quantity": 3, "limit_price": 10, "time_in_force": "gtc"}

REQUESTS = [
    # The edge.
    ("GET", "/openapi.json", None, False),
    ("GET", "/docs", None, False),
    ("GET", "/api/v1/nowhere", None, False),
    ("GET", "portfolio/summary", None, False),
    ("PATCH", "stocks", None, True),
    ("GET", "auth/status", None, False),
    ("POST", "auth/login", {"email": "nobody@example.com", "otp": "000000"}, False),
    ("POST", "auth/request-otp", {"email": "not an address"}, False),
    # Who one is.
    ("GET", "auth/verify-token", None, True),
    ("GET", "users/me", None, True),
    ("PUT", "users/preferences", {"email_signals": True, "email_portfolio_updates": False, "email_market_updates": False, "auto_trade": False}, True),
    ("GET", "users/me/export", None, True),
    ("DELETE", "users/me", {"email": "ann@example.com", "otp": "000000"}, True),
    ("GET", "admin/users", None, True),
    ("POST", "admin/users/nobody/deactivate", None, True),
    ("PUT", "users/me", {"risk_tolerance": "enormous"}, True),
    # Stocks.
    ("GET", "stocks?limit=1000", None, True),
    ("GET", "stocks?search=micro", None, True),
    ("GET", "stocks/AAPL/prices?limit=500", None, True),
    ("GET", "stocks/AAPL/prices?limit=0", None, True),
    ("GET", "stocks/AAPL/features?limit=300", None, True),
    ("GET", "stocks/KO/latest", None, True),
    ("GET", "stocks/NOSUCH/latest", None, True),
    # Signals and portfolio.
    ("GET", "signals/2022-01-03-KO-nothing", None, True),
    ("GET", "portfolio/summary", None, True),
    ("POST", "portfolio/orders/preview", ORDER, True),
    ("POST", "portfolio/orders/preview", {**ORDER, "quantity": 10_000_000}, True),
    ("POST", "portfolio/orders", {**ORDER, "leverage": 2}, True),
    ("POST", "portfolio/orders", ORDER, True),
    ("GET", "portfolio/orders", None, True),
    ("GET", "portfolio/positions", None, True),
    ("GET", "portfolio/ledger/verify", None, True),
    ("GET", "portfolio/allocation", None, True),
    ("GET", "portfolio/performance?period=ALL", None, True),
    # Data, which is the administrator's.
    ("GET", "data/symbols/available?limit=1000", None, True),
    ("GET", "data/runs", None, True),
    ("POST", "data/ingest/scheduled", None, True),
]


def compare(local, stage):
    """Sends each request to both as a user whom neither has seen, and fails with all differences."""
    here, there = log_in(local.url, local, "pat@example.com"), log_in(stage.url, stage.stand_in, "pat@example.com")
    differences = []
    for method, path, body, signed_in in REQUESTS:
        answers = [client.send(method, path, body) if signed_in else Client(client.url).send(method, path, body) for client in (here, there)]
        one, other = (essence(answer) for answer in answers)
        if one != other:
            differences.append(f"{method} {path}\n  one machine: {excerpt(one, other)}\n  deployed:    {excerpt(other, one)}")
    assert not differences, "\n".join(differences)
    return len(REQUESTS)


def essence(answer):
    try:
        body = scrubbed(json.loads(answer.body))
    except json.JSONDecodeError:
        body = answer.body
    return {"status": answer.status, **{name: answer.headers.get(name) for name in HEADERS}, "has etag": "etag" in answer.headers, "body": body}


def scrubbed(value):
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if name not in VOLATILE | CLOCK and not name.startswith("/api/v1/clock")}
        return {name: scrubbed(inner) for name, inner in kept.items()}
    if isinstance(value, list):
        # The tag of the clock's routes, and the limit that only known sectors can break.
        return [scrubbed(inner) for inner in value if not (isinstance(inner, dict) and {inner.get("name"), inner.get("limit")} & {"Clock", "sector-weight"})]
    return INSTANT.sub("<instant>", value) if isinstance(value, str) else value


def excerpt(one, other):
    """What `one` has otherwise than `other`, briefly."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = {name: excerpt(inner, other.get(name)) for name, inner in one.items() if inner != other.get(name)}
        return json.dumps(found, default=str)[:700]
    return str(one)[:300]
