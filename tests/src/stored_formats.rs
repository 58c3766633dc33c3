//! Stored formats: what older programs have stored is read, and what this one stores is what its format says.
//!
//! `tests/fixtures/stored/<format>` holds what the program stored when that format was the newest: a month of use ([`use_everything`]) with
//! all items of all tables, objects, and the API's answers at its end. A format that is over is never written again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use adapters::store::QuotaTable;
use app::{
    auth::Bucket,
    data::Data,
    ports::{HistoryStore, Quota},
};
use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::{
    harness::{ADMIN, Client, Server, tables_of},
    quarantine::Careless,
};

/// The format of `shared/adapters/src/store/item.rs` and `shared/app/src/objects.rs`.
const NEWEST: u32 = 1;
/// Set to write the newest format's fixture anew, which only a change that no program can notice allows.
const WRITE: &str = "STOCKGPT_WRITE_FIXTURES";
const TABLES: [&str; 4] = ["identity", "market", "signals", "portfolios"];
/// One of each format: all JSON has the same frame.
const OBJECTS: [&str; 2] = ["prices/KO.parquet", "snapshots/latest.json"];
/// What of the many days of signals a fixture keeps, and how many signals of each.
const DAYS: [&str; 2] = ["2022-01-05", "2022-01-31"];
const SIGNALS_OF_A_DAY: usize = 8;
const ANN: &str = "ann@example.com";

fn fixture(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stored").join(format.to_string())
}

/// One of each kind of item comes to be.
async fn use_everything(server: &Server) {
    let (ann, bob, admin) = (server.log_in(ANN).await, server.log_in("bob@example.com").await, server.log_in(ADMIN).await);
    ann.put("users/me", &json!({"first_name": "Ann", "risk_tolerance": "high"})).await.ok();
    ann.put("users/preferences", &json!({"auto_trade": true, "auto_trade_min_confidence": 0.9})).await.ok();

    let buy = json!({"symbol": "KO", "side": "buy", "type": "market", "quantity": 10, "client_order_id": "first", "stop_loss": 40});
    ann.send(Method::POST, "portfolio/orders", Some(buy.to_string()), &[("idempotency-key", "key-1")]).await.ok();
    ann.post("portfolio/orders", &json!({"symbol": "PEP", "side": "buy", "type": "market", "notional": 5_000.5})).await.ok();
    ann.post(
        "portfolio/orders",
        &json!({"symbol": "WMT", "side": "buy", "type": "limit", "limit_price": 10, "quantity": 1, "time_in_force": "gtc"}),
    )
    .await
    .ok();
    admin.advance("next_session").await;
    let positions = ann.get("portfolio/positions").await.ok();
    let bought =
        positions["positions"].as_array().unwrap().iter().find(|position| position["symbol"] == "KO").expect("the purchase filled");
    ann.delete(&format!("portfolio/positions/{}", bought["id"].as_str().unwrap())).await.ok();
    admin.advance("next_session").await;
    let signal = async |action: &str| {
        let found = ann.get(&format!("signals?status=active&action={action}&limit=1")).await.ok();
        found["signals"][0]["id"].as_str().unwrap_or_else(|| panic!("no {action} is proposed")).to_owned()
    };
    ann.post(&format!("signals/{}/action", signal("HOLD").await), &json!({"action": "reject", "notes": "no"})).await.ok();
    ann.post(&format!("signals/{}/action", signal("BUY").await), &json!({"action": "accept", "quantity": 1})).await.ok();
    // Until signals have come to their end.
    admin.advance("2022-02-01").await;

    // Two bars that cannot be right, and a vendor's limits.
    let objects: Arc<dyn HistoryStore> = server.system.objects.clone();
    let data = Data::new(server.system.services.stocks.market().clone(), objects, Arc::new(Careless));
    let now = "2022-02-01T15:00:00Z".parse().unwrap();
    data.ingest_stocks(&["KO".parse().unwrap()], 40, now, &|_, _| {}).await.unwrap();
    let quota = QuotaTable::new(&server.system.store);
    let hour = Bucket { capacity: 50, refill: Duration::from_secs(72) };
    quota.take("tiingo#free#hour", &hour, now).await.unwrap();
    assert!(quota.admit("tiingo#free#symbols#2022-02", "KO", 500, now + Duration::from_hours(1)).await.unwrap());

    // Who was turned away: a code that is wrong, a code under way, a denied administrator.
    server.code_for(ANN).await;
    ann.post("auth/login", &json!({"email": ANN, "otp": "000000"})).await.problem(401);
    bob.get("admin/users").await.problem(403);
    server.system.keeper.write(jiff::Timestamp::now()).await.unwrap();
}

/// What can be read, in the end: who asks and what.
const READS: [(&str, &str); 17] = [
    (ANN, "users/me"),
    (ANN, "users/preferences"),
    (ANN, "portfolio/summary"),
    (ANN, "portfolio/positions?status=closed"),
    (ANN, "portfolio/orders"),
    (ANN, "portfolio/trades"),
    (ANN, "portfolio/ledger?limit=1000"),
    (ANN, "portfolio/ledger/verify"),
    (ANN, "portfolio/performance?period=ALL"),
    (ANN, "signals?limit=100"),
    (ANN, "signals/performance/summary"),
    (ANN, "stocks/KO/prices?limit=30"),
    (ANN, "stocks/KO/latest"),
    (ADMIN, "data/runs"),
    (ADMIN, "data/quarantine"),
    (ADMIN, "data/symbols/available?limit=1000"),
    (ADMIN, "admin/users"),
];
/// What signing in to ask changes.
const VOLATILE: [&str; 3] = ["last_sign_in_at", "checked_at", "remaining_seconds"];

async fn answers(server: &Server) -> BTreeMap<String, Value> {
    let (ann, admin) = (server.log_in(ANN).await, server.log_in(ADMIN).await);
    let mut answers = BTreeMap::new();
    for (who, path) in READS {
        let client: &Client = if who == ADMIN { &admin } else { &ann };
        answers.insert(path.to_owned(), without_volatile(client.get(path).await.ok()));
    }
    let signal = answers["signals?limit=100"]["signals"][0]["id"].as_str().expect("signals").to_owned();
    answers.insert("a signal".to_owned(), without_volatile(ann.get(&format!("signals/{signal}")).await.ok()));
    let log = admin.get("admin/audit?limit=100").await.ok();
    let denial = log["entries"].as_array().unwrap().iter().find(|entry| entry["action"] == "role_insufficient").cloned();
    answers.insert("a denial".to_owned(), denial.unwrap_or_default());
    answers
}

fn without_volatile(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str()));
            kept.map(|(name, inner)| (name, without_volatile(inner))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(without_volatile).collect(),
        other => other,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_older_format_is_read() {
    for format in 1..=NEWEST {
        let fixture = fixture(format);
        let server = start_with(&fixture).await;
        let expected: BTreeMap<String, Value> = serde_json::from_slice(&fs::read(fixture.join("answers.json")).unwrap()).unwrap();
        let found = answers(&server).await;
        for (path, expected) in expected {
            let different = difference(&expected, &found[&path]);
            assert!(different.is_none(), "format {format}, {path}: {}", different.unwrap_or_default());
        }
    }
}

/// A server that finds what a fixture holds, and nothing else.
async fn start_with(fixture: &Path) -> Server {
    let bring = |data: &Path| {
        fs::copy(fixture.join("clock.json"), data.join("clock.json")).unwrap();
        for object in OBJECTS {
            fs::copy(fixture.join("objects").join(object), data.join("objects").join(object)).unwrap();
        }
    };
    let server = Server::start_with(None, bring).await;
    let store = &server.system.store;
    let (old, mut stored) = (server.items().await, stored_items(fixture));
    for (table, name) in tables_of(store) {
        for item in &old[table] {
            let key = ["pk", "sk"].map(|part| (part.to_owned(), item[part].clone()));
            store.client().delete_item().table_name(name).set_key(Some(key.into())).send().await.unwrap();
        }
        for item in stored.remove(table).unwrap() {
            store.client().put_item().table_name(name).set_item(Some(from_json(&item))).send().await.unwrap();
        }
    }
    server
}

/// Where `found` is not what was `expected`; what has been added since is no difference.
fn difference(expected: &Value, found: &Value) -> Option<String> {
    let within = |at: &str, inner: String| format!("{at}/{inner}");
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected
            .iter()
            .find_map(|(name, value)| difference(value, found.get(name).unwrap_or(&Value::Null)).map(|inner| within(name, inner))),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.find_map(|(index, (one, other))| difference(one, other).map(|inner| within(&index.to_string(), inner)))
        }
        _ => (expected != found).then(|| format!(" was {expected}, is {found}")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_what_its_format_says() {
    let server = Server::start().await;
    use_everything(&server).await;
    let items = excerpt(dump(&server).await);
    if std::env::var_os(WRITE).is_some() {
        Box::pin(write(&server, &items)).await;
    }
    let (expected, found) = (shapes(&stored_items(&fixture(NEWEST))), shapes(&items));
    for (kind, shape) in &found {
        let known = expected.get(kind).unwrap_or_else(|| panic!("tests/fixtures/stored/{NEWEST} has no item of the kind {kind}"));
        let (added, gone) = (shape.difference(known).collect::<Vec<_>>(), known.difference(shape).collect::<Vec<_>>());
        assert!(
            added.is_empty() && gone.is_empty(),
            "{kind} is stored otherwise than format {NEWEST} says: with {added:?}, without {gone:?}. Raise FORMAT, read the older one, \
             and write a fixture of the new one"
        );
    }
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    assert_eq!(found.len(), 30, "each row of infra/tables.md: {:?}", found.keys());
}

async fn write(server: &Server, items: &BTreeMap<&'static str, Vec<Value>>) {
    let fixture = fixture(NEWEST);
    fs::create_dir_all(&fixture).unwrap();
    for (table, items) in items {
        let lines: Vec<String> = items.iter().map(Value::to_string).collect();
        fs::write(fixture.join(format!("{table}.jsonl")), lines.join("\n") + "\n").unwrap();
    }
    for object in OBJECTS {
        let target = fixture.join("objects").join(object);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(server.data_dir().join("objects").join(object), target).unwrap();
    }
    fs::copy(server.data_dir().join("clock.json"), fixture.join("clock.json")).unwrap();
    let answers = answers(&start_with(&fixture).await).await;
    fs::write(fixture.join("answers.json"), serde_json::to_vec_pretty(&answers).unwrap()).unwrap();
}

/// Of the days of signals, which are megabytes, what a fixture keeps.
fn excerpt(mut items: BTreeMap<&'static str, Vec<Value>>) -> BTreeMap<&'static str, Vec<Value>> {
    let signals = items.get_mut("signals").unwrap();
    signals.retain(|item| {
        let day = item["pk"]["S"].as_str().unwrap().strip_prefix("DAY#");
        day.is_none_or(|day| DAYS.contains(&day))
    });
    for day in signals.iter_mut().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with("DAY#")) {
        let mut document: Vec<Value> = serde_json::from_str(day["doc"]["S"].as_str().unwrap()).unwrap();
        document.truncate(SIGNALS_OF_A_DAY);
        day["doc"]["S"] = json!(Value::from(document).to_string());
    }
    items
}

/// What attributes an item of a kind has, and what its documents are made of, with types.
fn shapes(items: &BTreeMap<&'static str, Vec<Value>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut shapes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, item) in items.iter().flat_map(|(table, items)| items.iter().map(move |item| (table, item))) {
        let shape = shapes.entry(kind(table, item)).or_default();
        for (name, value) in item.as_object().unwrap() {
            let (type_name, content) = value.as_object().unwrap().iter().next().unwrap();
            shape.insert(format!("{name} {type_name}"));
            let document = content.as_str().filter(|_| name == "doc").map(|text| serde_json::from_str::<Value>(text).unwrap());
            if let Some(document) = document {
                describe(name, &document, shape);
            }
        }
    }
    shapes
}

fn describe(path: &str, value: &Value, shape: &mut BTreeSet<String>) {
    let type_name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(items) => return items.iter().for_each(|item| describe(&format!("{path}[]"), item, shape)),
        Value::Object(members) => {
            return members.iter().for_each(|(name, inner)| {
                // Maps by symbol, order or date.
                let is_field = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                describe(&format!("{path}.{}", if is_field { name } else { "*" }), inner, shape);
            });
        }
    };
    shape.insert(format!("{path} {type_name}"));
}

/// The row of infra/tables.md that an item belongs to.
fn kind(table: &str, item: &Value) -> String {
    let part = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
    let (pk, sk) = (part("pk"), part("sk"));
    let words = |key: &str| key.split('#').take_while(|word| word.bytes().all(|b| b.is_ascii_uppercase())).collect::<Vec<_>>().join("#");
    let has_kinds = ["USER", "DAY", "DAYS", "QUOTA"].contains(&words(&pk).as_str());
    format!("{table} {}{}", words(&pk), if has_kinds { format!("/{}", words(&sk)) } else { String::new() })
}

async fn dump(server: &Server) -> BTreeMap<&'static str, Vec<Value>> {
    let sorted = |items: Vec<_>| {
        let mut items: Vec<Value> = items.iter().map(to_json).collect();
        items.sort_by_key(|item| (item["pk"].to_string(), item["sk"].to_string()));
        items
    };
    server.items().await.into_iter().map(|(table, items)| (table, sorted(items))).collect()
}

fn stored_items(fixture: &Path) -> BTreeMap<&'static str, Vec<Value>> {
    let read = |table: &str| {
        let text = fs::read_to_string(fixture.join(format!("{table}.jsonl"))).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    TABLES.into_iter().map(|table| (table, read(table))).collect()
}

/// As the AWS CLI writes items.
fn to_json(item: &HashMap<String, AttributeValue>) -> Value {
    let attribute = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        other => panic!("no item has {other:?}"),
    };
    item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>().into()
}

fn from_json(item: &Value) -> HashMap<String, AttributeValue> {
    let attribute = |value: &Value| match value.as_object().unwrap().iter().next().unwrap() {
        (kind, Value::String(text)) if kind == "S" => AttributeValue::S(text.clone()),
        (kind, Value::String(number)) if kind == "N" => AttributeValue::N(number.clone()),
        (_, Value::Bool(flag)) => AttributeValue::Bool(*flag),
        other => panic!("no item has {other:?}"),
    };
    item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}
