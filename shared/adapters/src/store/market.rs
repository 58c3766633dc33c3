//! Companies and ingestion runs in the market table.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `STOCK` | `<symbol>` | a company |
//! | `QUARANTINE` | `<id>` | a bar that failed the quality gate, and what was decided about it |
//! | `RUN` | `<id>` | an ingestion run; ids sort by time |
//! | `BATCHES#<run>` | `<number>` | a batch of its symbols and how far it has come |

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use app::{
    data::{Batch, QuarantinedBar, Run},
    ports::{MarketStore, StoreError},
};
use async_trait::async_trait;
use domain::{Company, Symbol};

use super::{Item, Key, Query, Store, Table};

/// Companies change about once a day and are looked up at every request: a copy may be this old.
const COPY_LIFE: Duration = Duration::from_mins(1);

/// Companies and when they were read.
type Copy = (Instant, Arc<Vec<Company>>);

#[derive(Clone, Debug)]
pub struct MarketTable {
    table: Table,
    copy: Arc<Mutex<Option<Copy>>>,
}

impl MarketTable {
    pub fn new(store: &Store) -> Self {
        Self { table: store.market(), copy: Arc::default() }
    }

    fn fresh_copy(&self) -> Option<Arc<Vec<Company>>> {
        let copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        copy.as_ref().filter(|(read_at, _)| read_at.elapsed() < COPY_LIFE).map(|(_, companies)| companies.clone())
    }

    fn keep(&self, companies: Option<Arc<Vec<Company>>>) {
        *self.copy.lock().unwrap_or_else(PoisonError::into_inner) = companies.map(|companies| (Instant::now(), companies));
    }
}

#[async_trait]
impl MarketStore for MarketTable {
    async fn companies(&self) -> Result<Arc<Vec<Company>>, StoreError> {
        if let Some(copy) = self.fresh_copy() {
            return Ok(copy);
        }
        let items = self.table.query(&Query::partition("STOCK")).await?;
        let companies = Arc::new(items.iter().map(Item::get_doc).collect::<Result<Vec<Company>, _>>()?);
        self.keep(Some(companies.clone()));
        Ok(companies)
    }

    async fn company(&self, symbol: &Symbol) -> Result<Option<Company>, StoreError> {
        let companies = self.companies().await?;
        Ok(companies.binary_search_by(|company| company.symbol.cmp(symbol)).ok().map(|at| companies[at].clone()))
    }

    async fn put_companies(&self, companies: &[Company]) -> Result<(), StoreError> {
        let items = companies.iter().map(|company| Item::new(Key::new("STOCK", company.symbol.as_str())).doc(company)).collect();
        self.table.batch_put(items).await?;
        self.keep(None);
        Ok(())
    }

    async fn put_quarantined(&self, bar: &QuarantinedBar) -> Result<(), StoreError> {
        self.table.put(Item::new(Key::new("QUARANTINE", bar.id.as_str())).doc(bar)).await
    }

    async fn quarantined(&self, id: &str) -> Result<Option<QuarantinedBar>, StoreError> {
        self.table.get(&Key::new("QUARANTINE", id)).await?.map(|item| item.get_doc()).transpose()
    }

    async fn quarantine(&self) -> Result<Vec<QuarantinedBar>, StoreError> {
        self.table.query(&Query::partition("QUARANTINE")).await?.iter().map(Item::get_doc).collect()
    }

    async fn put_batch(&self, batch: &Batch) -> Result<(), StoreError> {
        let key = Key::new(batches_of(&batch.run), format!("{:05}", batch.number));
        self.table.put(Item::new(key).doc(batch)).await
    }

    async fn batches(&self, run: &str) -> Result<Vec<Batch>, StoreError> {
        self.table.query(&Query::partition(batches_of(run))).await?.iter().map(Item::get_doc).collect()
    }

    async fn put_run(&self, run: &Run) -> Result<(), StoreError> {
        self.table.put(Item::new(Key::new("RUN", run.id.as_str())).doc(run)).await
    }

    async fn run(&self, id: &str) -> Result<Option<Run>, StoreError> {
        self.table.get(&Key::new("RUN", id)).await?.map(|item| item.get_doc()).transpose()
    }

    async fn runs(&self, limit: usize) -> Result<Vec<Run>, StoreError> {
        let page = self.table.query_page(&Query::partition("RUN").newest_first(), u32::try_from(limit).unwrap_or(u32::MAX)).await?;
        page.items.iter().map(Item::get_doc).collect()
    }
}

fn batches_of(run: &str) -> String {
    format!("BATCHES#{run}")
}
