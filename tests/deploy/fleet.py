"""Schedules and dead letters of a deployed stage."""

import json
import os
import pathlib

from stand_in import eventually

JOBS = ("ingest", "generate_signals", "revalue", "reset_otps")


def fire_schedules(stand_in, stack):
    """Makes each schedule due within a minute, its target as deployed, and waits for its job to be started by it."""
    scheduler = stand_in.client("scheduler")
    listed = scheduler.list_schedules(GroupName=stack.name)["Schedules"]
    assert len(listed) == 6, [schedule["Name"] for schedule in listed]
    deployed = [scheduler.get_schedule(GroupName=stack.name, Name=schedule["Name"]) for schedule in listed]
    before = {job: started(stand_in, stack, job) for job in JOBS}
    expected = dict.fromkeys(JOBS, 0)
    for schedule in deployed:
        job = schedule["Target"]["Arn"].rsplit(f"{stack.name}-", 1)[-1]
        expected[job] += 1
        assert schedule["Target"]["DeadLetterConfig"]["Arn"].endswith(f"{stack.name}-{job}-dead-letters"), schedule
        assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 21600, schedule
        reschedule(scheduler, schedule, "rate(1 minute)")

    def all_started():
        return all(started(stand_in, stack, job) >= before[job] + expected[job] for job in JOBS)

    eventually(all_started, f"jobs started by schedules: {expected}", seconds=90)
    for schedule in deployed:
        reschedule(scheduler, schedule, schedule["ScheduleExpression"])


def reschedule(scheduler, schedule, expression):
    kept = {name: schedule[name] for name in ("Name", "GroupName", "Target", "FlexibleTimeWindow", "ScheduleExpressionTimezone")}
    scheduler.update_schedule(ScheduleExpression=expression, **kept)


def started(stand_in, stack, job):
    """How often the job has begun, by its log."""
    events = stand_in.client("logs").filter_log_events(logGroupName=f"/stockgpt/{stack.stage}/{job}").get("events", [])
    return sum("START RequestId" in event["message"] for event in events)


def fail(stage):
    """Hands a job an event of no format. On AWS the tries take minutes, here seconds."""
    stage.invoke("revalue", {"detail-type": "SignalsGenerated", "detail": {"version": 1, "stage": stage.stack.stage, "type": "Nonsense"}})
    queue = stage.stand_in.client("sqs")
    url = queue.get_queue_url(QueueName=f"{stage.stack.name}-revalue-dead-letters")["QueueUrl"]

    def letter():
        return queue.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")

    (found,) = eventually(letter, "a dead letter", seconds=60)
    letter = json.loads(found["Body"])
    assert letter["requestContext"]["condition"] == "RetriesExhausted" and letter["requestContext"]["approximateInvokeCount"] == 3, letter
    assert letter["requestPayload"]["detail"]["type"] == "Nonsense", letter


def check_memory(stand_in, stack):
    """No function has needed more than half of the memory that it is given. Gives what each needed at most, in MiB."""
    peaks = memory_peaks(stand_in)
    given = {
        function["FunctionName"]: function["MemorySize"]
        for function in stand_in.client("lambda").list_functions()["Functions"]
        if function["FunctionName"].startswith(f"{stack.name}-")
    }
    assert set(given) <= set(peaks), set(given) - set(peaks)
    for name, megabytes in given.items():
        assert peaks[name] <= megabytes / 2, f"{name} took {peaks[name]:.0f} MiB of {megabytes}"
    return {name.removeprefix(f"{stack.name}-"): peaks[name] for name in sorted(given)}


def memory_peaks(stand_in):
    """The most that any process of each function has had in memory."""
    peaks = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(process.name)) != stand_in.process.pid:
                continue
            environment = dict(entry.split("=", 1) for entry in (process / "environ").read_text().split("\0") if "=" in entry)
            status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        except OSError:
            continue  # It has ended meanwhile.
        if (name := environment.get("AWS_LAMBDA_FUNCTION_NAME")) and "VmHWM" in status:
            peaks[name] = max(peaks.get(name, 0), int(status["VmHWM"].split()[0]) / 1024)
    return peaks
