"""Runs Schemathesis over every operation of a live server, logged in as each role.

    contract.py PROGRAM WORK

Leaves the document that the server serves in WORK/openapi.json.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from server import ADMIN, Client, Server

HERE = Path(__file__).resolve().parent
SEED = os.environ.get("STOCKGPT_CONTRACT_SEED", "20220103")

# The limits are tested elsewhere; here they would answer instead of what is behind them.
LIMITED = ("sign-in", "read", "write", "data", "public", "codes-per-address", "codes-per-source", "logins-per-source")
RATE_LIMITS = ",".join(f"{name}=100000/s burst 100000" for name in LIMITED)

# Operations that cannot succeed here, and why.
WITHOUT_SUCCESS = {
    "release_bar": "the bundled data breaks no rule of the quality gate: nothing waits in quarantine",
    "discard_bar": "as release_bar",
}


def make_viewer(admin: Client, person: Client) -> None:
    """Takes the right to trade away; before that, `person` has traded, so that there is something to look at."""
    user = person.get("auth/verify-token").ok()["user_id"]
    admin.send("PUT", f"admin/users/{user}/role", {"role": "viewer"}).ok()


def buy(person: Client, symbol: str, **order) -> None:
    person.post("portfolio/orders", {"symbol": symbol, "side": "buy", "type": "market", "quantity": 5, **order}).ok()


def set_the_scene(server: Server) -> dict[str, tuple[Client, Client]]:
    """A tester and a neighbour for each role, with positions, trades, open orders and signals to find."""
    admin = server.sign_in(ADMIN)
    tess, nora, vera, viggo, olga = (server.sign_in(f"{name}@example.com") for name in ("tess", "nora", "vera", "viggo", "olga"))
    people = (admin, tess, nora, vera, viggo, olga)
    for person in people:
        for symbol in ("KO", "AAPL", "XOM"):
            buy(person, symbol)
    admin.post("clock/advance", {"to": "next_session"}).ok()
    for person in people:
        buy(person, "MSFT")
        # Far below the market: they stay open, to be found, replaced and cancelled.
        for symbol in ("PG", "JNJ", "PEP", "WMT"):
            buy(person, symbol, type="limit", limit_price=1, time_in_force="gtc")
    admin.post("clock/advance", {"to": "next_session"}).ok()
    for person in (vera, viggo):
        make_viewer(admin, person)
    return {"viewer": (vera, viggo), "trader": (tess, nora), "admin": (admin, olga)}


def run_as(role: str, people: tuple[Client, Client], server: Server, work: Path) -> bool:
    """Whether every check of every operation passed."""
    tester, neighbour = people
    auth = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {person.token}"}]}
        for name, person in (("tester", tester), ("neighbour", neighbour))
    ]
    (work / "people.json").write_text(json.dumps({"auth": auth}))
    environment = os.environ | {
        "CONTRACT_URL": server.url,
        "CONTRACT_OUTBOX": str(server.outbox),
        "CONTRACT_TOKEN": tester.token,
        "CONTRACT_TESTER": Client(server.url, tester.token).get("auth/verify-token").ok()["user_id"],
        "CONTRACT_PEOPLE": str(work / "people.json"),
        "CONTRACT_HOOKS": str(HERE / "hooks.py"),
    }
    schemathesis = [str(Path(sys.executable).with_name("st")), "--config-file", str(HERE / "schemathesis.toml"), "run"]
    options = ["--checks", "all", "--seed", SEED, "--report", "json", "--report-json-path", str(work / f"{role}.json")]
    print(f"\n== as {role}", flush=True)
    passed = subprocess.run([*schemathesis, f"{server.url}/openapi.json", *options], cwd=work, env=environment).returncode == 0
    if Client(server.url, tester.token).get("auth/verify-token").status != 200:
        print(f"the {role}'s token has been revoked on the way: what came after it was tested as nobody")
        return False
    return passed


def successes(server: Server) -> Counter:
    """How often each operation has succeeded, by path and method, as the server counts."""
    counted = Counter()
    for line in Client(server.url).get("/metrics").body.decode().splitlines():
        if line.startswith("http_requests_total{"):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
            if labels["code"].startswith("2"):
                counted[labels["route"], labels["method"].lower()] += float(line.rsplit(" ", 1)[1])
    return counted


def never_succeeded(document: dict, succeeded: Counter) -> list[str]:
    """Operations that no role ever got to succeed; what was tested is only how they refuse."""
    operations = {
        operation["operationId"]: (path, method)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }
    return [name for name, where in operations.items() if not succeeded[where] and name not in WITHOUT_SUCCESS]


def main(program: str, work: Path) -> int:
    with Server(program, "--speed", "0", "--rate-limits", RATE_LIMITS) as server:
        document = Client(server.url).get("/openapi.json").ok()
        (work / "openapi.json").write_text(json.dumps(document, indent=1))
        roles = set_the_scene(server)
        before = successes(server)
        # The administrator comes last: that one moves the clock to the end and may take roles away.
        failed = [role for role in ("viewer", "trader", "admin") if not run_as(role, roles[role], server, work)]
        unproven = never_succeeded(document, successes(server) - before)
    if unproven:
        print("\nnever seen to succeed: " + ", ".join(unproven))
    print("\n" + (f"FAILED as {', '.join(failed)}" if failed else "every check passed as viewer, trader and admin"))
    return 1 if failed or unproven else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
