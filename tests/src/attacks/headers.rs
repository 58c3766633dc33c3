//! Headers that want to be more than they are.

use reqwest::Method;
use serde_json::json;

use crate::harness::{ADMIN, Server};

pub(super) async fn tricks(server: &Server) {
    let (bob, admin) = (server.log_in("bob@example.com").await, server.log_in(ADMIN).await);
    bob.post("portfolio/orders", &json!({"symbol": "KO", "side": "buy", "type": "limit", "limit_price": 1, "quantity": 1})).await.ok();
    let order = bob.get("portfolio/orders").await.ok()["orders"][0]["id"].as_str().unwrap().to_owned();

    // Methods are what the request line says.
    for header in ["x-http-method-override", "x-http-method", "x-method-override"] {
        bob.send(Method::GET, &format!("portfolio/orders/{order}?_method=DELETE"), None, &[(header, "DELETE")]).await.ok();
    }
    assert_eq!(bob.get(&format!("portfolio/orders/{order}")).await.ok()["status"], "accepted");
    for method in ["TRACE", "PROPFIND", "DELETE", "get", "\u{1}GET"] {
        let Ok(method) = Method::from_bytes(method.as_bytes()) else { continue };
        let answer = bob.send(method.clone(), "stocks", None, &[]).await;
        assert!([400, 404, 405].contains(&answer.status.as_u16()), "{method}: {}", answer.status);
    }

    // Paths, users and roles are not in headers.
    for header in [
        ("x-original-url", "/api/v1/admin/users"),
        ("x-rewrite-url", "/api/v1/admin/users"),
        ("x-user-id", "admin"),
        ("x-role", "admin"),
        ("x-forwarded-user", ADMIN),
        ("x-amzn-oidc-identity", ADMIN),
        ("x-apigateway-context", r#"{"authorizer":{"role":"admin"}}"#),
    ] {
        assert_eq!(bob.send(Method::GET, "users/me", None, &[header]).await.ok()["role"], "trader", "{header:?}");
        bob.send(Method::GET, "admin/users", None, &[header]).await.problem(403);
        bob.with_token(None).send(Method::GET, "admin/users", None, &[header]).await.problem(401);
    }

    // Nothing that a client claims comes back as a fact.
    for (header, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
    ] {
        for path in ["/docs", "/openapi.json", "stocks?limit=1", "nowhere"] {
            let answer = bob.send(Method::GET, path, None, &[(header, value)]).await;
            assert!(!answer.text.contains("evil.example"), "{header} on {path}");
            assert!(
                answer.headers.values().all(|value| !value.to_str().unwrap_or_default().contains("evil.example")),
                "{header} on {path}"
            );
        }
    }
    let long = "i".repeat(129);
    for id in [long.as_str(), "a b", "id\"}", "<script>", "\u{FC}"] {
        let answer = bob.send(Method::GET, "stocks?limit=1", None, &[("x-request-id", id)]).await;
        let given = answer.headers["x-request-id"].to_str().unwrap();
        assert!(given != id && given.len() == 32, "{given}");
    }

    // Doubled headers.
    let json_twice = [("content-type", "text/plain")];
    bob.send(Method::POST, "portfolio/orders", Some("{}".into()), &json_twice).await.problem(415);

    // Enormous ones.
    let token = format!("Authorization: Bearer {}", bob.token());
    for (name, header) in [
        ("one of a megabyte", format!("X-Big: {}\r\n", "a".repeat(1 << 20))),
        ("a thousand", (0..1_000).fold(String::new(), |all, number| all + &format!("X-{number}: a\r\n"))),
        ("a token of a megabyte", format!("Authorization: Bearer {}\r\n", "a".repeat(1 << 20))),
    ] {
        let answer = server
            .raw(format!("GET /api/v1/users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{token}\r\n{header}\r\n").as_bytes())
            .await;
        let is_refused = answer.is_empty() || answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 400");
        assert!(is_refused, "{name}: {}", answer.chars().take(200).collect::<String>());
    }
    assert!(admin.get("users/me").await.status.is_success(), "others are served as before");
}

pub(super) async fn smuggling(server: &Server) {
    let hidden = "GET /api/v1/auth/status HTTP/1.1\r\nHost: x\r\n\r\n";
    let length = hidden.len();
    for (name, request) in [
        (
            "two ways to tell the length",
            format!(
                "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
            ),
        ),
        (
            "two lengths",
            format!("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: {length}\r\n\r\n{hidden}"),
        ),
        ("a length that is no number", format!("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n{hidden}")),
        ("a negative length", format!("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{hidden}")),
        (
            "an encoding that there is not",
            format!("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n{hidden}"),
        ),
        ("a space before the colon", format!("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length : 0\r\n\r\n{hidden}")),
        (
            "a chunk of endless size",
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx".to_owned(),
        ),
        ("a folded header", format!("GET /api/v1/auth/status HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n{hidden}")),
        ("no version", "GET /api/v1/auth/status\r\n\r\n".to_owned()),
        ("a line feed in the path", "GET /api/v1/auth\n/status HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("not HTTP", "\u{16}\u{3}\u{1}hello".to_owned()),
    ] {
        let answer = server.raw(request.as_bytes()).await;
        let answers = answer.matches("HTTP/1.1 ").count();
        assert!(answers <= 1, "{name}: two requests were seen: {answer}");
        assert!(!answer.contains("HTTP/1.1 200") && !answer.contains("HTTP/1.1 5"), "{name}: {answer}");
    }
}
