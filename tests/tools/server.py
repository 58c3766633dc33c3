"""The one-machine server as its users find it: started on a free port with a directory of its own, mail read, users signed in."""

import email
import email.policy
import http.client
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.parse

ADMIN = "admin@localhost"


class Server:
    """`stockgpt` on a free port; its clock stands still unless the arguments say otherwise."""

    def __init__(self, program, *arguments, **environment):
        self.program = pathlib.Path(program).resolve()
        self.arguments = arguments or ("--speed", "0")
        self.environment = environment

    @classmethod
    def at(cls, url, outbox):
        """One that runs already, as another process started it."""
        server = cls("")
        server.url, server.outbox = url, pathlib.Path(outbox)
        return server

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="stockgpt-")
        data = pathlib.Path(self.directory.name) / "data"
        self.outbox = data / "outbox"
        self.process = subprocess.Popen(
            [self.program, "--port", "0", "--data-dir", data, "--admin", ADMIN, *self.arguments],
            env={"PATH": os.environ["PATH"], "RUST_LOG": "error", **self.environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stdout:
            if found := re.search(r"(http://127\.0\.0\.1:\d+)/docs", line):
                self.url = found[1]
                # It goes on printing, and would wait for ever if nobody read.
                threading.Thread(target=lambda: [None for _ in self.process.stdout], daemon=True).start()
                return self
        raise SystemExit(f"{self.program} ended before it served")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        finally:
            self.process.kill()
            self.directory.cleanup()

    @property
    def pid(self):
        return self.process.pid

    def code(self, address):
        """The code in the newest mail to the address, or `None`; the mail is taken out of the outbox."""
        for path in sorted(self.outbox.glob("*.eml"), reverse=True):
            try:
                mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            except FileNotFoundError:  # another client has read it
                continue
            if mail["To"].addresses[0].addr_spec == address:
                path.unlink()
                return re.search(r"\b\d{6}\b", mail.get_body(("plain",)).get_content())[0]
        return None

    def sign_in(self, address, source=None):
        """A client with a token of its own."""
        client = Client(self.url, source=source)
        client.post("auth/request-otp", {"email": address}).ok()
        client.token = client.post("auth/login", {"email": address, "otp": self.code(address)}).ok()["access_token"]
        return client


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def ok(self):
        if not 200 <= self.status < 300:
            raise SystemExit(f"{self.status}: {self.body.decode(errors='replace')[:800]}")
        return self.json()


# The server ends connections on which nothing has come for half a minute.
KEPT_SECONDS = 20


class Client:
    """One connection that is kept open while it is used; from an address of its own if `source` names one, as another machine would have."""

    def __init__(self, url, token=None, source=None):
        address = urllib.parse.urlsplit(url)
        self.token = token
        self.connection = http.client.HTTPConnection(
            address.hostname, address.port, timeout=60, source_address=(source, 0) if source else None
        )
        self.used_at = time.monotonic()

    def send(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            headers["content-type"], data = "application/json", json.dumps(body)
        if time.monotonic() - self.used_at > KEPT_SECONDS:
            self.connection.close()
        self.connection.request(method, path if path.startswith("/") else f"/api/v1/{path}", data, headers)
        answer = self.connection.getresponse()
        read = Answer(answer.status, answer.headers, answer.read())
        self.used_at = time.monotonic()
        return read

    def get(self, path, **headers):
        return self.send("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.send("POST", path, {} if body is None else body, **headers)

    def delete(self, path, **headers):
        return self.send("DELETE", path, **headers)
