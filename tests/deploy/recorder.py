"""Stands between the functions and AWS's interfaces, passes everything on, and remembers what was asked.

Two things come of it: every expression that reached DynamoDB can be checked for names that AWS reserves, which the stand-in lets pass, and
what an action costs in requests and units can be counted.
"""

import collections
import dataclasses
import http.client
import http.server
import json
import math
import re
import threading
import urllib.parse

from stand_in import free_port


@dataclasses.dataclass
class Call:
    service: str
    operation: str
    table: str = ""
    read_units: float = 0
    write_units: float = 0
    expressions: tuple = ()
    bytes_in: int = 0
    status: int = 200
    # Of the counts for /metrics, which copies write every few seconds: how often depends on the time that something takes.
    is_tally: bool = False


class Recorder:
    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.calls = []

    def start(self, backend):
        """Begins to pass on to `backend`, a URL."""
        recorder, address = self, urllib.parse.urlsplit(backend)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                upstream = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
                # As they are: signatures cover the host as well.
                upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() != "connection":
                        upstream.putheader(name, value)
                upstream.endheaders(body)
                answer = upstream.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)
                upstream.close()
                recorder.calls.extend(meaning(self, body, answer.status, content))

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def since(self, start, with_tally):
        """What was called after `start` calls, in all: counts by operation, and units."""
        calls = [call for call in self.calls[start:] if with_tally or not call.is_tally]
        return {
            "read_units": sum(call.read_units for call in calls),
            "write_units": sum(call.write_units for call in calls),
            "calls": dict(collections.Counter(f"{call.service}:{call.operation}" for call in calls)),
        }


def meaning(request, body, status, content):
    """The calls that a request stands for, as far as they are of interest here."""
    target = request.headers.get("X-Amz-Target", "")
    if target.startswith("DynamoDB_"):
        operation = target.rsplit(".", 1)[-1]
        yield from dynamodb(operation, json.loads(body or b"{}"), status, json.loads(content or b"{}"))
    elif target:
        yield Call(target.split(".")[0], target.rsplit(".", 1)[-1], status=status)
    else:
        # The scope of the signature names the service: …/20220103/us-east-1/s3/aws4_request.
        scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", request.headers.get("Authorization", ""))
        yield Call(scope[1] if scope else "?", request.command, bytes_in=len(body), status=status)


EXPRESSIONS = ("ConditionExpression", "UpdateExpression", "KeyConditionExpression", "FilterExpression", "ProjectionExpression")


def dynamodb(operation, asked, status, answer):
    def call(table, reads=0.0, writes=0.0, source=None):
        source = source or {}
        expressions = tuple(source[name] for name in EXPRESSIONS if name in source)
        partitions = [source.get("Item", {}).get("pk"), *source.get("ExpressionAttributeValues", {}).values()]
        return Call("dynamodb", operation, table, reads, writes, expressions, 0, status, {"S": "TALLY"} in partitions)

    if operation == "TransactWriteItems":
        for write in asked["TransactItems"]:
            (source,) = write.values()
            # Both phases of a transaction are charged.
            yield call(source["TableName"], writes=2 * kilobytes(source.get("Item", {}), 1), source=source)
    elif operation == "BatchGetItem":
        for table, keys in asked["RequestItems"].items():
            items = answer.get("Responses", {}).get(table, [])
            missing = max(len(keys["Keys"]) - len(items), 0)
            yield call(table, reads=sum(kilobytes(item, 4) for item in items) + missing, source=keys)
    elif operation == "BatchWriteItem":
        for table, writes in asked["RequestItems"].items():
            yield call(table, writes=sum(kilobytes(write.get("PutRequest", {}).get("Item", {}), 1) for write in writes))
    elif operation in ("Query", "Scan"):
        size = sum(size_of(item) for item in answer.get("Items", []))
        units = max(math.ceil(size / 4096), 1) * (1 if asked.get("ConsistentRead") else 0.5)
        yield call(asked["TableName"], reads=units, source=asked)
    elif operation == "GetItem":
        yield call(asked["TableName"], reads=kilobytes(answer.get("Item", {}), 4) * (1 if asked.get("ConsistentRead") else 0.5), source=asked)
    else:
        item = asked.get("Item") or answer.get("Attributes") or {}
        yield call(asked.get("TableName", ""), writes=kilobytes(item, 1), source=asked)


def kilobytes(item, unit):
    """Units of `unit` kilobytes that an item takes, at least one."""
    return max(math.ceil(size_of(item) / (1024 * unit)), 1)


def size_of(item):
    """Bytes of an item as DynamoDB counts them: names and values."""
    return sum(len(name.encode()) + len(json.dumps(next(iter(value.values())), ensure_ascii=False).encode()) for name, value in item.items())


# What an expression may hold besides placeholders: the operators, the functions and the words of its own grammar.
GRAMMAR = {"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"}
GRAMMAR |= {"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size", "if_not_exists", "list_append"}


def bare_names(calls):
    """Names that stand in an expression as themselves: DynamoDB reserves 573 of them, and which may change."""
    words = (word for call in calls for text in call.expressions for word in re.findall(r"[#:]?[A-Za-z_][\w.]*", text))
    return sorted({word for word in words if word[0] not in "#:" and word not in GRAMMAR})
