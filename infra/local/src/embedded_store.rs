//! The cloud's tables on this machine: a `DynamoDB` in this process, over a `SQLite` file, reached by the same client as the real one.

use std::{
    fs::{File, TryLockError},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use dynoxide::{Database, server};
use tokio::sync::oneshot;

/// How long a stop waits for requests under way before it gives up on a tidy end. Nothing depends on one.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the tables are kept.
#[derive(Debug, Clone, Copy)]
pub enum Location<'a> {
    /// Gone when the store stops.
    Memory,
    /// A `SQLite` file, made if there is none. A write that was answered survives the death of the process; one that the power
    /// took with it may be missing, and then all later ones are too.
    File(&'a Path),
}

#[derive(Debug, thiserror::Error)]
pub enum EmbeddedStoreError {
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    #[error("{path} cannot be opened as a database: {reason}")]
    Unreadable { path: PathBuf, reason: String },
    #[error("the embedded database cannot be served: {0}")]
    Io(#[from] io::Error),
}

/// A running server; it stops when this is dropped.
#[derive(Debug)]
pub struct EmbeddedStore {
    endpoint: String,
    stop: Option<oneshot::Sender<()>>,
    stopped: mpsc::Receiver<()>,
    /// Held as long as the file is open: two processes on one file would each believe their caches.
    _lock: Option<File>,
}

impl EmbeddedStore {
    /// Opens the tables and serves them on a free port of loopback, on a thread of its own: `SQLite` blocks, and that must not hold
    /// up the requests that other threads answer.
    pub fn start(location: Location<'_>) -> Result<Self, EmbeddedStoreError> {
        let lock = match location {
            Location::Memory => None,
            Location::File(path) => Some(lock(path)?),
        };
        let database = open(location)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopping) = oneshot::channel();
        let (alive, stopped) = mpsc::channel();
        thread::Builder::new().name("tables".into()).spawn(move || {
            let served = runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
                server::serve_with_shutdown(listener, database, async { drop(stopping.await) }).await
            });
            if let Err(error) = served {
                tracing::error!(error, "the embedded database stopped");
            }
            // The runtime holds what is left of the connections, and they hold the database.
            drop(runtime);
            drop(alive);
        })?;
        Ok(Self { endpoint, stop: Some(stop), stopped, _lock: lock })
    }

    /// Such as `http://127.0.0.1:34567`. Any program on this machine may use it without credentials.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread ends by itself when nobody is there to be told.
            let _ = stop.send(());
            let _ = self.stopped.recv_timeout(PATIENCE);
        }
    }
}

fn lock(path: &Path) -> Result<File, EmbeddedStoreError> {
    let file = File::create(path.with_extension("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EmbeddedStoreError::InUse(path.into())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn open(location: Location<'_>) -> Result<Database, EmbeddedStoreError> {
    let (path, database) = match location {
        Location::Memory => (Path::new("memory"), Database::memory()),
        Location::File(path) => (path, Database::new(&path.to_string_lossy())),
    };
    let unreadable = |error: dynoxide::DynoxideError| EmbeddedStoreError::Unreadable { path: path.into(), reason: error.to_string() };
    let database = database.map_err(unreadable)?;
    // The name says less than it does: it also sets how SQLite syncs. `NORMAL` with a write-ahead log syncs at checkpoints rather
    // than at each commit, and what the operating system has been given survives this process all the same.
    database.disable_bulk_loading().map_err(unreadable)?;
    Ok(database)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };

    use adapters::store::{Item, Key, Query, Store, TableNames, tables::create_missing};

    use super::*;

    const PATH: &str = "STOCKGPT_TEST_TABLES";

    async fn tables(store: &EmbeddedStore) -> Store {
        let store = Store::local(store.endpoint(), TableNames::with_prefix("test"));
        create_missing(&store).await.unwrap();
        store
    }

    fn item(number: usize) -> Item {
        Item::new(Key::new("P", format!("{number:06}"))).text("text", "x".repeat(500))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_written_is_there_after_a_stop() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tables.sqlite");
        for round in 0..3 {
            let embedded = EmbeddedStore::start(Location::File(&path)).unwrap();
            let table = tables(&embedded).await.market();
            assert_eq!(table.count(&Query::partition("P")).await, Ok(round));
            table.put_new(item(round)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_file_has_one_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tables.sqlite");
        let owner = EmbeddedStore::start(Location::File(&path)).unwrap();
        assert!(matches!(EmbeddedStore::start(Location::File(&path)), Err(EmbeddedStoreError::InUse(_))));
        drop(owner);
        assert!(EmbeddedStore::start(Location::File(&path)).is_ok());
    }

    #[test]
    fn a_damaged_file_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tables.sqlite");
        fs::write(&path, "this is not a database, whatever its name says".repeat(100)).unwrap();
        let error = EmbeddedStore::start(Location::File(&path)).unwrap_err();
        assert!(matches!(error, EmbeddedStoreError::Unreadable { .. }), "{error}");
        assert!(matches!(
            EmbeddedStore::start(Location::File(&directory.path().join("none/tables.sqlite"))),
            Err(EmbeddedStoreError::Io(_))
        ));
    }

    /// What the process does that is killed: writes, and says what was answered.
    async fn write_until_killed(path: &Path) {
        let embedded = EmbeddedStore::start(Location::File(path)).unwrap();
        let store = tables(&embedded).await;
        for number in 0.. {
            let (market, signals) = (store.market(), store.signals());
            store.transaction().put_new("a", &market, item(number)).put_new("b", &signals, item(number)).commit().await.unwrap();
            println!("answered {number}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_killed_process_loses_nothing_that_was_answered() {
        // The process to kill is this very test once more, with a file to write to.
        if let Some(path) = std::env::var_os(PATH) {
            return write_until_killed(Path::new(&path)).await;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tables.sqlite");
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "embedded_store::tests::a_killed_process_loses_nothing_that_was_answered", "--nocapture"])
            .env(PATH, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answered = |line: &str| line.rsplit_once("answered ").and_then(|(_, number)| number.parse::<usize>().ok());
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.by_ref().filter_map(|line| answered(&line)).any(|number| number >= 300), "the writer ended by itself");
        // SIGKILL: nothing of the process runs any more, in the midst of whatever it was doing.
        writer.kill().unwrap();
        writer.wait().unwrap();
        let last = lines.filter_map(|line| answered(&line)).last().unwrap_or(300);

        let embedded = EmbeddedStore::start(Location::File(&path)).unwrap();
        let store = tables(&embedded).await;
        let (a, b) =
            (store.market().query(&Query::partition("P")).await.unwrap(), store.signals().query(&Query::partition("P")).await.unwrap());
        assert_eq!(a, b, "a transaction is whole or not there");
        assert!(a.len() > last, "{} are there, {last} was the last to be answered", a.len());
        assert!((0..a.len()).zip(&a).all(|(number, stored)| *stored == item(number)), "what is there is undamaged");
    }
}
