"""Schedules and dead letters of a deployed stage."""

import json

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
