//! Very many at once.

use futures::future::join_all;
use serde_json::json;

use crate::harness::Server;

const PEOPLE: u8 = 50;
const TRIES_EACH: u8 = 20;

pub(super) async fn thousand_logins(server: &Server) {
    let people = (1..=PEOPLE).map(|number| {
        let client = server.at_source([127, 0, 3, number]);
        async move {
            let email = format!("user-{number}@example.com");
            client.post("auth/request-otp", &json!({ "email": email })).await.ok();
            (client, email)
        }
    });
    let people = join_all(people).await;
    let codes: Vec<String> = people.iter().map(|(_, email)| server.code_in_mail_to(email)).collect();
    let logins = people.iter().zip(&codes).flat_map(|((client, email), code)| {
        (0..TRIES_EACH).map(move |_| async move { (email, client.post("auth/login", &json!({"email": email, "otp": code})).await) })
    });
    let answers = join_all(logins).await;
    assert_eq!(answers.len(), 1_000);
    for (_, email) in &people {
        let own: Vec<u16> = answers.iter().filter(|(of, _)| of == &email).map(|(_, answer)| answer.status.as_u16()).collect();
        let successes = own.iter().filter(|status| **status == 200).count();
        assert!(successes == 1 && own.iter().all(|status| [200, 401, 429, 503].contains(status)), "{email}: {own:?}");
    }
    let user = |answer: &crate::harness::Answer| answer.json()["user"]["id"].as_str().unwrap().to_owned();
    let users: std::collections::BTreeSet<String> =
        answers.iter().filter(|(_, answer)| answer.status == 200).map(|(_, answer)| user(answer)).collect();
    assert_eq!(users.len(), usize::from(PEOPLE), "each has one account");
}
