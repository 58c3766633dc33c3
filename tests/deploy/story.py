"""What the deploy test does with a deployed stage: an operator sets it up, clients use it, time passes."""

import datetime as dt
import json
import pathlib
import zoneinfo

from client import Client, log_in
from stand_in import eventually
from vendor import is_session, last_session, next_session

ROOT = pathlib.Path(__file__).parents[2]
ADMIN = "admin@example.com"
SENDER = "no-reply@example.com"
PAGE = "https://app.example.com"
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
# All that the vendor has: indicators that remember everything then have the same to remember wherever they are computed.
DAYS_BACK = 3_000


def last_closed_session(now):
    """The session whose prices everybody knows: a vendor's newest."""
    here = now.astimezone(NEW_YORK)
    closed = is_session(here.date()) and here.time() >= dt.time(16)
    return here.date() if closed else last_session(here.date() - dt.timedelta(days=1))


# Looked up once, since the bell may ring while the test runs.
SESSION = last_closed_session(dt.datetime.now(dt.UTC))


def evening_of(session):
    """When the daily ingestion is due."""
    return f"{session}T22:00:00Z"


def half_a_day_later():
    """Codes and counters are over by then, sessions are not."""
    return f"{dt.datetime.now(dt.UTC) + dt.timedelta(hours=12):%Y-%m-%dT%H:%M:%SZ}"


class Stage:
    """A deployed stage with what its operator and its clients need."""

    def __init__(self, stand_in, stack):
        self.stand_in, self.stack = stand_in, stack
        self.url = stack.url
        self.session = SESSION
        # The newest session that has prices.
        self.newest = self.session

    # --- What infra/aws/README.md tells the operator to do ---------------------------------------------------------

    def set_up(self):
        self.put_vendor_key()
        self.upload_model()
        self.admin = log_in(self.url, self.stand_in, ADMIN)

    def put_vendor_key(self):
        self.stand_in.client("secretsmanager").put_secret_value(
            SecretId=self.stack.outputs["TiingoSecret"], SecretString=json.dumps({"api_key": "deploy-test"})
        )

    def upload_model(self):
        """The model first, then the pointer that names it."""
        bucket, objects = self.stack.outputs["Bucket"], self.stand_in.client("s3")
        version = json.loads((ROOT / "infra/model/manifest.json").read_text())["version"]
        pointer = {"onnx": f"models/{version}/model.onnx", "manifest": f"models/{version}/manifest.json"}
        objects.put_object(Bucket=bucket, Key=pointer["onnx"], Body=(ROOT / "infra/model/model.onnx").read_bytes())
        objects.put_object(Bucket=bucket, Key=pointer["manifest"], Body=(ROOT / "infra/model/manifest.json").read_bytes())
        objects.put_object(Bucket=bucket, Key="models/current.json", Body=json.dumps(pointer).encode())

    def ingest(self):
        """The list of companies, then their prices; both run behind the request."""
        started = self.admin.post("data/ingest/stock-list").ok()
        self.finished(started["run_id"])
        symbols = self.admin.get("data/symbols/available?limit=1000").ok()["symbols"]
        assert len(symbols) == 60, symbols
        started = self.admin.post(f"data/ingest/stocks?days_back={DAYS_BACK}", symbols).ok()
        run = self.finished(started["run_id"])
        assert run["state"] == "succeeded" and run["symbols_done"] == 60, run
        return run

    def finished(self, run_id):
        def run():
            found = self.admin.get(f"data/runs/{run_id}").ok()
            return found if found["state"] not in ("running", "queued") else None

        return eventually(run, f"{run_id} ends", seconds=180)

    # --- What a trader does -----------------------------------------------------------------------------------------

    def signals(self, client):
        """The chain of events has made signals of the newest session."""

        def active():
            return client.get("signals?status=active&limit=100").ok()["signals"]

        signals = eventually(active, "signals after the ingestion", seconds=120)
        assert {signal["model_version"] for signal in signals} == {
            json.loads((ROOT / "infra/model/manifest.json").read_text())["version"]
        }
        return signals

    def accept_best(self, client):
        signals = client.get("signals?action=BUY&status=active&limit=100").ok()["signals"]
        best = max(signals, key=lambda signal: signal["expected_return"])
        explained = client.get(f"signals/{best['id']}").ok()
        assert abs(sum(explained["probabilities"].values()) - 1) < 1e-9, explained
        send = lambda: client.post(f"signals/{best['id']}/action", {"action": "accept"}, Idempotency_Key="accept-1")
        first = send().ok()
        assert first["order"]["status"] == "accepted", first
        assert send().ok() == first, "the same key gets the same answer"
        return best, first["order"]

    def let_a_session_pass(self):
        """The next session's prices come in, and what follows them; the instants are the schedules', which have not come yet."""
        self.newest = next_session(self.newest)
        self.invoke("ingest", {"version": 1, "stage": self.stack.stage, "now": evening_of(self.newest), "trace_id": "deploy-test"})
        return self.newest

    def invoke(self, function, payload):
        """As Scheduler and rules do: the event is handed over and nobody waits."""
        self.stand_in.client("lambda").invoke(
            FunctionName=f"{self.stack.name}-{function}", InvocationType="Event", Payload=json.dumps(payload).encode()
        )

    def call(self, function, payload):
        """By hand, waiting for the end."""
        answer = self.stand_in.client("lambda").invoke(FunctionName=f"{self.stack.name}-{function}", Payload=json.dumps(payload).encode())
        body = answer["Payload"].read().decode()
        assert "FunctionError" not in answer, body
        return json.loads(body)

    def trade(self, client):
        """From an accepted signal to a position, with the ledger's word for it."""
        signal, order = self.accept_best(client)
        session = self.let_a_session_pass()

        def filled():
            found = client.get(f"portfolio/orders/{order['id']}").ok()
            return found if found["status"] == "filled" else None

        fill = eventually(filled, "the order fills", seconds=120)["fills"][0]
        assert fill["executed_at"].startswith(str(session)), fill
        (position,) = client.get("portfolio/positions").ok()["positions"]
        assert position["symbol"] == signal["symbol"] and position["stop_loss"] == signal["stop_loss"], position
        summary = client.get("portfolio/summary").ok()
        cents = lambda *names: sum(round(summary[name] * 100) for name in names)
        assert cents("cash_balance", "invested_value") == cents("total_value"), summary
        assert cents("total_value") - cents("total_pnl") == 10_000_000, summary
        verified = client.get("portfolio/ledger/verify").ok()
        assert verified["valid"] and verified["differences"] == [], verified
        return position


def use_api(stage):
    """What a client sees at the API's edge."""
    anybody = Client(stage.url)
    assert anybody.get("/health").json()["status"] in ("healthy", "degraded")
    assert anybody.get("/openapi.json").ok()["openapi"].startswith("3.1")
    assert anybody.get("/docs").status == 200
    anybody.get("/api/v1/nowhere").problem(404)
    refused = anybody.get("portfolio/summary")
    refused.problem(401)
    assert refused.headers["www-authenticate"].startswith("Bearer"), dict(refused.headers)
    preflight = anybody.send(
        "OPTIONS", "stocks", Origin=PAGE, Access_Control_Request_Method="GET", Access_Control_Request_Headers="authorization"
    )
    assert preflight.headers["access-control-allow-origin"] == PAGE, (preflight.status, dict(preflight.headers))
    foreign = anybody.send("OPTIONS", "stocks", Origin="https://elsewhere.example", Access_Control_Request_Method="GET")
    assert foreign.headers.get("access-control-allow-origin") is None, dict(foreign.headers)


def use_all_reads(client, symbol):
    """Every group answers; what was read once is not sent again."""
    for path in ("stocks?limit=5", "stocks/sectors", f"stocks/{symbol}/latest", f"stocks/{symbol}/features?limit=5", "signals?limit=5"):
        client.get(path).ok()
    for path in ("signals/performance/summary", "portfolio/summary", "portfolio/allocation", "portfolio/performance?period=ALL"):
        client.get(path).ok()
    for path in ("portfolio/orders", "portfolio/trades", "portfolio/ledger", "users/me", "users/preferences", "data/status"):
        client.get(path).ok()
    prices = client.get(f"stocks/{symbol}/prices?limit=20")
    assert prices.ok()["count"] == 20
    assert client.get(f"stocks/{symbol}/prices?limit=20", If_None_Match=prices.headers["etag"]).status == 304
    client.get("stocks/NOSUCH/prices").problem(404)
