"""What Schemathesis cannot know by itself about this API. Each part says why it is here."""

import os
from itertools import count

import schemathesis

from server import Server

SERVER = Server.at(os.environ["CONTRACT_URL"], os.environ["CONTRACT_OUTBOX"])
TOKEN = os.environ["CONTRACT_TOKEN"]

TESTER = os.environ["CONTRACT_TESTER"]

# Operations that end the session, or the account, of whoever calls them; and those by which administrators end others'.
FAREWELLS = {"logout", "logout_everywhere", "delete_account"}
DISMISSALS = {"set_role", "deactivate_user"}
_numbers = count(1)


def a_stranger():
    """Somebody whom nothing else needs, logged in."""
    address = f"stranger-{os.getpid()}-{next(_numbers)}@example.com"
    return address, SERVER.sign_in(address)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Somebody else says goodbye or is dismissed: with the tester's own token revoked, every later answer would be 401.

    And a good confirmation of a deletion has the account's own address and a code from the mail, which nobody can make up.
    """
    operation = case.operation.definition.raw.get("operationId")
    if operation in FAREWELLS and case.headers.get("Authorization") == f"Bearer {TOKEN}":
        address, stranger = a_stranger()
        case.headers["Authorization"] = f"Bearer {stranger.token}"
        if operation == "delete_account" and case.meta.generation.mode.is_positive:
            stranger.post("auth/request-otp", {"email": address}).ok()
            case.body = {"email": address, "otp": SERVER.code(address)}
    if operation in DISMISSALS and case.path_parameters.get("id") == TESTER:
        _, stranger = a_stranger()
        case.path_parameters["id"] = stranger.get("auth/verify-token").ok()["user_id"]


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
