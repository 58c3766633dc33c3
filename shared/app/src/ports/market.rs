//! The list of companies and the record of ingestion runs.

use async_trait::async_trait;
use domain::{Company, Symbol};

use super::StoreError;
use crate::data::{Batch, QuarantinedBar, Run};

#[async_trait]
pub trait MarketStore: Send + Sync {
    /// All companies by symbol; may lag a minute behind the newest write of another process.
    async fn companies(&self) -> Result<std::sync::Arc<Vec<Company>>, StoreError>;

    async fn company(&self, symbol: &Symbol) -> Result<Option<Company>, StoreError>;

    async fn put_companies(&self, companies: &[Company]) -> Result<(), StoreError>;

    /// Adds or replaces a bar in quarantine.
    async fn put_quarantined(&self, bar: &QuarantinedBar) -> Result<(), StoreError>;

    async fn quarantined(&self, id: &str) -> Result<Option<QuarantinedBar>, StoreError>;

    /// All bars that ever were in quarantine, by id.
    async fn quarantine(&self) -> Result<Vec<QuarantinedBar>, StoreError>;

    /// Adds or replaces a batch's record.
    async fn put_batch(&self, batch: &Batch) -> Result<(), StoreError>;

    /// A run's batches, by number.
    async fn batches(&self, run: &str) -> Result<Vec<Batch>, StoreError>;

    async fn put_run(&self, run: &Run) -> Result<(), StoreError>;

    async fn run(&self, id: &str) -> Result<Option<Run>, StoreError>;

    /// Newest first.
    async fn runs(&self, limit: usize) -> Result<Vec<Run>, StoreError>;
}
