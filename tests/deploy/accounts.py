"""Accounts of a deployed stage: they are administered, take everything along, and end."""

from client import log_in, mailed_code
from stand_in import eventually

BOB = "bob@example.com"
ORDER = {"symbol": "KO", "side": "buy", "type": "limit", "quantity": 2, "limit_price": 10, "time_in_force": "gtc"}


def come_and_go(stage):
    """Each permission about accounts is needed somewhere in here."""
    admin, bob = stage.admin, log_in(stage.url, stage.stand_in, BOB)
    bob_id = bob.get("auth/verify-token").ok()["user_id"]
    use_everything(bob)
    administer(admin, bob, bob_id)
    bob = log_in(stage.url, stage.stand_in, BOB)
    leave(stage, bob)
    admin.get(f"admin/users/{bob_id}").problem(404)
    ended = [entry["action"] for entry in admin.get("admin/audit?limit=100").ok()["entries"] if entry["subject_id"] == bob_id]
    assert len(ended) >= 4, ended
    assert log_in(stage.url, stage.stand_in, BOB).get("portfolio/orders").ok()["total"] == 0


def use_everything(client):
    """What a trader may do beside buying."""
    client.put("users/me", {"first_name": "Bob", "risk_tolerance": "high"}).ok()
    client.put("users/preferences", {"auto_trade": True, "auto_trade_min_confidence": 0.9}).ok()
    client.put("users/preferences", {"auto_trade": False}).ok()
    order = client.post("portfolio/orders", ORDER).ok()
    replaced = client.put(f"portfolio/orders/{order['id']}", {"quantity": 3}).ok()
    assert replaced["quantity"] == 3, replaced
    assert client.delete(f"portfolio/orders/{replaced['id']}").ok()["status"] == "canceled"
    client.post("portfolio/orders", ORDER).ok()
    signal = client.get("signals?status=active&limit=1").ok()["signals"][0]["id"]
    client.post(f"signals/{signal}/action", {"action": "reject", "notes": "no"}).ok()
    for path in ("signals/model", "stocks/KO/chart", "portfolio/chart", "portfolio/ledger/state?sequence=1"):
        answer = client.get(path)
        assert answer.status == 200, (path, answer.status, answer.body[:500])


def administer(admin, bob, bob_id):
    assert bob_id in [user["id"] for user in admin.get("admin/users").ok()["users"]]
    bob.get("admin/users").problem(403)
    admin.get("data/quarantine").ok()
    assert admin.put(f"admin/users/{bob_id}/role", {"role": "viewer"}).ok()["role"] == "viewer"
    eventually(lambda: bob.post("portfolio/orders", ORDER).status == 403, "a viewer may not trade")
    admin.put(f"admin/users/{bob_id}/role", {"role": "trader"}).ok()
    admin.post(f"admin/users/{bob_id}/deactivate").ok()
    eventually(lambda: bob.get("portfolio/summary").status == 401, "a deactivated user is out")
    admin.post(f"admin/users/{bob_id}/reactivate").ok()


def leave(stage, bob):
    """Everything that the user has is given out, and then forgotten, once a fresh code has confirmed it."""
    exported = bob.get("users/me/export").ok()
    assert (exported["account"]["email"], exported["profile"]["first_name"]) == (BOB, "Bob"), exported
    assert len(exported["orders"]) >= 2 and exported["ledger"] and exported["decisions"], exported
    other = log_in(stage.url, stage.stand_in, BOB)
    code = mailed_code(stage.url, stage.stand_in, BOB)
    bob.send("DELETE", "users/me", {"email": "ann@example.com", "otp": code}).problem(422)
    bob.send("DELETE", "users/me", {"email": BOB, "otp": code}).ok()
    eventually(lambda: {client.get("users/me").status for client in (bob, other)} == {401}, "the sessions are over")
