//! What the time of an answer tells.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{ADMIN, Server};

/// What the server rounds these answers up to, in time.
const STEP: Duration = Duration::from_millis(50);

const SAMPLES: u8 = 15;

pub(super) async fn closed() -> Server {
    Server::start_for("closed").await
}

/// Half of the answers came sooner.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Both kinds are asked in turn, so that whatever else the machine does befalls both.
async fn compare(server: &Server, path: &str, otp: Option<&str>) {
    let (mut known, mut unknown, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for sample in 0..SAMPLES {
        for (times, email) in [(&mut known, ADMIN.to_owned()), (&mut unknown, "stranger@example.com".to_owned())] {
            let client = server.at_source([127, 0, sample, 7]);
            // The connection is not what is measured.
            client.get("auth/status").await.ok();
            let body = json!({"email": email, "otp": otp});
            let body = if otp.is_some() { body } else { json!({ "email": email }) };
            let asked = Instant::now();
            let answer = client.post(path, &body).await;
            times.push(asked.elapsed());
            answers.push((answer.status.as_u16(), answer.status.is_success().then_some(answer.text)));
        }
    }
    assert!(answers.chunks(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert!(known.iter().chain(&unknown).all(|time| *time >= STEP), "no answer tells more by being early: {known:?} {unknown:?}");
    let (known, unknown) = (median(known), median(unknown));
    assert!(known.abs_diff(unknown) < STEP + STEP / 2, "an account: {known:?}, a stranger: {unknown:?}");
}

pub(super) async fn requests(server: &Server) {
    let mails = server.mails();
    compare(server, "auth/request-otp", None).await;
    assert!(server.mails() > mails, "the account's codes were mailed");
}

pub(super) async fn logins(server: &Server) {
    for email in [ADMIN, "stranger@example.com"] {
        server.anonymous().post("auth/request-otp", &json!({ "email": email })).await.ok();
    }
    compare(server, "auth/login", Some("000000")).await;
}
