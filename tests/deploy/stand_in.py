"""A stand-in for AWS on this machine: ministack, which runs functions as processes and keeps everything in memory."""

import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

import boto3

REGION = "us-east-1"


class StandIn:
    """Starts the stand-in on a free port of loopback, and ends it, with all its functions, on leaving the block.

    With `iam` it enforces permissions for everybody but the deployer, whose key `test` it takes for the account's root. `endpoint` is
    where functions find AWS, if not at the stand-in itself.
    """

    def __init__(self, program, log, iam=False, endpoint=None):
        self.program, self.log, self.iam, self.endpoint = pathlib.Path(program), pathlib.Path(log), iam, endpoint

    def __enter__(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        # The functions inherit all of it: nothing of the developer's own environment may reach them.
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            # Without it functions would call the real AWS.
            "AWS_ENDPOINT_URL": self.endpoint or self.url,
            "AUTH": "true" if self.iam else "false",
            "LOG_LEVEL": "INFO",
        }
        self.process = subprocess.Popen(
            [self.program], env=environment, stdout=self.log.open("w"), stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            eventually(lambda: self.get("/_ministack/health"), "the stand-in answers", seconds=60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # The functions are its children and share its session.
        for end in (15, 9):
            try:
                os.killpg(self.process.pid, end)
                self.process.wait(15)
                return
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                self.process.wait()
                return

    def environment(self):
        """What a deployer's programs need to reach it."""
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "SAM_CLI_TELEMETRY": "0",
        }

    def client(self, service, key="test", secret="test", token=None):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
        )

    def get(self, path):
        """One of its own pages, such as the mail that was sent."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError):
            return None

    def mail_to(self, address):
        """All mail to an address that SES was given, oldest first."""
        accounts = (self.get("/_ministack/ses/messages") or {}).get("messages", {})
        return [mail for mails in accounts.values() for mail in mails if address in mail["To"]]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(probe, what, seconds=60):
    """The first truthy thing that `probe` gives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := probe():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")
