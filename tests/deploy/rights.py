"""What a stage's roles may not do."""

import json

from botocore.exceptions import ClientError


def role_of(stand_in, stack, function):
    """The name of a function's role."""
    return stand_in.client("lambda").get_function(FunctionName=f"{stack.name}-{function}")["Configuration"]["Role"].rsplit("/", 1)[-1]


def acting_as(stand_in, stack, function, service):
    """A client with the rights of a function."""
    arn = stand_in.client("lambda").get_function(FunctionName=f"{stack.name}-{function}")["Configuration"]["Role"]
    given = stand_in.client("sts").assume_role(RoleArn=arn, RoleSessionName="deploy-test")["Credentials"]
    return stand_in.client(service, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


KEY = {"pk": {"S": "USER#1"}, "sk": {"S": "STATE"}}

# Who, to what, with which operation and arguments. `{stage}` and `{bucket}` are the stage's. Operations that a function has for some
# keys of a table cannot be seen refused for the others: the stand-in takes no notice of `dynamodb:LeadingKeys`.
FORBIDDEN = [
    ("auth", "dynamodb", "get_item", {"TableName": "stockgpt-{stage}-portfolios", "Key": KEY}),
    ("auth", "dynamodb", "scan", {"TableName": "stockgpt-{stage}-identity"}),
    ("auth", "s3", "get_object", {"Bucket": "{bucket}", "Key": "models/current.json"}),
    ("stocks", "dynamodb", "delete_item", {"TableName": "stockgpt-{stage}-market", "Key": KEY}),
    ("stocks", "dynamodb", "delete_item", {"TableName": "stockgpt-{stage}-identity", "Key": KEY}),
    ("stocks", "dynamodb", "get_item", {"TableName": "stockgpt-{stage}-portfolios", "Key": KEY}),
    ("stocks", "s3", "put_object", {"Bucket": "{bucket}", "Key": "prices/AAPL.parquet", "Body": b"x"}),
    ("stocks", "s3", "get_object", {"Bucket": "{bucket}", "Key": "models/current.json"}),
    ("stocks", "secretsmanager", "get_secret_value", {"SecretId": "stockgpt-{stage}/tiingo"}),
    ("signals", "dynamodb", "put_item", {"TableName": "stockgpt-{stage}-signals", "Item": KEY}),
    ("portfolio", "dynamodb", "update_item", {"TableName": "stockgpt-{stage}-portfolios", "Key": KEY}),
    ("portfolio", "dynamodb", "scan", {"TableName": "stockgpt-{stage}-portfolios"}),
    ("data", "dynamodb", "get_item", {"TableName": "stockgpt-{stage}-portfolios", "Key": KEY}),
    ("data", "s3", "put_object", {"Bucket": "{bucket}", "Key": "models/current.json", "Body": b"x"}),
    ("system", "dynamodb", "delete_item", {"TableName": "stockgpt-{stage}-market", "Key": KEY}),
    ("system", "dynamodb", "get_item", {"TableName": "stockgpt-{stage}-identity", "Key": KEY}),
    ("revalue", "dynamodb", "put_item", {"TableName": "stockgpt-{stage}-identity", "Item": KEY}),
    ("ingest", "dynamodb", "get_item", {"TableName": "stockgpt-{stage}-identity", "Key": KEY}),
    ("ingest", "secretsmanager", "get_secret_value", {"SecretId": "stockgpt-{stage}/signing"}),
    ("ingest", "s3", "put_object", {"Bucket": "{bucket}", "Key": "models/current.json", "Body": b"x"}),
    ("data", "s3", "get_object", {"Bucket": "{bucket}", "Key": "ingestion/listing.json"}),
    ("generate_signals", "dynamodb", "put_item", {"TableName": "stockgpt-{stage}-portfolios", "Item": KEY}),
    ("generate_signals", "s3", "put_object", {"Bucket": "{bucket}", "Key": "models/current.json", "Body": b"x"}),
    ("revalue", "dynamodb", "delete_item", {"TableName": "stockgpt-{stage}-portfolios", "Key": KEY}),
    ("reset_otps", "dynamodb", "put_item", {"TableName": "stockgpt-{stage}-identity", "Item": KEY}),
    ("reset_otps", "dynamodb", "get_item", {"TableName": "stockgpt-{stage}-portfolios", "Key": KEY}),
]
DENIALS = {"AccessDenied", "AccessDeniedException"}


def check_refusals(stand_in, stack):
    fill = {"stage": stack.stage, "bucket": stack.outputs["Bucket"]}
    for function, service, operation, arguments in FORBIDDEN:
        arguments = {name: value.format(**fill) if isinstance(value, str) else value for name, value in arguments.items()}
        try:
            getattr(acting_as(stand_in, stack, function, service), operation)(**arguments)
        except ClientError as error:
            assert error.response["Error"]["Code"] in DENIALS, (function, operation, arguments, error)
        else:
            raise AssertionError(f"{function} may {service}:{operation} {arguments}")


def check_tls(stand_in, stack):
    """The bucket refuses its own functions without TLS. The stand-in has none to offer, so that the refusal is then taken away."""
    bucket = stack.outputs["Bucket"]
    try:
        acting_as(stand_in, stack, "stocks", "s3").get_object(Bucket=bucket, Key="snapshots/latest.json")
    except ClientError as error:
        assert "explicit deny" in error.response["Error"]["Message"], error
    else:
        raise AssertionError("the bucket answers without TLS")
    stand_in.client("s3").delete_bucket_policy(Bucket=bucket)


def let_mail_out(stand_in, stack):
    """The stand-in tells policies neither the identity nor the sender of a mail, so that the exact permission can never fit there."""
    iam = stand_in.client("iam")
    for function in ("auth", "revalue"):
        role = role_of(stand_in, stack, function)
        policy = iam.get_role_policy(RoleName=role, PolicyName=function)["PolicyDocument"]
        for statement in policy["Statement"]:
            if statement["Sid"] == "SendMail":
                statement["Resource"] = "*"
                del statement["Condition"]
        iam.put_role_policy(RoleName=role, PolicyName=function, PolicyDocument=json.dumps(policy))


def check_stripped(stage, client, symbol):
    """Takes one permission from a function's role, and sees the requests that need it refused by AWS and answered with a failure."""
    iam, role = stage.stand_in.client("iam"), role_of(stage.stand_in, stage.stack, "signals")
    path = f"signals/{client.get('signals?limit=1').ok()['signals'][0]['id']}"
    client.get(path).ok()
    policy = iam.get_role_policy(RoleName=role, PolicyName="signals")["PolicyDocument"]
    left = [statement for statement in policy["Statement"] if statement["Sid"] != "ReadSignals"]
    assert len(left) == len(policy["Statement"]) - 1
    iam.put_role_policy(RoleName=role, PolicyName="signals", PolicyDocument=json.dumps({**policy, "Statement": left}))
    refused = client.get(path)
    assert refused.status >= 500, (refused.status, refused.body)
    iam.put_role_policy(RoleName=role, PolicyName="signals", PolicyDocument=json.dumps(policy))
    client.get(path).ok()
