//! What clients carry and must not be able to make: cursors; and what they make, but only for themselves: idempotency keys.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::json;

use super::operations;
use crate::harness::{ADMIN, Server};

pub(super) async fn cursors(server: &Server) {
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    for symbol in ["KO", "PEP"] {
        ann.post("portfolio/orders", &json!({"symbol": symbol, "side": "buy", "type": "market", "quantity": 1})).await.ok();
    }
    let anns = ann.get("portfolio/ledger?limit=1").await.ok()["next_cursor"].as_str().unwrap().to_owned();
    let admins = admin.get("admin/users?limit=1").await.ok()["next_cursor"].as_str().unwrap().to_owned();
    ann.get(&format!("portfolio/ledger?limit=1&cursor={anns}")).await.ok();
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&anns).unwrap();
    let altered = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    };
    let forged = [
        ("empty", String::new()),
        ("short", "AAAA".to_owned()),
        ("another position", altered(&|bytes| *bytes.last_mut().unwrap() ^= 1)),
        ("another seal", altered(&|bytes| bytes[0] ^= 1)),
        ("longer", altered(&|bytes| bytes.push(b'0'))),
        ("cut", altered(&|bytes| bytes.truncate(15))),
        ("only a seal", altered(&|bytes| bytes.truncate(16))),
        ("no text", altered(&|bytes| bytes.extend([0xff, 0xfe]))),
        ("the store's own key", BASE64_URL_SAFE_NO_PAD.encode(r#"["ENTRIES#000000000001"]"#)),
        ("a number", "1".to_owned()),
        ("a word", "next".to_owned()),
        ("padded", format!("{anns}=")),
        ("long", "A".repeat(4_000)),
        ("a null", "%00".to_owned()),
    ];
    let mut lists = 0;
    for operation in operations::all(server).await.iter().filter(|operation| operation.takes("query", "cursor")) {
        lists += 1;
        let is_own = operation.path == "portfolio/ledger";
        for client in [&ann, &admin] {
            for (name, cursor) in forged
                .iter()
                .map(|(name, cursor)| (*name, cursor.as_str()))
                .chain([("the administrator's", admins.as_str()), ("ann's", anns.as_str())])
            {
                let is_good = (is_own && name == "ann's" && client.token() == ann.token())
                    || (operation.path == "admin/users" && name == "the administrator's");
                let answer = client.get(&format!("{}?cursor={cursor}", operation.path)).await;
                if is_good || answer.status == 403 {
                    continue;
                }
                let problem = answer.problem(422);
                assert_eq!(problem["errors"][0]["pointer"], "/cursor", "{name} on {}", operation.name());
            }
        }
    }
    assert!(lists >= 5, "{lists} lists with cursors");
}

pub(super) async fn keys(server: &Server) {
    let (ann, bob) = (server.log_in("ann@example.com").await, server.log_in("bob@example.com").await);
    let order = json!({"symbol": "KO", "side": "buy", "type": "market", "quantity": 1}).to_string();
    let place = async |client: &crate::harness::Client, headers: &[(&str, &str)]| {
        client.send(Method::POST, "portfolio/orders", Some(order.clone()), headers).await
    };
    let first = place(&ann, &[("idempotency-key", "k1")]).await.ok();
    // The same key of another user is another key.
    let bobs = place(&bob, &[("idempotency-key", "k1")]).await.ok();
    assert_eq!(place(&ann, &[("idempotency-key", "k1")]).await.ok(), first);
    assert_eq!(bobs["status"], "accepted", "{bobs}");
    assert_eq!(bob.get("portfolio/orders").await.ok()["total"], 1);

    let long = "k".repeat(256);
    for (name, headers) in [
        ("empty", vec![("idempotency-key", "")]),
        ("too long", vec![("idempotency-key", long.as_str())]),
        ("with a space", vec![("idempotency-key", "a b")]),
        ("not ASCII", vec![("idempotency-key", "schl\u{FC}ssel")]),
        ("two of them", vec![("idempotency-key", "k2"), ("idempotency-key", "k3")]),
    ] {
        for operation in operations::all(server).await.iter().filter(|operation| operation.takes("header", "Idempotency-Key")) {
            let path = operation.path.replace("signals/{id}", "signals/2022-01-03_KO_m1").replace("{id}", "x");
            let body = if operation.name() == "POST portfolio/orders" {
                Some(order.clone())
            } else {
                operation.takes_body.then(|| "{}".to_owned())
            };
            let answer = ann.send(operation.method.clone(), &path, body, &headers).await;
            assert_eq!(answer.status.as_u16(), 422, "{name} on {}: {}", operation.name(), answer.text);
        }
    }
    // Keys that are keys of the store, elsewhere.
    for key in ["../STATE", "x#y", "STATE", "ENTRIES#000000000001", "{\"S\":\"x\"}"] {
        place(&ann, &[("idempotency-key", key)]).await.ok();
        assert_eq!(ann.get("portfolio/ledger/verify").await.ok()["valid"], true, "{key}");
    }
}
