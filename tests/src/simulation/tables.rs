//! The same simulation over the real tables: what holds of the store in memory holds of them.

use std::sync::Arc;

use adapters::store::{PortfolioTable, Store, TableNames, tables::create_missing};
use app::ports::PortfolioStore;
use stockgpt::embedded_store::{EmbeddedStore, Location};

use super::{setting, simulate};

/// Some thousand are enough to prove that both stores behave alike, and each takes milliseconds.
const OPERATIONS: u64 = 2_000;

#[tokio::test]
async fn the_real_tables_keep_every_promise_too() {
    let embedded = EmbeddedStore::start(Location::Memory).unwrap();
    let store = Store::local(embedded.endpoint(), TableNames::with_prefix("simulation"));
    create_missing(&store).await.unwrap();
    let table: Arc<dyn PortfolioStore> = Arc::new(PortfolioTable::new(&store));
    let operations = setting("STOCKGPT_SIM_OPERATIONS", OPERATIONS).min(OPERATIONS);
    simulate("tables::the_real_tables_keep_every_promise_too", setting("STOCKGPT_SIM_SEED", 1_000_001), operations, Some(table)).await;
}
