//! The directory in which one machine keeps everything.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use app::auth::Secrets;

#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("the data directory {path} cannot be used: {reason}")]
    Unusable { path: PathBuf, reason: String },
    #[error("{path} is not a data directory of StockGPT and will not be emptied; remove it yourself if you are sure")]
    NotOurs { path: PathBuf },
}

/// Marks a directory as ours, so that a reset never empties anything else.
const MARKER: &str = "README.txt";
const MARKER_TEXT: &str = "This directory belongs to StockGPT. Everything in it but the tables (accounts, portfolios) can be made again.\n";

impl DataDir {
    /// Opens the directory, making it if it is not there.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let directory = Self(path.to_owned());
        directory.prepare().map_err(|error| DataDirError::Unusable { path: path.to_owned(), reason: error.to_string() })?;
        Ok(directory)
    }

    fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        fs::write(self.0.join(MARKER), MARKER_TEXT)
    }

    /// Removes a data directory with all that is in it.
    pub fn remove(path: &Path) -> Result<(), DataDirError> {
        if !path.exists() {
            return Ok(());
        }
        if !path.join(MARKER).is_file() {
            return Err(DataDirError::NotOurs { path: path.to_owned() });
        }
        fs::remove_dir_all(path).map_err(|error| DataDirError::Unusable { path: path.to_owned(), reason: error.to_string() })
    }

    pub fn tables(&self) -> PathBuf {
        self.0.join("tables.sqlite")
    }

    /// Prices, snapshots and models.
    pub fn objects(&self) -> PathBuf {
        self.0.join("objects")
    }

    pub fn outbox(&self) -> PathBuf {
        self.0.join("outbox")
    }

    pub fn clock(&self) -> PathBuf {
        self.0.join("clock.json")
    }

    /// The keys of this machine, made on the first start and readable by the owner only.
    pub fn secrets(&self) -> Result<Secrets, DataDirError> {
        let path = self.0.join("secrets.json");
        let unusable = |reason: String| DataDirError::Unusable { path: path.clone(), reason };
        if path.exists() {
            let text = fs::read_to_string(&path).map_err(|error| unusable(error.to_string()))?;
            return Secrets::from_json(&text).map_err(|error| unusable(error.to_string()));
        }
        let secrets = Secrets::generate();
        write_private(&path, secrets.to_json().as_bytes()).map_err(|error| unusable(error.to_string()))?;
        Ok(secrets)
    }
}

/// Whole or not at all, and for the owner's eyes only.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let unfinished = path.with_extension("part");
    let mut options = fs::OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}
