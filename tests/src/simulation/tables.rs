//! The same simulation over the real tables: what holds of the store in memory holds of them.

use std::sync::Arc;

use adapters::store::{IdentityTable, PortfolioTable, Store, TableNames, tables::create_missing};
use app::{
    auth::User,
    ports::{IdentityStore, PortfolioStore},
};
use domain::{Role, Timestamp, UserId};
use stockgpt::embedded_store::{EmbeddedStore, Location};

use super::{setting, simulate, world::owners};

/// Some thousand are enough to prove that both stores behave alike, and each takes milliseconds.
const OPERATIONS: u64 = 2_000;

/// More worlds than so many operations ever need.
const WORLDS: u64 = 50;

#[tokio::test]
async fn the_real_tables_keep_every_promise_too() {
    let embedded = EmbeddedStore::start(Location::Memory).unwrap();
    let store = Store::local(embedded.endpoint(), TableNames::with_prefix("simulation"));
    create_missing(&store).await.unwrap();
    let operations = setting("STOCKGPT_SIM_OPERATIONS", OPERATIONS).min(OPERATIONS);
    let seed = setting("STOCKGPT_SIM_SEED", 1_000_001);
    // A portfolio is opened for users who are there.
    let identity = IdentityTable::new(&store);
    for owner in (seed..seed + WORLDS).flat_map(owners) {
        identity.create_user(&user(owner)).await.unwrap();
    }
    let table: Arc<dyn PortfolioStore> = Arc::new(PortfolioTable::new(&store));
    simulate("tables::the_real_tables_keep_every_promise_too", seed, operations, Some(table)).await;
}

fn user(id: UserId) -> User {
    User {
        email: format!("{id}@example.com").parse().unwrap(),
        id,
        role: Role::Trader,
        is_active: true,
        is_verified: true,
        created_at: Timestamp::UNIX_EPOCH,
        last_sign_in_at: None,
        profile: app::auth::Profile::default(),
        preferences: app::auth::Preferences::default(),
    }
}
