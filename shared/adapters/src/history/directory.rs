//! Price histories and other objects in a directory of this machine.
//!
//! A write puts the bytes into a file beside the objects, makes them durable and renames that file over the object, so that
//! a process killed or a machine cut off at any moment leaves the old object or the new one, whole. A lock file an object
//! makes reading the current version and replacing it one step, among threads and among processes.

mod kept;

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use app::ports::{HistoryError, HistoryStore, Version};
use async_trait::async_trait;
use domain::{PriceHistory, Symbol};

use self::kept::{Kept, Stamp};
use super::{PRICES, check_name, decode_history, encode_history, history_object, symbol_of, version_of};

/// Where locks and unfinished files lie: no object's name begins with a dot.
const LOCKS: &str = ".locks";
const UNFINISHED: &str = ".unfinished";

/// A [`HistoryStore`] in a directory.
#[derive(Debug, Clone)]
pub struct Directory {
    root: Arc<Path>,
    kept: Kept,
}

/// What must be true of the stored object for a write to go ahead.
enum Condition {
    Absent,
    Is(Version),
    None,
}

impl From<Option<&Version>> for Condition {
    fn from(expected: Option<&Version>) -> Self {
        expected.cloned().map_or(Self::Absent, Self::Is)
    }
}

impl Directory {
    /// Uses `root`, making it if it is not there.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, HistoryError> {
        let root = root.into();
        make_directory(&root).map_err(|error| unavailable(&root, &error))?;
        Ok(Self { root: root.into(), kept: Kept::default() })
    }

    fn path(&self, name: &str) -> Result<PathBuf, HistoryError> {
        check_name(name)?;
        Ok(self.root.join(name))
    }

    fn read_now(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, HistoryError> {
        let path = self.path(name)?;
        match fs::read(&path) {
            Ok(bytes) => {
                let version = version_of(&bytes);
                Ok(Some((bytes, version)))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable(&path, &error)),
        }
    }

    fn write_now(&self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Version, HistoryError> {
        let path = self.path(name)?;
        let _held = self.lock(name)?;
        let stored = match condition {
            Condition::None => true,
            Condition::Absent => self.read_now(name)?.is_none(),
            Condition::Is(expected) => self.read_now(name)?.is_some_and(|(_, version)| version == *expected),
        };
        if !stored {
            return Err(HistoryError::Conflict(name.to_owned()));
        }
        // The lock makes this writer the only one of this object: what an interrupted one left there is overwritten.
        let unfinished = self.root.join(UNFINISHED).join(name);
        replace(&unfinished, &path, bytes).map_err(|error| unavailable(&path, &error))?;
        Ok(version_of(bytes))
    }

    /// Waits for the only right to write `name`, until the file is dropped or the process ends.
    fn lock(&self, name: &str) -> Result<File, HistoryError> {
        let path = self.root.join(LOCKS).join(name);
        let locked = || -> io::Result<File> {
            make_directory(parent(&path))?;
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        locked().map_err(|error| unavailable(&path, &error))
    }

    /// What was decoded before, if the file is still the same. A look at a directory's entry takes microseconds; to let another thread do
    /// it takes longer.
    fn kept_history(&self, symbol: &Symbol) -> Result<Option<(Arc<PriceHistory>, Version)>, HistoryError> {
        let stamp = Stamp::of(&self.path(&history_object(symbol))?);
        Ok(stamp.and_then(|stamp| self.kept.find(symbol, stamp)))
    }

    fn read_history_now(&self, symbol: &Symbol) -> Result<Option<(Arc<PriceHistory>, Version)>, HistoryError> {
        let object = history_object(symbol);
        // Before the bytes: should the file be replaced in between, what is kept has the mark of the old one and is not found again.
        let stamp = Stamp::of(&self.path(&object)?);
        let Some((bytes, version)) = self.read_now(&object)? else {
            return Ok(None);
        };
        let history = Arc::new(decode_history(symbol, bytes)?);
        if let Some(stamp) = stamp {
            self.kept.keep(stamp, history.clone(), &version);
        }
        Ok(Some((history, version)))
    }

    fn symbols_now(&self) -> Result<Vec<Symbol>, HistoryError> {
        let path = self.root.join(PRICES);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unavailable(&path, &error)),
        };
        let mut symbols = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| unavailable(&path, &error))?.file_name();
            symbols.extend(name.to_str().and_then(symbol_of));
        }
        symbols.sort();
        Ok(symbols)
    }

    /// Runs what waits for the disk where it does not hold up the runtime.
    async fn off_runtime<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let directory = self.clone();
        tokio::task::spawn_blocking(move || work(&directory)).await.map_err(|error| HistoryError::Unavailable(error.to_string()))?
    }

    async fn write_off_runtime(&self, name: String, bytes: Vec<u8>, condition: Condition) -> Result<Version, HistoryError> {
        self.off_runtime(move |directory| directory.write_now(&name, &bytes, &condition)).await
    }
}

#[async_trait]
impl HistoryStore for Directory {
    async fn read(&self, symbol: &Symbol) -> Result<Option<(Arc<PriceHistory>, Version)>, HistoryError> {
        if let Some(kept) = self.kept_history(symbol)? {
            return Ok(Some(kept));
        }
        let symbol = symbol.clone();
        self.off_runtime(move |directory| directory.read_history_now(&symbol)).await
    }

    async fn write(&self, history: &PriceHistory, expected: Option<&Version>) -> Result<Version, HistoryError> {
        let object = history_object(&history.symbol);
        let bytes = encode_history(history)?;
        self.write_off_runtime(object, bytes, expected.into()).await
    }

    async fn object_version(&self, name: &str) -> Result<Option<Version>, HistoryError> {
        let stamp = Stamp::of(&self.path(name)?);
        if let Some(known) = stamp.and_then(|stamp| self.kept.object_version(name, stamp)) {
            return Ok(Some(known));
        }
        let version = self.read_object(name).await?.map(|(_, version)| version);
        if let (Some(stamp), Some(version)) = (stamp, &version) {
            self.kept.keep_object_version(name, stamp, version);
        }
        Ok(version)
    }

    async fn symbols(&self) -> Result<Vec<Symbol>, HistoryError> {
        self.off_runtime(Self::symbols_now).await
    }

    async fn read_object(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, HistoryError> {
        let name = name.to_owned();
        self.off_runtime(move |directory| directory.read_now(&name)).await
    }

    async fn write_object(&self, name: &str, bytes: &[u8], expected: Option<&Version>) -> Result<Version, HistoryError> {
        self.write_off_runtime(name.to_owned(), bytes.to_owned(), expected.into()).await
    }

    async fn replace_object(&self, name: &str, bytes: &[u8]) -> Result<Version, HistoryError> {
        self.write_off_runtime(name.to_owned(), bytes.to_owned(), Condition::None).await
    }
}

fn replace(unfinished: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_directory(parent(unfinished))?;
    make_directory(parent(path))?;
    let mut file = File::create(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    make_durable(parent(path))
}

/// Makes a directory and those above it, each durable before something is put into it.
fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = parent(path);
    make_directory(above)?;
    match fs::create_dir(path) {
        // Another writer was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.and_then(|()| make_durable(above)),
    }
}

/// Renames and new entries survive a power cut only when their directory has been synchronised, too.
fn make_durable(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn unavailable(path: &Path, error: &io::Error) -> HistoryError {
    HistoryError::Unavailable(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
