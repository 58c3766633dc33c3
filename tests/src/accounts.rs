//! Users, roles, the audit log, and the end of an account.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN, Client, Server};

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn id_of(client: &Client) -> String {
    client.get("auth/verify-token").await.ok()["user_id"].as_str().unwrap().to_owned()
}

/// The whole log, newest first, read in small pages.
async fn log(admin: &Client) -> Vec<Value> {
    let (mut entries, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("admin/audit?limit=4{cursor}")).await.ok();
        entries.extend(page["entries"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return entries,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_manage_users_and_the_log_says_so() {
    let server = Server::start().await;
    let admin = server.log_in(ADMIN).await;
    let (ann, bob) = (server.log_in("ann@example.com").await, server.log_in("bob@example.com").await);
    let (admin_id, ann_id, bob_id) = (id_of(&admin).await, id_of(&ann).await, id_of(&bob).await);

    let first = admin.get("admin/users?limit=2").await.ok();
    let second = admin.get(&format!("admin/users?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await.ok();
    assert_eq!([ids(&first["users"]), ids(&second["users"])].concat(), [admin_id.clone(), ann_id.clone(), bob_id.clone()]);
    assert_eq!(second["next_cursor"], Value::Null);
    let user = admin.get(&format!("admin/users/{ann_id}")).await.ok();
    assert_eq!((&user["email"], &user["role"], &user["is_active"]), (&json!("ann@example.com"), &json!("trader"), &json!(true)));
    admin.get("admin/users/nobody").await.problem(404);

    let role = async |id: &str, role: &str| admin.put(&format!("admin/users/{id}/role"), &json!({ "role": role })).await;
    let order = json!({"symbol": "KO", "side": "buy", "type": "market", "quantity": 1});
    assert_eq!(role(&ann_id, "viewer").await.ok()["role"], "viewer");
    ann.post("portfolio/orders", &order).await.problem(403);
    ann.post("portfolio/orders", &order).await.problem(403);
    assert!(ann.get("portfolio/summary").await.status.is_success());
    role(&ann_id, "emperor").await.problem(422);

    let deactivated = admin.send(Method::POST, &format!("admin/users/{bob_id}/deactivate"), None, &[]).await.ok();
    assert_eq!(deactivated["is_active"], false);
    assert_eq!(bob.get("users/me").await.problem(401)["type"], "urn:stockgpt:problem:revoked-token");
    let mails = server.mails();
    bob.with_token(None).post("auth/request-otp", &json!({"email": "bob@example.com"})).await.ok();
    assert_eq!(server.mails(), mails, "a deactivated user gets no code");
    admin.send(Method::POST, &format!("admin/users/{bob_id}/reactivate"), None, &[]).await.ok();
    let bob = server.log_in("bob@example.com").await;

    // Nobody is left outside: the last administrator stays one.
    assert_eq!(role(&admin_id, "trader").await.problem(409)["type"], "urn:stockgpt:problem:last-admin");
    admin.send(Method::POST, &format!("admin/users/{admin_id}/deactivate"), None, &[]).await.problem(409);
    admin.post("data/ingest/stock-list?background=false", &Value::Null).await.ok();
    bob.get("admin/users").await.problem(403);
    bob.with_token(Some("a.b.c")).get("users/me").await.problem(401);

    let log = log(&admin).await;
    let told: Vec<(&str, &str, Option<&str>)> = log
        .iter()
        .map(|entry| {
            let actor = match entry["actor_id"].as_str() {
                Some(id) if id == admin_id => "admin",
                Some(id) if id == ann_id => "ann",
                Some(id) if id == bob_id => "bob",
                _ => entry["actor"].as_str().unwrap(),
            };
            (entry["action"].as_str().unwrap(), actor, entry["subject_id"].as_str())
        })
        .filter(|(action, ..)| *action != "admin_request")
        .collect();
    assert_eq!(
        told,
        [
            ("token_refused", "anonymous", None),
            ("role_insufficient", "bob", None),
            ("user_reactivated", "admin", Some(bob_id.as_str())),
            ("token_refused", "anonymous", None),
            ("user_deactivated", "admin", Some(bob_id.as_str())),
            ("role_insufficient", "ann", None),
            ("role_changed", "admin", Some(ann_id.as_str())),
            ("admin_appointed", "operator", Some(admin_id.as_str())),
        ]
        .into_iter()
        // One refused token of a source stands for all in the hour.
        .enumerate()
        .filter(|(index, _)| *index != 0)
        .map(|(_, entry)| entry)
        .collect::<Vec<_>>(),
    );
    let requests: BTreeSet<&str> =
        log.iter().filter(|entry| entry["action"] == "admin_request").map(|entry| entry["route"].as_str().unwrap()).collect();
    for route in ["POST /api/v1/data/ingest/stock-list", "PUT /api/v1/admin/users/{id}/role", "GET /api/v1/admin/users"] {
        assert!(requests.contains(route), "{route} is missing in {requests:?}");
    }
    let text = format!("{log:?}");
    assert!(!text.contains('@') && !text.contains("a.b.c"), "neither addresses nor tokens: {text}");
    assert!(log.iter().all(|entry| entry["source"] == "127.0.0.1" || entry["actor"] == "operator"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_out_everywhere_is_out_everywhere() {
    let server = Server::start().await;
    let (phone, laptop, bob) =
        (server.log_in("ann@example.com").await, server.log_in("ann@example.com").await, server.log_in("bob@example.com").await);
    assert_eq!(phone.send(Method::POST, "auth/logout-everywhere", None, &[]).await.ok()["sessions"], 2);
    for client in [&phone, &laptop] {
        let answer = client.get("auth/verify-token").await;
        assert_eq!(answer.problem(401)["type"], "urn:stockgpt:problem:revoked-token");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().contains(r#"error="invalid_token""#));
    }
    assert!(bob.get("auth/verify-token").await.status.is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_is_for_whom_the_operator_allows_and_nobody_can_tell() {
    let server = Server::start_for("example.org, ann@example.com").await;
    let nobody = server.anonymous();
    let ask = async |email: &str| {
        let mails = server.mails();
        let answer = nobody.post("auth/request-otp", &json!({ "email": email })).await;
        (answer.ok(), server.mails() - mails)
    };
    let (allowed, mailed) = ask("ann@example.com").await;
    assert_eq!(mailed, 1);
    for (email, mailed) in [("carl@example.org", 1), ("bob@example.com", 0), ("carl@sub.example.org", 0)] {
        assert_eq!(ask(email).await, (allowed.clone(), mailed), "{email}");
    }
    let guess = async |email: &str| nobody.post("auth/login", &json!({"email": email, "otp": "000000"})).await;
    let (known, unknown) = (guess("ann@example.com").await.problem(401), guess("bob@example.com").await.problem(401));
    assert_eq!((&known["type"], &known["detail"], &known["errors"]), (&unknown["type"], &unknown["detail"], &unknown["errors"]));
    server.log_in("ann@example.com").await;
    // Whoever is there already is not affected.
    server.log_in(ADMIN).await;
}

/// Everything of all pages of an export, by name.
async fn export(client: &Client, limit: usize) -> Value {
    let mut whole = client.get(&format!("users/me/export?limit={limit}")).await.ok();
    while let Some(cursor) = whole["next_cursor"].as_str().map(str::to_owned) {
        let page = client.get(&format!("users/me/export?limit={limit}&cursor={cursor}")).await.ok();
        assert_eq!(page["account"], Value::Null, "only on the first page");
        for list in ["orders", "trades", "ledger"] {
            let more = page[list].as_array().unwrap().clone();
            whole[list].as_array_mut().unwrap().extend(more);
        }
        whole["next_cursor"] = page["next_cursor"].clone();
    }
    whole["exported_at"] = Value::Null;
    whole
}

/// Keys of all that is stored in all tables, with all they hold.
async fn everything(server: &Server) -> Vec<(String, String)> {
    let items = server.items().await.into_values().flatten();
    items.map(|item| (item["pk"].as_s().unwrap().clone(), format!("{item:?}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn users_take_everything_along_or_leave_nothing() {
    let server = Server::start().await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    let ann_id = id_of(&ann).await;
    ann.put("users/me", &json!({"first_name": "Ann", "risk_tolerance": "high"})).await.ok();
    for symbol in ["KO", "PEP", "WMT"] {
        ann.post("portfolio/orders", &json!({"symbol": symbol, "side": "buy", "type": "market", "quantity": 3})).await.ok();
    }
    admin.advance("next_session").await;
    let positions = ann.get("portfolio/positions").await.ok();
    ann.delete(&format!("portfolio/positions/{}", positions["positions"][0]["id"].as_str().unwrap())).await.ok();
    admin.advance("next_session").await;
    let signals = ann.get("signals?status=active&limit=1").await.ok();
    let signal = signals["signals"][0]["id"].as_str().expect("there are signals").to_owned();
    ann.post(&format!("signals/{signal}/action"), &json!({"action": "reject", "notes": "no"})).await.ok();

    let whole = export(&ann, 1_000).await;
    assert_eq!(export(&ann, 1).await, whole, "pages of any size say the same");
    assert_eq!((&whole["account"]["email"], &whole["profile"]["first_name"]), (&json!("ann@example.com"), &json!("Ann")));
    let ledger = ann.get("portfolio/ledger?limit=1000").await.ok();
    assert_eq!(whole["ledger"], ledger["entries"]);
    assert_eq!(whole["trades"], ann.get("portfolio/trades").await.ok()["trades"]);
    assert_eq!(whole["orders"], ann.get("portfolio/orders").await.ok()["orders"]);
    assert!(whole["portfolio"]["positions"].as_array().unwrap().len() >= 2, "{whole}");
    assert_eq!((&whole["decisions"][0]["signal_id"], &whole["decisions"][0]["notes"]), (&json!(signal), &json!("no")));
    ann.get("users/me/export?cursor=AAAA").await.problem(422);

    // Wrong confirmations change nothing.
    let delete = async |client: &Client, email: &str, otp: &str| {
        client.send(Method::DELETE, "users/me", Some(json!({"email": email, "otp": otp}).to_string()), &[]).await
    };
    let code = server.code_for("ann@example.com").await;
    delete(&ann, "bob@example.com", &code).await.problem(422);
    delete(&ann, "ann@example.com", &format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)).await.problem(401);
    ann.delete("users/me").await.problem(422);
    assert_eq!(export(&ann, 1_000).await, whole);

    let other = server.log_in("ann@example.com").await;
    let code = server.code_for("ann@example.com").await;
    delete(&ann, "ann@example.com", &code).await.ok();
    for client in [&ann, &other] {
        assert_eq!(client.get("users/me").await.problem(401)["type"], "urn:stockgpt:problem:revoked-token");
    }
    for (pk, item) in everything(&server).await {
        assert!(!item.contains("ann@example.com"), "{item}");
        // The log keeps the id, which says nothing any more; counters of requests end by themselves within minutes.
        assert!(!item.contains(&ann_id) || pk.starts_with("AUDIT#") || pk.starts_with("LIMIT#"), "{item}");
    }
    admin.advance("next_session").await;

    let anew = server.log_in("ann@example.com").await;
    assert_ne!(id_of(&anew).await, ann_id);
    assert_eq!(anew.get("portfolio/summary").await.ok()["total_value"], json!(100_000));
    assert_eq!(anew.get("users/me").await.ok()["first_name"], Value::Null);
    let code = server.code_for(ADMIN).await;
    delete(&admin, ADMIN, &code).await.problem(409);
}
