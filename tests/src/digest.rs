//! The evening's mail: one a session, of what was asked for, to nobody else.

use std::fs;

use app::jobs::JobKind;
use serde_json::json;

use crate::harness::{ADMIN, Server};

/// The mails of that kind in the outbox, oldest first, as they are on the wire.
fn digests(server: &Server) -> Vec<String> {
    let mut paths: Vec<_> = fs::read_dir(server.data_dir().join("outbox")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).filter(|mail| mail.contains("Subject: StockGPT: ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_mailed_once_to_those_who_ask_and_of_what_they_ask() {
    let server = Server::start().await;
    let (all, market) = (server.log_in("all@example.com").await, server.log_in("market@example.com").await);
    let (_nobody, admin) = (server.log_in("nobody@example.com").await, server.log_in(ADMIN).await);
    let everything = json!({"email_signals": true, "email_portfolio_updates": true, "email_market_updates": true});
    all.put("users/preferences", &everything).await.ok();
    market.put("users/preferences", &json!({"email_market_updates": true})).await.ok();
    all.post("portfolio/orders", &json!({"symbol": "KO", "side": "buy", "type": "market", "quantity": 7})).await.ok();

    // Past the ingestion of the first session.
    admin.advance("2022-01-03T23:00:00Z").await;
    let mails: Vec<String> = digests(&server).into_iter().filter(|mail| mail.contains("Monday, 3 January 2022")).collect();
    let to = |address: &str| mails.iter().filter(|mail| mail.contains(&format!("To: {address}"))).collect::<Vec<_>>();
    let (all_got, market_got) = (to("all@example.com"), to("market@example.com"));
    let ([everything], [narrow], 2) = (&all_got[..], &market_got[..], mails.len()) else { panic!("{mails:#?}") };
    for part in ["Your paper portfolio", "Bought 7 KO at $", "Signals", "The market", "Best: ", "Worst: "] {
        assert!(everything.contains(part), "{part}: {everything}");
    }
    assert!(narrow.contains("The market") && !narrow.contains("Your paper portfolio") && !narrow.contains("confidence"), "{narrow}");

    // The same jobs again, and the hourly ones of the next morning.
    let now = "2022-01-03T23:30:00Z".parse().unwrap();
    for job in [JobKind::Ingest, JobKind::GenerateSignals] {
        server.system.services.jobs.run(job, now, jiff::Timestamp::now()).await.unwrap();
    }
    assert_eq!(digests(&server).iter().filter(|mail| mail.contains("Monday, 3 January 2022")).count(), 2);

    all.put("users/preferences", &json!({"email_signals": false, "email_portfolio_updates": false, "email_market_updates": false}))
        .await
        .ok();
    admin.advance("2022-01-04T23:00:00Z").await;
    let next: Vec<String> = digests(&server).into_iter().filter(|mail| mail.contains("Tuesday, 4 January 2022")).collect();
    assert!(next.len() == 1 && next[0].contains("To: market@example.com"), "what is not asked for is not sent: {next:#?}");
}
