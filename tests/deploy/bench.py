"""How soon a function's fresh process answers, what it takes, and how big it is: `bench.py <.aws-sam/build> [--runs 50] [--table]`.

Each run starts the function as Lambda does, with a Runtime API of this program: from the spawn to the first `next` is its init, to the first
response its first answer. What it asks AWS for (the signing key, a vendor's key, the model, one stock with its prices) a small server beside
it answers at once, so that the times are the function's own. Prints medians and 99th percentiles; `--table` as Markdown.
"""

import argparse
import http.server
import json
import math
import os
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time
import zipfile

ROOT = pathlib.Path(__file__).parents[2]
MODEL = json.loads((ROOT / "infra/model/manifest.json").read_text())["version"]
POINTER = {"onnx": f"models/{MODEL}/model.onnx", "manifest": f"models/{MODEL}/manifest.json"}

# A request that a function answers without any table, so that the first answer holds the function's start and no more.
PATHS = {
    "auth": "/api/v1/auth/status",
    "stocks": "/api/v1/stocks",
    "signals": "/api/v1/signals",
    "portfolio": "/api/v1/portfolio/summary",
    "data": "/api/v1/data/status",
    "system": "/docs",
    "empty": "/",
}
# A market of one stock, as it was stored: signals are made of it with the model, and the other jobs find nothing to do.
STORED = ROOT / "tests/fixtures/stored/1"
STOCK = next(item for item in map(json.loads, (STORED / "market.jsonl").open()) if item["sk"]["S"] == "KO")
JOB = {"now": "2022-02-01T15:00:00Z", "version": 1, "stage": "bench", "trace_id": "bench"}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass  # The function was stopped while it waited for its next event.


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Head and body leave together.
    wbufsize = -1

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


class RuntimeApi(Handler):
    """What Lambda tells a function: one event after the other, until there are enough."""

    def do_GET(self):
        server = self.server
        server.asked.append(time.perf_counter())
        if len(server.asked) > server.events:
            server.done.set()
            server.release.wait(30)
        self.reply(
            200,
            server.event,
            Content_Type="application/json",
            Lambda_Runtime_Aws_Request_Id=f"r{len(server.asked)}",
            Lambda_Runtime_Deadline_Ms=str(int(time.time() * 1000) + 30_000),
            Lambda_Runtime_Invoked_Function_Arn="arn:aws:lambda:us-east-1:000000000000:function:bench",
            Lambda_Runtime_Trace_Id="Root=1-0-0",
        )

    def do_POST(self):
        answer = self.body()
        self.server.answered.append((time.perf_counter(), self.path.rsplit("/", 1)[-1], answer))
        self.reply(202)


class Aws(Handler):
    """Answers what functions ask AWS for at their start: secrets and the model. Tables are empty."""

    def do_POST(self):
        asked, target = self.body(), self.headers.get("X-Amz-Target", "")
        if target.startswith("secretsmanager."):
            answer = {"Name": "bench", "SecretString": json.dumps({"api_key": "bench"}) if "vendor" in target else "k" * 64}
        elif target.endswith(".Query") and b'"STOCK"' in asked:
            answer = {"Items": [STOCK], "Count": 1}
        else:
            answer = {"Items": [], "Count": 0, "Responses": {}, "UnprocessedKeys": {}, "UnprocessedItems": {}, "FailedEntryCount": 0, "Entries": []}
        self.reply(200, json.dumps(answer).encode(), Content_Type="application/x-amz-json-1.1")

    def do_GET(self):
        name = self.path.split("?")[0].split("/", 2)[-1]
        if name == "models/current.json":
            return self.reply(200, json.dumps(POINTER).encode(), ETag='"1"')
        if name in POINTER.values():
            return self.reply(200, (ROOT / "infra/model" / name.rsplit("/", 1)[-1]).read_bytes(), ETag='"1"')
        if (stored := STORED / "objects" / name).is_file():
            return self.reply(200, stored.read_bytes(), ETag='"1"')
        self.reply(404, b"<Error><Code>NoSuchKey</Code></Error>", Content_Type="application/xml")

    def do_PUT(self):
        self.body()
        self.reply(200, ETag='"2"')


def serve(handler):
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def event_for(function):
    if function not in PATHS:
        return JOB
    path = PATHS[function]
    http_part = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "bench"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "localhost", "accept": "application/json"},
        "requestContext": {
            "accountId": "0",
            "apiId": "bench",
            "domainName": "localhost",
            "domainPrefix": "bench",
            "http": http_part,
            "requestId": "bench",
            "routeKey": "$default",
            "stage": "$default",
            "time": "03/Jan/2022:15:00:00 +0000",
            "timeEpoch": 1641222000000,
        },
        "isBase64Encoded": False,
    }


def environment(aws, api):
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws.server_port}",
        "_HANDLER": "bootstrap",
        "STAGE": "bench",
        "TABLE_PREFIX": "bench",
        "BUCKET": "bench",
        "EVENT_BUS": "bench",
        "SIGNING_SECRET_ID": "bench",
        "MAIL_SENDER": "no-reply@example.com",
        "RUST_LOG": "warn",
    }


def run(program, function, aws, warm):
    """One fresh process: seconds of init and first answer, of warm answers, and peak resident MiB."""
    api = serve(RuntimeApi)
    api.event, api.events = json.dumps(event_for(function)).encode(), 1 + warm
    api.asked, api.answered, api.done, api.release = [], [], threading.Event(), threading.Event()
    began = time.perf_counter()
    process = subprocess.Popen([program], env=environment(aws, api), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        if not api.done.wait(30):
            raise SystemExit(f"{function} does not answer: {api.answered[-1:]}")
        first_at, kind, body = api.answered[0]
        if kind != "response":
            raise SystemExit(f"{function} fails: {body[:500]}")
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    finally:
        process.kill()
        process.communicate()
        api.release.set()
        api.shutdown()
        api.server_close()
    answers = [at for at, _, _ in api.answered]
    warm_seconds = [after - before for before, after in zip(api.asked[1:], answers[1:])]
    return api.asked[0] - began, first_at - began, warm_seconds, peak


def zipped(program):
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.write(program, "bootstrap")
        return file.tell()


def percentile(values, share):
    """Nearest rank."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def measure(program, function, runs, warm):
    aws = serve(Aws)
    # The first run reads the program from the disk, which is another question.
    run(program, function, aws, 1)
    inits, firsts, warms, peaks = [], [], [], []
    for _ in range(runs):
        init, first, warm_seconds, peak = run(program, function, aws, warm)
        inits.append(init * 1000)
        firsts.append(first * 1000)
        warms += [seconds * 1000 for seconds in warm_seconds]
        peaks.append(peak)
    aws.shutdown()
    aws.server_close()
    return {
        "zip_mb": zipped(program) / 1e6,
        "init_ms": (statistics.median(inits), percentile(inits, 0.99)),
        "first_ms": (statistics.median(firsts), percentile(firsts, 0.99)),
        "warm_ms": (statistics.median(warms), percentile(warms, 0.99)),
        "peak_mib": max(peaks),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("built", type=pathlib.Path, help="a directory with a directory a function, each with its bootstrap")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--warm", type=int, default=20)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        print("| function | zipped (MB) | init (ms) | first answer (ms) | warm (ms) | peak (MiB) |\n|---|---|---|---|---|---|")
    for program in sorted(options.built.glob("*/bootstrap")):
        function = "".join(f"_{c.lower()}" if c.isupper() else c for c in program.parent.name).lstrip("_")
        if options.only and function not in options.only:
            continue
        found = measure(program, function, options.runs, options.warm)
        if options.table:
            pair = lambda name: "{:.1f} / {:.1f}".format(*found[name])
            times = " | ".join(pair(name) for name in ("init_ms", "first_ms", "warm_ms"))
            print(f"| {function} | {found['zip_mb']:.2f} | {times} | {found['peak_mib']:.1f} |", flush=True)
        else:
            print(json.dumps({"function": function, **found}), flush=True)


if __name__ == "__main__":
    main()
