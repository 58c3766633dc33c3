//! A place of a test's own: tables in memory, objects in a directory.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use adapters::{
    history::directory::Directory,
    store::{MarketTable, QuotaTable, Store, TableNames, tables::create_missing},
};
use app::{
    data::Data,
    market::Market,
    ports::{HistoryStore, MarketData, MarketStore, Quota},
};
use domain::{Company, PriceHistory, Symbol, Timestamp};
use stockgpt::embedded_store::{EmbeddedStore, Location};
use tempfile::TempDir;

pub(crate) struct Place {
    pub(crate) companies: Arc<dyn MarketStore>,
    pub(crate) objects: Arc<dyn HistoryStore>,
    store: Store,
    directory: TempDir,
    _tables: EmbeddedStore,
}

impl Place {
    pub(crate) async fn with(symbols: &[&str]) -> Self {
        let tables = EmbeddedStore::start(Location::Memory).unwrap();
        let store = Store::local(tables.endpoint(), TableNames::with_prefix("test"));
        create_missing(&store).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let objects = Arc::new(Directory::open(directory.path()).unwrap());
        let companies = Arc::new(MarketTable::new(&store));
        companies.put_companies(&symbols.iter().map(|symbol| company(symbol)).collect::<Vec<_>>()).await.unwrap();
        Self { companies, objects, store, directory, _tables: tables }
    }

    pub(crate) fn market(&self) -> Market {
        Market::new(self.objects.clone(), self.companies.clone(), None)
    }

    pub(crate) fn data(&self, vendor: Arc<dyn MarketData>) -> Data {
        Data::new(self.market(), self.objects.clone(), vendor)
    }

    /// What vendors' plans allow, counted by the tables.
    pub(crate) fn quota(&self) -> Arc<dyn Quota> {
        Arc::new(QuotaTable::new(&self.store))
    }

    pub(crate) async fn history(&self, symbol: &str, now: &str) -> PriceHistory {
        self.market().history(&symbol.parse().unwrap(), at(now)).await.unwrap()
    }

    pub(crate) async fn company(&self, symbol: &str) -> Option<Company> {
        self.companies.company(&symbol.parse().unwrap()).await.unwrap()
    }

    /// Every price file and derived object, by name, as it is on the disk.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for part in ["prices", "snapshots"] {
            collect(&self.directory.path().join(part), &mut files);
        }
        files
    }
}

fn collect(directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.map(Result::unwrap) {
        files
            .insert(entry.path().strip_prefix(directory.parent().unwrap()).unwrap().display().to_string(), fs::read(entry.path()).unwrap());
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

pub(crate) fn company(symbol: &str) -> Company {
    Company { figi: Some(format!("FIGI{symbol}")), ..Company::named(symbol.parse().unwrap(), format!("{symbol} Inc.")) }
}
