"""What users' actions and the daily jobs cost in requests, units and time: what infra/aws/cost.py multiplies by AWS's prices."""

import pathlib
import random
import re
import sys
import time

from client import log_in
from story import evening_of, half_a_day_later

sys.path.append(str(pathlib.Path(__file__).parents[2] / "infra/aws"))
import cost  # noqa: E402

# What a month is made of; each is measured by itself, warm, on a stage of 60 stocks with one position.
READS = {
    "dashboard": ("portfolio/summary", "portfolio/positions", "portfolio/allocation", "portfolio/performance?period=ALL"),
    "signals": ("signals?status=active&limit=50", "signals/performance/summary"),
    "chart": ("stocks/{symbol}/prices?limit=365", "stocks/{symbol}/features?limit=365", "stocks/{symbol}/latest"),
    "stocks": ("stocks?limit=100",),
}
FUNCTIONS = ("auth", "stocks", "signals", "portfolio", "data", "system", "ingest", "generate_signals", "revalue", "reset_otps")


def due(job, stage):
    """When a job is run by hand: those of the market go by its sessions, which this test lets pass; the clearing by the wall clock."""
    return half_a_day_later() if job == "reset_otps" else evening_of(stage.newest)


class Meter:
    def __init__(self, stand_in, stack, recorder):
        self.stand_in, self.stack, self.recorder = stand_in, stack, recorder
        self.measured, self.without_tally = {}, {}

    def measure(self, action, requests, do):
        """Counts what `do` causes; `requests` is how many the API gets."""
        before, durations = len(self.recorder.calls), self.durations()
        result = do()
        # What a function writes after its answer belongs to it as well.
        time.sleep(0.3)
        self.measured[action] = {"requests": requests, **self.used_since(before), "function_ms": round(self.durations() - durations)}
        self.without_tally[action] = {**self.measured[action], **self.used_since(before, with_tally=False)}
        return result

    def used_since(self, before, with_tally=True):
        used = self.recorder.since(before, with_tally)
        calls = used["calls"]
        return {
            "read_units": used["read_units"],
            "write_units": used["write_units"],
            "s3_reads": calls.get("s3:GET", 0) + calls.get("s3:HEAD", 0),
            "s3_writes": calls.get("s3:PUT", 0),
            "mails": calls.get("ses:POST", 0),
            "events": calls.get("AWSEvents:PutEvents", 0),
        }

    def durations(self):
        """Milliseconds that all functions have run, by their logs."""
        logs, total = self.stand_in.client("logs"), 0
        for function in FUNCTIONS:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/stockgpt/{self.stack.stage}/{function}")
            messages = (event["message"] for page in pages for event in page["events"])
            total += sum(float(found[1]) for found in (re.match(r"REPORT .*?Duration: ([\d.]+) ms", text) for text in messages) if found)
        return total

    def measure_reads(self, client, symbol):
        for action, paths in READS.items():
            paths = [path.format(symbol=symbol) for path in paths]
            fetch = lambda: [client.get(path).ok() for path in paths]
            fetch()
            self.measure(action, len(paths), fetch)
        signal = client.get("signals?limit=1").ok()["signals"][0]["id"]
        client.get(f"signals/{signal}").ok()
        self.measure("signal", 1, lambda: client.get(f"signals/{signal}").ok())

    def measure_sign_in(self):
        log_in(self.stack.url, self.stand_in, "meter@example.com")
        return self.measure("sign_in", 2, lambda: log_in(self.stack.url, self.stand_in, "meter@example.com"))

    def measure_order(self, client, symbol):
        order = {"symbol": symbol, "side": "buy", "type": "limit", "quantity": 1, "limit_price": 1, "time_in_force": "gtc"}
        client.post("portfolio/orders/preview", order).ok()
        self.measure("order", 2, lambda: (client.post("portfolio/orders/preview", order).ok(), client.post("portfolio/orders", order).ok()))

    def measure_accept(self, client):
        """Another purchase that the model proposes."""
        signals = client.get("signals?action=BUY&status=active&limit=100").ok()["signals"]
        signal = next(signal for signal in signals if client.get(f"signals/{signal['id']}").ok()["your_action"] is None)
        self.measure("accept", 1, lambda: client.post(f"signals/{signal['id']}/action", {"action": "accept"}, Idempotency_Key="meter").ok())

    def measure_jobs(self, stage):
        """Each job once more, called by hand and run to its end, with nothing new to find."""
        stage.call("reset_otps", {"now": half_a_day_later()})
        for job in ("ingest", "generate_signals", "revalue", "reset_otps"):
            self.measure(job, 0, lambda: stage.call(job, {"now": due(job, stage)}))

    def check_month(self, stage, client, symbol):
        """A month of one user and of all jobs in any order, counted as a whole, is what cost.py makes of single actions.

        Purchases are left out: a month of them would need a month of sessions. So is the tally: it is written every few seconds,
        and how many of those a month takes here depends on the machine.
        """
        get = lambda *paths: lambda: [client.get(path.format(symbol=symbol)).ok() for path in paths]
        signal = client.get("signals?limit=1").ok()["signals"][0]["id"]
        doing = {action: get(*paths) for action, paths in READS.items()}
        doing["signal"] = get(f"signals/{signal}")
        doing["sign_in"] = lambda: log_in(self.stack.url, self.stand_in, "month@example.com")
        actions = {action: often for action, often in cost.ACTIONS.items() if action in doing}
        for job in cost.RUNS:
            doing[job] = lambda job=job: stage.call(job, {"now": due(job, stage)})
        doing["sign_in"]()
        everything = [name for name, often in {**actions, **cost.RUNS}.items() for _ in range(often)]
        random.Random(7).shuffle(everything)
        before, started = len(self.recorder.calls), time.monotonic()
        for name in everything:
            doing[name]()
        time.sleep(0.3)
        counted, expected = self.used_since(before, with_tally=False), cost.units(self.without_tally, actions, cost.RUNS)
        for unit, number in counted.items():
            assert abs(number - expected[unit]) <= max(0.2 * expected[unit], 2), (unit, counted, expected)
        said = ", ".join(f"{number:,.0f} {unit} for {expected[unit]:,.0f}" for unit, number in counted.items())
        tally = self.used_since(before)["write_units"] - counted["write_units"]
        return f"{said}; the tally's {tally:,.0f} write units in {time.monotonic() - started:.0f} s besides"
