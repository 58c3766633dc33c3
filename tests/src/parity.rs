//! A backtest is a replay: the same days in one batch, and one by one through the HTTP edge, give the same ledger.
//!
//! The batch computes features once over all of history and keeps its portfolio in memory. The server computes them anew every
//! evening from what was known by then, stores signals, orders and ledger, and goes through its jobs at every quarter of an hour. That both
//! come to the same entries, hash for hash, says that nothing of the future reached the past, that nothing is lost or made up on the way
//! through the store, and that the numbers of the backtest are those of the product.

use std::fs;

use app::replay::Replayed;
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use stockgpt::replay;

use crate::harness::{ADMIN, Client, Server};

/// Set to `all`, the test goes through all of the bundled data, which takes minutes.
const SPAN: &str = "STOCKGPT_PARITY";

/// The evening whose signals are the first to be taken, and the last session.
fn span() -> (Date, Date) {
    match std::env::var(SPAN).as_deref() {
        Ok("all") => (date(2018, 1, 3), date(2024, 3, 8)),
        // Two splits on one day, an election, a half day, the end of summer time, dividends and quarters.
        _ => (date(2020, 8, 20), date(2020, 12, 4)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_and_the_days_one_by_one_write_the_same_ledger() {
    let (evening, last) = span();
    let batch = tokio::task::spawn_blocking(move || {
        replay::over(evening.tomorrow().unwrap(), last, &domain::trading::TradingRules::default()).unwrap()
    });
    let live = through_the_edge(evening, last).await;
    let batch = batch.await.unwrap();

    compare(&batch, &live);
    let trades = batch.trades.len();
    assert!(trades > 50, "{trades} trades say little");
    println!("{} entries, {trades} trades, head {}", live.len(), batch.portfolio.head.as_str());
}

/// The ledger of a user with `auto_trade` on, day by day.
async fn through_the_edge(evening: Date, last: Date) -> Vec<Value> {
    // Nothing that the template made for another start: signals of other days, a snapshot of the future.
    let server = Server::start_with(Some(evening), |data| {
        for entry in fs::read_dir(data).unwrap().map(Result::unwrap) {
            if entry.file_name().to_string_lossy().starts_with("tables") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    })
    .await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    // After the last run of the day that would take the signals of the day before.
    admin.advance(&format!("{evening}T21:30:00Z")).await;
    ann.put("users/preferences", &json!({"auto_trade": true, "auto_trade_min_confidence": 0})).await.ok();
    while admin.get("clock").await.ok()["now"].as_str().unwrap() < format!("{last}T00:00:00Z").as_str() {
        admin.advance("next_session").await;
    }
    admin.advance(&format!("{last}T22:00:00Z")).await;

    let verification = ann.get("portfolio/ledger/verify").await.ok();
    assert_eq!((&verification["valid"], &verification["differences"]), (&json!(true), &json!([])));
    let entries = ledger(&ann).await;
    assert_eq!(verification["head_hash"], entries.last().expect("something was traded")["hash"]);
    server.stop().await;
    entries
}

async fn ledger(client: &Client) -> Vec<Value> {
    let (mut entries, mut page) = (Vec::new(), "portfolio/ledger?limit=1000".to_owned());
    loop {
        let answer = client.get(&page).await.ok();
        entries.extend(answer["entries"].as_array().unwrap().iter().cloned());
        match answer["next_cursor"].as_str() {
            Some(cursor) => page = format!("portfolio/ledger?limit=1000&cursor={cursor}"),
            None => break,
        }
    }
    entries.sort_by_key(|entry| entry["sequence"].as_u64());
    entries
}

/// Names the first entry in which the two differ.
fn compare(batch: &Replayed, live: &[Value]) {
    let differs = batch.entries.iter().zip(live).find(|(batch, live)| batch.hash.as_str() != live["hash"]);
    if let Some((batch, live)) = differs {
        let batch = serde_json::to_string_pretty(batch).unwrap();
        panic!("the ledgers part here\nin one batch: {batch}\nday by day: {live:#}");
    }
    assert_eq!(batch.entries.len(), live.len(), "one ledger goes on where the other ends");
    assert_eq!(live.last().map(|entry| &entry["hash"]), Some(&json!(batch.portfolio.head.as_str())));
}
