use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use domain::{Bar, BarRecord, Price, Source, TradingDate};

use super::*;
use crate::testing::{Asked, Reply, Service, reply};

/// Objects as S3 keeps them, as far as this adapter asks: conditional writes, entity tags, lists in pages of two.
#[derive(Default)]
struct Objects(Mutex<BTreeMap<String, (Vec<u8>, u32)>>);

impl Objects {
    fn answer(&self, asked: &Asked) -> Reply {
        let (method, target) = asked.target.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let key = path.strip_prefix("/bucket").expect("the bucket is in the path").trim_start_matches('/');
        match method {
            "GET" if key.is_empty() => self.list(query),
            "GET" | "HEAD" => self.get(key),
            "PUT" => self.put(key, asked),
            _ => reply(405, ""),
        }
    }

    fn get(&self, key: &str) -> Reply {
        match self.0.lock().unwrap().get(key) {
            Some((bytes, tag)) => reply(200, bytes.clone()).header("etag", format!("\"{tag}\"")),
            None => reply(404, "<Error><Code>NoSuchKey</Code></Error>"),
        }
    }

    fn put(&self, key: &str, asked: &Asked) -> Reply {
        let mut objects = self.0.lock().unwrap();
        let current = objects.get(key).map(|(_, tag)| *tag);
        let refused = match (asked.header("if-none-match"), asked.header("if-match"), current) {
            (Some("*"), _, Some(_)) => Some((412, "PreconditionFailed")),
            (_, Some(_), None) => Some((404, "NoSuchKey")),
            (_, Some(expected), Some(tag)) if expected != format!("\"{tag}\"") => Some((412, "PreconditionFailed")),
            _ => None,
        };
        if let Some((status, code)) = refused {
            return reply(status, format!("<Error><Code>{code}</Code></Error>"));
        }
        let tag = current.unwrap_or(0) + 1;
        objects.insert(key.to_owned(), (asked.body.clone(), tag));
        reply(200, "").header("etag", format!("\"{tag}\""))
    }

    fn list(&self, query: &str) -> Reply {
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        assert_eq!(parameter("prefix"), Some("prices%2F"));
        let skipped: usize = parameter("continuation-token").map_or(0, |token| token.parse().unwrap());
        let objects = self.0.lock().unwrap();
        let keys: Vec<&String> = objects.keys().filter(|key| key.starts_with("prices/")).collect();
        let rows: Vec<String> = keys.iter().skip(skipped).take(2).map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
        let next = skipped + 2;
        let more = if next < keys.len() {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>")
        } else {
            String::new()
        };
        reply(200, format!("<ListBucketResult>{}{more}</ListBucketResult>", rows.concat()))
    }
}

async fn bucket() -> (Service, Arc<Objects>, Bucket) {
    let objects = Arc::new(Objects::default());
    let served = objects.clone();
    let service = Service::start(move |asked, _| served.answer(asked)).await;
    let bucket = Bucket::new(&service.config(), "bucket", true);
    (service, objects, bucket)
}

fn history(symbol: &str) -> PriceHistory {
    let mut history = PriceHistory::new(symbol.parse().unwrap());
    let date: TradingDate = "2022-01-03".parse().unwrap();
    let price: Price = "300.17".parse().unwrap();
    let bar = Bar { date, open: price, high: price, low: price, close: price, volume: 100 };
    history.bars.push(BarRecord { bar, source: Source::Bundled, known_at: date.close() });
    history
}

#[tokio::test]
async fn a_history_is_read_back_with_the_version_that_writing_gave() {
    let (_service, _, store) = bucket().await;
    let brk = history("BRK.B");
    assert_eq!(store.read(&brk.symbol).await.unwrap(), None);
    let version = store.write(&brk, None).await.unwrap();
    assert_eq!(store.read(&brk.symbol).await.unwrap(), Some((Arc::new(brk), version)));
}

#[tokio::test]
async fn versions_are_told_without_reading() {
    let (service, _, store) = bucket().await;
    let brk = history("BRK.B");
    assert_eq!(store.version(&brk.symbol).await.unwrap(), None);
    let version = store.write(&brk, None).await.unwrap();
    assert_eq!(store.version(&brk.symbol).await.unwrap(), Some(version));
    let written = store.replace_object("a.json", b"1").await.unwrap();
    assert_eq!(store.object_version("a.json").await.unwrap(), Some(written));
    assert!(service.asked().iter().all(|asked| !asked.target.starts_with("GET")));
}

#[tokio::test]
async fn of_two_writers_from_the_same_state_one_is_told() {
    let (_service, _, store) = bucket().await;
    let conflict = |written: Result<Version, HistoryError>| assert!(matches!(written, Err(HistoryError::Conflict(_))), "{written:?}");
    let first = store.write_object("a.json", b"1", None).await.unwrap();
    conflict(store.write_object("a.json", b"2", None).await);
    let second = store.write_object("a.json", b"2", Some(&first)).await.unwrap();
    conflict(store.write_object("a.json", b"3", Some(&first)).await);
    conflict(store.write_object("gone.json", b"1", Some(&first)).await);
    assert_eq!(store.read_object("a.json").await.unwrap(), Some((b"2".to_vec(), second)));
    store.replace_object("a.json", b"4").await.unwrap();
    assert_eq!(store.read_object("a.json").await.unwrap().unwrap().0, b"4");
}

#[tokio::test]
async fn a_write_that_meets_another_under_way_is_a_lost_race() {
    let service = Service::start(|_, _| reply(409, "<Error><Code>ConditionalRequestConflict</Code></Error>")).await;
    let written = Bucket::new(&service.config(), "bucket", true).write_object("a.json", b"1", None).await;
    assert!(matches!(written, Err(HistoryError::Conflict(_))), "{written:?}");
}

#[tokio::test]
async fn symbols_come_from_all_pages_sorted_and_other_objects_are_no_stocks() {
    let (service, _, store) = bucket().await;
    for symbol in ["MSFT", "AAPL", "BRK.B"] {
        store.write(&history(symbol), None).await.unwrap();
    }
    store.replace_object("prices/notes.txt", b"buy").await.unwrap();
    store.replace_object("snapshots/latest.json", b"{}").await.unwrap();
    let symbols: Vec<String> = store.symbols().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(symbols, ["AAPL", "BRK.B", "MSFT"]);
    assert_eq!(service.asked().iter().filter(|asked| asked.target.contains("list-type")).count(), 2);
}

#[tokio::test]
async fn a_flipped_bit_and_a_history_of_another_stock_are_damage() {
    let (_service, objects, store) = bucket().await;
    store.write(&history("AAPL"), None).await.unwrap();
    let mut bytes = objects.0.lock().unwrap()["prices/AAPL.parquet"].0.clone();
    objects.0.lock().unwrap().insert("prices/MSFT.parquet".into(), (bytes.clone(), 1));
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    objects.0.lock().unwrap().insert("prices/AAPL.parquet".into(), (bytes, 2));
    for symbol in ["AAPL", "MSFT"] {
        let read = store.read(&symbol.parse().unwrap()).await;
        assert!(matches!(read, Err(HistoryError::Damaged { .. })), "{symbol}: {read:?}");
    }
}

#[tokio::test]
async fn throttling_passes_or_is_named_and_a_missing_bucket_is_no_missing_object() {
    let slow = || reply(503, "<Error><Code>SlowDown</Code></Error>");
    let passing = Service::start(move |_, before| if before < 2 { slow() } else { reply(200, "x").header("etag", "\"1\"") }).await;
    let read = Bucket::new(&passing.config(), "bucket", true).read_object("a.json").await.unwrap();
    assert_eq!((read, passing.asked().len()), (Some((b"x".to_vec(), Version("\"1\"".into()))), 3));

    for (answer, expected) in
        [(slow(), "S3 asks for fewer requests"), (reply(404, "<Error><Code>NoSuchBucket</Code></Error>"), "NoSuchBucket")]
    {
        let service = Service::start(move |_, _| answer.clone()).await;
        let store = Bucket::new(&service.config(), "bucket", true);
        for outcome in [store.read_object("a.json").await.map(|_| ()), store.write_object("a.json", b"1", None).await.map(|_| ())] {
            assert!(matches!(&outcome, Err(HistoryError::Unavailable(reason)) if reason.contains(expected)), "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn names_that_are_no_names_are_refused_before_anything_is_asked() {
    let (service, _, store) = bucket().await;
    for name in ["", "/a", "a//b", "../a", "a b"] {
        assert!(store.read_object(name).await.is_err() && store.replace_object(name, b"x").await.is_err(), "{name}");
    }
    assert_eq!(service.asked().len(), 0);
}
