"""A client of the API, as the terminal is one."""

import json
import re
import urllib.error
import urllib.request

from stand_in import eventually


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def ok(self):
        assert 200 <= self.status < 300, f"{self.status}: {self.body[:800]}"
        return self.json()

    def problem(self, status):
        assert self.status == status, f"{self.status}: {self.body[:800]}"
        assert self.headers["content-type"] == "application/problem+json", dict(self.headers)
        return self.json()


class Client:
    def __init__(self, url, token=None):
        self.url, self.token = url, token

    def send(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            headers["content-type"], data = "application/json", json.dumps(body).encode()
        path = path if path.startswith("/") else f"/api/v1/{path}"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as refusal:
            return Answer(refusal.code, refusal.headers, refusal.read().decode())

    def get(self, path, **headers):
        return self.send("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.send("POST", path, {} if body is None else body, **headers)

    def put(self, path, body):
        return self.send("PUT", path, body)

    def delete(self, path):
        return self.send("DELETE", path)


def log_in(url, mailbox, address):
    """Signs in with the code that was mailed to the address, as `mailbox.mail_to` tells."""
    code = mailed_code(url, mailbox, address)
    login = Client(url).post("auth/login", {"email": address, "otp": code}).ok()
    return Client(url, login["access_token"])


def mailed_code(url, mailbox, address):
    """A fresh code, as it was mailed."""
    before = len(mailbox.mail_to(address))
    Client(url).post("auth/request-otp", {"email": address}).ok()
    mail = eventually(lambda: mailbox.mail_to(address)[before:], f"mail to {address}", seconds=20)[-1]
    code = re.search(r"\b\d{6}\b", mail["BodyText"])[0]
    assert code in mail["BodyHtml"], "the same code in both parts"
    return code
