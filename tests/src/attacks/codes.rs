//! Codes: guessed, replayed, sent too often.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{ADMIN, Server};

const ANN: &str = "ann@example.com";

fn another(code: &str, step: u32) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + step) % 1_000_000)
}

fn kind(problem: &Value) -> &str {
    problem["type"].as_str().unwrap().rsplit(':').next().unwrap()
}

pub(super) async fn brute_force(server: &Server) {
    let (ann, admin) = (server.log_in(ANN).await, server.log_in(ADMIN).await);
    let mut looked_at = 0;
    for round in 0..3 {
        let code = server.code_for(ANN).await;
        let guesses = (1..=40_u8).map(|host| {
            let (client, guess) = (server.at_source([127, 0, 1 + round, host]), another(&code, u32::from(host)));
            async move { client.post("auth/login", &json!({"email": ANN, "otp": guess})).await }
        });
        for answer in join_all(guesses).await {
            match answer.status.as_u16() {
                401 if kind(&answer.json()) == "invalid-code" => looked_at += 1,
                401 => assert_eq!(kind(&answer.json()), "too-many-tries"),
                429 => {
                    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
                    assert!((1..=900).contains(&wait), "the owner is not shut out for ever: {wait}");
                }
                _ => panic!("{answer:?}"),
            }
        }
    }
    // Five of each of two codes; then ten have failed in a row, and nothing is looked at for a while.
    assert_eq!(looked_at, 10, "of 120 guesses");
    // Not even the right one. Who is signed in stays so.
    let code = server.code_for(ANN).await;
    server.at_source([127, 0, 9, 9]).post("auth/login", &json!({"email": ANN, "otp": code})).await.problem(429);
    assert!(ann.get("users/me").await.status.is_success());

    let log = admin.get("admin/audit?limit=1000").await.ok();
    let count = |action: &str| log["entries"].as_array().unwrap().iter().filter(|entry| entry["action"] == action).count();
    for action in ["login_failed", "login_throttled"] {
        assert!((1..=16).contains(&count(action)), "{action}: {}", count(action));
    }
    let about_ann = |entry: &&Value| entry["action"] == "login_failed" && entry["subject_id"].is_string();
    assert_eq!(log["entries"].as_array().unwrap().iter().filter(about_ann).count(), count("login_failed"));
}

pub(super) async fn spoofed_sources(server: &Server) {
    let attacker = server.at_source([127, 0, 0, 66]);
    let guesses = (0..90_u8).map(|host| {
        let attacker = attacker.clone();
        async move {
            let claimed = format!("203.0.113.{host}");
            let forwarded = format!("for={claimed}");
            let headers = [
                ("x-forwarded-for", claimed.as_str()),
                ("x-real-ip", &claimed),
                ("true-client-ip", &claimed),
                ("cf-connecting-ip", &claimed),
                ("x-client-ip", &claimed),
                ("forwarded", &forwarded),
            ];
            let body = json!({"email": format!("nobody-{host}@example.com"), "otp": "000000"}).to_string();
            attacker.send(reqwest::Method::POST, "auth/login", Some(body), &headers).await.status.as_u16()
        }
    });
    let statuses = join_all(guesses).await;
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(refused >= 15, "{refused} of 90 were refused: {statuses:?}");
    let elsewhere = server.at_source([127, 0, 0, 67]).post("auth/login", &json!({"email": ANN, "otp": "000000"})).await;
    elsewhere.problem(401);
}

pub(super) async fn replayed_code(server: &Server) {
    let nobody = server.anonymous();
    let old = server.code_for(ANN).await;
    let code = server.code_for(ANN).await;
    let login =
        async |host: u8, otp: &str| server.at_source([127, 0, 0, host]).post("auth/login", &json!({"email": ANN, "otp": otp})).await;
    if old != code {
        assert_eq!(kind(&login(2, &old).await.problem(401)), "invalid-code", "a newer code voids it");
    }
    let token = login(3, &code).await.ok()["access_token"].as_str().unwrap().to_owned();
    for host in 3..8 {
        assert_eq!(kind(&login(host, &code).await.problem(401)), "invalid-code", "used once");
    }
    assert!(nobody.with_token(Some(&token)).get("users/me").await.status.is_success());
    nobody.post("auth/login", &json!({"email": "bob@example.com", "otp": code})).await.problem(401);
}

pub(super) async fn flooded_mailbox(server: &Server) {
    let requests = (1..=60_u8).map(|host| {
        let client = server.at_source([127, 0, 2, host]);
        async move { client.post("auth/request-otp", &json!({ "email": ANN })).await.status.as_u16() }
    });
    let statuses = join_all(requests).await;
    let sent = statuses.iter().filter(|status| **status == 200).count();
    assert!((5..=6).contains(&sent) && statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    assert_eq!(server.mails(), sent);
}

pub(super) async fn written_otherwise(server: &Server) {
    let mut users = std::collections::BTreeSet::new();
    for written in [
        "zo\u{EB}@b\u{FC}cher.example",
        "ZO\u{CB}@B\u{DC}CHER.example",
        " zoe\u{308}@bu\u{308}cher.example ",
        "\u{FF5A}o\u{EB}@xn--bcher-kva.example",
        "zo\u{EB}@b\u{FC}cher\u{3002}example",
    ] {
        let mails = server.mails();
        server.anonymous().post("auth/request-otp", &json!({ "email": written })).await.ok();
        assert_eq!(server.mails(), mails + 1);
        let code = server.code_in_mail_to("zo\u{EB}@xn--bcher-kva.example");
        let login = server.anonymous().post("auth/login", &json!({"email": written, "otp": code})).await.ok();
        users.insert(login["user"]["id"].as_str().unwrap().to_owned());
        assert_eq!(users.len(), 1, "{written}");
    }
    for other in ["zoe@xn--bcher-kva.example", "ann+tag@xn--bcher-kva.example", "ann@xn--bcher-kva.example"] {
        let login = server.log_in(other).await.get("auth/verify-token").await.ok();
        assert!(users.insert(login["user_id"].as_str().unwrap().to_owned()), "{other} is somebody else");
    }
    for refused in
        ["ann@example.com\u{0}", "ann@example.com,bob@example.com", "ann@example.com\r\nBcc: eve@example.com", "<ann@example.com>"]
    {
        server.anonymous().post("auth/request-otp", &json!({ "email": refused })).await.problem(422);
    }
}
