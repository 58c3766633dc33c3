"""Two copies of the server over one store, scraped by a real Prometheus: counters add up, and none ever falls.

    python3 tests/observability/check.py target/debug/examples/copies
"""

import collections
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATUS = "/api/v1/auth/status"


class Copy:
    """One process of the server."""

    def __init__(self, program, directory, tables=None):
        arguments = [program, directory] + ([tables] if tables else [])
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.startswith("{"):
                said = json.loads(line)
                break
        self.url, self.tables = said["url"], said["tables"]
        self.host = self.url.removeprefix("http://")

    def ask(self, path, body=None, token=None):
        request = urllib.request.Request(self.url + path, method="GET" if body is None else "POST")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        status, text = self.ask("/metrics")
        assert status == 200, text
        return text

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(30)


def value(text, sample):
    for line in text.splitlines():
        if line.startswith(sample + " "):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


def eventually(what, check, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what}")


def log_in(copy, directory, email):
    status, text = copy.ask("/api/v1/auth/request-otp", {"email": email})
    assert status == 200, text
    newest = sorted((pathlib.Path(directory) / "outbox").glob("*.eml"))[-1].read_text()
    code = re.search(r"^\s*(\d{6})\s*$", newest, re.M).group(1)
    status, text = copy.ask("/api/v1/auth/login", {"email": email, "otp": code})
    assert status == 200, text
    return json.loads(text)["access_token"]


def check_text(text):
    """What Prometheus' own tool says of the format and the names."""
    told = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
    assert told.returncode == 0 and not told.stderr.strip(), told.stdout + told.stderr


def check_names(text):
    """Rules and dashboard ask for nothing that is not there."""
    told = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    rules = (ROOT / "infra/observability/alerts.yml").read_text()
    panels = json.loads((ROOT / "infra/observability/dashboard.json").read_text())["panels"]
    queries = re.findall(r"expr:(?: >-\n)? *(.*)", rules) + [target["expr"] for panel in panels for target in panel.get("targets", [])]
    wanted = {name for query in queries for name in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b(?=[{\[ )]|$)", query)}
    wanted = {re.sub(r"_(bucket|sum|count)$", "", name) for name in wanted}
    functions = {"histogram_quantile", "label_replace", "job_name"}
    missing = {name for name in wanted - told - functions if not name.startswith("aws_")}
    assert not missing, f"asked for and not told: {missing}"


class Prometheus:
    """The real one, scraping each copy by itself so that they can be compared."""

    def __init__(self, directory, copies):
        home = pathlib.Path(directory) / "prometheus"
        home.mkdir()
        targets = json.dumps([copy.host for copy in copies])
        (home / "prometheus.yml").write_text(
            f"global: {{scrape_interval: 1s}}\nrule_files: [{ROOT}/infra/observability/alerts.yml]\n"
            f"scrape_configs:\n  - job_name: stockgpt\n    static_configs: [{{targets: {targets}}}]\n"
        )
        with __import__("socket").socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        arguments = ["prometheus", f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data"]
        self.process = subprocess.Popen(
            arguments + [f"--web.listen-address={self.address}", "--log.level=error"], stdout=subprocess.DEVNULL
        )

    def ask(self, query):
        """The value of each series, by instance."""
        url = f"http://{self.address}/api/v1/query?query={urllib.parse.quote(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                result = json.load(answer)["data"]["result"]
        except (urllib.error.URLError, ConnectionError):
            return {}
        return {series["metric"].get("instance", ""): float(series["value"][1]) for series in result}

    def end(self):
        self.process.terminate()
        self.process.wait(30)


def main(program):
    with tempfile.TemporaryDirectory() as directory:
        data = f"{directory}/data"
        copies = [Copy(program, data)]
        copies.append(Copy(program, data, copies[0].tables))
        first, second = copies
        prometheus = Prometheus(directory, copies)
        try:
            story(program, data, first, second, prometheus)
        finally:
            prometheus.end()
            for copy in copies:
                if copy.process.poll() is None:
                    copy.end(signal.SIGTERM)


def story(program, data, first, second, prometheus):
    sample = f'http_requests_total{{route="{STATUS}",method="GET",code="200"}}'
    expected = collections.Counter()
    for copy, requests in ((first, 30), (second, 12)):
        for _ in range(requests):
            assert copy.ask(STATUS)[0] == 200
            expected["status"] += 1

    # Jobs, orders and refusals, so that there is something of everything.
    token = log_in(first, data, "admin@localhost")
    order = {"symbol": "AAPL", "side": "buy", "type": "market", "quantity": 1}
    assert first.ask("/api/v1/portfolio/orders", order, token)[0] == 201
    assert second.ask("/api/v1/portfolio/orders", order, token)[0] == 201
    assert second.ask("/api/v1/stocks/NONE/latest", token=token)[0] == 404
    assert first.ask("/api/v1/clock/advance", {"to": "next_session"}, token)[0] == 200

    eventually("both copies have written down what they counted", lambda: value(first.metrics(), sample) == expected["status"])
    text = second.metrics()
    assert value(text, sample) == expected["status"], "whichever copy is asked"
    assert value(text, 'orders_total{state="accepted"}') == 2, text
    assert value(text, 'orders_total{state="filled"}') == 2, text
    assert value(text, 'job_runs_total{name="ingest",outcome="succeeded"}') == 1, text
    assert value(text, f'http_request_duration_seconds_count{{route="{STATUS}",method="GET"}}') == expected["status"]
    check_text(text)
    check_names(text)
    print("two copies add up:", int(value(text, sample)), "requests;", len(text.splitlines()), "lines of metrics")

    eventually(
        "Prometheus has scraped the sum from both",
        lambda: prometheus.ask(sample) == {copy.host: expected["status"] for copy in (first, second)},
    )

    # A copy that is killed takes no more with it than it counted in the last seconds.
    for _ in range(8):
        assert second.ask(STATUS)[0] == 200
        expected["status"] += 1
    eventually("the second copy has written that down too", lambda: value(first.metrics(), sample) == expected["status"])
    second.end(signal.SIGKILL)
    assert value(first.metrics(), sample) == expected["status"], "what it counted outlives it"

    # One that ends in order takes nothing with it, not even what it counted a moment before.
    third = Copy(program, data, first.tables)
    for _ in range(5):
        assert third.ask(STATUS)[0] == 200
        expected["status"] += 1
    third.end(signal.SIGTERM)
    assert value(first.metrics(), sample) == expected["status"]
    fourth = Copy(program, data, first.tables)
    assert fourth.ask(STATUS)[0] == 200
    expected["status"] += 1
    assert value(fourth.metrics(), sample) == expected["status"], "the place that was given back goes on from what was in it"
    fourth.end(signal.SIGTERM)

    eventually("Prometheus sees the newest sum", lambda: prometheus.ask(sample).get(first.host) == expected["status"])
    fallen = {series: count for series, count in prometheus.ask('resets({__name__=~".+_total|.+_count|.+_bucket"}[10m]) > 0').items()}
    assert not fallen, f"counters fell: {fallen}"
    up = prometheus.ask("up")
    assert up[first.host] == 1, up
    print("copies were killed, ended and started; no counter fell:", expected["status"], "requests")


if __name__ == "__main__":
    main(sys.argv[1])
