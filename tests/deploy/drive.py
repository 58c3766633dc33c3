"""The deploy test: `drive.py <built template> <stand-in's program> <one-machine server> <directory for logs>`."""

import json
import pathlib
import sys
import time

import accounts
import fleet
import parity
import rights
from client import log_in
from meter import Meter
from recorder import Recorder, bare_names
from stack import Stack, remains_of
from stand_in import StandIn
from story import ADMIN, PAGE, SENDER, SESSION, Stage, use_all_reads, use_api
from vendor import Vendor


def main(template, program, server, logs):
    logs = pathlib.Path(logs)
    logs.mkdir(parents=True, exist_ok=True)
    with Vendor(SESSION) as vendor:
        as_deployed(template, program, server, logs, vendor)
        with_permissions(template, program, logs, vendor)


def as_deployed(template, program, server, logs, vendor):
    """Two stages side by side: one is used, updated and deleted, the other notices nothing."""
    recorder = Recorder()
    with StandIn(program, logs / "stand-in.log", endpoint=recorder.url) as stand_in:
        recorder.start(stand_in.url)
        parameters = {"AdminEmail": ADMIN, "MailSender": SENDER, "TiingoBaseUrl": vendor.url, "TiingoPlan": "power"}
        with step("dev is deployed"):
            dev = Stack(stand_in, template, "dev", AllowedOrigins=PAGE, AlarmEmail=ADMIN, **parameters)
            dev.deploy()
        with step("prod is deployed beside it"):
            prod = Stack(stand_in, template, "prod", CreateMailIdentity="no", **parameters)
            prod.deploy()
        stage = Stage(stand_in, dev)
        with step("the operator sets dev up"):
            stage.set_up()
        with step("the API behaves at its edge"):
            use_api(stage)
        with step("companies and prices are ingested"):
            stage.ingest()
        ann = log_in(dev.url, stand_in, "ann@example.com")
        with step("the chain of events leads to signals"):
            stage.signals(ann)
        with step("the one-machine server gives the same answers"), parity.LocalServer(server, vendor.url) as local:
            parity.same_data(local, stage.session)
            parity.compare(local, stage)
        with step("a signal is accepted, fills, and becomes a position"):
            position = stage.trade(ann)
        with step("every group of routes reads"):
            use_all_reads(ann, position["symbol"])
        with step("accounts are administered, exported and deleted"):
            accounts.come_and_go(stage)
        with step("what each action costs is counted"):
            meter = measure(stage, recorder, ann, position["symbol"], logs)
        with step("a month of all of it uses what single actions say"):
            month = meter.check_month(stage, ann, position["symbol"])
        print(f"     {month}")
        with step("what one stage knows the other does not"):
            other = Stage(stand_in, prod)
            ann_there = log_in(other.url, stand_in, "ann@example.com")
            assert ann_there.get("portfolio/positions").ok()["total"] == 0
            type(ann)(other.url, ann.token).get("portfolio/summary").problem(401)
        with step("each schedule starts its job"):
            fleet.fire_schedules(stand_in, dev)
        with step("no function has needed half of its memory"):
            peaks = fleet.check_memory(stand_in, dev)
        print("     MiB at most: " + ", ".join(f"{function} {peak:.0f}" for function, peak in peaks.items()))
        with step("an event that cannot be handled ends among the dead letters"):
            fleet.fail(stage)
        with step("an update in place keeps the data"):
            # Its price is of today again: the schedules went by the wall clock, the session before them by the test's.
            before = ann.get("portfolio/positions").ok()["positions"]
            assert [unpriced(kept) for kept in before] == [unpriced(position)], before
            dev.parameters["LogLevel"] = "debug"
            dev.deploy()
            assert ann.get("portfolio/positions").ok()["positions"] == before, "the session and the position are still there"
        with step("no expression names an attribute by itself"):
            assert bare_names(recorder.calls) == []
            assert sum(1 for call in recorder.calls for _ in call.expressions) > 20
        with step("a deleted stage leaves nothing, and the other one everything"):
            before = remains_of(stand_in, "prod")
            dev.delete()
            assert remains_of(stand_in, "dev") == {}, remains_of(stand_in, "dev")
            assert remains_of(stand_in, "prod") == before
            prod.delete()
            assert remains_of(stand_in, "prod") == {}
        recorder.stop()


def unpriced(position):
    """What of a position does not follow from its newest price."""
    priced = ("current_price", "market_value", "unrealized_pnl", "unrealized_pnl_percent")
    return {name: value for name, value in position.items() if name not in priced}


def with_permissions(template, program, logs, vendor):
    """The same use with every permission enforced, and what is not permitted is refused."""
    with StandIn(program, logs / "stand-in-iam.log", iam=True) as stand_in:
        with step("dev is deployed where permissions are enforced"):
            dev = Stack(stand_in, template, "dev", AdminEmail=ADMIN, MailSender=SENDER, TiingoBaseUrl=vendor.url, TiingoPlan="power")
            dev.deploy()
        with step("the bucket refuses what does not come over TLS"):
            rights.check_tls(stand_in, dev)
        rights.let_mail_out(stand_in, dev)
        stage = Stage(stand_in, dev)
        with step("everything works with exactly the permissions that there are"):
            stage.set_up()
            stage.ingest()
            ann = log_in(dev.url, stand_in, "ann@example.com")
            stage.signals(ann)
            position = stage.trade(ann)
            use_all_reads(ann, position["symbol"])
            accounts.come_and_go(stage)
        with step("no role reaches what is not its function's"):
            rights.check_refusals(stand_in, dev)
        with step("a function without one of its permissions is denied"):
            rights.check_stripped(stage, ann, position["symbol"])
        with step("it is deleted"):
            dev.delete()
            assert remains_of(stand_in, "dev") == {}


def measure(stage, recorder, client, symbol, logs):
    """Writes measured.json for infra/aws/cost.py into the directory of logs."""
    meter = Meter(stage.stand_in, stage.stack, recorder)
    meter.measure_sign_in()
    meter.measure_reads(client, symbol)
    meter.measure_order(client, symbol)
    meter.measure_accept(client)
    meter.measure_jobs(stage)
    (logs / "measured.json").write_text(json.dumps(meter.measured, indent=1) + "\n")
    return meter


class step:
    """Says what is being shown and how long it took."""

    def __init__(self, what):
        self.what = what

    def __enter__(self):
        self.began = time.monotonic()

    def __exit__(self, kind, *_):
        print(f"{'ok  ' if kind is None else 'FAIL'} {time.monotonic() - self.began:6.1f} s  {self.what}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
