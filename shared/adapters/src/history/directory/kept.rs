//! Histories that were decoded before. A portfolio is revalued many times between two changes of a file: what has not changed is neither
//! read nor decoded again.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use app::ports::Version;
use domain::{PriceHistory, Symbol};

/// Bars that are kept at most, of all stocks together: some 90 bytes each, and several times what the bundled data has.
const MOST_BARS: usize = 500_000;

/// What tells one state of a file from another. Objects are replaced by renaming, so that each state has a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: SystemTime,
    bytes: u64,
    file: u64,
}

impl Stamp {
    /// `None` where there is no file or its system does not say when it was changed.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        let file = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let file = 0;
        Some(Self { modified: metadata.modified().ok()?, bytes: metadata.len(), file })
    }
}

#[derive(Debug)]
struct Decoded {
    stamp: Stamp,
    history: Arc<PriceHistory>,
    version: Version,
}

/// Shared by all copies of a directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    histories: Arc<Mutex<BTreeMap<Symbol, Decoded>>>,
    /// Of the few objects whose versions are asked for.
    objects: Arc<Mutex<BTreeMap<String, (Stamp, Version)>>>,
}

impl Kept {
    pub(super) fn object_version(&self, name: &str, stamp: Stamp) -> Option<Version> {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.get(name).filter(|(known, _)| *known == stamp).map(|(_, version)| version.clone())
    }

    pub(super) fn keep_object_version(&self, name: &str, stamp: Stamp, version: &Version) {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.insert(name.to_owned(), (stamp, version.clone()));
    }

    pub(super) fn find(&self, symbol: &Symbol, stamp: Stamp) -> Option<(Arc<PriceHistory>, Version)> {
        let decoded = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
        decoded.get(symbol).filter(|decoded| decoded.stamp == stamp).map(|found| (found.history.clone(), found.version.clone()))
    }

    pub(super) fn keep(&self, stamp: Stamp, history: Arc<PriceHistory>, version: &Version) {
        let symbol = history.symbol.clone();
        let kept = Decoded { stamp, history, version: version.clone() };
        let mut decoded = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
        decoded.insert(symbol, kept);
        let mut bars: usize = decoded.values().map(|decoded| decoded.history.bars.len()).sum();
        while bars > MOST_BARS {
            let Some((_, dropped)) = decoded.pop_first() else { break };
            bars -= dropped.history.bars.len();
        }
    }
}
