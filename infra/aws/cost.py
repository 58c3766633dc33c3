"""What the deployment costs a month: `cost.py` prints the table of infra/aws/README.md.

It multiplies what `tests/deploy` measured of each action (measured.json) by how often users act and jobs run, and by AWS's prices in
us-east-1 without any free tier, unless said. Where a number is an assumption it stands in this file with its reason.
"""

import json
import pathlib

HERE = pathlib.Path(__file__).parent

# Dollars, us-east-1, x86_64, from the pages named. Those of DynamoDB are as listed in September 2026, the others as known in 2025; AWS
# changes them without notice: look before you rely on them.
PRICES_AS_OF = "2025 (DynamoDB: September 2026)"
PRICES = {
    # aws.amazon.com/api-gateway/pricing: HTTP APIs, first 300 million; metered in steps of 512 KB.
    "api_request": 1.00e-6,
    # aws.amazon.com/lambda/pricing
    "function_request": 0.20e-6,
    "function_gb_second": 16.6667e-6,
    # aws.amazon.com/dynamodb/pricing/on-demand, after the cut of November 2024
    "read_unit": 0.125e-6,
    "write_unit": 0.625e-6,
    "table_gb_month": 0.25,
    "table_backup_gb_month": 0.20,
    # aws.amazon.com/s3/pricing
    "s3_read": 0.40e-6,
    "s3_write": 5.00e-6,
    "s3_gb_month": 0.023,
    # aws.amazon.com/ses/pricing
    "mail": 100e-6,
    # aws.amazon.com/eventbridge/pricing: custom events, Scheduler
    "event": 1.00e-6,
    "schedule": 1.00e-6,
    # aws.amazon.com/cloudwatch/pricing: logs taken in, alarms after the first ten; dashboards: three are free
    "log_gb": 0.50,
    "alarm_month": 0.10,
    "metric_month": 0.30,
    # aws.amazon.com/secrets-manager/pricing
    "secret_month": 0.40,
    # aws.amazon.com/xray/pricing: traces recorded; AWS records one a second and 5 % of the rest
    "trace": 5.00e-6,
    # aws.amazon.com/ec2/pricing/on-demand: data out, after the first 100 GB
    "gb_out": 0.09,
}

SESSIONS = 21
DAYS = 30
ALARMS = 23
SECRETS = 3
CUSTOM_METRICS = 1
# Log lines of a request: the function's and the gateway's, with Lambda's own three.
LOG_KB_A_REQUEST = 1.5
# Compressed JSON: a chart is the largest.
ANSWER_KB = 4
TRACED_SHARE = 0.05

UNITS = ("requests", "read_units", "write_units", "s3_reads", "s3_writes", "mails", "events")
# How often a user who trades acts in a month: an assumption, to be replaced by the access log of a month.
ACTIONS = {
    "sign_in": 4,
    "dashboard": 5 * SESSIONS,
    "signals": 3 * SESSIONS,
    "signal": 5 * SESSIONS,
    "chart": 4 * SESSIONS,
    "stocks": SESSIONS,
    "accept": 6,
    "order": 6,
}
# Runs of the jobs in a month.
RUNS = {"ingest": SESSIONS, "generate_signals": 8 * SESSIONS, "revalue": 28 * SESSIONS, "reset_otps": DAYS}
# Memory in GB: that of template.yaml.
GB = {"ingest": 1.0, "generate_signals": 1.0, "revalue": 0.5, "reset_otps": 0.25}
GB_BEHIND_API = 0.25
# Portfolios that hold anything, of all users; what a revaluation reads and takes for each when nothing happens in it.
ACTIVE_SHARE = 0.6
READ_UNITS_A_REVALUATION = 3.0
MS_A_REVALUATION = 5.0
# Stored for each user after a year: the ledger of six trades a month, its views, 252 valuations.
TABLE_KB_A_USER = 400
OBJECTS_GB = 0.5


def units(measured, actions, runs):
    """What actions and runs of jobs use, by what was measured of each."""
    often = {**actions, **runs}
    return {unit: sum(times * measured[name][unit] for name, times in often.items()) for unit in UNITS}


def month(users, measured):
    """Dollars of a month by kind."""
    used = units(measured, {action: often * users for action, often in ACTIONS.items()}, RUNS)
    requests = used["requests"]
    revaluations = RUNS["revalue"] * users * ACTIVE_SHARE
    reads = used["read_units"] + revaluations * READ_UNITS_A_REVALUATION
    action_seconds = sum(often * measured[action]["function_ms"] / 1000 for action, often in ACTIONS.items()) * users
    job_seconds = sum(runs * measured[job]["function_ms"] / 1000 * GB[job] for job, runs in RUNS.items())
    gb_seconds = action_seconds * GB_BEHIND_API + job_seconds + revaluations * MS_A_REVALUATION / 1000 * GB["revalue"]
    started = requests + sum(RUNS.values())
    stored = users * TABLE_KB_A_USER / 1e6
    costs = {
        "API": requests * PRICES["api_request"],
        "functions": started * PRICES["function_request"] + gb_seconds * PRICES["function_gb_second"],
        "tables": reads * PRICES["read_unit"]
        + used["write_units"] * PRICES["write_unit"]
        + stored * (PRICES["table_gb_month"] + PRICES["table_backup_gb_month"]),
        "objects": used["s3_reads"] * PRICES["s3_read"]
        + used["s3_writes"] * PRICES["s3_write"]
        + OBJECTS_GB * PRICES["s3_gb_month"],
        "mail": used["mails"] * PRICES["mail"],
        "events": used["events"] * PRICES["event"] + sum(RUNS.values()) * PRICES["schedule"],
        "logs, traces": started * LOG_KB_A_REQUEST / 1e6 * PRICES["log_gb"] + started * TRACED_SHARE * PRICES["trace"],
        "data out": requests * ANSWER_KB / 1e6 * PRICES["gb_out"],
        "standing": SECRETS * PRICES["secret_month"]
        + max(ALARMS - 10, 0) * PRICES["alarm_month"]
        + CUSTOM_METRICS * PRICES["metric_month"],
    }
    return requests, costs


def main():
    measured = json.loads((HERE / "measured.json").read_text())
    sizes = (0, 100, 10_000, 1_000_000)
    months = {users: month(users, measured) for users in sizes}
    print(f"| dollars a month | {' | '.join(f'{users:,} users' for users in sizes)} |\n|---|{'---:|' * len(sizes)}")
    print(f"| requests | {' | '.join(f'{months[users][0]:,.0f}' for users in sizes)} |")
    for kind in months[0][1]:
        print(f"| {kind} | {' | '.join(f'{months[users][1][kind]:,.2f}' for users in sizes)} |")
    print(f"| **all** | {' | '.join(f'**{sum(months[users][1].values()):,.2f}**' for users in sizes)} |")
    print(f"\nPrices of us-east-1 as of {PRICES_AS_OF}.")


if __name__ == "__main__":
    main()
