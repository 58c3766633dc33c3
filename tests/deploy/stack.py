"""A stage of the product as a stack: deployed by `sam deploy`, routed where the stand-in does not, deleted."""

import contextlib
import pathlib
import subprocess
import sys

from botocore.exceptions import ClientError
from samcli.yamlhelper import yaml_parse

SAM = pathlib.Path(sys.executable).with_name("sam")


class Stack:
    def __init__(self, stand_in, template, stage, **parameters):
        """`template` is a built one: `.aws-sam/build/template.yaml`."""
        self.stand_in, self.template, self.stage = stand_in, pathlib.Path(template), stage
        self.name = f"stockgpt-{stage}"
        self.parameters = {"Stage": stage, "DeletionProtection": "false", **parameters}

    def deploy(self):
        """Makes or updates the stack, and gives its outputs."""
        overrides = [f"{name}={value}" for name, value in self.parameters.items()]
        command = [SAM, "deploy", "--template-file", self.template, "--stack-name", self.name, "--resolve-s3", "--s3-prefix", self.name]
        command += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
        command += ["--tags", "application=stockgpt", f"stage={self.stage}", "--region", "us-east-1", "--no-progressbar"]
        command += ["--parameter-overrides", *overrides]
        done = subprocess.run(command, env=self.stand_in.environment(), capture_output=True, text=True)
        if done.returncode != 0:
            reasons = "\n".join(self.failures()) or done.stdout[-9000:]
            raise AssertionError(f"sam deploy failed:\n{reasons}\n{done.stderr[-1500:]}")
        described = self.stand_in.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        self.make_routes()
        return self.outputs

    def failures(self):
        """Why resources could not be made or changed."""
        with contextlib.suppress(ClientError):
            for event in self.stand_in.client("cloudformation").describe_stack_events(StackName=self.name)["StackEvents"]:
                if event["ResourceStatus"].endswith("FAILED"):
                    yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"

    @property
    def url(self):
        return f"{self.stand_in.url}/_aws/execute-api/{self.outputs['ApiId']}"

    def make_routes(self):
        """What AWS makes of the events of type HttpApi and of the API's CORS: the stand-in ignores the definition that says so."""
        gateway, api = self.stand_in.client("apigatewayv2"), self.outputs["ApiId"]
        known = {route["RouteKey"] for route in gateway.get_routes(ApiId=api)["Items"]}
        resources = yaml_parse(self.template.read_text())["Resources"]
        for function in functions(resources):
            keys = {key for key in route_keys(resources[function]) if key not in known}
            if not keys:
                continue
            name = f"{self.name}-{package(resources[function])}"
            arn = self.stand_in.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
            integration = gateway.create_integration(
                ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
            )["IntegrationId"]
            for key in sorted(keys):
                gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")
        if origins := self.parameters.get("AllowedOrigins"):
            cors = resources["HttpApi"]["Properties"]["CorsConfiguration"]
            gateway.update_api(
                ApiId=api,
                CorsConfiguration={
                    "AllowOrigins": origins.split(","),
                    "AllowMethods": cors["AllowMethods"],
                    "AllowHeaders": cors["AllowHeaders"],
                    "ExposeHeaders": cors["ExposeHeaders"],
                    "MaxAge": cors["MaxAge"],
                },
            )

    def delete(self):
        """Deletes everything that the stage has, as infra/aws/README.md says: the bucket is emptied first, since it protects what it holds."""
        self.empty_bucket()
        cloud = self.stand_in.client("cloudformation")
        cloud.delete_stack(StackName=self.name)
        cloud.get_waiter("stack_delete_complete").wait(StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})

    def empty_bucket(self):
        objects = self.stand_in.client("s3")
        bucket = self.outputs["Bucket"]
        for page in objects.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in page.get("Versions", []) + page.get("DeleteMarkers", []):
                objects.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def functions(resources):
    return [name for name, resource in resources.items() if resource["Type"] == "AWS::Serverless::Function"]


def package(function):
    """The package that a function is built from, which is also the end of its name."""
    return function["Properties"]["FunctionName"].get("Fn::Sub", "").rsplit("-", 1)[-1]


def route_keys(function):
    for event in function["Properties"].get("Events", {}).values():
        if event["Type"] == "HttpApi":
            properties = event["Properties"]
            yield f"{properties['Method']} {properties['Path']}" if "Path" in properties else "$default"


def remains_of(stand_in, stage):
    """Everything in the account whose name begins with the stage's: what a delete should leave nothing of."""
    prefix = f"stockgpt-{stage}"
    client = stand_in.client
    found = {
        "functions": [f["FunctionName"] for f in client("lambda").list_functions()["Functions"]],
        "tables": client("dynamodb").list_tables()["TableNames"],
        "buckets": [b["Name"] for b in client("s3").list_buckets()["Buckets"]],
        "queues": [url.rsplit("/", 1)[-1] for url in client("sqs").list_queues().get("QueueUrls", [])],
        "secrets": [s["Name"] for s in client("secretsmanager").list_secrets()["SecretList"]],
        "apis": [a["Name"] for a in client("apigatewayv2").get_apis()["Items"]],
        "buses": [b["Name"] for b in client("events").list_event_buses()["EventBuses"]],
        "schedules": [s["Name"] for s in client("scheduler").list_schedules()["Schedules"]],
        "schedule groups": [g["Name"] for g in client("scheduler").list_schedule_groups()["ScheduleGroups"]],
        "log groups": [g["logGroupName"] for g in client("logs").describe_log_groups()["logGroups"]],
        "alarms": [a["AlarmName"] for a in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "dashboards": [d["DashboardName"] for d in client("cloudwatch").list_dashboards()["DashboardEntries"]],
        "configuration sets": client("sesv2").list_configuration_sets()["ConfigurationSets"],
        "roles": [r["RoleName"] for r in client("iam").list_roles()["Roles"]],
        "policies": [p["PolicyName"] for p in client("iam").list_policies(Scope="Local")["Policies"]],
        "stacks": [
            s["StackName"] for s in client("cloudformation").describe_stacks()["Stacks"] if s["StackStatus"] != "DELETE_COMPLETE"
        ],
    }
    with contextlib.suppress(ClientError, KeyError):
        found["topics"] = [t["TopicArn"].rsplit(":", 1)[-1] for t in client("sns").list_topics()["Topics"]]
    ours = {kind: [name for name in names if name.startswith((prefix, f"/stockgpt/{stage}/"))] for kind, names in found.items()}
    return {kind: names for kind, names in ours.items() if names}
