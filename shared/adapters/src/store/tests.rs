//! What the store promises, against the real protocol.

use std::sync::{Arc, Mutex};

use app::ports::{SignalStore, StoreError};
use axum::{Router, http::HeaderMap, response::IntoResponse};
use domain::{Date, signal::Signal};
use futures::future::join_all;
use jiff::Timestamp;

use super::{
    Condition, Item, Key, Outcome, Page, Query, SignalTable, Store, TableNames, TransactError, Update,
    expression::Value,
    tables::create_missing,
    testing::{self, store},
};
use crate::testing::{Asked, Service, reply};

fn key(sk: &str) -> Key {
    Key::new("P", sk)
}

fn item(sk: &str) -> Item {
    Item::new(key(sk)).text("name", sk)
}

fn sort_keys(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.key().sk.as_str()).collect()
}

#[tokio::test]
async fn tables_are_made_once_however_many_start() {
    let store = Store::local(&testing::serve(), TableNames::with_prefix("test"));
    for result in join_all((0..4).map(|_| create_missing(&store))).await {
        assert_eq!(result, Ok(()));
    }
    assert_eq!(store.ping().await, Ok(()));
    let described = store.client().describe_time_to_live().table_name("test-identity").send().await.unwrap();
    assert_eq!(described.time_to_live_description.unwrap().attribute_name.as_deref(), Some("expires_at"));
}

#[tokio::test]
async fn conditions_decide_and_show_what_is_stored() {
    let table = store().await.market();
    assert_eq!(table.put_new(item("a")).await, Ok(()));
    assert_eq!(table.put_new(item("a")).await, Err(StoreError::Conflict("P/a".into())));
    assert_eq!(
        table.put_when(item("a").text("name", "b"), Condition::equal("name", Value::text("x"))).await,
        Ok(Outcome::Refused(Some(item("a"))))
    );
    let update = || Update::new(key("a")).add("count", 2).when(Condition::absent("count").or(Condition::less("count", Value::number(3))));
    assert_eq!(table.update(update()).await.unwrap().or_conflict("count").unwrap().get_number("count"), Ok(2));
    assert_eq!(table.update(update()).await.unwrap().or_conflict("count").unwrap().get_number("count"), Ok(4));
    assert!(matches!(table.update(update()).await, Ok(Outcome::Refused(Some(_)))));
    assert_eq!(table.update(Update::new(key("b")).add("count", 1).when(Condition::item_exists())).await, Ok(Outcome::Refused(None)));
    assert_eq!(table.delete_when(&key("b"), Condition::equal("name", Value::text("b"))).await, Ok(Outcome::Refused(None)));
    assert!(matches!(table.delete_when(&key("a"), Condition::equal("count", Value::number(4))).await, Ok(Outcome::Written(_))));
    assert_eq!(table.get(&key("a")).await, Ok(None));
}

#[tokio::test]
async fn pages_end_exactly_where_the_list_does() {
    let table = store().await.portfolios();
    let names = ["a1", "a2", "a3", "a4", "b1"];
    table.batch_put(names.into_iter().map(|sk| item(sk).kind("K", format!("{sk}-k"))).collect()).await.unwrap();
    for (query, expected) in [
        (Query::partition("P"), vec!["a1", "a2", "a3", "a4", "b1"]),
        (Query::partition("P").prefix("a").newest_first(), vec!["a4", "a3", "a2", "a1"]),
        (Query::partition("P").between("a2", "a4"), vec!["a2", "a3", "a4"]),
        (Query::partition("P").filter(Condition::greater("name", Value::text("a3"))), vec!["a4", "b1"]),
        (Query::kind("K").prefix("a"), vec!["a1", "a2", "a3", "a4"]),
        (Query::kind("K").newest_first(), vec!["b1", "a4", "a3", "a2", "a1"]),
        (Query::partition("none"), vec![]),
    ] {
        assert_eq!(sort_keys(&table.query(&query).await.unwrap()), expected, "{query:?}");
        assert_eq!(table.count(&query).await, Ok(expected.len()), "{query:?}");
        for limit in 1..=6 {
            let (mut read, mut cursor, mut pages) = (Vec::new(), None, 0);
            loop {
                let Page { items, next } = table.query_page(&query.clone().after(cursor.as_deref()), limit).await.unwrap();
                read.extend(items);
                pages += 1;
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(sort_keys(&read), expected, "{query:?} by {limit}");
            assert_eq!(pages, expected.len().div_ceil(limit as usize).max(1), "{query:?} by {limit}");
        }
    }
    for forged in ["", "[]", "[1]", r#"["a","b"]"#] {
        assert!(matches!(table.query(&Query::partition("P").after(Some(forged))).await, Err(StoreError::Refused(_))), "{forged}");
    }
}

#[tokio::test]
async fn batches_are_larger_than_one_request() {
    let table = store().await.market();
    let names: Vec<String> = (0..230).map(|i| format!("{i:03}")).collect();
    let keys: Vec<Key> = names.iter().map(|name| key(name)).chain([key("absent"), key("000")]).collect();
    table.batch_put(names.iter().map(|name| item(name)).collect()).await.unwrap();
    let read = table.batch_get(&keys).await.unwrap();
    assert_eq!(read.len(), 230);
    assert!(names.iter().all(|name| read[&key(name)] == item(name)));
    table.batch_delete(&keys[..230]).await.unwrap();
    assert_eq!(table.count(&Query::partition("P")).await, Ok(0));
}

#[tokio::test]
async fn expired_items_are_purged_and_others_stay() {
    let table = store().await.identity();
    let at = |second| Timestamp::from_second(second).unwrap();
    table
        .batch_put(vec![item("gone").expires_at(at(99)), item("now").expires_at(at(100)), item("later").expires_at(at(101)), item("never")])
        .await
        .unwrap();
    assert_eq!(table.purge_expired(at(100)).await, Ok(2));
    assert_eq!(sort_keys(&table.query(&Query::partition("P")).await.unwrap()), ["later", "never"]);
    assert_eq!(table.purge_expired(at(100)).await, Ok(0));
}

#[tokio::test]
async fn a_transaction_happens_whole_or_not_at_all() {
    let store = store().await;
    let (market, signals) = (store.market(), store.signals());
    market.put(item("portfolio").number("version", 3)).await.unwrap();
    let attempt = |version: u32, entry: &str| {
        store
            .transaction()
            .put_new("entry", &signals, item(entry))
            .update(
                "portfolio",
                &market,
                Update::new(key("portfolio")).add("version", 1).when(Condition::equal("version", Value::number(version))),
            )
            .check("open", &market, &key("halt"), Condition::no_item())
            .commit()
    };
    assert_eq!(attempt(3, "e1").await, Ok(()));
    let error = attempt(3, "e2").await.unwrap_err();
    assert_eq!(error.refusal("portfolio").unwrap().item.as_ref().unwrap().get_number("version"), Ok(4));
    assert_eq!(error.refusal("entry"), None);
    assert_eq!(signals.get(&key("e2")).await, Ok(None));
    let error = attempt(3, "e1").await.unwrap_err();
    assert_eq!(StoreError::from(error), StoreError::Conflict("entry, portfolio".into()));
    market.put(item("halt")).await.unwrap();
    let refused = attempt(4, "e2").await.unwrap_err();
    assert!(refused.refusal("open").is_some() && refused.refusal("entry").is_none());
}

/// The names under which a transaction was sent that the service says it could not carry out.
async fn names_of_a_failing_transaction(store: impl FnOnce(&Service) -> Store) -> Vec<Option<String>> {
    let service = Service::start(|_, _| reply(500, "{}")).await;
    let store = store(&service);
    store.transaction().put("a", &store.market(), item("a")).commit().await.unwrap_err();
    let body = |asked: Asked| serde_json::from_slice::<serde_json::Value>(&asked.body).unwrap();
    service.asked().into_iter().map(|asked| body(asked)["ClientRequestToken"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_database_of_this_process_is_sent_a_transaction_once_and_has_no_name_of_it_to_remember() {
    let names = names_of_a_failing_transaction(|service| Store::local(&service.url, TableNames::with_prefix("test"))).await;
    assert_eq!(names, [None]);
}

#[cfg(feature = "cloud")]
#[tokio::test]
async fn a_transaction_keeps_its_name_when_it_is_sent_again() {
    let names = names_of_a_failing_transaction(|service| Store::new(&service.config(), TableNames::with_prefix("test"))).await;
    assert!(names.len() > 1 && names[0].is_some() && names.iter().all(|name| *name == names[0]), "{names:?}");
}

#[tokio::test]
async fn racing_transactions_all_count() {
    let store = store().await;
    let table = store.market();
    let writers = (0..30).map(|writer| {
        let (store, table) = (store.clone(), table.clone());
        tokio::spawn(async move {
            loop {
                let version: u32 = match table.get(&key("a")).await.unwrap() {
                    Some(item) => item.get_number("version").unwrap(),
                    None => 0,
                };
                let unchanged = if version == 0 { Condition::no_item() } else { Condition::equal("version", Value::number(version)) };
                let transaction = store.transaction().put_new("entry", &table, item(&format!("entry-{writer}"))).put_when(
                    "head",
                    &table,
                    Item::new(key("a")).number("version", version + 1),
                    unchanged,
                );
                match transaction.commit().await {
                    Ok(()) => return,
                    Err(error) if error.refusal("head").is_some() && error.refusal("entry").is_none() => {}
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(table.get(&key("a")).await.unwrap().unwrap().get_number("version"), Ok(30));
    assert_eq!(table.count(&Query::partition("P").prefix("entry-")).await, Ok(30));
}

/// A server that gives the answers in turn, the last one for ever, and the operations that it was asked for.
async fn scripted(answers: Vec<(u16, &'static str)>) -> (Store, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let handler = move |headers: HeaderMap| async move {
        let mut log = log.lock().unwrap();
        log.push(headers["x-amz-target"].to_str().unwrap().rsplit_once('.').unwrap().1.to_owned());
        let (status, body) = answers[(log.len() - 1).min(answers.len() - 1)];
        (axum::http::StatusCode::from_u16(status).unwrap(), [("content-type", "application/x-amz-json-1.0")], body).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = Store::local(&format!("http://{}", listener.local_addr().unwrap()), TableNames::with_prefix("test"));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await });
    (store, asked)
}

#[tokio::test]
async fn what_the_embedded_server_never_answers_is_understood() {
    const BUSY: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[{"Code":"TransactionConflict","Message":"busy"}]}"#;
    const MIXED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[{"Code":"ConditionalCheckFailed"},{"Code":"TransactionConflict"}]}"#;
    const TOO_LARGE: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[{"Code":"ValidationError","Message":"Item size"}]}"#;
    const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}"#;
    const DENIED: &str = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}"#;
    const BROKEN: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"oops"}"#;
    const LEFT_OVER: &str = r#"{"UnprocessedItems":{"test-market":[{"PutRequest":{"Item":{"pk":{"S":"P"},"sk":{"S":"b"}}}}]}}"#;

    let commit = |store: &Store| {
        let table = store.market();
        store.transaction().put("a", &table, item("a")).put("b", &table, item("b")).commit()
    };
    let (store, asked) = scripted(vec![(400, BUSY), (400, BUSY), (200, "{}")]).await;
    assert_eq!(commit(&store).await, Ok(()));
    assert_eq!(asked.lock().unwrap().len(), 3);

    let (store, asked) = scripted(vec![(400, MIXED)]).await;
    assert!(matches!(commit(&store).await, Err(TransactError::Refused(refusals)) if refusals.len() == 1 && refusals[0].label == "a"));
    assert_eq!(asked.lock().unwrap().len(), 1);

    let (store, _) = scripted(vec![(400, TOO_LARGE)]).await;
    assert!(matches!(commit(&store).await, Err(TransactError::Store(StoreError::Refused(_)))));

    for (status, body, expected) in [(400, THROTTLED, "too busy"), (400, DENIED, "refused a request"), (500, BROKEN, "unreachable")] {
        let (store, _) = scripted(vec![(status, body)]).await;
        let error = store.market().get(&key("a")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }

    let (store, asked) = scripted(vec![(200, LEFT_OVER), (200, LEFT_OVER), (200, "{}")]).await;
    assert_eq!(store.market().batch_put(vec![item("a"), item("b")]).await, Ok(()));
    assert_eq!(*asked.lock().unwrap(), ["BatchWriteItem", "BatchWriteItem", "BatchWriteItem"]);
}

#[tokio::test]
async fn a_store_that_is_not_there_is_unavailable_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Store::local(&endpoint, TableNames::with_prefix("test")).ping().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)) && error.is_transient(), "{error}");
}

fn signal(symbol: &str, cancelled_at: Option<&str>) -> Signal {
    let cancelled = cancelled_at.map_or("null".into(), |at| format!("\"{at}\""));
    let json = format!(
        r#"{{"symbol":"{symbol}","date":"2022-01-03","model":"m1","company":"{symbol}","sector":null,"action":"BUY","confidence":0.6,
        "model_confidence":0.6,"confidence_level":"HIGH","probabilities":{{"buy":0.6,"hold":0.3,"sell":0.1}},"entry_price":"10",
        "target_price":null,"stop_loss":null,"expected_return":0.01,"risk_level":"LOW","volatility":null,"rationale":"",
        "generated_at":"2022-01-03T22:00:00Z","valid_until":"2022-01-18T21:00:00Z","cancelled_at":{cancelled},"outcome":null}}"#
    );
    serde_json::from_str(&json).unwrap()
}

#[tokio::test]
async fn remembered_signals_are_those_that_were_written_last() {
    let store = store().await;
    let day: Date = "2022-01-03".parse().unwrap();
    let (first, second) = (vec![signal("AAPL", None)], vec![signal("AAPL", Some("2022-01-04T22:00:00Z")), signal("MSFT", None)]);
    let alone = SignalTable::alone(&store);
    for signals in [&first, &second] {
        alone.update_day(day, signals).await.unwrap();
        for _ in 0..2 {
            assert_eq!(*alone.glance(&[day]).await.unwrap()[0], *signals, "the writer itself, at once");
        }
    }
    let nothing = alone.glance(&["2022-01-04".parse().unwrap(), day]).await.unwrap();
    assert_eq!((nothing[0].len(), nothing[1].len()), (0, 2), "a list for each date, in their order");

    let (writer, reader) = (SignalTable::new(&store), SignalTable::new(&store));
    for signals in [&second, &first, &second] {
        writer.update_day(day, signals).await.unwrap();
        assert_eq!(*writer.glance(&[day]).await.unwrap()[0], *signals, "the writer itself, at once");
        reader.ask_again();
        for _ in 0..2 {
            assert_eq!(*reader.glance(&[day]).await.unwrap()[0], *signals, "another copy, as soon as it asks whether there was a change");
        }
    }
}
