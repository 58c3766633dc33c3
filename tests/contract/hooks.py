"""What Schemathesis cannot know by itself about this API. Each part says why it is here."""

import os
from itertools import count

import schemathesis

from server import Server

SERVER = Server.at(os.environ["CONTRACT_URL"], os.environ["CONTRACT_OUTBOX"])
TOKEN = os.environ["CONTRACT_TOKEN"]

# Operations that end the session, or the account, of whoever calls them.
FAREWELLS = {"logout", "logout_everywhere", "delete_account"}
_strangers = count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Somebody else says goodbye, each time anew: with the tester's own token, every later answer would be 401.

    And a good confirmation of a deletion has the account's own address and a code from the mail, which nobody can make up.
    """
    farewell = case.operation.definition.raw.get("operationId")
    if farewell not in FAREWELLS or case.headers.get("Authorization") != f"Bearer {TOKEN}":
        return
    stranger = f"stranger-{os.getpid()}-{next(_strangers)}@example.com"
    client = SERVER.sign_in(stranger)
    case.headers["Authorization"] = f"Bearer {client.token}"
    if farewell == "delete_account" and case.meta.generation.mode.is_positive:
        client.post("auth/request-otp", {"email": stranger}).ok()
        case.body = {"email": stranger, "otp": SERVER.code(stranger)}


@schemathesis.check
def well_formed_input_is_not_called_invalid(ctx, response, case):
    """What fits the document is never refused as `invalid-input`, only by the name of a rule.

    Takes the place of the status 422 in `positive_data_acceptance`: a document cannot say that there is not enough cash, that a
    cursor is forged, or that one date comes after another. The API promises to name such rules, and to say `invalid-input` of
    nothing but what breaks the document. That is a stronger promise than a status.
    """
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    problem = response.json()
    assert problem["type"] != "urn:stockgpt:problem:invalid-input", f"refused though it fits the document: {problem['detail']}"
