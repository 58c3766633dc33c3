//! The four tables. In the cloud the deployment makes them; on one machine and in tests [`create_missing`] does.

use app::ports::StoreError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
    TableStatus, TimeToLiveSpecification,
};
use futures::future::try_join_all;

use super::{Store, batch::pause, error::store_error, item::EXPIRES_AT};

/// The index over kinds: items that carry `gsi_pk` and `gsi_sk`, whole.
pub const BY_KIND: &str = "by_kind";

/// The names of key attributes.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyNames {
    pub(super) partition: &'static str,
    pub(super) sort: &'static str,
}

impl KeyNames {
    pub(super) const TABLE: Self = Self { partition: "pk", sort: "sk" };
    pub(super) const BY_KIND: Self = Self { partition: "gsi_pk", sort: "gsi_sk" };

    fn schema(self) -> Vec<KeySchemaElement> {
        [(self.partition, KeyType::Hash), (self.sort, KeyType::Range)]
            .map(|(name, role)| KeySchemaElement::builder().attribute_name(name).key_type(role).build().expect("name and role were given"))
            .into()
    }

    fn definitions(self) -> [AttributeDefinition; 2] {
        [self.partition, self.sort].map(|name| {
            let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
            definition.build().expect("name and type were given")
        })
    }
}

/// What the tables are called: one for each group of things that the same functions may touch, so that access can be granted by table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// Users, codes, sessions, limits.
    pub identity: String,
    /// Companies, ingestion runs, quarantine.
    pub market: String,
    /// Signals and what became of them.
    pub signals: String,
    /// Portfolios, orders, ledgers.
    pub portfolios: String,
}

impl TableNames {
    pub fn with_prefix(prefix: &str) -> Self {
        let name = |group: &str| format!("{prefix}-{group}");
        Self { identity: name("identity"), market: name("market"), signals: name("signals"), portfolios: name("portfolios") }
    }

    fn definitions(&self) -> [Definition<'_>; 4] {
        [
            Definition { name: &self.identity, by_kind: true },
            Definition { name: &self.market, by_kind: false },
            Definition { name: &self.signals, by_kind: false },
            Definition { name: &self.portfolios, by_kind: true },
        ]
    }
}

struct Definition<'a> {
    name: &'a str,
    by_kind: bool,
}

/// Makes those tables that do not exist yet, all at once. A later start costs one request.
pub async fn create_missing(store: &Store) -> Result<(), StoreError> {
    let existing = existing(store).await?;
    let missing = store.names().definitions().into_iter().filter(|definition| !existing.iter().any(|name| name == definition.name));
    try_join_all(missing.map(|definition| create(store, definition))).await.map(|_| ())
}

async fn existing(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    let mut start = None;
    loop {
        let request = store.client().list_tables().set_exclusive_start_table_name(start);
        let answer = request.send().await.map_err(|error| store_error("the list of tables", &error))?;
        names.extend(answer.table_names.unwrap_or_default());
        match answer.last_evaluated_table_name {
            Some(next) => start = Some(next),
            None => return Ok(names),
        }
    }
}

async fn create(store: &Store, definition: Definition<'_>) -> Result<(), StoreError> {
    let mut request = store
        .client()
        .create_table()
        .table_name(definition.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(KeyNames::TABLE.schema()))
        .set_attribute_definitions(Some(KeyNames::TABLE.definitions().into()));
    if definition.by_kind {
        let index = GlobalSecondaryIndex::builder()
            .index_name(BY_KIND)
            .set_key_schema(Some(KeyNames::BY_KIND.schema()))
            .projection(Projection::builder().projection_type(ProjectionType::All).build());
        let [partition, sort] = KeyNames::BY_KIND.definitions();
        request = request
            .global_secondary_indexes(index.build().expect("name, keys and projection were given"))
            .attribute_definitions(partition)
            .attribute_definitions(sort);
    }
    match request.send().await {
        Ok(_) => {}
        // Another process that starts at the same time was faster.
        Err(error)
            if error
                .as_service_error()
                .is_some_and(aws_sdk_dynamodb::operation::create_table::CreateTableError::is_resource_in_use_exception) => {}
        Err(error) => return Err(store_error(definition.name, &error)),
    }
    until_active(store, definition.name).await?;
    let expiry = TimeToLiveSpecification::builder().attribute_name(EXPIRES_AT).enabled(true).build().expect("both were given");
    let request = store.client().update_time_to_live().table_name(definition.name).time_to_live_specification(expiry);
    request.send().await.map(|_| ()).map_err(|error| store_error(definition.name, &error))
}

/// How often a table is looked at before it counts as unavailable; with [`pause`] well over ten seconds.
const LOOKS: u32 = 30;

async fn until_active(store: &Store, name: &str) -> Result<(), StoreError> {
    for look in 0..LOOKS {
        let answer = store.client().describe_table().table_name(name).send().await.map_err(|error| store_error(name, &error))?;
        if answer.table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(pause(look)).await;
    }
    Err(StoreError::Unavailable(format!("the table {name} does not become active")))
}
