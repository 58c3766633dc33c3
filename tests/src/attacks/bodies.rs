//! Bodies of every wrong kind.

use serde_json::json;

use super::operations;
use crate::harness::{ADMIN, Server};

/// What no operation takes, whatever it takes.
fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000)).into_bytes();
    vec![
        ("cut off", b"{\"email\": \"a".to_vec()),
        ("two values", b"{} {}".to_vec()),
        ("a trailing comma", b"{\"a\": 1,}".to_vec()),
        ("a comment", b"{} // hello".to_vec()),
        ("single quotes", b"{'a': 1}".to_vec()),
        ("no number", b"{\"a\": NaN}".to_vec()),
        ("too large a number", b"{\"quantity\": 1e999, \"symbol\": \"KO\"}".to_vec()),
        ("not UTF-8", vec![b'{', b'"', 0xff, 0xfe, b'"', b':', b'1', b'}']),
        ("UTF-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("half a surrogate", b"{\"a\": \"\\ud800\"}".to_vec()),
        ("a control character", b"{\"a\": \"\x01\"}".to_vec()),
        ("lists in lists", nested("[", "]")),
        ("objects in objects", nested("{\"a\":", "}")),
        ("a form", b"email=ann%40example.com".to_vec()),
        ("XML", b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>".to_vec()),
        ("gzip", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0]),
        ("nulls", vec![0; 64]),
        ("an unknown field", json!({"unknown_to_everybody": 1}).to_string().into_bytes()),
        ("a field twice", b"{\"email\": \"a@b.c\", \"email\": \"d@e.f\", \"symbol\": \"A\", \"symbol\": \"B\", \"role\": \"admin\", \"role\": \"viewer\", \"to\": \"x\", \"to\": \"y\", \"first_name\": \"a\", \"first_name\": \"b\", \"action\": \"a\", \"action\": \"b\", \"auto_trade\": true, \"auto_trade\": false, \"symbols\": [], \"symbols\": [], \"stop_loss\": 1, \"stop_loss\": 2, \"quantity\": 1, \"quantity\": 2}".to_vec()),
    ]
}

/// JSON, but mostly not what is wanted; some operations may take some of it.
const VALUES: [&str; 12] = ["", "   ", "null", "true", "0", "-1", "\"\"", "[]", "[[]]", "[null]", "{}", "{\"\": 0}"];

pub(super) async fn wrong(server: &Server) {
    let admin = server.log_in(ADMIN).await;
    let mut tried = 0;
    for operation in operations::all(server).await.iter().filter(|operation| operation.takes_body) {
        let path = operation.path.replace(['{', '}'], "");
        let ask = async |content_type: &str, body: Vec<u8>| admin.send_bytes(operation.method.clone(), &path, content_type, body).await;
        for (name, body) in malformed() {
            tried += 1;
            let answer = ask("application/json", body).await;
            let problem = answer.problem(answer.status.as_u16());
            assert!([400, 422].contains(&answer.status.as_u16()), "{name} on {}: {} {problem}", operation.name(), answer.status);
            assert!(problem["detail"].as_str().unwrap().len() < 1_000, "{name} on {}: {problem}", operation.name());
        }
        for body in VALUES {
            tried += 1;
            let answer = ask("application/json", body.into()).await;
            let status = answer.status.as_u16();
            assert!(
                status < 500 && (status < 300 || answer.problem(status)["detail"].is_string()),
                "{body} on {}: {}",
                operation.name(),
                answer.text
            );
        }
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
            "",
            "application/json/x",
            "json",
        ] {
            tried += 1;
            let answer = ask(content_type, b"{\"a\":1}".to_vec()).await;
            answer.problem(415);
        }
    }
    assert!(tried > 300, "{tried}");
    assert!(admin.get("users/me").await.ok()["first_name"].is_null(), "nothing of it was kept");
}

pub(super) async fn huge(server: &Server) {
    let admin = server.log_in(ADMIN).await;
    let token = format!("Authorization: Bearer {}", admin.token());
    // Announced, and never sent: the answer does not wait for it.
    for operation in operations::all(server).await.iter().filter(|operation| operation.takes_body) {
        let path = operation.path.replace(['{', '}'], "");
        let announced = format!(
            "{} /api/v1/{path} HTTP/1.1\r\nHost: x\r\n{token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{{",
            operation.method,
            (1 << 20) + 1
        );
        let answer = server.raw(announced.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{}: {answer}", operation.name());
    }
    let announced = format!(
        "POST /api/v1/portfolio/orders HTTP/1.1\r\nHost: x\r\n{token}\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{{"
    );
    assert!(server.raw(announced.as_bytes()).await.starts_with("HTTP/1.1 413"));
    // In chunks, without saying how long.
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x1_0000));
    let chunked = format!(
        "POST /api/v1/portfolio/orders HTTP/1.1\r\nHost: x\r\n{token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{}",
        chunk.repeat(17)
    );
    let answer = server.raw(chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{}", answer.chars().take(300).collect::<String>());
}
