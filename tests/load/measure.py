"""Measures the server, and another beside it if one is named: python measure.py --help."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import people
import target as targets
from process import machine_busy_seconds
from server import Server

ROUTES = {
    "health": "/health",
    "stocks": "/api/v1/stocks?limit=100",
    "latest": "/api/v1/stocks/{symbol}/latest",
    "prices": "/api/v1/stocks/{symbol}/prices?limit=252",
    "features": "/api/v1/stocks/{symbol}/features?limit=100",
    "signals": "/api/v1/signals?limit=50",
    "summary": "/api/v1/portfolio/summary",
    "positions": "/api/v1/portfolio/positions",
}
# People come in this many rounds, between which the market moves on; memory is compared after the first and after the last.
ROUNDS = 4
# What the peer is to be beaten by: requests a second of processor time, latency, memory.
GOALS = {"throughput": 10, "p99": 1 / 5, "memory": 1 / 10}


def main():
    options = arguments()
    with Server(options.program, "--speed", "0", STOCKGPT_RATE_LIMITS=targets.NO_LIMITS) as server:
        measured = [targets.own(server, options.users)]
        if options.peer:
            measured.append(targets.peer(options.peer, options.peer_pid, options.peer_accounts))
        routes = measure_routes(measured, options)
        crowds, memory = measure_people(measured, options)
    print_routes(routes)
    print_people(crowds)
    print_memory(memory)
    if options.peer:
        print_ratios(routes, crowds, memory)
    judge(routes, crowds, memory, options)


def arguments():
    parser = argparse.ArgumentParser(description="Load on the one-machine server, beside another if one is named.")
    parser.add_argument("program", nargs="?", default=os.environ.get("STOCKGPT_PROGRAM"), help="the stockgpt to measure")
    parser.add_argument("--seconds", type=float, default=30, help="for each server: half for the routes, half for the people [30]")
    parser.add_argument("--users", type=int, default=40, help="accounts [40]")
    parser.add_argument("--people", type=int, default=4, help="who visit at once [4]")
    parser.add_argument("--connections", type=int, default=32, help="of wrk [32]")
    parser.add_argument("--growth-mib", type=float, default=24, help="by how much memory may grow after the first round [24]")
    parser.add_argument("--peer", metavar="URL", help="another server to measure in the same run")
    parser.add_argument("--peer-pid", type=lambda text: [int(pid) for pid in text.split(",")], help="its processes, separated by commas")
    parser.add_argument("--peer-accounts", metavar="FILE", help="JSON: its tokens, and how people sign in and trade (see target.py)")
    options = parser.parse_args()
    if options.peer and not (options.peer_pid and options.peer_accounts):
        parser.error("--peer needs --peer-pid and --peer-accounts")
    return options


class Meter:
    """What a server spent while something was done, and how much others used of the machine meanwhile."""

    def __init__(self, processes):
        self.processes = processes

    def __enter__(self):
        self.before = self.processes.cpu_seconds(), time.monotonic(), own_cpu_seconds(), machine_busy_seconds()
        return self

    def __exit__(self, *_):
        cpu, started, own, busy = self.before
        self.cpu_seconds = self.processes.cpu_seconds() - cpu
        self.seconds = time.monotonic() - started
        others = machine_busy_seconds() - busy - self.cpu_seconds - (own_cpu_seconds() - own)
        self.other_cores = max(0.0, others / self.seconds)


def own_cpu_seconds():
    """Of this program and of the clients that it started and that have ended."""
    return sum(os.times()[:4])


def measure_routes(measured, options):
    """Route by route, each server in turn, so that what happens on the machine falls on all."""
    seconds = max(1, round(options.seconds / 2 / len(ROUTES)))
    rows = {}
    with tempfile.TemporaryDirectory() as directory:
        for route, path in ROUTES.items():
            for server in measured:
                lines = pathlib.Path(directory) / f"{server.name}-{route}"
                lines.write_text(targets.requests(server, path))
                wrk(server, lines, options.connections, 1)
                with Meter(server.processes) as meter:
                    row = wrk(server, lines, options.connections, seconds)
                row.update(cpu_seconds=meter.cpu_seconds, other_cores=meter.other_cores)
                rows[route, server.name] = row
    return rows


def wrk(server, lines, connections, seconds):
    script = pathlib.Path(__file__).with_name("replay.lua")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script, server.url]
    done = subprocess.run(command, env={**os.environ, "REQUESTS": str(lines)}, capture_output=True, text=True, check=True)
    row = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("JSON"))[4:])
    return {**row, "errors": row["refused"] + row["broken"]}


def measure_people(measured, options):
    """Rounds of people: latencies of each kind, processor time, and memory after each round."""
    nothing = lambda: {"ms": {kind: [] for kind in people.KINDS}, "errors": [], "cpu_seconds": 0}
    crowds = {server.name: nothing() for server in measured}
    memory = {server.name: [server.processes.memory_mib()] for server in measured}
    for round_number in range(ROUNDS):
        for server in measured:
            crowd = crowds[server.name]
            with Meter(server.processes) as meter:
                first = round_number * 1_000_000 // options.users * options.users
                milliseconds, errors = people.crowd(server, options.people, first, options.seconds / 2 / ROUNDS)
            for kind in people.KINDS:
                crowd["ms"][kind] += milliseconds[kind]
            crowd["errors"] += errors
            crowd["cpu_seconds"] += meter.cpu_seconds
            server.between()
            memory[server.name].append(server.processes.memory_mib())
    return crowds, memory


def percentile(values, share):
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else float("nan")


def print_routes(rows):
    print(f"\n{'route':<11}{'server':<10}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}", end="")
    print(f"{'CPU s':>8}{'req/CPU s':>11}{'bytes':>9}{'others':>8}")
    for (route, server), row in rows.items():
        rate, efficiency = row["requests"] / row["seconds"], per_cpu_second(row)
        print(
            f"{route:<11}{server:<10}{rate:>9.0f}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}{row['errors']:>8}{row['cpu_seconds']:>8.2f}"
            f"{efficiency:>11.0f}{row['bytes'] / max(1, row['requests']):>9.0f}{row['other_cores']:>8.2f}"
        )
    print("(others: cores that other processes used meanwhile; above 0.2 compare with care)")


def per_cpu_second(row):
    return row["requests"] / max(row["cpu_seconds"], 0.01)


def print_people(crowds):
    print(f"\n{'people':<12}{'server':<10}{'answers':>9}{'p50 ms':>9}{'p99 ms':>9}")
    for kind in people.KINDS:
        for server, crowd in crowds.items():
            values = crowd["ms"][kind]
            print(f"{kind:<12}{server:<10}{len(values):>9}{percentile(values, 0.5):>9.2f}{percentile(values, 0.99):>9.2f}")
    for server, crowd in crowds.items():
        row = as_row(crowd)
        print(f"{server}: {row['requests']} answers, {len(crowd['errors'])} errors, {per_cpu_second(row):.0f} answers a CPU second")


def as_row(crowd):
    everything = [value for values in crowd["ms"].values() for value in values]
    return {"requests": len(everything), "cpu_seconds": crowd["cpu_seconds"], "p99_ms": percentile(everything, 0.99)}


def print_memory(memory):
    print("\nmemory in MiB (PSS): before the people, and after each of their rounds")
    for server, values in memory.items():
        print(f"{server:<12}{'  '.join(f'{value:.1f}' for value in values)}")


def print_ratios(routes, crowds, memory):
    print(f"\n{'against peer':<14}{'req/CPU s':>11}{'p99':>8}    goals: {GOALS['throughput']} times, {GOALS['p99']:.2f}")
    rows = [(route, routes[route, "stockgpt"], routes[route, "peer"]) for route in ROUTES]
    for name, ours, theirs in [*rows, ("people", as_row(crowds["stockgpt"]), as_row(crowds["peer"]))]:
        throughput, latency = per_cpu_second(ours) / per_cpu_second(theirs), ours["p99_ms"] / theirs["p99_ms"]
        verdict = f"{met(throughput >= GOALS['throughput'])}, {met(latency <= GOALS['p99'])}"
        print(f"{name:<14}{throughput:>10.1f}x{latency:>8.2f}    {verdict}")
    share = max(memory["stockgpt"]) / max(memory["peer"])
    print(f"{'memory':<14}{share:>11.3f}{'':>8}    goal: {GOALS['memory']:.2f}, {met(share <= GOALS['memory'])}")


def met(is_met):
    return "met" if is_met else "MISSED"


def judge(routes, crowds, memory, options):
    """Fails at any error of ours or the peer's (what is compared must have worked) and at memory of ours that grows."""
    faults = [f"{server}: {row['errors']} errors on {route}" for (route, server), row in routes.items() if row["errors"]]
    faults += [f"{server}: {error}" for server, crowd in crowds.items() for error in crowd["errors"][:5]]
    _, first, *_, last = memory["stockgpt"]
    if last - first > options.growth_mib:
        faults.append(f"memory grew by {last - first:.1f} MiB after the first round of people; {options.growth_mib} are allowed")
    if faults:
        sys.exit("\n" + "\n".join(faults))


if __name__ == "__main__":
    main()
