"""People: each signs in, looks around, trades and leaves, again and again, as fast as the server lets them."""

import json
import multiprocessing
import random
import time

from server import Client
from target import source

LOOKS = [
    "stocks?limit=100",
    "stocks/{symbol}/latest",
    "stocks/{symbol}/prices?limit=252",
    "stocks/{symbol}/features?limit=100",
    "signals?limit=50",
    "portfolio/summary",
    "portfolio/positions",
    "portfolio/allocation",
]
KINDS = ["request-otp", "login", "read", "trade", "logout"]


class TimedClient:
    """A client that notes how long each answer took, by kind, and each that was no success."""

    def __init__(self, url, email, number):
        self.email = email
        self.client = Client(url, source=source(number))
        self.milliseconds = {kind: [] for kind in KINDS}
        self.errors = []

    def send(self, kind, method, path, body=None):
        started = time.perf_counter()
        answer = self.client.send(method, path, body)
        self.milliseconds[kind].append((time.perf_counter() - started) * 1e3)
        if not 200 <= answer.status < 300:
            self.errors.append(f"{method} {path}: {answer.status} {answer.body[:300].decode(errors='replace')}")
        return answer.body


def visit(target, email, number):
    """One visit, from signing in to leaving; what it cost."""
    person = TimedClient(target.url, email, number)
    chance = random.Random(number)
    try:
        person.client.token = target.sign_in(person, email)
        for path in LOOKS:
            person.send("read", "GET", path.format(symbol=chance.choice(target.symbols)))
        target.trade(person, number)
        person.send("logout", "POST", "auth/logout")
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        person.errors.append(f"visit {number} broke off: {error!r}")
    finally:
        person.client.connection.close()
    return person.milliseconds, person.errors


def _visits(target, first, step, seconds, results):
    """Visits until the time is over. Each process has users of its own, so that nobody's code is voided by another's."""
    emails = target.emails[: len(target.emails) // step * step]
    milliseconds, errors = {kind: [] for kind in KINDS}, []
    number, end = first, time.monotonic() + seconds
    while time.monotonic() < end and len(errors) < 10:
        measured, faults = visit(target, emails[number % len(emails)], number)
        for kind, values in measured.items():
            milliseconds[kind] += values
        errors += faults
        number += step
    results.put((milliseconds, errors))


def crowd(target, people, first, seconds):
    """`people` processes that visit at once for some seconds: milliseconds by kind, errors."""
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [context.Process(target=_visits, args=(target, first + n, people, seconds, results)) for n in range(people)]
    for process in processes:
        process.start()
    parts = [results.get() for _ in processes]
    for process in processes:
        process.join()
    milliseconds = {kind: sorted(value for part, _ in parts for value in part[kind]) for kind in KINDS}
    return milliseconds, [error for _, errors in parts for error in errors]
