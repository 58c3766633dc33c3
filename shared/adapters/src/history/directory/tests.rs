use super::*;
use domain::{Bar, BarRecord, Price, Source, TradingDate};
use jiff::civil::date;
use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

fn directory() -> (tempfile::TempDir, Directory) {
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory::open(temporary.path().join("data")).unwrap();
    (temporary, directory)
}

fn history(symbol: &str, closes: &[&str]) -> PriceHistory {
    let mut history = PriceHistory::new(symbol.parse().unwrap());
    let mut day = TradingDate::new(date(2022, 1, 3)).unwrap();
    for close in closes {
        let price: Price = close.parse().unwrap();
        let bar = Bar { date: day, open: price, high: price, low: price, close: price, volume: 100 };
        history.bars.push(BarRecord { bar, source: Source::Bundled, known_at: day.close() });
        day = day.next();
    }
    history
}

#[tokio::test]
async fn a_history_is_read_back_with_the_version_that_writing_gave() {
    let (_temporary, store) = directory();
    let brk = history("BRK.B", &["300.17"]);
    assert_eq!(store.read(&brk.symbol).await.unwrap(), None);
    let version = store.write(&brk, None).await.unwrap();
    assert_eq!(store.read(&brk.symbol).await.unwrap(), Some((Arc::new(brk), version)));
}

#[tokio::test]
async fn versions_are_told_as_reading_tells_them() {
    let (_temporary, store) = directory();
    let (one, two) = (history("AAPL", &["1"]), history("AAPL", &["1", "2"]));
    assert_eq!((store.version(&one.symbol).await.unwrap(), store.object_version("a.json").await.unwrap()), (None, None));
    let first = store.write(&one, None).await.unwrap();
    assert_eq!(store.version(&one.symbol).await.unwrap(), Some(first.clone()), "first asked");
    store.read(&one.symbol).await.unwrap();
    assert_eq!(store.version(&one.symbol).await.unwrap(), Some(first.clone()), "asked again");
    let second = store.write(&two, Some(&first)).await.unwrap();
    assert_eq!(store.version(&one.symbol).await.unwrap(), Some(second), "after a change");
    for bytes in [b"1", b"2", b"1"] {
        let written = store.replace_object("a.json", bytes).await.unwrap();
        assert_eq!(store.object_version("a.json").await.unwrap(), Some(written.clone()), "first asked");
        assert_eq!(store.object_version("a.json").await.unwrap(), Some(written), "asked again");
    }
}

#[tokio::test]
async fn symbols_are_sorted_and_other_files_are_no_stocks() {
    let (temporary, store) = directory();
    assert_eq!(store.symbols().await.unwrap(), []);
    for symbol in ["MSFT", "AAPL", "BRK.B"] {
        store.write(&history(symbol, &["1"]), None).await.unwrap();
    }
    fs::write(temporary.path().join("data/prices/notes.txt"), "mine").unwrap();
    fs::write(temporary.path().join("data/prices/.AAPL.parquet.swp"), "an editor's").unwrap();
    assert_eq!(store.symbols().await.unwrap().iter().map(Symbol::as_str).collect::<Vec<_>>(), ["AAPL", "BRK.B", "MSFT"]);
}

#[tokio::test]
async fn only_who_has_seen_the_newest_version_may_write() {
    let (_temporary, store) = directory();
    let conflict =
        |result: Result<Version, HistoryError>| matches!(result, Err(HistoryError::Conflict(name)) if name == "prices/AAPL.parquet");
    let (one, two, three) = (history("AAPL", &["1"]), history("AAPL", &["1", "2"]), history("AAPL", &["1", "3"]));

    let first = store.write(&one, None).await.unwrap();
    assert!(conflict(store.write(&two, None).await), "there is one already");
    let second = store.write(&two, Some(&first)).await.unwrap();
    assert_ne!(first, second);
    assert!(conflict(store.write(&three, Some(&first)).await), "another was quicker");
    assert_eq!(store.read(&one.symbol).await.unwrap(), Some((Arc::new(two), second)));
    assert!(matches!(store.write(&history("MSFT", &["1"]), Some(&first)).await, Err(HistoryError::Conflict(_))), "there is none yet");
}

#[tokio::test]
async fn objects_lie_beside_the_histories() {
    let (temporary, store) = directory();
    assert_eq!(store.read_object("snapshots/2022-01-03.parquet").await.unwrap(), None);
    let version = store.replace_object("snapshots/2022-01-03.parquet", b"one").await.unwrap();
    assert!(matches!(store.write_object("snapshots/2022-01-03.parquet", b"two", None).await, Err(HistoryError::Conflict(_))));
    let version = store.write_object("snapshots/2022-01-03.parquet", b"two", Some(&version)).await.unwrap();
    assert_eq!(store.read_object("snapshots/2022-01-03.parquet").await.unwrap(), Some((b"two".to_vec(), version)));
    assert_eq!(fs::read(temporary.path().join("data/snapshots/2022-01-03.parquet")).unwrap(), b"two");
}

#[tokio::test]
async fn no_name_leads_out_of_the_directory() {
    let (temporary, store) = directory();
    for name in
        ["", "/", "/etc/passwd", "..", "../x", "a/../../x", "a//b", "a/", ".locks/x", ".unfinished/x", "a/.b", "a\\b", "a\0b", "ä", "C:x"]
    {
        assert!(matches!(store.replace_object(name, b"x").await, Err(HistoryError::Unavailable(_))), "{name:?}");
        assert!(matches!(store.read_object(name).await, Err(HistoryError::Unavailable(_))), "{name:?}");
    }
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(temporary.path().join("data")).unwrap().count(), 0);
}

#[tokio::test]
async fn damage_is_named_and_the_rest_still_serves() {
    let (temporary, store) = directory();
    let (aapl, msft) = (history("AAPL", &["1", "2"]), history("MSFT", &["3"]));
    for history in [&aapl, &msft] {
        store.write(history, None).await.unwrap();
    }
    let prices = temporary.path().join("data/prices");
    let whole = fs::read(prices.join("AAPL.parquet")).unwrap();
    let damaged = |error| matches!(error, HistoryError::Damaged { object, .. } if object == "prices/AAPL.parquet");

    fs::write(prices.join("AAPL.parquet"), &whole[..whole.len() / 2]).unwrap();
    assert!(damaged(store.read(&aapl.symbol).await.unwrap_err()));
    fs::copy(prices.join("MSFT.parquet"), prices.join("AAPL.parquet")).unwrap();
    assert!(damaged(store.read(&aapl.symbol).await.unwrap_err()), "another stock's prices");
    assert_eq!(*store.read(&msft.symbol).await.unwrap().unwrap().0, msft);
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_an_error_and_no_panic() {
    let temporary = tempfile::tempdir().unwrap();
    fs::write(temporary.path().join("file"), "in the way").unwrap();
    assert!(matches!(Directory::open(temporary.path().join("file/data")), Err(HistoryError::Unavailable(_))));
    let store = Directory::open(temporary.path()).unwrap();
    assert!(matches!(store.replace_object("file/object", b"x").await, Err(HistoryError::Unavailable(_))));
}

/// Set in the processes that a test starts: which directory to work on.
const WORK_ON: &str = "STOCKGPT_TEST_WORK_ON";

/// Starts the named test of this program as another process, which then does that test's other half.
fn start_other_half(test: &str, root: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("{}::{test}", module_path!().split_once("::").unwrap().1), "--nocapture"])
        .env(WORK_ON, root)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

const COUNTER: &str = "counter";

fn count_up(store: &Directory, times: usize) {
    let mut done = 0;
    while done < times {
        let stored = store.read_now(COUNTER).unwrap();
        let count: usize = stored.as_ref().map_or(0, |(bytes, _)| std::str::from_utf8(bytes).unwrap().parse().unwrap());
        let condition = Condition::from(stored.as_ref().map(|(_, version)| version));
        match store.write_now(COUNTER, (count + 1).to_string().as_bytes(), &condition) {
            Ok(_) => done += 1,
            Err(HistoryError::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn no_update_is_lost_among_threads_and_processes() {
    const TIMES: usize = 25;
    if let Ok(root) = env::var(WORK_ON) {
        return count_up(&Directory::open(root).unwrap(), TIMES);
    }
    let (temporary, store) = directory();
    let others: Vec<_> =
        (0..2).map(|_| start_other_half("no_update_is_lost_among_threads_and_processes", &temporary.path().join("data"))).collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| count_up(&store, TIMES));
        }
    });
    for mut other in others {
        assert!(other.wait().unwrap().success());
    }
    assert_eq!(store.read_now(COUNTER).unwrap().unwrap().0, (4 * TIMES).to_string().as_bytes());
}

#[test]
fn a_killed_writer_leaves_the_old_object_or_the_next_whole() {
    // Large enough that a kill often falls into the writing of it.
    const LENGTH: usize = 1 << 20;
    if let Ok(root) = env::var(WORK_ON) {
        let store = Directory::open(root).unwrap();
        for generation in 0_u8.. {
            println!("writing {generation}");
            store.write_now("object", &vec![generation; LENGTH], &Condition::None).unwrap();
            if generation == u8::MAX {
                return;
            }
        }
    }
    let (temporary, store) = directory();
    for writes_begun in [1, 2, 3, 5, 8, 13] {
        let mut writer = start_other_half("a_killed_writer_leaves_the_old_object_or_the_next_whole", &temporary.path().join("data"));
        let output = BufReader::new(writer.stdout.take().unwrap());
        let begun: Vec<u8> = output
            .lines()
            .filter_map(|line| line.unwrap().rsplit_once("writing ").map(|(_, number)| number.parse().unwrap()))
            .take(writes_begun)
            .collect();
        writer.kill().unwrap();
        writer.wait().unwrap();
        let last_begun = usize::from(*begun.last().unwrap());
        let found = store.read_now("object").unwrap();
        if let Some((bytes, _)) = &found {
            assert!(bytes.len() == LENGTH && bytes.iter().all(|byte| *byte == bytes[0]), "the object is neither the old nor the next");
        }
        assert!(last_begun == 0 || found.is_some(), "what had been written is gone");
        // The killed writer holds nothing up.
        store.write_now("object", &vec![7; LENGTH], &Condition::None).unwrap();
    }
}
