//! Paths that are meant to be read in two ways.

use crate::harness::Server;

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

pub(super) async fn tricks(server: &Server) {
    let bob = server.log_in("bob@example.com").await;
    for path in [
        "/api/v1/admin/users",
        "/api/v1/admin/users/",
        "/api/v1//admin/users",
        "//api/v1/admin/users",
        "/api//v1/admin/users",
        "/api/v1/./admin/users",
        "/api/v1/stocks/../admin/users",
        "/api/v1/stocks/..%2fadmin/users",
        "/api/v1/stocks/%2e%2e/admin/users",
        "/api/v1/stocks/%252e%252e/admin/users",
        "/api/v1/stocks/..;/admin/users",
        "/api/v1/%61dmin/users",
        "/api/v1/admin%2fusers",
        "/api/v1/admin/users%2f",
        "/api/v1/admin/users%00",
        "/api/v1/admin/users%20",
        "/api/v1/admin/users;x=1",
        "/api/v1/admin/users.json",
        "/api/v1/admin/users#",
        "/api/v1/ADMIN/users",
        "/API/v1/admin/users",
        "/api/v1/admin\\users",
        "/api/v1/admin/users/%2e%2e/users",
        "/docs/../api/v1/admin/users",
        "/docs/%2e%2e/api/v1/admin/users",
        "/docs/..%2f..%2f..%2fetc%2fpasswd",
        "/docs/%2e%2e%2f%2e%2e%2fCargo.toml",
        "/redoc/../../secrets.json",
        "/openapi.json/../api/v1/admin/users",
        "/health/../api/v1/admin/users",
        "http://127.0.0.1/api/v1/admin/users",
        "/api/v1/admin/users?role=admin&admin=true&user_id=admin",
    ] {
        for token in [None, Some(bob.token())] {
            let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
            let answer = server.raw(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\r\n").as_bytes()).await;
            let allowed = if token.is_some() { [400, 403, 404] } else { [400, 401, 404] };
            assert!(
                allowed.contains(&status(&answer)),
                "{path} with {}: {answer}",
                if token.is_some() { "a trader's token" } else { "no token" }
            );
            assert!(!answer.contains("root:") && !answer.contains("signing_keys") && !answer.contains("[package]"), "{path}: {answer}");
        }
    }
    // Symbols and ids that are paths are symbols and ids that there are not.
    for path in [
        "stocks/..%2f..%2fsecrets/latest",
        "stocks/%2e%2e/prices",
        "stocks/AAPL%00/prices",
        "signals/..%2f..%2fsecrets.json",
        "portfolio/orders/%2e%2e%2fSTATE",
        "portfolio/orders/STATE",
        "portfolio/positions/%ff",
    ] {
        let answer = bob.get(path).await;
        assert!([404, 422, 400].contains(&answer.status.as_u16()), "{path}: {} {}", answer.status, answer.text);
    }
}
