//! Other people's things, and higher roles' doors.

use reqwest::Method;
use serde_json::{Value, json};

use super::operations::{self, Operation};
use crate::harness::{ADMIN, Answer, Client, Server};

/// What ann has, in words that nobody else has.
struct Ann {
    client: Client,
    user_id: String,
    order: String,
    position: String,
    cursor: String,
}

const SECRET: &str = "anns-very-own-note";

async fn ann(server: &Server, admin: &Client) -> Ann {
    let client = server.log_in("ann@example.com").await;
    client.put("users/me", &json!({ "first_name": SECRET })).await.ok();
    let buy = json!({"symbol": "KO", "side": "buy", "type": "market", "quantity": 5});
    client.post("portfolio/orders", &buy).await.ok();
    admin.advance("next_session").await;
    let positions = client.get("portfolio/positions").await.ok();
    let position = positions["positions"][0]["id"].as_str().unwrap().to_owned();
    client.put(&format!("portfolio/positions/{position}"), &json!({ "notes": SECRET })).await.ok();
    let open = json!({"symbol": "PEP", "side": "buy", "type": "limit", "limit_price": 1, "quantity": 1, "time_in_force": "gtc", "client_order_id": SECRET});
    let order = client.post("portfolio/orders", &open).await.ok()["id"].as_str().unwrap().to_owned();
    let cursor = client.get("portfolio/ledger?limit=1").await.ok()["next_cursor"].as_str().unwrap().to_owned();
    let user_id = client.get("auth/verify-token").await.ok()["user_id"].as_str().unwrap().to_owned();
    Ann { client, user_id, order, position, cursor }
}

async fn state(ann: &Ann) -> Value {
    let mut state = ann.client.get("users/me/export").await.ok();
    state["exported_at"] = Value::Null;
    state
}

/// Whose ids a path's parameter names, for all paths that have one. Who adds a route says it here.
enum Whose {
    /// Of one user each: this one is ann's.
    Own(String),
    /// The same for everybody.
    Everybodys(&'static str),
    /// Only administrators may name it.
    Administrators(String),
}

fn whose(path: &str, ann: &Ann) -> Whose {
    match path {
        "portfolio/orders/{id}" => Whose::Own(ann.order.clone()),
        "portfolio/positions/{id}" => Whose::Own(ann.position.clone()),
        "signals/{id}" | "signals/{id}/action" => Whose::Everybodys("2022-01-03_KO_none"),
        path if path.starts_with("stocks/{symbol}/") => Whose::Everybodys("KO"),
        path if path.starts_with("admin/users/{id}") => Whose::Administrators(ann.user_id.clone()),
        path if path.starts_with("data/runs/{run_id}") || path.starts_with("data/quarantine/{id}") => Whose::Administrators("x".into()),
        _ => panic!("say in `whose` whose ids {path} takes"),
    }
}

/// A body that is good, for operations on somebody's own things.
fn body(operation: &Operation) -> Option<String> {
    let body = match operation.name().as_str() {
        "PUT portfolio/positions/{id}" => json!({"stop_loss": 1}),
        "PUT portfolio/orders/{id}" => json!({"limit_price": 2}),
        _ => json!({}),
    };
    operation.takes_body.then(|| body.to_string())
}

async fn call(client: &Client, operation: &Operation, path: &str) -> Answer {
    client.send(operation.method.clone(), path, body(operation), &[]).await
}

pub(super) async fn foreign(server: &Server) {
    let (bob, admin) = (server.log_in("bob@example.com").await, server.log_in(ADMIN).await);
    let ann = ann(server, &admin).await;
    let before = state(&ann).await;
    let mut own = 0;
    for operation in operations::all(server).await.iter().filter(|operation| operation.path.contains('{')) {
        let parameter = operation.path.split(['{', '}']).nth(1).unwrap();
        let fill = |id: &str| operation.path.replace(&format!("{{{parameter}}}"), id);
        let (answer, allowed) = match whose(&operation.path, &ann) {
            Whose::Own(id) => {
                own += 1;
                // Not an administrator either: what somebody owns is nobody else's.
                call(&admin, operation, &fill(&id)).await.problem(404);
                (call(&bob, operation, &fill(&id)).await, vec![404])
            }
            Whose::Administrators(id) => (call(&bob, operation, &fill(&id)).await, vec![403]),
            Whose::Everybodys(id) => (call(&bob, operation, &fill(id)).await, vec![200, 404, 422]),
        };
        assert!(allowed.contains(&answer.status.as_u16()), "{}: {} {}", operation.name(), answer.status, answer.text);
        assert!(!answer.text.contains(SECRET) && !answer.text.contains("ann@"), "{}: {}", operation.name(), answer.text);
    }
    assert!(own >= 6, "{own} operations on things that somebody owns");
    assert_eq!(state(&ann).await, before);
}

pub(super) async fn nothing_leaks(server: &Server) {
    let (bob, admin) = (server.log_in("bob@example.com").await, server.log_in(ADMIN).await);
    let ann = ann(server, &admin).await;
    let traces = [SECRET, "ann@example.com", &ann.user_id];
    for operation in operations::all(server).await.iter().filter(|operation| operation.is_read() && !operation.path.contains('{')) {
        // What ids a client could add to a request for a list.
        for query in ["", "?limit=1", "?user_id=ANN&owner=ANN&id=ANN&email=ann@example.com"] {
            let answer = bob.get(&format!("{}{}", operation.path, query.replace("ANN", &ann.user_id))).await;
            let status = answer.status.as_u16();
            assert!(answer.status.is_success() || [403, 404, 422].contains(&status), "{}: {status} {}", operation.name(), answer.text);
            let leaked: Vec<_> = traces.into_iter().filter(|trace| answer.text.contains(trace)).collect();
            assert!(leaked.is_empty(), "{}{query}: {leaked:?}", operation.name());
        }
        if operation.takes("query", "cursor") {
            let answer = bob.get(&format!("{}?cursor={}", operation.path, ann.cursor)).await;
            assert!([403, 422].contains(&answer.status.as_u16()), "{}: {}", operation.name(), answer.text);
        }
    }
    // Bodies that name somebody else are refused: there is no such field.
    for body in [json!({"id": ann.user_id}), json!({"email": "ann@example.com"}), json!({"role": "admin"}), json!({"is_active": true})] {
        bob.put("users/me", &body).await.problem(422);
        bob.put("users/preferences", &body).await.problem(422);
    }
    let order = json!({"symbol": "KO", "side": "buy", "type": "market", "quantity": 1, "owner": ann.user_id});
    bob.post("portfolio/orders", &order).await.problem(422);
}

pub(super) async fn too_low_a_role(server: &Server) {
    let (admin, trader, viewer) =
        (server.log_in(ADMIN).await, server.log_in("bob@example.com").await, server.log_in("eve@example.com").await);
    let eve = viewer.get("auth/verify-token").await.ok()["user_id"].as_str().unwrap().to_owned();
    admin.put(&format!("admin/users/{eve}/role"), &json!({"role": "viewer"})).await.ok();
    let nobody = server.anonymous();
    let rank = |role: &str| ["viewer", "trader", "admin"].iter().position(|known| *known == role).unwrap();
    let mut refused = 0;
    for operation in operations::all(server).await {
        let Some(needed) = &operation.role else { continue };
        let path = operation.path.replace(['{', '}'], "");
        // A body that cannot be read must not be looked at before the role.
        let ask = async |client: &Client, method: Method| {
            let body = operation.takes_body.then(|| "{".to_owned());
            client.send(method, &path, body, &[]).await
        };
        let answer = ask(&nobody, operation.method.clone()).await;
        answer.problem(401);
        assert_eq!(answer.headers["www-authenticate"], r#"Bearer realm="stockgpt""#, "{}", operation.name());
        for (role, client) in [("viewer", &viewer), ("trader", &trader)] {
            if rank(role) < rank(needed) {
                refused += 1;
                let answer = ask(client, operation.method.clone()).await;
                answer.problem(403);
                let challenge = answer.headers["www-authenticate"].to_str().unwrap();
                let expected = format!(r#"Bearer realm="stockgpt", error="insufficient_scope", scope="{needed}""#);
                assert_eq!(challenge, expected, "{} as {role}", operation.name());
            }
        }
    }
    assert!(refused > 30, "{refused}");
}
